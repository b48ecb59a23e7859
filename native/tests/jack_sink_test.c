/* wrap: mp_jack mp_host_now_ns mp_host_sleep_until_ns */
#include "../src/spooler.h"
#include "check.h"
#include "fake_jack.h"
#include "virtual_clock.h"

static const int64_t SECOND_NS = 1000000000;
static mp_spooler *spooler;
static mp_jack_sink *sink;
static int64_t first_frame;

/* Frame `first_frame` is at this host time, and the device keeps its nominal rate. */
static const int64_t FIRST_NS = INT64_C(7000000000);

static int64_t ns_of(int64_t frame) {
    return FIRST_NS + (frame - first_frame) * SECOND_NS / FAKE_RATE;
}

static void add_at(int64_t room_us, uint8_t number) {
    mp_midi_event event = {.room_us = room_us, .size = 2, .bytes = {0xC0, number & 0x7F}};
    CHECK(mp_spooler_add(spooler, MP_LANE_CLOCK, &event) == MP_OK);
}

static void begin(int64_t frame) {
    first_frame = frame;
    fake_start(frame);
    spooler = mp_spooler_new();
    CHECK(spooler != NULL);
    mp_clock_map map = {.local_ns = 0}; /* room time is host time */
    CHECK(mp_spooler_set_map(spooler, &map) == MP_OK);
    mp_spooler_commit(spooler);
    mp_status status = MP_SYSTEM_FAILED;
    sink = mp_jack_sink_open(spooler, "test", "out", "in", NULL, &status);
    CHECK(sink != NULL);
    CHECK_EQUAL(status, MP_OK);
}

static void end(void) {
    mp_jack_sink_close(sink);
    CHECK_EQUAL(fake.closed, fake.opened);
    mp_spooler_free(spooler);
}

/* Cycles that start in time and are seen `late_ns` later. */
static void cycles(int count, int64_t late_ns) {
    for (int i = 0; i < count; i++) {
        clock_now_ns = ns_of(fake.frame) + late_ns;
        fake_cycle();
        fake.frame += FAKE_PERIOD;
    }
}

static mp_jack_info info(void) {
    mp_jack_info info;
    mp_jack_sink_info(sink, &info);
    return info;
}

static mp_spooler_stats stats(void) {
    mp_spooler_stats stats;
    mp_spooler_get_stats(spooler, &stats);
    return stats;
}

static void events_go_out_at_their_frame(int64_t from_frame) {
    begin(from_frame);
    cycles(200, 0);
    int64_t base_us = ns_of(fake.frame) / 1000;
    uint64_t seed = 2;
    int64_t times_us[1000], time_us = base_us;
    for (int i = 0; i < 1000; i++) {
        times_us[i] = time_us += random_between(&seed, 0, 3000);
        add_at(time_us, (uint8_t)i);
    }
    mp_spooler_commit(spooler);
    cycles(800, 0);
    CHECK_EQUAL(fake.sent_count, 1000);
    for (int i = 0; i < 1000; i++) {
        double ideal = (double)(times_us[i] * 1000 - FIRST_NS) * FAKE_RATE / 1e9;
        CHECK_WITHIN(fake.sent[i].frame - first_frame, llround(ideal), 1);
        CHECK_EQUAL(fake.sent[i].size, 2);
        CHECK_EQUAL(fake.sent[i].bytes[0], 0xC0);
        CHECK_EQUAL(fake.sent[i].bytes[1], i & 0x7F);
    }
    CHECK_EQUAL(stats().late, 0);
    CHECK_EQUAL(stats().events, 1000);
    CHECK_EQUAL(info().clock_resets, 0);
    CHECK(fabs(info().drift_ppm) < 1.0);
    end();
}

/* Even more of it than is taken in at one look. */
static void a_sink_that_begins_sends_nothing_of_the_past(void) {
    begin(0);
    const int backlog = 4000;
    for (int i = 0; i < backlog; i++) add_at(FIRST_NS / 1000 - 1000000 + i, 0);
    add_at(FIRST_NS / 1000 + 50000, 99);
    mp_spooler_commit(spooler);
    cycles(40, 0);
    CHECK_EQUAL(fake.sent_count, 1);
    CHECK_EQUAL(fake.sent[0].bytes[1], 99);
    CHECK_EQUAL(stats().dropped, backlog);
    CHECK_EQUAL(stats().late, 0);
    end();
}

static void a_late_event_goes_out_at_once_and_is_counted(void) {
    begin(0);
    cycles(400, 0);
    add_at(ns_of(fake.frame) / 1000 - 10000, 1);
    add_at(ns_of(fake.frame) / 1000 - 5000, 2);
    mp_spooler_commit(spooler);
    int64_t frame = fake.frame;
    cycles(1, 0);
    CHECK_EQUAL(fake.sent_count, 2);
    CHECK_EQUAL(fake.sent[0].frame, frame);
    CHECK_EQUAL(fake.sent[1].frame, frame);
    mp_spooler_stats after = stats();
    CHECK_EQUAL(after.late, 2);
    CHECK_WITHIN(after.max_late_ns, 10000000, 2000);
    end();
}

