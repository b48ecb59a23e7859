/* A resampler whose ratio may change a little at any time: windowed sinc, interpolated between
 * 256 phases. What it makes never jumps, also when the ratio does. Realtime-safe but for init and
 * free. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rt.h"

enum { MP_RESAMPLER_PHASES = 256, MP_RESAMPLER_HELD = 4096 };

typedef struct {
    float *table;   /* a row of `taps` for each phase, and one more */
    float *history; /* MP_RESAMPLER_HELD frames of each channel */
    uint32_t taps, channels, fill;
    uint32_t at;   /* the first input frame of the next output */
    double phase;  /* 0 to 1, behind it */
    double step;   /* input frames an output frame, nominally */
    double faster; /* the part by which it is more just now */
} mp_resampler;

/* False when there is no memory. */
bool mp_resampler_init(mp_resampler *r, uint32_t in_rate, uint32_t out_rate, uint32_t channels);
void mp_resampler_free(mp_resampler *r);
/* Input frames that must be there after the one that is being played. */
uint32_t mp_resampler_ahead(const mp_resampler *r);
/* Forget what was pushed. The next output lies `phase` behind an input frame, before which as many
 * must be pushed as this returns. */
uint32_t mp_resampler_restart(mp_resampler *r, double phase);
/* How many input frames fit in. */
uint32_t mp_resampler_room(const mp_resampler *r);
/* Input frames that were pushed and lie ahead of the next output. */
double mp_resampler_waiting(const mp_resampler *r);
void mp_resampler_push(mp_resampler *r, const float *frames, uint32_t count);
/* Output frames that can be made now, at most `count`; returns how many were. */
uint32_t mp_resampler_pull(mp_resampler *r, float *frames, uint32_t count);
