/* A single-producer, single-consumer ring of items of one size, with batches.
 *
 * The producer stages items and publishes them together; the consumer takes them one by one.
 * Both sides are wait-free and realtime-safe; mp_ring_init and mp_ring_free are not.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint8_t *items;
    uint32_t item_size;
    uint32_t mask;
    uint32_t staged; /* the producer's own */
    /* The counts lie on cache lines of their own, without _Alignas, which malloc cannot keep. */
    uint8_t apart[64];
    _Atomic uint32_t written;
    uint8_t apart_too[64];
    _Atomic uint32_t read;
} mp_ring;

/* `count` must be a power of two. False when there is no memory. */
bool mp_ring_init(mp_ring *ring, uint32_t item_size, uint32_t count);
void mp_ring_free(mp_ring *ring);

/* Producer: false when the ring is full. */
bool mp_ring_stage(mp_ring *ring, const void *item);
/* An item of which only the first `size` bytes say something. */
bool mp_ring_stage_part(mp_ring *ring, const void *item, uint32_t size);
void mp_ring_publish(mp_ring *ring);
void mp_ring_unstage(mp_ring *ring);

/* Consumer: false when the ring is empty. */
bool mp_ring_take(mp_ring *ring, void *item);
/* The same in two steps: the next item where it lies, or NULL; it is there until it is dropped. */
const void *mp_ring_next(mp_ring *ring);
void mp_ring_drop(mp_ring *ring);