static void a_full_port_buffer_puts_off(void) {
    begin(0);
    cycles(400, 0);
    fake.room_in_cycle = 2;
    int64_t frame = fake.frame;
    for (int i = 0; i < 5; i++) add_at(ns_of(frame) / 1000 + 100, (uint8_t)i);
    mp_spooler_commit(spooler);
    cycles(3, 0);
    CHECK_EQUAL(fake.sent_count, 5);
    for (int i = 0; i < 5; i++) CHECK_EQUAL(fake.sent[i].bytes[1], i);
    CHECK_WITHIN(fake.sent[1].frame, frame + 5, 1);
    CHECK_EQUAL(fake.sent[2].frame, frame + FAKE_PERIOD);
    CHECK_EQUAL(fake.sent[4].frame, frame + 2 * FAKE_PERIOD);
    CHECK_EQUAL(stats().late, 3);
    end();
}

/* Exactly half a frame before a cycle, and a nanosecond more or less. */
static void halves_at_the_edge_of_a_cycle_are_not_late(void) {
    begin(0);
    cycles(4002, 0);
    for (int i = 0; i < 900; i++) {
        int64_t half_frames = 2 * (fake.frame + FAKE_PERIOD) - 1;
        CHECK_EQUAL(half_frames % 3, 0); /* It is a whole number of nanoseconds. */
        mp_clock_map map = {.local_ns = FIRST_NS + half_frames / 3 * 31250 + i / 3 % 3 - 1};
        CHECK(mp_spooler_set_map(spooler, &map) == MP_OK);
        add_at(0, 0);
        mp_spooler_commit(spooler);
        cycles(3, 0);
    }
    CHECK_EQUAL(stats().events, 900);
    CHECK_EQUAL(stats().late, 0);
    end();
}

/* Nobody should, but JACK refuses what goes back in time. */
static void events_that_are_out_of_order_are_sent_all_the_same(void) {
    begin(0);
    cycles(400, 0);
    int64_t frame = fake.frame;
    add_at(ns_of(frame + 70) / 1000, 1);
    add_at(ns_of(frame + 20) / 1000, 2);
    mp_spooler_commit(spooler);
    cycles(1, 0);
    CHECK_EQUAL(fake.sent_count, 2);
    CHECK_WITHIN(fake.sent[0].frame, frame + 70, 1);
    CHECK_EQUAL(fake.sent[1].frame, fake.sent[0].frame);
    end();
}

/* Frames were lost: room time has gone on without them. */
static void an_xrun_begins_the_frame_clock_anew(void) {
    begin(0);
    cycles(3000, 0);
    first_frame -= 2400;
    fake.xrun(fake.arg);
    cycles(10, 0);
    CHECK_EQUAL(info().xruns, 1);
    CHECK_EQUAL(info().clock_resets, 1);
    int64_t frame = fake.frame + 300;
    add_at(ns_of(frame) / 1000, 7);
    mp_spooler_commit(spooler);
    cycles(10, 0);
    CHECK_EQUAL(fake.sent_count, 1);
    CHECK_WITHIN(fake.sent[0].frame, frame, 1);
    first_frame += 2400;
    end();
}

static void it_tells_when_the_server_has_gone(void) {
    begin(0);
    CHECK(info().alive);
    CHECK(info().realtime);
    CHECK_EQUAL(info().sample_rate, FAKE_RATE);
    CHECK_EQUAL(info().period_frames, FAKE_PERIOD);
    fake.shutdown(fake.arg);
    CHECK(!info().alive);
    end();
}

static void failures_have_a_status(void) {
    const struct {
        int flags;
        mp_status status;
    } cases[] = {{JACK_NAME_NOT_UNIQUE, MP_NAME_TAKEN},
                 {JACK_SERVER_FAILED, MP_NO_JACK_SERVER}};
    for (int i = 0; i < 2; i++) {
        mp_status status = MP_OK;
        fake_start(0);
        fake.open_flags = cases[i].flags;
        CHECK(mp_jack_sink_open(NULL, "test", "out", "in", NULL, &status) == NULL);
        CHECK_EQUAL(status, cases[i].status);
        CHECK(mp_meter_open("test", 2, &status) == NULL);
        CHECK_EQUAL(status, cases[i].status);
        CHECK_EQUAL(fake.closed, fake.opened);
    }
}

