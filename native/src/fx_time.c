/* Delay and pitch: what reads from a line of past frames. */
#include "fx.h"

/* ---- delay ---- */

/* What is fed back: as it is, darker each time, or thinner. */
static float coloured(float *low, int mode, float sample, float dark, float thin) {
    if (mode == 0) return sample;
    *low += (sample - *low) * (mode == 1 ? dark : thin);
    return mode == 1 ? *low : sample - *low;
}

void mp_fx_delay_process(mp_fx *fx, float *planar, uint32_t frames) {
    mp_fx_delay *d = &fx->delay;
    const int mode = (int)(fx->values[0] + 0.5f);
    const float rate = (float)fx->rate, turn = fx->values[5] / rate;
    const float dark = mp_fx_corner(fx, 2500.0f), thin = mp_fx_corner(fx, 400.0f);
    const float slow = mp_fx_step(fx, 0.15f), quick = mp_fx_step(fx, 0.01f);
    for (uint32_t i = 0; i < frames; i++) {
        d->phase += turn;
        if (d->phase >= 1.0f) d->phase -= 1.0f;
        float drift = mp_fx_next(&d->drift, quick) * sinf(6.2831853f * d->phase);
        float ago = (mp_fx_next(&d->seconds, slow) + drift) * rate;
        if (ago < 1.0f) ago = 1.0f;
        if (ago > (float)(d->line.mask - 1)) ago = (float)(d->line.mask - 1);
        float feedback = mp_fx_next(&d->feedback, quick), level = mp_fx_next(&d->level, quick);
        for (uint32_t c = 0; c < fx->channels; c++) {
            float *sample = &planar[(size_t)c * frames + i];
            float late = coloured(&d->low[c], mode, mp_fx_line_between(&d->line, c, ago), dark, thin);
            /* At full feedback it goes on for ever, and what is added must not pile up. */
            mp_fx_line_put(&d->line, c, fmaxf(-2.0f, fminf(2.0f, *sample + late * feedback)));
            *sample += late * level;
        }
        d->line.at++;
    }
}

/* ---- pitch ---- */

/* What is read moves through the line faster or slower than it is filled. When it comes to an end
 * of the stretch, it goes over to the place near the other end that looks most like where it is. */
enum { TEMPLATE = 96 };
static const float FADE_S = 0.005f, STRETCH_S = 0.024f;

static uint32_t fade_frames(uint32_t rate) { return (uint32_t)(FADE_S * (float)rate); }

static float nearest(uint32_t rate) { return (float)fade_frames(rate) + TEMPLATE + 4.0f; }

uint32_t mp_fx_pitch_latency(uint32_t rate) {
    return (uint32_t)(nearest(rate) + STRETCH_S * (float)rate / 2);
}

/* How alike what was `one` and `other` frames ago are, and what came before. */
static float alike(const mp_fx *fx, uint32_t one, uint32_t other) {
    const mp_fx_line *l = &fx->pitch.line;
    float both = 0.0f, power = 1e-9f;
    for (uint32_t i = 0; i < TEMPLATE; i++) {
        uint32_t back = i * 3;
        float a = mp_fx_line_get(l, 0, one + back), b = mp_fx_line_get(l, 0, other + back);
        both += a * b;
        power += b * b;
    }
    return both / sqrtf(power);
}

static float best_near(const mp_fx *fx, float ago, float wanted, float least, float most) {
    const float around = STRETCH_S * (float)fx->rate * 0.4f;
    float from = fmaxf(least, wanted - around), to = fminf(most, wanted + around);
    float best = wanted, best_score = -1e9f;
    for (float at = from; at <= to; at += 2.0f) {
        float score = alike(fx, (uint32_t)ago, (uint32_t)at);
        if (score > best_score) best_score = score, best = at;
    }
    return floorf(best) + (ago - floorf(ago));
}

static void jump_at_the_end(mp_fx *fx, float ratio) {
    mp_fx_pitch *p = &fx->pitch;
    const float least = nearest(fx->rate), most = least + STRETCH_S * (float)fx->rate;
    bool near = p->ago < least && ratio > 1.0f, far = p->ago > most && ratio < 1.0f;
    bool outside = p->ago < least - 1.0f || p->ago > most + 1.0f;
    if (p->fading > 0.0f || !(near || far || outside)) return;
    p->old_ago = p->ago;
    p->fading = 1.0f;
    if (ratio == 1.0f) {
        p->ago = (least + most) / 2;
        return;
    }
    p->ago = best_near(fx, fmaxf(p->ago, 1.0f), near || ratio > 1.0f ? most : least, least, most);
}

void mp_fx_pitch_process(mp_fx *fx, float *planar, uint32_t frames) {
    mp_fx_pitch *p = &fx->pitch;
    const float ratio = powf(2.0f, fx->values[0] / 12.0f), quick = mp_fx_step(fx, 0.01f);
    const float step = 1.0f / (float)fade_frames(fx->rate);
    for (uint32_t i = 0; i < frames; i++) {
        for (uint32_t c = 0; c < fx->channels; c++) {
            mp_fx_line_put(&p->line, c, planar[(size_t)c * frames + i]);
        }
        jump_at_the_end(fx, ratio);
        float mix = mp_fx_next(&p->mix, quick), old = p->fading;
        for (uint32_t c = 0; c < fx->channels; c++) {
            float *sample = &planar[(size_t)c * frames + i];
            float wet = mp_fx_line_between(&p->line, c, p->ago);
            if (old > 0.0f) wet += (mp_fx_line_between(&p->line, c, p->old_ago) - wet) * old;
            *sample += (wet - *sample) * mix;
        }
        p->fading = fmaxf(0.0f, p->fading - step);
        p->ago += 1.0f - ratio;
        p->old_ago = fmaxf(0.0f, p->old_ago + 1.0f - ratio);
        p->line.at++;
    }
}
