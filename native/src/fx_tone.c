/* Drive and envelope filter: what changes how something sounds. */
#include "fx.h"

/* ---- drive ---- */

/* Two chains of first-order all-passes at half the rate, 100 dB from 0.51 of it on. */
static const float HALF[2][MP_HALFBAND] = {
    {0.036681502f, 0.274631759f, 0.561098970f, 0.769741834f, 0.892260818f, 0.962094548f},
    {0.136547625f, 0.423138617f, 0.677540050f, 0.839889625f, 0.931541960f, 0.987816371f},
};

/* Both chains at once: each waits for itself at every step, and not for the other. */
static void all_pass(mp_fx_halfband *h, float *one, float *other) {
    float a = *one, b = *other;
    for (int i = 0; i < MP_HALFBAND; i++) {
        float out_a = h->in[0][i] + HALF[0][i] * (a - h->out[0][i]);
        float out_b = h->in[1][i] + HALF[1][i] * (b - h->out[1][i]);
        h->in[0][i] = a;
        h->in[1][i] = b;
        h->out[0][i] = a = out_a;
        h->out[1][i] = b = out_b;
    }
    *one = a;
    *other = b;
}

static float soft(float x) { return x / (1.0f + fabsf(x)); }

static float clipped(float x) { return fmaxf(-1.0f, fminf(1.0f, x)); }

/* As near to the hyperbolic tangent as ears need, for a fraction of its price. */
static float rounded(float x) {
    float near = fmaxf(-3.0f, fminf(3.0f, x));
    return near * (27.0f + near * near) / (27.0f + 9.0f * near * near);
}

/* A tube lets more through on one side than on the other. */
static float tube(float x) { return x > 0.0f ? rounded(x) : 0.8f * rounded(x * 1.1f); }

static float shaped(mp_drive_shape shape, float x, float clean) {
    switch (shape) {
    case MP_DRIVE_SOFT: return soft(x);
    case MP_DRIVE_SCREAMER: return 0.7f * rounded(x) + 0.5f * clean;
    case MP_DRIVE_HARD: return clipped(x);
    case MP_DRIVE_FUZZ: return clipped(x > 0.0f ? x : x * 0.4f + 0.25f * clipped(x));
    case MP_DRIVE_OCTAVE: return clipped(fabsf(x) * 1.4f - 0.35f);
    case MP_DRIVE_METAL: return clipped(1.5f * rounded(soft(x) * 4.0f));
    default: return tube(x);
    }
}

/* Bent at twice the rate, so that what is above half of it is not folded down. */
static float bent(mp_fx_drive *d, mp_drive_shape shape, uint32_t c, float sample, float clean) {
    float first = sample, second = sample;
    all_pass(&d->up[c], &first, &second);
    first = shaped(shape, first, clean);
    second = shaped(shape, second, clean);
    all_pass(&d->down[c], &second, &first);
    return 0.5f * (first + second);
}

void mp_fx_drive_process(mp_fx *fx, float *planar, uint32_t frames) {
    mp_fx_drive *d = &fx->drive;
    const mp_drive_shape shape = (mp_drive_shape)(fx->values[0] + 0.5f);
    const float cut = mp_fx_corner(fx, fx->values[3]), quick = mp_fx_step(fx, 0.005f);
    const float tone = mp_fx_corner(fx, 700.0f * powf(16.0f, fx->values[2]));
    const float dc = mp_fx_corner(fx, 12.0f);
    const mp_fx_glide drive_before = d->drive, level_before = d->level;
    for (uint32_t c = 0; c < fx->channels; c++) {
        d->drive = drive_before;
        d->level = level_before;
        for (uint32_t i = 0; i < frames; i++) {
            float drive = mp_fx_next(&d->drive, quick), level = mp_fx_next(&d->level, quick);
            float *sample = &planar[(size_t)c * frames + i];
            d->low[c] += (*sample - d->low[c]) * cut;
            float out = bent(d, shape, c, (*sample - d->low[c]) * drive, *sample);
            d->dc[c] += (out - d->dc[c]) * dc;
            d->tone[c] += (out - d->dc[c] - d->tone[c]) * tone;
            *sample = d->tone[c] * level;
        }
    }
}

/* ---- envelope filter ---- */

enum { SAME_FOR = 8 };
/* How far full sensitivity opens it for a level of 1. */
static const float OPENS_HZ = 12000.0f;

typedef struct {
    float g, k, a;
} tuned;

static tuned tune(const mp_fx *fx, float envelope) {
    float sense = fx->values[3] / 100.0f;
    float hz = fx->values[1] + sense * sense * OPENS_HZ * envelope;
    hz = fmaxf(20.0f, fminf(hz, 0.4f * (float)fx->rate));
    tuned t = {.g = tanf(3.1415927f * hz / (float)fx->rate), .k = 1.0f / fx->values[2]};
    t.a = 1.0f / (1.0f + t.g * (t.g + t.k));
    return t;
}

/* A state variable filter, integrated by the trapezoidal rule: it stands being moved fast. */
static float filtered(mp_fx_envelope *e, uint32_t c, const tuned *t, int type, float in) {
    float high = (in - e->two[c] - (t->g + t->k) * e->one[c]) * t->a;
    float band = e->one[c] + t->g * high, low = e->two[c] + t->g * band;
    e->one[c] = band + t->g * high;
    e->two[c] = low + t->g * band;
    return type == 0 ? low : type == 1 ? band * t->k : high;
}

void mp_fx_envelope_process(mp_fx *fx, float *planar, uint32_t frames) {
    mp_fx_envelope *e = &fx->envelope;
    const float attack = mp_fx_step(fx, fx->values[4]), release = mp_fx_step(fx, fx->values[5]);
    const float level = mp_fx_factor(fx->values[6]), dry = mp_fx_factor(fx->values[7]);
    const int type = (int)(fx->values[0] + 0.5f);
    tuned t = tune(fx, e->envelope);
    for (uint32_t i = 0; i < frames; i++) {
        float peak = 0.0f;
        for (uint32_t c = 0; c < fx->channels; c++) {
            peak = fmaxf(peak, fabsf(planar[(size_t)c * frames + i]));
        }
        e->envelope += (peak - e->envelope) * (peak > e->envelope ? attack : release);
        if (i % SAME_FOR == 0) t = tune(fx, e->envelope);
        for (uint32_t c = 0; c < fx->channels; c++) {
            float *sample = &planar[(size_t)c * frames + i];
            *sample = *sample * dry + filtered(e, c, &t, type, *sample) * level;
        }
    }
}
