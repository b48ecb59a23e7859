/* wrap: mp_host_now_ns mp_host_sleep_until_ns */
#include "../src/spooler.h"

#include "check.h"
#include "virtual_clock.h"

enum { QUEUE = 1 << 12, INBOX = 1 << 13, ONE_LOOK = 1024 };
static const int64_t MS = 1000000;

static mp_midi_event tick_at(int64_t room_us) {
    return (mp_midi_event){.room_us = room_us, .size = 1, .bytes = {0xF8}};
}

/* Room time is host time plus `ahead_ns`. */
static mp_clock_map map_ahead(int64_t ahead_ns) {
    return (mp_clock_map){.local_ns = 0, .room_ns = ahead_ns};
}

static mp_spooler *begun(void) {
    clock_now_ns = 1000 * MS;
    oversleep_ns = 0;
    mp_spooler *s = mp_spooler_new();
    CHECK(s != NULL);
    mp_clock_map map = map_ahead(0);
    CHECK(mp_spooler_set_map(s, &map) == MP_OK);
    mp_spooler_commit(s);
    return s;
}

static void add(mp_spooler *s, int64_t room_us) {
    mp_midi_event event = tick_at(room_us);
    CHECK(mp_spooler_add(s, MP_LANE_CLOCK, &event) == MP_OK);
}

static mp_spooler_stats stats_of(mp_spooler *s) {
    mp_spooler_stats stats;
    mp_spooler_get_stats(s, &stats);
    return stats;
}

static uint32_t queued(mp_spooler *s) {
    CHECK(mp_spooler_take_in(s));
    return stats_of(s).queued;
}

/* The room time of the next event, which is taken. */
static int64_t next_us(mp_spooler *s) {
    int64_t due_ns;
    mp_spooler_take_in(s);
    const mp_midi_event *event = mp_spooler_peek(s, &due_ns);
    CHECK(event != NULL);
    int64_t room_us = event->room_us;
    mp_spooler_sent(s, 0, false);
    return room_us;
}

static void a_batch_is_there_at_once_or_never(void) {
    mp_spooler *s = begun();
    add(s, 1);
    add(s, 2);
    CHECK_EQUAL(queued(s), 0);
    mp_spooler_commit(s);
    CHECK_EQUAL(queued(s), 2);
    CHECK(mp_spooler_discard_from(s, MP_LANE_CLOCK, INT64_MIN) == MP_OK);
    add(s, 3);
    mp_spooler_rollback(s);
    mp_spooler_commit(s);
    CHECK_EQUAL(queued(s), 2);
    mp_spooler_free(s);
}

static void a_full_inbox_says_so(void) {
    mp_spooler *s = begun();
    mp_midi_event event = tick_at(1);
    mp_clock_map map = map_ahead(0);
    for (int i = 0; i < INBOX - 1; i++) add(s, i); /* The map of `begun` takes a place. */
    CHECK(mp_spooler_add(s, MP_LANE_CLOCK, &event) == MP_FULL);
    CHECK(mp_spooler_set_map(s, &map) == MP_FULL);
    CHECK(mp_spooler_discard_from(s, MP_LANE_CLOCK, 0) == MP_FULL);
    mp_spooler_rollback(s);
    CHECK_EQUAL(queued(s), 0);
    mp_spooler_free(s);
}

static void discarding_takes_what_is_at_or_after(void) {
    mp_spooler *s = begun();
    for (int64_t us = 10; us <= 50; us += 10) add(s, us);
    CHECK(mp_spooler_discard_from(s, MP_LANE_CLOCK, 30) == MP_OK);
    add(s, 35);
    mp_spooler_commit(s);
    CHECK_EQUAL(queued(s), 3);
    CHECK_EQUAL(next_us(s), 10);
    CHECK_EQUAL(next_us(s), 20);
    CHECK_EQUAL(next_us(s), 35);
    CHECK_EQUAL(queued(s), 0);
    mp_spooler_free(s);
}

/* Ticks at 10 to 50, of which four were sent when a batch comes that was to replace two of them. */
static mp_spooler *overtaken(void) {
    mp_spooler *s = begun();
    for (int64_t us = 10; us <= 50; us += 10) add(s, us);
    mp_spooler_commit(s);
    for (int64_t us = 10; us <= 40; us += 10) CHECK_EQUAL(next_us(s), us);
    CHECK(mp_spooler_discard_from(s, MP_LANE_CLOCK, 25) == MP_OK);
    return s;
}

