/* How fast the bridge's clock runs: as fast as that of the sender who is heard, so that nothing of
 * what it sends has to be resampled. Pure on given time; one thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "audio.h"

enum { MP_PACE_WINDOWS = 16 };

typedef struct {
    mp_waits seen;
    uint32_t rate;
    uint32_t next;    /* stream time of the next cycle, up to what libroc holds back */
    int64_t cycle_ns; /* when the last one was */
    double target;    /* how long packets waited at first, in frames of MP_STREAM_RATE */
    uint32_t windows;
    double waits[MP_PACE_WINDOWS]; /* of the last ones */
    bool hears;
    double clock_rate; /* the sender's over ours, minus 1; it outlives a stream */
    double faster; /* for mp_timer_audio */
} mp_pace;

void mp_pace_end(mp_pace *pace);
/* A packet came; the first one begins. */
void mp_pace_see(mp_pace *pace, uint32_t timestamp, int64_t arrival_ns);
/* A cycle of so many frames is played now; false: the stream went away from where it was by so much
 * that it had better begin anew. */
bool mp_pace_cycle(mp_pace *pace, uint32_t frames, int64_t cycle_ns);
