/* How well one sender is heard. One writer, which never waits; any thread reads a whole state. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>

#include "rt.h"

/* The window of delays is cut into cells of capture time, which delays do not crowd: however many
 * packets come, each cell keeps its first, its quickest and its slowest one. */
enum { MP_HEALTH_CELLS = 1024 };
#define MP_HEALTH_CELL_NS ((int64_t)MP_MEDIA_SPREAD_S * 1000000000 / MP_HEALTH_CELLS)

enum { MP_HEALTH_WORDS = offsetof(mp_media_sender_stats, from) / sizeof(int64_t) };

typedef struct {
    _Atomic int64_t full;
    _Atomic int64_t number; /* of the cell since capture time 0 */
    _Atomic int64_t received_ns; /* when its last packet came */
    _Atomic int64_t first_ns, least_ns, most_ns;
} mp_health_cell;

typedef struct {
    _Atomic uint32_t version; /* odd while something changes */
    _Atomic int64_t words[MP_HEALTH_WORDS]; /* as in mp_media_sender_stats */
    _Atomic int64_t from[3];
    _Atomic int64_t last_ns;
    _Atomic int64_t in_room_time; /* what the cells hold is a delay, not just a difference */
    mp_health_cell cells[MP_HEALTH_CELLS];
    /* The writer's own. */
    int64_t jitter_16ths_ns;
    int64_t transit_ns;
    int has_transit;
} mp_health;

/* Where a sender's counters are, under one key. All zero is: nothing has come yet. */
typedef struct {
    uint64_t first, newest;
    uint64_t hellos; /* that the sender has told of */
    int knows_hellos;
} mp_counted;

/* One datagram that was opened and is new. */
typedef struct {
    mp_media_header header;
    uint32_t size;       /* of the datagram */
    int64_t received_ns; /* host time */
    mp_address from;
    int via_relay;
    uint64_t hellos; /* of a keepalive that tells them: */
    int tells_hellos;
} mp_arrival;

/* The writer's. `map` may be NULL. Realtime-safe. */
void mp_health_arrived(mp_health *health, mp_counted *counted, const mp_arrival *arrival,
                       const mp_clock_map *map);
/* One more of `word`, an offset in mp_media_sender_stats. */
void mp_health_count(mp_health *health, size_t offset);

/* Any thread's. */
void mp_health_look(const mp_health *health, int64_t now_ns, mp_media_sender_look *look);
void mp_health_read(const mp_health *health, int64_t now_ns, mp_media_sender_stats *stats);
