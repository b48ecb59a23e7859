/* Gate, tremolo, gain and compressor: what changes how loud something is. */
#include "fx.h"

/* The detector falls so fast between the peaks of a low note. */
static const float DETECTOR_S = 0.02f;

/* All channels open and close together. */
void mp_fx_gate_process(mp_fx *fx, float *planar, uint32_t frames) {
    mp_fx_gate *g = &fx->gate;
    const float threshold = mp_fx_factor(fx->values[0]), frame_s = 1.0f / (float)fx->rate;
    const float attack = mp_fx_step(fx, fx->values[1] / 4), release = mp_fx_step(fx, fx->values[3] / 4);
    const float fall = mp_fx_step(fx, DETECTOR_S);
    for (uint32_t i = 0; i < frames; i++) {
        float peak = 0.0f;
        for (uint32_t c = 0; c < fx->channels; c++) {
            peak = fmaxf(peak, fabsf(planar[(size_t)c * frames + i]));
        }
        g->level = peak > g->level ? peak : g->level - g->level * fall;
        g->held_s = g->level >= threshold ? 0.0f : g->held_s + frame_s;
        bool open = g->held_s <= fx->values[2] && g->level > 0.0f;
        g->gain += open ? (1.0f - g->gain) * attack : -g->gain * release;
        if (g->gain < 1e-6f) g->gain = 0.0f;
        for (uint32_t c = 0; c < fx->channels; c++) planar[(size_t)c * frames + i] *= g->gain;
    }
}

/* From 0 to 1 and back once a turn. */
static float wave(int shape, float phase) {
    if (shape == 0) return 0.5f - 0.5f * cosf(6.2831853f * phase);
    if (shape == 1) return 1.0f - fabsf(2.0f * phase - 1.0f);
    return phase < 0.5f ? 0.0f : 1.0f;
}

void mp_fx_tremolo_process(mp_fx *fx, float *planar, uint32_t frames) {
    mp_fx_tremolo *t = &fx->tremolo;
    const float turn = fx->values[1] / (float)fx->rate, step = mp_fx_step(fx, 0.005f);
    const float edge = mp_fx_step(fx, 0.001f); /* a square wave does not click */
    const int shape = (int)(fx->values[2] + 0.5f);
    for (uint32_t i = 0; i < frames; i++) {
        t->phase += turn;
        if (t->phase >= 1.0f) t->phase -= 1.0f;
        float wanted = 1.0f - mp_fx_next(&t->depth, step) * wave(shape, t->phase);
        t->gain += (wanted - t->gain) * (shape == 2 ? edge : 1.0f);
        for (uint32_t c = 0; c < fx->channels; c++) planar[(size_t)c * frames + i] *= t->gain;
    }
}

void mp_fx_gain_process(mp_fx *fx, float *planar, uint32_t frames) {
    mp_fx_glide *g = &fx->gain.gain;
    const float step = mp_fx_step(fx, 0.005f);
    for (uint32_t i = 0; i < frames; i++) {
        float gain = mp_fx_next(g, step);
        for (uint32_t c = 0; c < fx->channels; c++) planar[(size_t)c * frames + i] *= gain;
    }
}

/* The part that is kept, of the way to a level, after a frame: times are of a whole turn. */
static float kept(const mp_fx *fx, float seconds) {
    return seconds > 1e-6f ? expf(-6.2831853f / (seconds * (float)fx->rate)) : 0.0f;
}

/* Each channel by itself. */
void mp_fx_compressor_process(mp_fx *fx, float *planar, uint32_t frames) {
    mp_fx_compressor *k = &fx->compressor;
    const float threshold = mp_fx_factor(fx->values[0]), power = 1.0f / fx->values[1] - 1.0f;
    const float attack = kept(fx, fx->values[2]), release = kept(fx, fx->values[3]);
    const float step = mp_fx_step(fx, 0.005f);
    const mp_fx_glide gain_before = k->gain;
    for (uint32_t c = 0; c < fx->channels; c++) {
        float level = k->level[c];
        k->gain = gain_before;
        for (uint32_t i = 0; i < frames; i++) {
            float *sample = &planar[(size_t)c * frames + i], loud = fabsf(*sample);
            loud = loud < MP_FX_LOUDEST ? loud : 0.0f; /* what is no number would stay */
            level = loud + (level - loud) * (loud > level ? attack : release);
            float squeezed = level < threshold ? 1.0f : powf(level / threshold, power);
            *sample *= squeezed * mp_fx_next(&k->gain, step);
        }
        k->level[c] = level;
    }
}
