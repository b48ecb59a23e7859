/* The version works as a sequence lock. Its data are atomics too, so that what a reader sees of a
 * change, it sees together with the version that announces it. */
#include "media_health.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A gap of so many counters is a sender that began anew, not a loss. */
static const uint64_t GAP = 65536;
/* Room times beyond these 35 years are not believed. */
static const int64_t FAR_US = (int64_t)1 << 50;
enum { TRIES = 1000, SIXTEEN = 16 };

#define WORD(field) (offsetof(mp_media_sender_stats, field) / sizeof(int64_t))

static int64_t get(const _Atomic int64_t *word) {
    return atomic_load_explicit(word, memory_order_acquire);
}

static void put(_Atomic int64_t *word, int64_t value) {
    atomic_store_explicit(word, value, memory_order_release);
}

static void add(mp_health *h, size_t word, int64_t more) {
    put(&h->words[word], get(&h->words[word]) + more);
}

static void step_version(mp_health *h) {
    uint32_t version = atomic_load_explicit(&h->version, memory_order_relaxed);
    atomic_store_explicit(&h->version, version + 1, memory_order_release);
}

/* ---- the writer ---- */

static void count_gap(mp_health *h, mp_counted *counted, uint64_t counter) {
    if (counted->newest == 0 || counter > counted->newest + GAP) {
        counted->first = counted->newest = counter;
    } else if (counter > counted->newest) {
        add(h, WORD(lost), (int64_t)(counter - counted->newest - 1));
        counted->newest = counter;
    } else {
        add(h, WORD(out_of_order), 1);
        if (counter > counted->first) {
            if (get(&h->words[WORD(lost)]) > 0) add(h, WORD(lost), -1);
        } else {
            add(h, WORD(lost), (int64_t)(counted->first - counter - 1));
            counted->first = counter;
        }
    }
}

/* Counters that only the relay saw look like losses. Those before the first keepalive are not known
 * to lie behind the first datagram. */
static void leave_hellos_out(mp_health *h, mp_counted *counted, uint64_t hellos) {
    if (counted->knows_hellos && hellos > counted->hellos) {
        int64_t lost = get(&h->words[WORD(lost)]);
        uint64_t more = hellos - counted->hellos;
        add(h, WORD(lost), more < (uint64_t)lost ? -(int64_t)more : -lost);
    }
    if (!counted->knows_hellos || hellos > counted->hellos) counted->hellos = hellos;
    counted->knows_hellos = 1;
}

static void count_kind(mp_health *h, uint8_t kind) {
    switch (kind) {
    case MP_MEDIA_SOURCE: add(h, WORD(source), 1); break;
    case MP_MEDIA_REPAIR: add(h, WORD(repair), 1); break;
    case MP_MEDIA_CONTROL: add(h, WORD(control), 1); break;
    case MP_MEDIA_KEEPALIVE: add(h, WORD(keepalive), 1); break;
    }
}

static void forget_transits(mp_health *h, int in_room_time) {
    for (int i = 0; i < MP_HEALTH_CELLS; i++) put(&h->cells[i].full, 0);
    put(&h->in_room_time, in_room_time);
    h->has_transit = 0;
}

static void note_in_cell(mp_health *h, const mp_arrival *arrival, int64_t transit_ns) {
    int64_t number = arrival->header.capture_us * 1000 / MP_HEALTH_CELL_NS;
    mp_health_cell *cell = &h->cells[number & (MP_HEALTH_CELLS - 1)];
    if (!get(&cell->full) || get(&cell->number) != number) {
        put(&cell->full, 1);
        put(&cell->number, number);
        put(&cell->first_ns, transit_ns);
        put(&cell->least_ns, transit_ns);
        put(&cell->most_ns, transit_ns);
    }
    put(&cell->received_ns, arrival->received_ns);
    if (transit_ns < get(&cell->least_ns)) put(&cell->least_ns, transit_ns);
    if (transit_ns > get(&cell->most_ns)) put(&cell->most_ns, transit_ns);
}

/* RFC 3550, A.8, in nanoseconds. */
static void note_jitter(mp_health *h, int64_t transit_ns) {
    int64_t change_ns = llabs(transit_ns - h->transit_ns);
    if (h->has_transit) h->jitter_16ths_ns += change_ns - (h->jitter_16ths_ns + 8) / SIXTEEN;
    h->transit_ns = transit_ns;
    h->has_transit = 1;
    put(&h->words[WORD(jitter_ns)], h->jitter_16ths_ns / SIXTEEN);
}

static void note_transit(mp_health *h, const mp_arrival *arrival, const mp_clock_map *map) {
    int64_t capture_us = arrival->header.capture_us;
    if (capture_us > FAR_US || capture_us < -FAR_US) return;
    if ((map != NULL) != get(&h->in_room_time)) forget_transits(h, map != NULL);
    int64_t arrived_ns = arrival->received_ns;
    if (map != NULL) arrived_ns = mp_room_at_ns(map, arrived_ns);
    int64_t transit_ns = arrived_ns - capture_us * 1000;
    note_jitter(h, transit_ns);
    note_in_cell(h, arrival, transit_ns);
}