static void what_was_sent_when_a_batch_comes_too_late_does_not_come_again(void) {
    mp_spooler *s = overtaken();
    for (int64_t us = 26; us <= 66; us += 10) add(s, us);
    mp_spooler_commit(s);
    CHECK_EQUAL(queued(s), 3);
    CHECK_EQUAL(next_us(s), 46);
    /* Those that were left out count as sent: this comes in time. */
    CHECK(mp_spooler_discard_from(s, MP_LANE_CLOCK, 50) == MP_OK);
    add(s, 57);
    mp_spooler_commit(s);
    CHECK_EQUAL(next_us(s), 57);
    /* This does not, by one. */
    CHECK(mp_spooler_discard_from(s, MP_LANE_CLOCK, 50) == MP_OK);
    for (int64_t us = 58; us <= 78; us += 10) add(s, us);
    mp_spooler_commit(s);
    CHECK_EQUAL(next_us(s), 68);
    CHECK_EQUAL(next_us(s), 78);
    CHECK_EQUAL(stats_of(s).ticks, 8);
    mp_spooler_free(s);
}

static void a_device_that_is_put_somewhere_gets_all_from_there(void) {
    mp_spooler *s = overtaken();
    mp_midi_event stop = {.room_us = 25, .size = 1, .bytes = {0xFC}};
    CHECK(mp_spooler_add(s, MP_LANE_CLOCK, &stop) == MP_OK);
    for (int64_t us = 26; us <= 46; us += 10) add(s, us);
    mp_spooler_commit(s);
    CHECK_EQUAL(queued(s), 4);
    CHECK_EQUAL(next_us(s), 25);
    CHECK_EQUAL(next_us(s), 26);
    CHECK(mp_spooler_discard_from(s, MP_LANE_CLOCK, -(INT64_C(1) << 62)) == MP_OK);
    add(s, 90);
    mp_spooler_commit(s);
    CHECK_EQUAL(next_us(s), 90);
    mp_spooler_free(s);
}

static void add_byte(mp_spooler *s, int64_t us, uint8_t byte) {
    mp_midi_event event = {.room_us = us, .size = 1, .bytes = {byte}};
    CHECK(mp_spooler_add(s, MP_LANE_CLOCK, &event) == MP_OK);
}

/* Two changes at once: the first one has the device stop and start, which is not sent yet, when the
 * second one comes. What was sent at the old place is void then. */
static void what_was_sent_before_a_stop_that_waits_does_not_count(void) {
    mp_spooler *s = overtaken();
    add_byte(s, 26, 0xFC);
    add_byte(s, 27, 0xFB);
    for (int64_t us = 28; us <= 48; us += 10) add(s, us);
    CHECK(mp_spooler_discard_from(s, MP_LANE_CLOCK, 30) == MP_OK);
    for (int64_t us = 33; us <= 43; us += 5) add(s, us);
    mp_spooler_commit(s);
    CHECK_EQUAL(queued(s), 6);
    for (int64_t us = 26; us <= 28; us++) CHECK_EQUAL(next_us(s), us);
    for (int64_t us = 33; us <= 43; us += 5) CHECK_EQUAL(next_us(s), us);
    CHECK_EQUAL(stats_of(s).overtaken, 0);
    mp_spooler_free(s);
}

static void a_start_that_was_sent_when_it_is_taken_back_is_told(void) {
    mp_spooler *s = begun();
    add_byte(s, 10, 0xFB);
    add(s, 20);
    mp_spooler_commit(s);
    CHECK_EQUAL(next_us(s), 10);
    CHECK(mp_spooler_discard_from(s, MP_LANE_CLOCK, 15) == MP_OK);
    mp_spooler_commit(s);
    CHECK_EQUAL(queued(s), 0);
    CHECK_EQUAL(stats_of(s).overtaken, 0);
    CHECK(mp_spooler_discard_from(s, MP_LANE_CLOCK, 10) == MP_OK);
    mp_spooler_commit(s);
    CHECK_EQUAL(queued(s), 0);
    CHECK_EQUAL(stats_of(s).overtaken, 1);
    /* All comes anew, and nothing of before counts. */
    CHECK(mp_spooler_discard_from(s, MP_LANE_CLOCK, -(INT64_C(1) << 62)) == MP_OK);
    CHECK(mp_spooler_discard_from(s, MP_LANE_CLOCK, 5) == MP_OK);
    mp_spooler_commit(s);
    CHECK_EQUAL(queued(s), 0);
    CHECK_EQUAL(stats_of(s).overtaken, 1);
    mp_spooler_free(s);
}

