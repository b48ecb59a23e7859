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

bool mp_ring_stage(mp_ring *ring, const void *item) {
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_acquire);
    if (ring->staged - read > ring->mask) return false;
    memcpy(ring->items + (size_t)(ring->staged & ring->mask) * ring->item_size, item,
           ring->item_size);
    ring->staged++;
    return true;
}

void mp_ring_publish(mp_ring *ring) {
    atomic_store_explicit(&ring->written, ring->staged, memory_order_release);
}

void mp_ring_unstage(mp_ring *ring) {
    ring->staged = atomic_load_explicit(&ring->written, memory_order_relaxed);
}

bool mp_ring_take(mp_ring *ring, void *item) {
    uint32_t read = atomic_load_explicit(&ring->read, memory_order_relaxed);
    if (read == atomic_load_explicit(&ring->written, memory_order_acquire)) return false;
    memcpy(item, ring->items + (size_t)(read & ring->mask) * ring->item_size, ring->item_size);
    atomic_store_explicit(&ring->read, read + 1, memory_order_release);
    return true;
}
