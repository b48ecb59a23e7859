/* Events wait here, in room time, until they are due. Room time becomes host time only when the
 * sink looks, with the newest clock map, so that a correction reaches what is already queued. */
#include "spooler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ring.h"

enum { RING_SIZE = 1 << 13 };
static const uint32_t LANE_SIZE[MP_LANES] = {1 << 12, 1 << 10, 1 << 10};
/* Clocks that were sent are remembered for as long as a batch may be under way. */
enum { SENT_KEPT = 1 << 8 };
/* Messages taken in at one look; more wait for the next one, so that a callback stays short. */
enum { TAKE_AT_ONCE = 1024 };
static const int64_t LOOK_AGAIN_NS = 5000000;
static const int64_t FOREVER_NS = INT64_C(1) << 60;
/* Later than this is more than a sink that waits in a thread allows. */
static const int64_t LATE_NS = 1000000;
/* Within these no sum of times overflows: 36 years, and clocks that run a tenth apart. */
static const int64_t MAX_MAP_NS = INT64_C(1) << 60;
static const int64_t MAX_ROOM_US = (INT64_C(1) << 62) / 1000;
static const double MAX_RATE = 0.1;

typedef enum { SET_MAP, DISCARD_FROM, ADD } message_kind;

typedef struct {
    message_kind kind;
    mp_lane lane; /* of DISCARD_FROM and ADD */
    union {
        mp_clock_map map;
        mp_midi_event event; /* DISCARD_FROM uses its time */
    };
} message;

/* The sink's own: a circular queue, sorted because events come in order. */
typedef struct {
    mp_midi_event *events;
    uint32_t mask, head, count;
} queue;

/* The newest clocks that were sent, by the room times that the producer has for them. `again` of
 * them, the last ones, come once more in a batch that was under way for too long. `turned_us` is when
 * the device was started or stopped last. */
typedef struct {
    int64_t room_us[SENT_KEPT], turned_us;
    uint64_t count, again;
} sent_clocks;

struct mp_spooler {
    mp_ring inbox;
    queue lanes[MP_LANES];
    sent_clocks sent;
    mp_lane next; /* the lane that was peeked into last */
    mp_clock_map map;
    bool mapped;
    _Atomic uint64_t events, ticks, late, dropped, overtaken;
    _Atomic int64_t max_late_ns;
    _Atomic uint32_t queued;
    _Atomic int running;
};

mp_spooler *mp_spooler_new(void) {
    mp_spooler *s = calloc(1, sizeof *s);
    if (s == NULL) return NULL;
    bool there = mp_ring_init(&s->inbox, sizeof(message), RING_SIZE);
    for (int lane = 0; lane < MP_LANES; lane++) {
        s->lanes[lane].events = calloc(LANE_SIZE[lane], sizeof(mp_midi_event));
        s->lanes[lane].mask = LANE_SIZE[lane] - 1;
        there = there && s->lanes[lane].events != NULL;
    }
    s->sent.turned_us = INT64_MIN;
    if (there) return s;
    mp_spooler_free(s);
    return NULL;
}

void mp_spooler_free(mp_spooler *s) {
    if (s == NULL) return;
    mp_ring_free(&s->inbox);
    for (int lane = 0; lane < MP_LANES; lane++) free(s->lanes[lane].events);
    free(s);
}

/* ---- producer ---- */

static bool is_within(int64_t value, int64_t limit) { return value >= -limit && value <= limit; }

static bool is_usable(const mp_clock_map *map) {
    return is_within(map->local_ns, MAX_MAP_NS) && is_within(map->room_ns, MAX_MAP_NS) &&
           is_within(map->slew_end_ns, MAX_MAP_NS) && fabs(map->slew) <= MAX_RATE &&
           fabs(map->drift) <= MAX_RATE;
}

mp_status mp_spooler_set_map(mp_spooler *s, const mp_clock_map *map) {
    if (!is_usable(map)) return MP_OUT_OF_RANGE;
    message m = {.kind = SET_MAP, .map = *map};
    return mp_ring_stage(&s->inbox, &m) ? MP_OK : MP_FULL;
}

mp_status mp_spooler_discard_from(mp_spooler *s, mp_lane lane, int64_t room_us) {
    if (lane >= MP_LANES) return MP_OUT_OF_RANGE;
    message m = {.kind = DISCARD_FROM, .lane = lane, .event = {.room_us = room_us}};
    return mp_ring_stage(&s->inbox, &m) ? MP_OK : MP_FULL;
}