static void order_holds_round_the_end_of_the_queue(void) {
    mp_spooler *s = begun();
    int64_t in = 0, out = 0;
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 1000; i++) add(s, in++);
        mp_spooler_commit(s);
        while (out < in - 300) CHECK_EQUAL(next_us(s), out++);
    }
    CHECK_EQUAL(stats_of(s).dropped, 0);
    CHECK_EQUAL(stats_of(s).events, out);
    CHECK_EQUAL(stats_of(s).ticks, out);
    mp_spooler_free(s);
}

static void what_does_not_fit_is_counted(void) {
    mp_spooler *s = begun();
    for (int i = 0; i < QUEUE + 100; i++) add(s, i);
    mp_spooler_commit(s);
    for (int look = 0; look < QUEUE / ONE_LOOK; look++) CHECK(!mp_spooler_take_in(s));
    CHECK(mp_spooler_take_in(s));
    CHECK_EQUAL(stats_of(s).queued, QUEUE);
    CHECK_EQUAL(stats_of(s).dropped, 100);
    for (int i = 0; i < QUEUE; i++) CHECK_EQUAL(next_us(s), i);
    mp_spooler_free(s);
}

static void nothing_is_due_without_a_map(void) {
    clock_now_ns = 1000 * MS;
    mp_spooler *s = mp_spooler_new();
    mp_midi_event event;
    add(s, 1);
    mp_spooler_commit(s);
    CHECK(!mp_spooler_wait_next(s, &event, 20 * MS));
    CHECK_EQUAL(clock_now_ns, 1020 * MS);
    mp_spooler_drop_before(s, INT64_MAX);
    CHECK_EQUAL(queued(s), 1);
    mp_spooler_free(s);
}

static void a_new_map_moves_what_is_queued(void) {
    mp_spooler *s = begun();
    int64_t due_ns;
    add(s, 2000000);
    mp_spooler_commit(s);
    mp_spooler_take_in(s);
    CHECK(mp_spooler_peek(s, &due_ns) != NULL);
    CHECK_EQUAL(due_ns, 2000 * MS);
    const int64_t jumps_ns[] = {1, -1, 500 * MS, -500 * MS, 86400000 * MS};
    for (int i = 0; i < 5; i++) {
        mp_clock_map map = map_ahead(jumps_ns[i]);
        CHECK(mp_spooler_set_map(s, &map) == MP_OK);
        mp_spooler_commit(s);
        mp_spooler_take_in(s);
        CHECK(mp_spooler_peek(s, &due_ns) != NULL);
        CHECK_EQUAL(due_ns, 2000 * MS - jumps_ns[i]);
    }
    mp_spooler_free(s);
}

static void waiting_is_never_too_short(void) {
    mp_spooler *s = begun();
    mp_midi_event event;
    uint64_t seed = 7;
    mp_clock_map map = {.local_ns = clock_now_ns,
                        .room_ns = clock_now_ns + 40 * MS,
                        .slew = -2e-3,
                        .slew_end_ns = clock_now_ns + 300 * MS,
                        .drift = 3e-4};
    CHECK(mp_spooler_set_map(s, &map) == MP_OK);
    int64_t room_us = clock_now_ns / 1000 + 60000;
    for (int i = 0; i < 1000; i++) add(s, room_us += random_between(&seed, 0, 30000));
    mp_spooler_commit(s);
    for (int i = 0, left = 1000; left > 0; i++) {
        oversleep_ns = i % 3 == 0 ? -random_between(&seed, 0, 1000) : random_between(&seed, 0, 900);
        if (!mp_spooler_wait_next(s, &event, 12 * MS)) continue;
        int64_t late_ns = clock_now_ns - mp_local_at_ns(&map, event.room_us * 1000);
        CHECK(late_ns >= 0);
        CHECK(late_ns <= 900);
        left--;
    }
    CHECK_EQUAL(stats_of(s).late, 0);
    CHECK_EQUAL(stats_of(s).events, 1000);
    mp_spooler_free(s);
}

