/* Fills holes in a stream: goes on with the last period of what was heard, fading out within
 * 10 ms, and fades over to the stream when it is back. Realtime-safe. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rt.h"

enum { MP_CONCEAL_HISTORY = 1024, MP_CONCEAL_FADE = 480, MP_CONCEAL_PERIOD = 576, MP_CONCEAL_RETURN = 96 };

typedef struct {
    uint32_t channels, period, made; /* `made`: frames into the hole; 0 when there is none */
    /* What was given, made up or not: the last MP_CONCEAL_HISTORY frames before `end`. */
    float past[2 * MP_CONCEAL_HISTORY * MP_MAX_CHANNELS];
    uint32_t end;
    float loop[MP_CONCEAL_PERIOD * MP_MAX_CHANNELS];  /* the period that goes on */
    float off[MP_MAX_CHANNELS]; /* by how much the loop's begin misses the end of what was */
    bool quiet; /* nothing was heard yet, or the fade is over */
} mp_concealer;

void mp_concealer_init(mp_concealer *c, uint32_t channels);
/* `count` frames of the stream pass, at most MP_MAX_PACKET_FRAMES; after a hole they are faded in. */
void mp_concealer_pass(mp_concealer *c, float *frames, uint32_t count);
/* `count` frames lack: make them up. */
void mp_concealer_fill(mp_concealer *c, float *frames, uint32_t count);
