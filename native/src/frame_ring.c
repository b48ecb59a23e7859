#include "frame_ring.h"

#include <stdlib.h>
#include <string.h>

#include "frames_around.h"

bool mp_frame_ring_init(mp_frame_ring *ring, uint32_t channels, uint32_t frames) {
    memset(ring, 0, sizeof *ring);
    ring->samples = calloc((size_t)channels * frames, sizeof(float));
    ring->channels = channels;
    ring->mask = frames - 1;
    return ring->samples != NULL;
}

void mp_frame_ring_free(mp_frame_ring *ring) {
    free(ring->samples);
    ring->samples = NULL;
}

uint32_t mp_frame_ring_fill(mp_frame_ring *ring) {
    uint64_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    return (uint32_t)(atomic_load_explicit(&ring->written, memory_order_acquire) - read);
}

static void copy(mp_frame_ring *ring, uint64_t at, float *to, const float *from, uint32_t count) {
    mp_frames_around(ring->samples, ring->channels, ring->mask, at, to, from, count);
}

uint32_t mp_frame_ring_write(mp_frame_ring *ring, const float *frames, uint32_t count) {
    uint32_t room = ring->mask + 1 - mp_frame_ring_fill(ring);
    uint64_t at = atomic_load_explicit(&ring->written, memory_order_relaxed);
    if (count > room) count = room;
    copy(ring, at, NULL, frames, count);
    atomic_store_explicit(&ring->written, at + count, memory_order_release);
    return count;
}

uint32_t mp_frame_ring_read(mp_frame_ring *ring, float *frames, uint32_t count) {
    uint32_t fill = mp_frame_ring_fill(ring);
    uint64_t at = atomic_load_explicit(&ring->read, memory_order_relaxed);
    if (count > fill) count = fill;
    copy(ring, at, frames, NULL, count);
    atomic_store_explicit(&ring->read, at + count, memory_order_release);
    return count;
}

uint32_t mp_frame_ring_drop(mp_frame_ring *ring, uint32_t count) {
    uint32_t fill = mp_frame_ring_fill(ring);
    if (count > fill) count = fill;
    atomic_fetch_add_explicit(&ring->read, count, memory_order_release);
    return count;
}