static void patience_ends(void) {
    mp_spooler *s = begun();
    mp_midi_event event;
    CHECK(!mp_spooler_wait_next(s, &event, 0));
    CHECK_EQUAL(clock_now_ns, 1000 * MS);
    add(s, 1100000);
    mp_spooler_commit(s);
    CHECK(!mp_spooler_wait_next(s, &event, 99 * MS));
    CHECK_EQUAL(clock_now_ns, 1099 * MS);
    CHECK(mp_spooler_wait_next(s, &event, INT64_MAX));
    CHECK_EQUAL(clock_now_ns, 1100 * MS);
    mp_spooler_free(s);
}

/* Long sleeps are cut, so that an event which comes meanwhile is not late by one. */
static void waiting_looks_again(void) {
    mp_spooler *s = begun();
    mp_midi_event event;
    int64_t before = sleeps;
    CHECK(!mp_spooler_wait_next(s, &event, 1000 * MS));
    CHECK(sleeps - before >= 200);
    mp_spooler_free(s);
}

static void lateness_is_counted(void) {
    mp_spooler *s = begun();
    mp_midi_event event;
    const int64_t late_ns[] = {0, 1 * MS, 1 * MS + 1, 5 * MS, 2 * MS};
    for (int i = 0; i < 5; i++) {
        add(s, clock_now_ns / 1000 + 100);
        mp_spooler_commit(s);
        clock_now_ns += 100000 + late_ns[i];
        CHECK(mp_spooler_wait_next(s, &event, 0));
        clock_now_ns = 1000 * MS + i * 10 * MS;
    }
    mp_spooler_stats stats = stats_of(s);
    CHECK_EQUAL(stats.late, 3);
    CHECK_EQUAL(stats.max_late_ns, 5 * MS);
    CHECK_EQUAL(stats_of(s).max_late_ns, 0);
    mp_spooler_free(s);
}

static void a_sink_that_begins_forgets_the_past(void) {
    mp_spooler *s = begun();
    for (int64_t us = 900000; us <= 1100000; us += 50000) add(s, us);
    mp_spooler_commit(s);
    mp_spooler_take_in(s);
    mp_spooler_drop_before(s, clock_now_ns);
    CHECK_EQUAL(stats_of(s).dropped, 2);
    CHECK_EQUAL(stats_of(s).events, 0);
    CHECK_EQUAL(next_us(s), 1000000);
    mp_spooler_free(s);
}

static void it_knows_whether_the_device_runs(void) {
    mp_spooler *s = begun();
    const uint8_t bytes[] = {0xF8, 0xFA, 0xF8, 0xFC, 0xF8, 0xFB, 0xF2};
    const int running[] = {0, 1, 1, 0, 0, 1, 1};
    for (int i = 0; i < 7; i++) {
        mp_midi_event event = {.room_us = i, .size = 1, .bytes = {bytes[i]}};
        CHECK(mp_spooler_add(s, MP_LANE_CLOCK, &event) == MP_OK);
        mp_spooler_commit(s);
        next_us(s);
        CHECK_EQUAL(stats_of(s).running, running[i]);
    }
    CHECK_EQUAL(stats_of(s).ticks, 3);
    CHECK_EQUAL(stats_of(s).events, 7);
    mp_spooler_free(s);
}