mp_status mp_spooler_add(mp_spooler *s, mp_lane lane, const mp_midi_event *event) {
    if (lane >= MP_LANES || !is_within(event->room_us, MAX_ROOM_US)) return MP_OUT_OF_RANGE;
    if (event->size < 1 || event->size > sizeof event->bytes) return MP_OUT_OF_RANGE;
    message m = {.kind = ADD, .lane = lane, .event = *event};
    return mp_ring_stage(&s->inbox, &m) ? MP_OK : MP_FULL;
}

void mp_spooler_commit(mp_spooler *s) { mp_ring_publish(&s->inbox); }

void mp_spooler_rollback(mp_spooler *s) { mp_ring_unstage(&s->inbox); }

void mp_spooler_get_stats(mp_spooler *s, mp_spooler_stats *stats) {
    stats->events = atomic_load(&s->events);
    stats->ticks = atomic_load(&s->ticks);
    stats->late = atomic_load(&s->late);
    stats->dropped = atomic_load(&s->dropped);
    stats->overtaken = atomic_load(&s->overtaken);
    stats->max_late_ns = atomic_exchange(&s->max_late_ns, 0);
    stats->queued = atomic_load(&s->queued);
    stats->running = atomic_load(&s->running);
}

/* ---- sink ---- */

static mp_midi_event *queue_at(const queue *q, uint32_t index) {
    return &q->events[(q->head + index) & q->mask];
}

static void append(mp_spooler *s, queue *q, const mp_midi_event *event) {
    if (q->count > q->mask) {
        atomic_fetch_add_explicit(&s->dropped, 1, memory_order_relaxed);
        return;
    }
    *queue_at(q, q->count++) = *event;
}

static void discard_from(queue *q, int64_t room_us) {
    while (q->count > 0 && queue_at(q, q->count - 1)->room_us >= room_us) q->count--;
}

static int64_t *sent_at(sent_clocks *sent, uint64_t back) {
    return &sent->room_us[(sent->count - back) % SENT_KEPT];
}

/* A device counts clocks from there on. */
static bool begins_anew(const mp_midi_event *event) {
    return event->bytes[0] == 0xFA || event->bytes[0] == 0xFC;
}

static bool waits_to_begin_anew(const queue *q) {
    for (uint32_t i = 0; i < q->count; i++) {
        if (begins_anew(queue_at(q, i))) return true;
    }
    return false;
}

/* What goes from a time on may have been sent already, where the machine let the producer wait. */
static void look_what_comes_again(mp_spooler *s, int64_t room_us) {
    sent_clocks *sent = &s->sent;
    const uint64_t most = sent->count < SENT_KEPT ? sent->count : SENT_KEPT;
    sent->again = 0;
    if (room_us < -MAX_ROOM_US) { /* all goes: the device is told anew where it is */
        sent->turned_us = INT64_MIN;
        return;
    }
    /* It was started or stopped where the producer takes that back: only all anew can help. */
    if (sent->turned_us >= room_us) {
        atomic_fetch_add_explicit(&s->overtaken, 1, memory_order_relaxed);
    }
    if (waits_to_begin_anew(&s->lanes[MP_LANE_CLOCK])) return;
    while (sent->again < most && *sent_at(sent, sent->again + 1) >= room_us) sent->again++;
}

/* A device counts clocks: one that it has must not come again. */
static bool was_sent(sent_clocks *sent, const mp_midi_event *event) {
    if (begins_anew(event)) sent->again = 0;
    if (sent->again == 0 || event->bytes[0] != 0xF8) return false;
    *sent_at(sent, sent->again--) = event->room_us;
    return true;
}

static void add(mp_spooler *s, mp_lane lane, const mp_midi_event *event) {
    if (lane == MP_LANE_CLOCK && was_sent(&s->sent, event)) return;
    append(s, &s->lanes[lane], event);
}

static void discard(mp_spooler *s, mp_lane lane, int64_t room_us) {
    discard_from(&s->lanes[lane], room_us);
    if (lane == MP_LANE_CLOCK) look_what_comes_again(s, room_us);
}