static void note_address(mp_health *h, const mp_arrival *arrival) {
    int64_t ip[2];
    memcpy(ip, arrival->from.ip, sizeof ip);
    put(&h->from[0], (int64_t)arrival->from.scope << 24 | (int64_t)arrival->from.port << 8 |
                         arrival->from.family);
    put(&h->from[1], ip[0]);
    put(&h->from[2], ip[1]);
    put(&h->words[WORD(via_relay)], arrival->via_relay != 0);
    if (arrival->via_relay) add(h, WORD(relayed), 1);
}

void mp_health_arrived(mp_health *health, mp_counted *counted, const mp_arrival *arrival,
                       const mp_clock_map *map) {
    step_version(health);
    add(health, WORD(packets), 1);
    add(health, WORD(bytes), arrival->size);
    count_kind(health, arrival->header.kind);
    count_gap(health, counted, arrival->header.counter);
    if (arrival->tells_hellos) leave_hellos_out(health, counted, arrival->hellos);
    if (arrival->header.kind == MP_MEDIA_SOURCE) note_transit(health, arrival, map);
    note_address(health, arrival);
    put(&health->last_ns, arrival->received_ns);
    step_version(health);
}

void mp_health_count(mp_health *health, size_t offset) {
    step_version(health);
    add(health, offset / sizeof(int64_t), 1);
    step_version(health);
}

/* ---- readers ---- */

typedef struct {
    int64_t words[MP_HEALTH_WORDS], from[3], last_ns, in_room_time;
    int64_t first_ns[MP_HEALTH_CELLS], least_ns, most_ns;
    int cells;
} copy;

static void copy_cells(const mp_health *h, int64_t now_ns, copy *c) {
    int64_t oldest_ns = now_ns - MP_HEALTH_CELLS * MP_HEALTH_CELL_NS;
    c->cells = 0;
    for (int i = 0; i < MP_HEALTH_CELLS; i++) {
        const mp_health_cell *cell = &h->cells[i];
        if (!get(&cell->full) || get(&cell->received_ns) <= oldest_ns) continue;
        int64_t least_ns = get(&cell->least_ns), most_ns = get(&cell->most_ns);
        if (c->cells == 0 || least_ns < c->least_ns) c->least_ns = least_ns;
        if (c->cells == 0 || most_ns > c->most_ns) c->most_ns = most_ns;
        c->first_ns[c->cells++] = get(&cell->first_ns);
    }
}

static void copy_all(const mp_health *h, int64_t now_ns, copy *c) {
    /* A writer that is always in the middle of something does not keep a reader for ever: counts
     * of two moments are better than none. */
    for (int i = 0; i < TRIES; i++) {
        uint32_t version = atomic_load_explicit(&h->version, memory_order_acquire);
        for (int word = 0; word < MP_HEALTH_WORDS; word++) c->words[word] = get(&h->words[word]);
        for (int part = 0; part < 3; part++) c->from[part] = get(&h->from[part]);
        c->last_ns = get(&h->last_ns);
        c->in_room_time = get(&h->in_room_time);
        copy_cells(h, now_ns, c);
        if (version % 2 == 0 && version == atomic_load(&h->version)) return;
    }
}

static int ascending(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void tell_spread(copy *c, mp_media_sender_stats *stats) {
    stats->spread_p50_ns = stats->spread_p95_ns = stats->spread_max_ns = stats->delay_ns = -1;
    if (c->cells == 0) return;
    qsort(c->first_ns, (size_t)c->cells, sizeof *c->first_ns, ascending);
    int64_t middle_ns = c->first_ns[c->cells / 2];
    stats->spread_p50_ns = middle_ns - c->least_ns;
    stats->spread_p95_ns = c->first_ns[c->cells * 95 / 100] - c->least_ns;
    stats->spread_max_ns = c->most_ns - c->least_ns;
    /* Clocks that differ by less than they can know may say that it arrived before it left. */
    if (c->in_room_time) stats->delay_ns = middle_ns > 0 ? middle_ns : 0;
}

void mp_health_look(const mp_health *health, int64_t now_ns, mp_media_sender_look *look) {
    int64_t silence_ns = now_ns - get(&health->last_ns);
    bool heard = get(&health->words[WORD(packets)]) > 0;
    look->dropped = get(&health->words[WORD(stale)]) + get(&health->words[WORD(flooded)]) +
                    get(&health->words[WORD(queue_full)]);
    look->reordered = get(&health->words[WORD(out_of_order)]);
    look->duplicates = get(&health->words[WORD(duplicates)]) - get(&health->words[WORD(stale)]);
    look->silence_ns = !heard ? -1 : silence_ns > 0 ? silence_ns : 0;
    look->via_relay = heard ? (int)get(&health->words[WORD(via_relay)]) : -1;
}

void mp_health_read(const mp_health *health, int64_t now_ns, mp_media_sender_stats *stats) {
    copy c;
    copy_all(health, now_ns, &c);
    memset(stats, 0, sizeof *stats);
    memcpy(stats, c.words, sizeof c.words);
    memcpy(stats->from.ip, c.from + 1, sizeof stats->from.ip);
    stats->from.family = (uint8_t)c.from[0];
    stats->from.port = (uint16_t)(c.from[0] >> 8);
    stats->from.scope = (uint32_t)(c.from[0] >> 24);
    tell_spread(&c, stats);
    int64_t silence_ns = now_ns - c.last_ns;
    stats->silence_ns = stats->packets == 0 ? -1 : silence_ns > 0 ? silence_ns : 0;
    if (stats->packets == 0) stats->via_relay = -1;
    if (c.words[WORD(source)] == 0) stats->jitter_ns = -1;
}
