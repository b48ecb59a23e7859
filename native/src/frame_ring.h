/* A single-producer, single-consumer ring of audio frames (interleaved floats).
 *
 * Both sides are wait-free and realtime-safe; init and free are not. The counts are of all frames
 * ever, so that they also say where in the stream each side is.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    float *samples;
    uint32_t channels, mask;
    uint8_t apart[64];
    _Atomic uint64_t written;
    uint8_t apart_too[64];
    _Atomic uint64_t read;
} mp_frame_ring;

/* `frames` must be a power of two. False when there is no memory. */
bool mp_frame_ring_init(mp_frame_ring *ring, uint32_t channels, uint32_t frames);
void mp_frame_ring_free(mp_frame_ring *ring);
/* Either side. */
uint32_t mp_frame_ring_fill(mp_frame_ring *ring);
/* Producer: writes as much as there is room for; returns how much. */
uint32_t mp_frame_ring_write(mp_frame_ring *ring, const float *frames, uint32_t count);
/* Consumer: reads at most `count` frames; returns how many. */
uint32_t mp_frame_ring_read(mp_frame_ring *ring, float *frames, uint32_t count);
/* Consumer: as if at most `count` frames had been read; returns how many. */
uint32_t mp_frame_ring_drop(mp_frame_ring *ring, uint32_t count);
