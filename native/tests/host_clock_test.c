#define _GNU_SOURCE
#include <time.h>

#include "../src/rt.h"
#include "check.h"

static const int64_t MS = 1000000;

static int64_t read_ns(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static const struct {
    int64_t offset_ns;
    double skew;
} CLOCKS[] = {{0, 0.0},        {250000000, 1e-4},  {-3600000000000, -1e-4},
              {7, 1e-2},       {-7, -1e-2},        {INT64_C(100000000000000000), 1e-3},
              {0, -200e-6},    {12345678, 0.0}};
enum { CLOCK_COUNT = sizeof CLOCKS / sizeof *CLOCKS };

static void there_and_back_is_the_same(void) {
    uint64_t seed = 3;
    const int64_t year_ns = INT64_C(31557600000000000);
    for (int i = 0; i < 10000; i++) {
        int64_t at_ns = random_between(&seed, 0, i % 2 ? year_ns : 1000000000000);
        int64_t host_ns = mp_host_from_monotonic_ns(at_ns);
        CHECK_WITHIN(mp_host_to_monotonic_ns(host_ns), at_ns, i % 2 ? 16 : 2);
        CHECK(mp_host_from_monotonic_ns(at_ns + 1) >= host_ns);
    }
}

static void it_is_as_far_off_as_it_was_set(int64_t offset_ns, double skew) {
    int64_t before = read_ns(CLOCK_MONOTONIC), now = mp_host_now_ns();
    int64_t after = read_ns(CLOCK_MONOTONIC);
    CHECK(now >= before + offset_ns + llround((double)before * skew) - 2);
    CHECK(now <= after + offset_ns + llround((double)after * skew) + 2);
    int64_t later = mp_host_from_monotonic_ns(before + 1000 * MS);
    CHECK_WITHIN(later - mp_host_from_monotonic_ns(before), 1000 * MS + llround(1e9 * skew), 2);
}

static void a_sleep_is_never_too_short(void) {
    for (int i = 0; i < 3; i++) {
        int64_t until = mp_host_now_ns() + 2 * MS;
        mp_host_sleep_until_ns(until);
        CHECK(mp_host_now_ns() >= until - 2); /* A caller looks again. */
    }
    mp_host_sleep_until_ns(mp_host_now_ns() - 1000 * MS);
    mp_host_sleep_until_ns(mp_host_from_monotonic_ns(0) - 1000 * MS);
}

static void a_kernel_timestamp_becomes_host_time(void) {
    const int64_t slack_ns = 1000; /* CLOCK_REALTIME may be slewed. */
    int64_t before = mp_host_now_ns(), stamp = read_ns(CLOCK_REALTIME);
    int64_t host_ns = mp_host_from_realtime_ns(stamp);
    CHECK(host_ns >= before - slack_ns);
    CHECK(host_ns <= mp_host_now_ns());
    CHECK(mp_host_from_realtime_ns(stamp - 300 * MS) <= mp_host_now_ns() - 290 * MS);
}

/* The wall clock was set since: the stamp says nothing. */
static void a_stamp_that_cannot_be_is_ignored(void) {
    const int64_t off_ns[] = {3600000 * MS, -3600000 * MS, 2000 * MS, -2000 * MS};
    for (int i = 0; i < 4; i++) {
        int64_t before = mp_host_now_ns();
        int64_t host_ns = mp_host_from_realtime_ns(read_ns(CLOCK_REALTIME) + off_ns[i]);
        CHECK(host_ns >= before && host_ns <= mp_host_now_ns());
    }
}

int main(void) {
    for (int i = 0; i < CLOCK_COUNT; i++) {
        mp_host_clock_set(CLOCKS[i].offset_ns, CLOCKS[i].skew);
        there_and_back_is_the_same();
        it_is_as_far_off_as_it_was_set(CLOCKS[i].offset_ns, CLOCKS[i].skew);
        a_sleep_is_never_too_short();
        a_kernel_timestamp_becomes_host_time();
        a_stamp_that_cannot_be_is_ignored();
    }
    return 0;
}
