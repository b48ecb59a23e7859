/* What the audio engine and the effects engine share. Neither trusts what the other wrote. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "rt.h"

/* Frames that a lane holds, a power of two. */
enum { MP_LANE_FRAMES = 1 << 14, MP_EFFECTS_MARKS = 2, MP_EFFECTS_STEPS = 256 };
/* No effect lets sound wait for longer. */
enum { MP_MOST_LATENCY = 96000 };

/* Both counts are of all frames ever, so they say where in `in` and `out` a frame is. */
typedef struct {
    _Atomic uint64_t written; /* the callback's */
    uint8_t apart[64];
    _Atomic uint64_t done; /* the effects engine's */
    _Atomic uint32_t latency;
    uint8_t apart_too[64];
    float in[MP_LANE_FRAMES * MP_MAX_CHANNELS], out[MP_LANE_FRAMES * MP_MAX_CHANNELS];
} mp_effects_lane;

typedef struct {
    _Atomic uint32_t cycle; /* odd while the callback writes the next two */
    _Atomic uint32_t cycle_frames;
    _Atomic int64_t cycle_ns;
    _Atomic uint32_t marks[MP_EFFECTS_MARKS];
    mp_effects_lane lanes[MP_PLACES];
} mp_effects_memory;

/* Where in `samples` a frame is; `*whole` becomes how many follow it without a break, of `count`. */
static inline float *mp_lane_at(float *samples, uint32_t channels, uint64_t frame, uint32_t count,
                                uint32_t *whole) {
    uint32_t start = (uint32_t)frame & (MP_LANE_FRAMES - 1), room = MP_LANE_FRAMES - start;
    *whole = count < room ? count : room;
    return samples + (size_t)start * channels;
}
