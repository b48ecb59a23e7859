/* Figures of the health view, against patterns whose figures are known. */
#include "../src/media_health.h"
#include "check.h"

static const int64_t MS_NS = 1000000, SECOND_NS = 1000000000;
static const int64_t BEGIN_NS = 5000000000, ROOM_AHEAD_NS = 77000000000;
enum { PACKET_US = 2500, WINDOW_PACKETS = 4000 };

static mp_health health;
static mp_counted counted;

static mp_media_sender_stats told(int64_t now_ns) {
    mp_media_sender_stats stats;
    mp_health_read(&health, now_ns, &stats);
    return stats;
}

static void begin(void) {
    health = (mp_health){0};
    counted = (mp_counted){0};
}

/* Packet `counter` was captured on its line, and takes `delay_ns`. Returns when it came. */
static int64_t comes(uint64_t counter, int64_t delay_ns, const mp_clock_map *map) {
    int64_t captured_ns = BEGIN_NS + (int64_t)counter * PACKET_US * 1000;
    mp_arrival arrival = {.header = {.kind = MP_MEDIA_SOURCE, .sender = 1, .counter = counter},
                          .size = 200,
                          .received_ns = captured_ns + delay_ns,
                          .from = {.family = 4, .ip = {127, 0, 0, 1}, .port = 99}};
    arrival.header.capture_us = (captured_ns + (map ? ROOM_AHEAD_NS : 0)) / 1000;
    mp_health_arrived(&health, &counted, &arrival, map);
    return arrival.received_ns;
}

static void nothing_is_known_of_who_was_not_heard(void) {
    begin();
    mp_media_sender_stats stats = told(BEGIN_NS);
    CHECK_EQUAL(stats.packets, 0);
    CHECK_EQUAL(stats.lost, 0);
    CHECK_EQUAL(stats.jitter_ns, -1);
    CHECK_EQUAL(stats.spread_max_ns, -1);
    CHECK_EQUAL(stats.delay_ns, -1);
    CHECK_EQUAL(stats.silence_ns, -1);
    CHECK_EQUAL(stats.via_relay, -1);
    CHECK_EQUAL(stats.from.family, 0);
}

/* Every 20th is lost, and each 50th comes behind the next. */
static void losses_are_the_counters_that_never_come(void) {
    int64_t lost = 0, late = 0, packets = 0;
    begin();
    for (uint64_t c = 1; c <= 5000; c++) {
        if (c % 20 == 7) {
            lost++;
            continue;
        }
        if (c % 50 == 0 && c < 5000) {
            comes(c + 1, 0, NULL);
            comes(c++, 0, NULL);
            late++;
            packets++;
        } else {
            comes(c, 0, NULL);
        }
        packets++;
    }
    mp_media_sender_stats stats = told(BEGIN_NS);
    CHECK_EQUAL(stats.packets, packets);
    CHECK_EQUAL(stats.source, packets);
    CHECK_EQUAL(stats.bytes, packets * 200);
    CHECK_EQUAL(stats.lost, lost);
    CHECK_EQUAL(stats.out_of_order, late);
}

static void what_came_before_the_first_is_no_loss(void) {
    begin();
    comes(1000, 0, NULL);
    CHECK_EQUAL(told(BEGIN_NS).lost, 0);
    comes(998, 0, NULL); /* It shows that 999 is missing, */
    CHECK_EQUAL(told(BEGIN_NS).lost, 1);
    comes(999, 0, NULL); /* until that comes. */
    CHECK_EQUAL(told(BEGIN_NS).lost, 0);
    CHECK_EQUAL(told(BEGIN_NS).out_of_order, 2);
    comes(1000 + ((uint64_t)1 << 20), 0, NULL); /* The sender began anew. */
    CHECK_EQUAL(told(BEGIN_NS).lost, 0);
    comes(1003 + ((uint64_t)1 << 20), 0, NULL);
    CHECK_EQUAL(told(BEGIN_NS).lost, 2);
}

static void keepalive(uint64_t counter, uint64_t hellos) {
    mp_arrival arrival = {.header = {.kind = MP_MEDIA_KEEPALIVE, .counter = counter},
                          .received_ns = BEGIN_NS,
                          .hellos = hellos,
                          .tells_hellos = 1};
    mp_health_arrived(&health, &counted, &arrival, NULL);
}

/* 2 is the relay's, 5 is lost; then 8 and 10 are the relay's. */
static void what_only_the_relay_saw_is_no_loss(void) {
    begin();
    keepalive(1, 7);
    comes(3, 0, NULL);
    keepalive(4, 8);
    CHECK_EQUAL(told(BEGIN_NS).lost, 0);
    comes(6, 0, NULL);
    comes(9, 0, NULL);
    keepalive(12, 10);
    keepalive(11, 10);
    CHECK_EQUAL(told(BEGIN_NS).lost, 2); /* 5 and 7 */
    keepalive(13, UINT64_MAX);
    CHECK_EQUAL(told(BEGIN_NS).lost, 0);
    comes(5, 0, NULL);
    CHECK_EQUAL(told(BEGIN_NS).lost, 0);
}