/* JACK2 does so while another client opens or closes. */
static void a_refusal_is_not_taken_for_the_last_word(void) {
    mp_status status = MP_JACK_FAILED;
    fake_start(0);
    fake.refused_opens = 2;
    fake.refused_activations = 3;
    mp_jack_sink *refused_sink = mp_jack_sink_open(NULL, "test", "out", "in", NULL, &status);
    CHECK(refused_sink != NULL && status == MP_OK);
    CHECK_EQUAL(fake.opened, 4);
    CHECK_EQUAL(fake.closed, 3);
    mp_jack_sink_close(refused_sink);
    CHECK_EQUAL(fake.closed, 4);
}

/* The fake's input gives one event a cycle. */
static void what_arrives_is_taken_out_with_its_time(void) {
    begin(0);
    cycles(400, 0);
    mp_heard heard[2048];
    CHECK_EQUAL(mp_jack_sink_heard(sink, heard, 2048, 0), 0);
    fake.heard = (fake_event){.frame = 96, .size = 3, .bytes = {0x90, 0x40, 0x50}};
    cycles(3, 0);
    CHECK_EQUAL(mp_jack_sink_heard(sink, heard, 2, 0), 2);
    CHECK_EQUAL(mp_jack_sink_heard(sink, heard + 2, 9, 0), 1);
    for (int i = 0; i < 3; i++) {
        CHECK_EQUAL(heard[i].size, 3);
        CHECK_EQUAL(heard[i].bytes[2], 0x50);
        int64_t frame = fake.frame - (3 - i) * FAKE_PERIOD + 96;
        CHECK_WITHIN(heard[i].host_ns, ns_of(frame), 1000);
    }
    cycles(3000, 0);
    CHECK_EQUAL(info().lost, 3000 - 2048);
    CHECK_EQUAL(mp_jack_sink_heard(sink, heard, 2048, 0), 2048);
    end();
}

/* What is for the faders never gets among what is for the room. */
static void what_arrives_at_the_control_input_is_told_apart(void) {
    begin(0);
    mp_jack_sink_close(sink);
    mp_status status = MP_SYSTEM_FAILED;
    sink = mp_jack_sink_open(spooler, "test", "out", "in", "control", &status);
    CHECK(sink != NULL && status == MP_OK);
    cycles(10, 0);
    fake.heard = (fake_event){.frame = 96, .size = 3, .bytes = {0xB0, 7, 100}};
    cycles(1, 0);
    mp_heard heard[8];
    CHECK_EQUAL(mp_jack_sink_heard(sink, heard, 8, 0), 2);
    CHECK_EQUAL(heard[0].control, 0);
    CHECK_EQUAL(heard[1].control, 1);
    CHECK_EQUAL(heard[1].bytes[2], 100);
    end();
}

static void the_meter_writes_down_what_it_hears(void) {
    mp_status status;
    fake_start(INT64_C(0xFFFFFF00));
    mp_meter *meter = mp_meter_open("meter", 1, &status);
    CHECK(meter != NULL && status == MP_OK);
    fake.heard = (fake_event){.frame = 5, .size = 2, .bytes = {0x90, 0x40}};
    for (int i = 0; i < 4; i++, fake.frame += FAKE_PERIOD) fake_cycle();
    mp_meter_event events[10];
    mp_meter_cycle seen[10];
    CHECK_EQUAL(mp_meter_events(meter, events, 3), 3);
    CHECK_EQUAL(mp_meter_events(meter, events + 3, 7), 1);
    CHECK_EQUAL(mp_meter_cycles(meter, seen, 10), 4);
    for (int i = 0; i < 4; i++) {
        CHECK_EQUAL(events[i].frame - events[0].frame, i * FAKE_PERIOD);
        CHECK_EQUAL(seen[i].frame + 5, events[i].frame);
        CHECK_EQUAL(events[i].size, 2);
        CHECK_EQUAL(events[i].bytes[1], 0x40);
    }
    CHECK_EQUAL(mp_meter_lost(meter), 0);
    mp_meter_close(meter);
}

int main(void) {
    events_go_out_at_their_frame(0);
    events_go_out_at_their_frame(INT64_C(0x7FFFFFFF) - 48000);
    events_go_out_at_their_frame(INT64_C(0xFFFFFFFF) - 48000);
    a_sink_that_begins_sends_nothing_of_the_past();
    a_late_event_goes_out_at_once_and_is_counted();
    a_full_port_buffer_puts_off();
    halves_at_the_edge_of_a_cycle_are_not_late();
    events_that_are_out_of_order_are_sent_all_the_same();
    an_xrun_begins_the_frame_clock_anew();
    it_tells_when_the_server_has_gone();
    failures_have_a_status();
    a_refusal_is_not_taken_for_the_last_word();
    what_arrives_is_taken_out_with_its_time();
    what_arrives_at_the_control_input_is_told_apart();
    the_meter_writes_down_what_it_hears();
    return 0;
}