static void nonsense_is_refused(void) {
    mp_spooler *s = begun();
    const int64_t ns = (INT64_C(1) << 60) + 1, us = (INT64_C(1) << 62) / 1000 + 1;
    const mp_clock_map bad[] = {
        {.local_ns = ns},       {.local_ns = -ns},   {.room_ns = INT64_MAX},
        {.room_ns = INT64_MIN}, {.slew_end_ns = ns}, {.slew = NAN},
        {.slew = INFINITY},     {.slew = -1.0},      {.drift = NAN},
        {.drift = -INFINITY},   {.drift = 0.11},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK(mp_spooler_set_map(s, &bad[i]) == MP_OUT_OF_RANGE);
    }
    const mp_midi_event events[] = {
        {us, 1, {0}},        {-us, 1, {0}}, {INT64_MAX, 1, {0}},
        {INT64_MIN, 1, {0}}, {1, 0, {0}},   {1, 257, {0}},
    };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        CHECK(mp_spooler_add(s, MP_LANE_CLOCK, &events[i]) == MP_OUT_OF_RANGE);
    }
    const mp_midi_event fine = tick_at(1);
    CHECK(mp_spooler_add(s, MP_LANES, &fine) == MP_OUT_OF_RANGE);
    CHECK(mp_spooler_discard_from(s, MP_LANES, 1) == MP_OUT_OF_RANGE);
    mp_spooler_commit(s);
    CHECK_EQUAL(queued(s), 0);
    mp_spooler_free(s);
}

/* Notes come between ticks, go after a tick of the same time, and are rewritten without them. */
static void lanes_meet_only_at_the_port(void) {
    mp_spooler *s = begun();
    mp_midi_event note = {.size = 256, .bytes = {0xF0}};
    for (int64_t us = 10; us <= 40; us += 10) add(s, us);
    for (note.room_us = 5; note.room_us <= 25; note.room_us += 5) {
        CHECK(mp_spooler_add(s, MP_LANE_NOTES, &note) == MP_OK);
    }
    CHECK(mp_spooler_discard_from(s, MP_LANE_NOTES, 25) == MP_OK);
    CHECK(mp_spooler_discard_from(s, MP_LANE_CLOCK, 40) == MP_OK);
    mp_spooler_commit(s);
    const int64_t expected[] = {5, 10, 10, 15, 20, 20, 30};
    const int sizes[] = {256, 1, 256, 256, 1, 256, 1};
    for (int i = 0; i < 7; i++) {
        mp_midi_event event;
        CHECK(mp_spooler_wait_next(s, &event, 0));
        CHECK_EQUAL(event.room_us, expected[i]);
        CHECK_EQUAL(event.size, sizes[i]);
    }
    CHECK_EQUAL(queued(s), 0);
    CHECK_EQUAL(stats_of(s).late, 3);
    CHECK_EQUAL(stats_of(s).ticks, 3);
    mp_spooler_free(s);
}

/* The worst that is not refused overflows nowhere (UBSan looks). */
static void extremes_do_no_harm(void) {
    const int64_t ns[] = {INT64_C(1) << 60, -(INT64_C(1) << 60), 0, 1000};
    const double rates[] = {0.1, -0.1, 0.0};
    const int64_t us = (INT64_C(1) << 62) / 1000;
    for (int n = 0; n < 4 * 4 * 4 * 3 * 3 * 2; n++) {
        mp_spooler *s = begun();
        mp_clock_map map = {.local_ns = ns[n % 4],
                            .room_ns = ns[n / 4 % 4],
                            .slew_end_ns = ns[n / 16 % 4],
                            .slew = rates[n / 64 % 3],
                            .drift = rates[n / 192 % 3]};
        mp_midi_event event;
        CHECK(mp_spooler_set_map(s, &map) == MP_OK);
        add(s, n / 576 ? us : -us);
        mp_spooler_commit(s);
        mp_spooler_wait_next(s, &event, 0);
        mp_spooler_free(s);
    }
}

int main(void) {
    a_batch_is_there_at_once_or_never();
    a_full_inbox_says_so();
    discarding_takes_what_is_at_or_after();
    what_was_sent_when_a_batch_comes_too_late_does_not_come_again();
    a_device_that_is_put_somewhere_gets_all_from_there();
    what_was_sent_before_a_stop_that_waits_does_not_count();
    a_start_that_was_sent_when_it_is_taken_back_is_told();
    order_holds_round_the_end_of_the_queue();
    what_does_not_fit_is_counted();
    nothing_is_due_without_a_map();
    a_new_map_moves_what_is_queued();
    waiting_is_never_too_short();
    patience_ends();
    waiting_looks_again();
    lateness_is_counted();
    a_sink_that_begins_forgets_the_past();
    it_knows_whether_the_device_runs();
    nonsense_is_refused();
    lanes_meet_only_at_the_port();
    extremes_do_no_harm();
    return 0;
}
