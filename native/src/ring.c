#include "ring.h"

#include <stdlib.h>
#include <string.h>

bool mp_ring_init(mp_ring *ring, uint32_t item_size, uint32_t count) {
    memset(ring, 0, sizeof *ring);
    ring->items = calloc(count, item_size);
    ring->item_size = item_size;
    ring->mask = count - 1;
    return ring->items != NULL;
}

void mp_ring_free(mp_ring *ring) {
    free(ring->items);
    ring->items = NULL;
}

bool mp_ring_stage_part(mp_ring *ring, const void *item, uint32_t size) {
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    if (ring->staged - read > ring->mask) return false;
    memcpy(ring->items + (size_t)(ring->staged & ring->mask) * ring->item_size, item, size);
    ring->staged++;
    return true;
}

bool mp_ring_stage(mp_ring *ring, const void *item) {
    return mp_ring_stage_part(ring, item, ring->item_size);
}

void mp_ring_publish(mp_ring *ring) {
    atomic_store_explicit(&ring->written, ring->staged, memory_order_release);
}

void mp_ring_unstage(mp_ring *ring) {
    ring->staged = atomic_load_explicit(&ring->written, memory_order_relaxed);
}

const void *mp_ring_next(mp_ring *ring) {
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    if (read == atomic_load_explicit(&ring->written, memory_order_acquire)) return NULL;
    return ring->items + (size_t)(read & ring->mask) * ring->item_size;
}

void mp_ring_drop(mp_ring *ring) {
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    atomic_store_explicit(&ring->read, read + 1, memory_order_release);
}

bool mp_ring_take(mp_ring *ring, void *item) {
    const void *next = mp_ring_next(ring);
    if (next == NULL) return false;
    memcpy(item, next, ring->item_size);
    mp_ring_drop(ring);
    return true;
}