static void count_queued(mp_spooler *s) {
    uint32_t queued = 0;
    for (int lane = 0; lane < MP_LANES; lane++) queued += s->lanes[lane].count;
    atomic_store_explicit(&s->queued, queued, memory_order_relaxed);
}

static void pop(mp_spooler *s) {
    queue *q = &s->lanes[s->next];
    q->head = (q->head + 1) & q->mask;
    q->count--;
    count_queued(s);
}

bool mp_spooler_take_in(mp_spooler *s) {
    message m;
    int taken = 0;
    for (; taken < TAKE_AT_ONCE && mp_ring_take(&s->inbox, &m); taken++) {
        switch (m.kind) {
        case SET_MAP:
            s->map = m.map;
            s->mapped = true;
            break;
        case DISCARD_FROM: discard(s, m.lane, m.event.room_us); break;
        case ADD: add(s, m.lane, &m.event); break;
        }
    }
    count_queued(s);
    return taken < TAKE_AT_ONCE;
}

const mp_midi_event *mp_spooler_peek(mp_spooler *s, int64_t *due_ns) {
    const mp_midi_event *first = NULL;
    if (!s->mapped) return NULL;
    for (int lane = 0; lane < MP_LANES; lane++) {
        if (s->lanes[lane].count == 0) continue;
        const mp_midi_event *event = queue_at(&s->lanes[lane], 0);
        /* At the same time the clock goes first. */
        if (first != NULL && event->room_us >= first->room_us) continue;
        first = event;
        s->next = (mp_lane)lane;
    }
    if (first != NULL) *due_ns = mp_local_at_ns(&s->map, first->room_us * 1000);
    return first;
}

static void turn(mp_spooler *s, int64_t room_us, int runs) {
    int ran = atomic_exchange_explicit(&s->running, runs, memory_order_relaxed);
    if (ran != runs) s->sent.turned_us = room_us; /* one that runs may be told to continue */
}

void mp_spooler_sent(mp_spooler *s, int64_t late_ns, bool late) {
    const mp_midi_event *event = queue_at(&s->lanes[s->next], 0);
    const uint8_t first = event->bytes[0];
    if (first == 0xF8) {
        atomic_fetch_add_explicit(&s->ticks, 1, memory_order_relaxed);
        *sent_at(&s->sent, 0) = event->room_us;
        s->sent.count++;
    }
    if (first >= 0xFA && first <= 0xFC) turn(s, event->room_us, first != 0xFC);
    atomic_fetch_add_explicit(&s->events, 1, memory_order_relaxed);
    /* Notes are meant for now, so that all of them are late. */
    bool counts = s->next == MP_LANE_CLOCK;
    if (late && counts) atomic_fetch_add_explicit(&s->late, 1, memory_order_relaxed);
    /* The other thread only ever sets it back to 0, so a store loses nothing. */
    if (counts && late_ns > atomic_load_explicit(&s->max_late_ns, memory_order_relaxed)) {
        atomic_store_explicit(&s->max_late_ns, late_ns, memory_order_relaxed);
    }
    pop(s);
}

void mp_spooler_drop_before(mp_spooler *s, int64_t local_ns) {
    int64_t due_ns;
    while (mp_spooler_peek(s, &due_ns) != NULL && due_ns < local_ns) {
        atomic_fetch_add_explicit(&s->dropped, 1, memory_order_relaxed);
        pop(s);
    }
}

int mp_spooler_wait_next(mp_spooler *s, mp_midi_event *event, int64_t patience_ns) {
    if (patience_ns > FOREVER_NS) patience_ns = FOREVER_NS;
    const int64_t give_up_ns = mp_host_now_ns() + patience_ns;
    for (;;) {
        mp_spooler_take_in(s);
        int64_t now_ns = mp_host_now_ns(), due_ns = INT64_MAX;
        const mp_midi_event *next = mp_spooler_peek(s, &due_ns);
        if (next != NULL && due_ns <= now_ns) {
            int64_t late_ns = now_ns - due_ns;
            *event = *next;
            mp_spooler_sent(s, late_ns, late_ns > LATE_NS);
            return 1;
        }
        if (now_ns >= give_up_ns) return 0;
        int64_t wake_ns = now_ns + LOOK_AGAIN_NS;
        if (due_ns < wake_ns) wake_ns = due_ns;
        if (give_up_ns < wake_ns) wake_ns = give_up_ns;
        mp_host_sleep_until_ns(wake_ns);
    }
}
