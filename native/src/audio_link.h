/* What a listener gets of a source by the room's graph: gain, channels, and what part of the
 * spectrum. All is the callback's own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rt.h"

typedef struct {
    float one, two; /* what the integrators hold */
} mp_pass_memory;

/* A high-pass or a low-pass; Butterworth's, of second order: 12 dB an octave. */
typedef struct {
    float corner, corner_wanted; /* tan(pi * Hz / rate) */
    float wet, wet_wanted;       /* 0: as it comes */
    mp_pass_memory memory[MP_MAX_CHANNELS];
} mp_pass;

typedef struct {
    bool used; /* something went through it: from now on changes glide */
    float gain[MP_MAX_CHANNELS], now[MP_MAX_CHANNELS];
    mp_pass high, low;
} mp_audio_link;

/* As an order brings it to the callback. */
typedef struct {
    float gain;
    uint32_t channels; /* bits, from the lowest */
    float high, low;   /* corners; 0 is off */
} mp_link_order;

/* Not realtime-safe: whether it can be, and how it is at `rate`. */
bool mp_link_order_of(const mp_link_settings *settings, uint32_t rate, mp_link_order *order);
/* All of it, as it comes. */
void mp_link_begin(mp_audio_link *link);
void mp_link_set(mp_audio_link *link, const mp_link_order *order);
/* Whether what goes through it comes out unchanged. */
bool mp_link_is_plain(const mp_audio_link *link, uint32_t channels);
void mp_link_pass(mp_audio_link *link, uint32_t channels, float *frames, uint32_t count);