/* Delays of 10 and 14 ms in turn: each differs from the last by 4 ms. */
static void jitter_is_that_of_rfc_3550(void) {
    begin();
    for (uint64_t c = 1; c <= 1000; c++) comes(c, (c % 2 ? 10 : 14) * MS_NS, NULL);
    CHECK_WITHIN(told(BEGIN_NS).jitter_ns, 4 * MS_NS, 1000);
    begin();
    double jitter_ns = 0;
    uint64_t seed = 3;
    int64_t last_ns = 0;
    for (uint64_t c = 1; c <= 1000; c++) {
        int64_t delay_ns = random_between(&seed, 1, 20) * MS_NS;
        if (c > 1) jitter_ns += (fabs((double)(delay_ns - last_ns)) - jitter_ns) / 16;
        last_ns = delay_ns;
        comes(c, delay_ns, NULL);
    }
    CHECK_WITHIN(told(BEGIN_NS).jitter_ns, jitter_ns, 100);
}

/* Delays of 10 to 29.9 ms, evenly spread: 0 to 19.9 ms later than the quickest. */
static void spread_is_how_much_later_than_the_quickest(void) {
    int64_t now_ns = 0, quickest_ns = 1 << 30;
    uint64_t seed = 1;
    begin();
    for (uint64_t c = 1; c <= WINDOW_PACKETS; c++) {
        int64_t delay_ns = 10 * MS_NS + random_between(&seed, 0, 199) * MS_NS / 10;
        if (c == 2000) delay_ns = 100 * MS_NS;
        if (delay_ns < quickest_ns) quickest_ns = delay_ns;
        now_ns = comes(c, delay_ns, NULL);
    }
    mp_media_sender_stats stats = told(now_ns);
    CHECK_WITHIN(stats.spread_p50_ns, 10 * MS_NS, MS_NS);
    CHECK_WITHIN(stats.spread_p95_ns, 19 * MS_NS, MS_NS);
    CHECK_EQUAL(stats.spread_max_ns, 100 * MS_NS - quickest_ns);
    CHECK_EQUAL(stats.delay_ns, -1); /* Nobody said how the clocks are to each other. */
}

static void the_window_forgets_after_ten_seconds(void) {
    begin();
    int64_t slow_ns = comes(1, 80 * MS_NS, NULL), now_ns = slow_ns;
    for (uint64_t c = 2; now_ns < slow_ns + 9 * SECOND_NS; c++) now_ns = comes(c, 5 * MS_NS, NULL);
    CHECK_EQUAL(told(now_ns).spread_max_ns, 75 * MS_NS);
    CHECK_EQUAL(told(slow_ns + 10 * SECOND_NS).spread_max_ns, 0);
    CHECK_EQUAL(told(now_ns + 11 * SECOND_NS).spread_max_ns, -1);
    CHECK_EQUAL(told(now_ns + 11 * SECOND_NS).silence_ns, 11 * SECOND_NS);
    /* The place of a forgotten cell is used again. */
    for (uint64_t c = 4006; c < 16000; c++) now_ns = comes(c, 5 * MS_NS + (c % 2) * MS_NS, NULL);
    CHECK_EQUAL(told(now_ns).spread_max_ns, MS_NS);
}

static void with_a_map_the_delay_is_known(void) {
    mp_clock_map map = {.local_ns = 0, .room_ns = ROOM_AHEAD_NS};
    begin();
    int64_t now_ns = 0;
    uint64_t c = 1;
    for (; c < 400; c++) comes(c, 3 * MS_NS, NULL);
    for (; c < 800; c++) now_ns = comes(c, 23 * MS_NS, &map);
    CHECK_EQUAL(told(now_ns).delay_ns, 23 * MS_NS);
    /* What was measured without it does not stand beside it. */
    CHECK_EQUAL(told(now_ns).spread_max_ns, 0);
    CHECK(told(now_ns).jitter_ns < MS_NS);
    for (; c < 1200; c++) now_ns = comes(c, -MS_NS, &map);
    for (; c < 8000; c++) now_ns = comes(c, -MS_NS, &map);
    CHECK_EQUAL(told(now_ns).delay_ns, 0);
}

static void absurd_capture_times_are_not_reckoned_with(void) {
    static const int64_t absurd[] = {INT64_MIN, INT64_MAX, ((int64_t)1 << 50) + 1, -1, 0};
    mp_clock_map map = {.room_ns = ROOM_AHEAD_NS, .drift = 5e-4};
    begin();
    for (uint64_t i = 0; i < 5; i++) {
        mp_arrival arrival = {.header = {.counter = i + 1, .capture_us = absurd[i]},
                              .received_ns = BEGIN_NS};
        mp_health_arrived(&health, &counted, &arrival, i % 2 ? &map : NULL);
    }
    CHECK_EQUAL(told(BEGIN_NS).packets, 5);
}

int main(void) {
    nothing_is_known_of_who_was_not_heard();
    losses_are_the_counters_that_never_come();
    what_came_before_the_first_is_no_loss();
    what_only_the_relay_saw_is_no_loss();
    jitter_is_that_of_rfc_3550();
    spread_is_how_much_later_than_the_quickest();
    the_window_forgets_after_ten_seconds();
    with_a_map_the_delay_is_known();
    absurd_capture_times_are_not_reckoned_with();
    return 0;
}
