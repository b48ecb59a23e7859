/* A hall: Freeverb (Jezar at Dreampoint, in the public domain), in front of it two filters of the
 * first order. Channels go in pairs, which hear one another. */
#include <stdlib.h>

#include "fx.h"

enum { CHUNK = 64, LINES = MP_FX_COMBS + MP_FX_ALL_PASSES, SPREAD = 23, TUNED_FOR = 44100 };
static const uint32_t LENGTHS[LINES] = {1116, 1188, 1277, 1356, 1422, 1491,
                                        1557, 1617, 556,  441,  341,  225};
static const float IN_GAIN = 0.015f, WET_SCALE = 3.0f, DAMP_SCALE = 0.4f;
static const float ROOM_SCALE = 0.28f, ROOM_OFFSET = 0.7f, ALL_PASS = 0.5f, GLIDE_S = 0.005f;

static uint32_t length_of(const mp_fx *fx, uint32_t channel, uint32_t line) {
    uint64_t tuned = LENGTHS[line] + (channel % 2 ? SPREAD : 0);
    return (uint32_t)(tuned * fx->rate / TUNED_FOR);
}

bool mp_fx_reverb_init(mp_fx *fx) {
    mp_fx_reverb *r = &fx->reverb;
    size_t frames = 0;
    for (uint32_t c = 0; c < fx->channels; c++) {
        for (uint32_t l = 0; l < LINES; l++) frames += length_of(fx, c, l);
    }
    r->samples = calloc(frames, sizeof *r->samples);
    float *next = r->samples;
    for (uint32_t c = 0; next != NULL && c < fx->channels; c++) {
        for (uint32_t l = 0; l < LINES; l++) {
            r->lines[c][l] = (mp_fx_loop){.samples = next, .frames = length_of(fx, c, l)};
            next += length_of(fx, c, l);
        }
    }
    return r->samples != NULL;
}

void mp_fx_reverb_set(mp_fx *fx, const float *v) {
    mp_fx_reverb *r = &fx->reverb;
    mp_fx_want(fx, &r->feedback, v[0] * ROOM_SCALE + ROOM_OFFSET);
    mp_fx_want(fx, &r->damp, v[1] * DAMP_SCALE);
    mp_fx_want(fx, &r->wet, 0.5f * v[5] * WET_SCALE * (1.0f + v[2]));
    mp_fx_want(fx, &r->cross, 0.5f * v[5] * WET_SCALE * (1.0f - v[2]));
}

/* How far one gets of `frames` before the circle is closed. */
static uint32_t until_turn(mp_fx_loop *l, uint32_t frames, uint32_t done) {
    if (l->at == l->frames) l->at = 0;
    uint32_t whole = l->frames - l->at;
    return frames - done < whole ? frames : done + whole;
}

static void comb(mp_fx_loop *l, const float *restrict in, float *restrict out, uint32_t frames,
                 float damp, float feedback) {
    const float open = 1.0f - damp;
    float last = l->last;
    for (uint32_t done = 0; done < frames;) {
        uint32_t until = until_turn(l, frames, done);
        float *line = l->samples + l->at;
        l->at += until - done;
        for (; done < until; done++, line++) {
            float heard = *line;
            last = heard * open + last * damp;
            *line = in[done] + last * feedback;
            out[done] += heard;
        }
    }
    l->last = last;
}

static void all_pass(mp_fx_loop *l, float *sound, uint32_t frames) {
    for (uint32_t done = 0; done < frames;) {
        uint32_t until = until_turn(l, frames, done);
        float *line = l->samples + l->at;
        l->at += until - done;
        for (; done < until; done++, line++) {
            float heard = *line;
            *line = sound[done] + heard * ALL_PASS;
            sound[done] = heard - sound[done];
        }
    }
}

typedef struct {
    float high, high_back, low, low_back;
} cuts;

/* By the bilinear transform: what is below one and above the other goes. */
static cuts cuts_of(const mp_fx *fx) {
    const float most = 0.49f * (float)fx->rate;
    float high = tanf(3.1415927f * fminf(fx->values[3], most) / (float)fx->rate);
    float low = tanf(3.1415927f * fminf(fx->values[4], most) / (float)fx->rate);
    return (cuts){.high = 1.0f / (high + 1.0f),
                  .high_back = (high - 1.0f) / (high + 1.0f),
                  .low = low / (low + 1.0f),
                  .low_back = (low - 1.0f) / (low + 1.0f)};
}

static float cut(mp_fx_reverb *r, uint32_t c, const cuts *by, float in) {
    in = fabsf(in) < MP_FX_LOUDEST ? in : 0.0f; /* what is no number would go round for ever */
    float high = by->high * in + r->high[c];
    r->high[c] = -by->high * in - by->high_back * high;
    float low = by->low * high + r->low[c];
    r->low[c] = by->low * high - by->low_back * low;
    return low;
}

/* One channel, or two, from `first` on; `sound` is where the first one's frames are. */
static void pair(mp_fx *fx, uint32_t first, uint32_t count, float *sound, size_t apart,
                 uint32_t frames, const cuts *by) {
    mp_fx_reverb *r = &fx->reverb;
    float in[CHUNK] = {0}, out[2][CHUNK] = {{0}};
    for (uint32_t c = 0; c < count; c++) {
        for (uint32_t i = 0; i < frames; i++) {
            in[i] += IN_GAIN * cut(r, first + c, by, sound[c * apart + i]);
        }
    }
    for (uint32_t c = 0; c < count; c++) {
        mp_fx_loop *lines = r->lines[first + c];
        for (int l = 0; l < MP_FX_COMBS; l++) {
            comb(&lines[l], in, out[c], frames, r->damp.now, r->feedback.now);
        }
        for (int l = MP_FX_COMBS; l < LINES; l++) all_pass(&lines[l], out[c], frames);
    }
    const float step = mp_fx_step(fx, GLIDE_S);
    const mp_fx_glide wet_before = r->wet, cross_before = r->cross;
    for (uint32_t c = 0; c < count; c++) {
        r->wet = wet_before;
        r->cross = cross_before;
        for (uint32_t i = 0; i < frames; i++) {
            float wet = mp_fx_next(&r->wet, step), cross = mp_fx_next(&r->cross, step);
            float other = count > 1 ? out[1 - c][i] : 0.0f;
            sound[c * apart + i] += out[c][i] * wet + other * cross;
        }
    }
}

void mp_fx_reverb_process(mp_fx *fx, float *planar, uint32_t frames) {
    mp_fx_reverb *r = &fx->reverb;
    const cuts by = cuts_of(fx);
    for (uint32_t done = 0; done < frames; done += CHUNK) {
        uint32_t some = frames - done < CHUNK ? frames - done : CHUNK;
        const float step = 1.0f - expf(-(float)some / (GLIDE_S * (float)fx->rate));
        const mp_fx_glide wet_before = r->wet, cross_before = r->cross;
        mp_fx_next(&r->feedback, step);
        mp_fx_next(&r->damp, step);
        for (uint32_t c = 0; c < fx->channels; c += 2) {
            uint32_t count = fx->channels - c < 2 ? 1 : 2;
            r->wet = wet_before;
            r->cross = cross_before;
            pair(fx, c, count, planar + (size_t)c * frames + done, frames, some, &by);
        }
    }
}
