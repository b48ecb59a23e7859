/* What our effects are made of: each has a state of its own, and a process function. */
#pragma once

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "rt.h"

typedef struct {
    float now, wanted;
} mp_fx_glide;

/* A line of past frames, a power of two of them, one channel after the other. */
typedef struct {
    float *samples;
    uint32_t channels, mask, at;
} mp_fx_line;

bool mp_fx_line_init(mp_fx_line *line, uint32_t channels, uint32_t least_frames);
static inline void mp_fx_line_put(mp_fx_line *l, uint32_t channel, float sample) {
    l->samples[(size_t)channel * (l->mask + 1) + (l->at & l->mask)] = sample;
}
/* The sample that was put in so many frames ago. */
static inline float mp_fx_line_get(const mp_fx_line *l, uint32_t channel, uint32_t ago) {
    return l->samples[(size_t)channel * (l->mask + 1) + ((l->at - ago) & l->mask)];
}
/* The same between frames. */
static inline float mp_fx_line_between(const mp_fx_line *l, uint32_t channel, float ago) {
    uint32_t whole = (uint32_t)ago;
    float part = ago - (float)whole, near = mp_fx_line_get(l, channel, whole);
    return near + (mp_fx_line_get(l, channel, whole + 1) - near) * part;
}

typedef struct {
    float gain, held_s, level;
} mp_fx_gate;

typedef struct {
    mp_fx_line line;
    mp_fx_glide seconds, feedback, level, drift;
    float phase, low[MP_MAX_CHANNELS];
} mp_fx_delay;

typedef struct {
    float phase, gain;
    mp_fx_glide depth;
} mp_fx_tremolo;

typedef struct {
    float envelope, one[MP_MAX_CHANNELS], two[MP_MAX_CHANNELS];
} mp_fx_envelope;

enum { MP_HALFBAND = 6 };
/* Splits and joins two rates by all-pass filters: no latency to speak of. */
typedef struct {
    float in[2][MP_HALFBAND], out[2][MP_HALFBAND];
} mp_fx_halfband;

typedef struct {
    mp_fx_halfband up[MP_MAX_CHANNELS], down[MP_MAX_CHANNELS];
    float low[MP_MAX_CHANNELS], tone[MP_MAX_CHANNELS], dc[MP_MAX_CHANNELS];
    mp_fx_glide drive, level;
} mp_fx_drive;

typedef struct {
    mp_fx_line line;
    float ago, old_ago, fading; /* how long ago what is read was put in */
    mp_fx_glide mix;
} mp_fx_pitch;

typedef struct {
    mp_fx_glide gain;
} mp_fx_gain;

typedef struct {
    float level[MP_MAX_CHANNELS];
    mp_fx_glide gain;
} mp_fx_compressor;

/* A line that is read where it is written, in a circle. */
typedef struct {
    float *samples, last;
    uint32_t frames, at;
} mp_fx_loop;

enum { MP_FX_COMBS = 8, MP_FX_ALL_PASSES = 4 };
typedef struct {
    float *samples; /* of all lines */
    mp_fx_loop lines[MP_MAX_CHANNELS][MP_FX_COMBS + MP_FX_ALL_PASSES];
    float high[MP_MAX_CHANNELS], low[MP_MAX_CHANNELS];
    mp_fx_glide feedback, damp, wet, cross;
} mp_fx_reverb;

struct mp_fx {
    mp_fx_kind kind;
    uint32_t channels, rate;
    float values[MP_FX_VALUES];
    bool set;
    union {
        mp_fx_gate gate;
        mp_fx_delay delay;
        mp_fx_tremolo tremolo;
        mp_fx_envelope envelope;
        mp_fx_drive drive;
        mp_fx_pitch pitch;
        mp_fx_gain gain;
        mp_fx_compressor compressor;
        mp_fx_reverb reverb;
    };
};

void mp_fx_gate_process(mp_fx *fx, float *planar, uint32_t frames);
void mp_fx_delay_process(mp_fx *fx, float *planar, uint32_t frames);
void mp_fx_tremolo_process(mp_fx *fx, float *planar, uint32_t frames);
void mp_fx_envelope_process(mp_fx *fx, float *planar, uint32_t frames);
void mp_fx_drive_process(mp_fx *fx, float *planar, uint32_t frames);
void mp_fx_pitch_process(mp_fx *fx, float *planar, uint32_t frames);
void mp_fx_gain_process(mp_fx *fx, float *planar, uint32_t frames);
void mp_fx_compressor_process(mp_fx *fx, float *planar, uint32_t frames);
void mp_fx_reverb_process(mp_fx *fx, float *planar, uint32_t frames);
bool mp_fx_reverb_init(mp_fx *fx);
void mp_fx_reverb_set(mp_fx *fx, const float *values);
uint32_t mp_fx_pitch_latency(uint32_t rate);

#define MP_FX_LOUDEST 1e6f
static inline float mp_fx_factor(float db) { return powf(10.0f, db / 20.0f); }
/* The part of the way that a first-order filter of this time goes in a frame. */
static inline float mp_fx_step(const mp_fx *fx, float seconds) {
    return seconds > 0.0f ? 1.0f - expf(-1.0f / (seconds * (float)fx->rate)) : 1.0f;
}
/* The same for a corner frequency. */
static inline float mp_fx_corner(const mp_fx *fx, float hz) {
    return 1.0f - expf(-6.2831853f * hz / (float)fx->rate);
}
static inline float mp_fx_next(mp_fx_glide *g, float step) {
    g->now += (g->wanted - g->now) * step;
    return g->now;
}
/* The first value that is set is there at once. */
static inline void mp_fx_want(const mp_fx *fx, mp_fx_glide *g, float wanted) {
    g->wanted = wanted;
    if (!fx->set) g->now = wanted;
}
