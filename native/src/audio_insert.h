/* A place in the callback's path where the effects engine is put in. All is the callback's own but
 * what says otherwise. */
#pragma once

#include "effects_memory.h"

typedef struct {
    mp_effects_lane *shared;
    uint32_t channels;
    mp_insert_mode mode;
    uint64_t at, began; /* frames that went in; since `began` without a gap */
    uint32_t delay;     /* what comes out went in so long ago: a block */
    uint32_t shorter;   /* blocks in a row that were shorter than that */
    bool back;          /* what comes back is taken, since the first block did */
    float blend;        /* 0: as without effects, 1: what comes back */
    float wet;          /* of what comes back: 0 is as it went in, 1 with effects */
    float last[MP_MAX_CHANNELS], held; /* the last frame with effects, dying away */
    float dry[MP_LANE_FRAMES * MP_MAX_CHANNELS];
    float with[MP_MAX_PERIOD * MP_MAX_CHANNELS];
    /* Everybody's to look at. */
    _Atomic uint64_t blocks, late;
    _Atomic uint32_t older;
    _Atomic int inserted;
} mp_insert;

typedef struct {
    mp_effects_memory *memory;
    mp_insert lanes[MP_PLACES];
} mp_inserts;

/* Interleaved frames of a lane become those with effects, if it is on. Realtime-safe. */
void mp_insert_process(mp_insert *insert, float *frames, uint32_t count);
/* The cycle is over: the effects engine may look. Realtime-safe. */
void mp_inserts_publish(mp_inserts *inserts, int64_t cycle_ns, uint32_t frames);
