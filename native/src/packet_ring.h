/* A ring of packets: of each only as much is copied as it holds. */
#pragma once

#include <stddef.h>
#include <string.h>

#include "ring.h"
#include "rt.h"

static inline uint32_t mp_packet_used(const mp_media_packet *packet) {
    uint32_t size = packet->size < sizeof packet->bytes ? packet->size : sizeof packet->bytes;
    return (uint32_t)offsetof(mp_media_packet, bytes) + size;
}

/* False when the ring is full. */
static inline bool mp_packet_stage(mp_ring *ring, const mp_media_packet *packet) {
    return mp_ring_stage_part(ring, packet, mp_packet_used(packet));
}

/* False when the ring is empty. */
static inline bool mp_packet_take(mp_ring *ring, mp_media_packet *packet) {
    const mp_media_packet *next = mp_ring_next(ring);
    if (next == NULL) return false;
    memcpy(packet, next, mp_packet_used(next));
    mp_ring_drop(ring);
    return true;
}
