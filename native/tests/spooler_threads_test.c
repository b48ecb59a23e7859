/* A producer and a sink on the real clock, which runs off CLOCK_MONOTONIC. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "../src/spooler.h"
#include "check.h"

enum { EVENTS = 2000, BATCH = 8, BATCHES = 20000, MOST_AHEAD = 100 };
static const int64_t SECOND_NS = 1000000000;

static mp_spooler *spooler;
static _Atomic int batches_seen, done;

/* ---- events that come due during a second ---- */

static void submit_map(int64_t ahead_ns) {
    int64_t now_ns = mp_host_now_ns();
    mp_clock_map map = {.local_ns = now_ns, .room_ns = now_ns + ahead_ns};
    CHECK(mp_spooler_set_map(spooler, &map) == MP_OK);
    mp_spooler_commit(spooler);
}

static void *produce_on_time(void *arg) {
    int64_t begin_us = *(int64_t *)arg;
    mp_spooler_stats stats;
    for (int i = 0; i < EVENTS; i++) {
        mp_midi_event event = {.room_us = begin_us + i * 500, .size = 3, .bytes = {0xF2}};
        event.bytes[1] = (uint8_t)(i & 0x7F);
        event.bytes[2] = (uint8_t)(i >> 7);
        CHECK(mp_spooler_add(spooler, MP_LANE_CLOCK, &event) == MP_OK);
        if (i % 4 < 3) continue;
        mp_spooler_commit(spooler);
        if (i % 100 == 99) submit_map(0);
        mp_spooler_get_stats(spooler, &stats);
        while (stats.queued > 64) {
            sched_yield();
            mp_spooler_get_stats(spooler, &stats);
        }
    }
    return NULL;
}

static void each_event_comes_once_and_never_early(void) {
    spooler = mp_spooler_new();
    CHECK(spooler != NULL);
    submit_map(0);
    int64_t begin_us = mp_host_now_ns() / 1000 + 20000;
    pthread_t producer;
    CHECK(pthread_create(&producer, NULL, produce_on_time, &begin_us) == 0);
    for (int i = 0; i < EVENTS; i++) {
        mp_midi_event event;
        CHECK(mp_spooler_wait_next(spooler, &event, 60 * SECOND_NS));
        int64_t now_ns = mp_host_now_ns();
        CHECK_EQUAL(event.bytes[1] + (event.bytes[2] << 7), i);
        CHECK_EQUAL(event.room_us, begin_us + i * 500);
        CHECK(now_ns >= event.room_us * 1000);
    }
    pthread_join(producer, NULL);
    mp_spooler_stats stats;
    mp_spooler_get_stats(spooler, &stats);
    CHECK_EQUAL(stats.events, EVENTS);
    CHECK_EQUAL(stats.dropped, 0);
    CHECK_EQUAL(stats.queued, 0);
    mp_spooler_free(spooler);
}

/* ---- batches that replace one another ---- */

static void *produce_batches(void *arg) {
    (void)arg;
    for (int batch = 0; batch < BATCHES; batch++) {
        while (batch - atomic_load(&batches_seen) > MOST_AHEAD) sched_yield();
        CHECK(mp_spooler_discard_from(spooler, MP_LANE_CLOCK, INT64_MIN) == MP_OK);
        for (int i = 0; i < BATCH; i++) {
            mp_midi_event event = {.room_us = (int64_t)batch * BATCH + i, .size = 1};
            CHECK(mp_spooler_add(spooler, MP_LANE_CLOCK, &event) == MP_OK);
        }
        mp_spooler_commit(spooler);
    }
    atomic_store(&done, 1);
    return NULL;
}

/* Take what is there: nothing, or the whole of one batch. */
static void take_a_batch(void) {
    const mp_midi_event *event;
    int64_t due_ns, first = -1;
    int taken = 0;
    for (; (event = mp_spooler_peek(spooler, &due_ns)) != NULL; taken++) {
        if (taken == 0) first = event->room_us;
        CHECK_EQUAL(event->room_us, first + taken);
        mp_spooler_sent(spooler, 0, false);
    }
    if (taken == 0) return;
    CHECK_EQUAL(taken, BATCH);
    CHECK_EQUAL(first % BATCH, 0);
    CHECK(first / BATCH >= atomic_load(&batches_seen));
    atomic_store(&batches_seen, (int)(first / BATCH) + 1);
}

static void a_batch_replaces_what_was_queued_at_once(void) {
    spooler = mp_spooler_new();
    CHECK(spooler != NULL);
    submit_map(0);
    pthread_t producer;
    CHECK(pthread_create(&producer, NULL, produce_batches, NULL) == 0);
    for (bool last = false; !last;) {
        last = atomic_load(&done);
        mp_spooler_take_in(spooler);
        take_a_batch();
    }
    pthread_join(producer, NULL);
    CHECK_EQUAL(atomic_load(&batches_seen), BATCHES);
    mp_spooler_free(spooler);
}

int main(void) {
    mp_host_clock_set(250000000, 5e-3);
    each_event_comes_once_and_never_early();
    a_batch_replaces_what_was_queued_at_once();
    return 0;
}
