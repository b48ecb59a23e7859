/* Frames by their place in time, from one thread that writes ahead to one that reads on time.
 *
 * Both sides are wait-free and realtime-safe; init and free are not. What was not written when it is
 * read is silence; what is written when it was read is left out.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    float *samples;
    uint32_t channels, mask;
    uint8_t apart[64];
    _Atomic int64_t from, to; /* what is there; the writer's */
    uint8_t apart_too[64];
    _Atomic int64_t read_to; /* all before is over; the reader's */
} mp_timed_ring;

/* `frames` must be a power of two. False when there is no memory. */
bool mp_timed_ring_init(mp_timed_ring *ring, uint32_t channels, uint32_t frames);
void mp_timed_ring_free(mp_timed_ring *ring);
/* As if new; while nobody reads or writes. */
void mp_timed_ring_clear(mp_timed_ring *ring);
/* Writer: returns how many of the frames from `at` on need not be written again. A gap is possible
 * only when the reader has passed all that was written. Nothing fits before the first read. */
uint32_t mp_timed_ring_write(mp_timed_ring *ring, int64_t at, const float *frames, uint32_t count);
/* Reader: `count` frames from `at` on; returns how many of them were not there. */
uint32_t mp_timed_ring_read(mp_timed_ring *ring, int64_t at, float *frames, uint32_t count);
