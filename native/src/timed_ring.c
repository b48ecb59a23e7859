#include "timed_ring.h"

#include <stdlib.h>
#include <string.h>

#include "frames_around.h"

/* So far before all times that differences to it still fit. */
static const int64_t NEVER = INT64_MIN / 4;

bool mp_timed_ring_init(mp_timed_ring *ring, uint32_t channels, uint32_t frames) {
    memset(ring, 0, sizeof *ring);
    ring->samples = calloc((size_t)channels * frames, sizeof(float));
    ring->channels = channels;
    ring->mask = frames - 1;
    mp_timed_ring_clear(ring);
    return ring->samples != NULL;
}

void mp_timed_ring_free(mp_timed_ring *ring) {
    free(ring->samples);
    ring->samples = NULL;
}

void mp_timed_ring_clear(mp_timed_ring *ring) {
    atomic_store(&ring->from, NEVER);
    atomic_store(&ring->to, NEVER);
    atomic_store(&ring->read_to, NEVER);
}

static void copy(mp_timed_ring *ring, int64_t at, float *to, const float *from, uint32_t count) {
    mp_frames_around(ring->samples, ring->channels, ring->mask, (uint64_t)at, to, from, count);
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

uint32_t mp_timed_ring_write(mp_timed_ring *ring, int64_t at, const float *frames, uint32_t count) {
    int64_t read_to = atomic_load_explicit(&ring->read_to, memory_order_acquire);
    int64_t to = atomic_load_explicit(&ring->to, memory_order_relaxed);
    int64_t begin = most(at, most(read_to, least(to, at + count)));
    if (begin >= at + count) return count;
    if (begin > to && to > read_to) return 0;
    int64_t room = read_to + ring->mask + 1 - begin;
    int64_t fits = least(room, at + count - begin);
    if (fits <= 0) return (uint32_t)(begin - at);
    /* First `from`: who sees the new end sees the new begin too. */
    if (begin != to) atomic_store_explicit(&ring->from, begin, memory_order_release);
    copy(ring, begin, NULL, frames + (size_t)(begin - at) * ring->channels, (uint32_t)fits);
    atomic_store_explicit(&ring->to, begin + fits, memory_order_release);
    return (uint32_t)(begin + fits - at);
}

uint32_t mp_timed_ring_read(mp_timed_ring *ring, int64_t at, float *frames, uint32_t count) {
    int64_t read_to = atomic_load_explicit(&ring->read_to, memory_order_relaxed);
    int64_t to = atomic_load_explicit(&ring->to, memory_order_acquire);
    int64_t from = atomic_load_explicit(&ring->from, memory_order_acquire);
    int64_t begin = most(most(from, read_to), at), end = least(to, at + count);
    memset(frames, 0, (size_t)count * ring->channels * sizeof(float));
    if (begin < end) {
        copy(ring, begin, frames + (size_t)(begin - at) * ring->channels, NULL,
             (uint32_t)(end - begin));
    }
    atomic_store_explicit(&ring->read_to, most(read_to, at + count), memory_order_release);
    return count - (begin < end ? (uint32_t)(end - begin) : 0);
}
