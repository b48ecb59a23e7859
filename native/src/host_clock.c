/* The host clock, and how a thread waits on it. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "rt.h"

static int64_t test_offset_ns = 0;
static double test_skew = 0.0;

static int64_t read_ns(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void mp_host_clock_set(int64_t offset_ns, double skew) {
    test_offset_ns = offset_ns;
    test_skew = skew;
}

int64_t mp_host_from_monotonic_ns(int64_t monotonic_ns) {
    if (test_skew == 0.0) return monotonic_ns + test_offset_ns;
    return monotonic_ns + test_offset_ns + (int64_t)((double)monotonic_ns * test_skew);
}

int64_t mp_host_to_monotonic_ns(int64_t host_ns) {
    int64_t from_zero = host_ns - test_offset_ns;
    if (test_skew == 0.0) return from_zero;
    return from_zero - (int64_t)((double)from_zero * (test_skew / (1.0 + test_skew)));
}

int64_t mp_host_now_ns(void) { return mp_host_from_monotonic_ns(read_ns(CLOCK_MONOTONIC)); }

int64_t mp_thread_work_ns(void) { return read_ns(CLOCK_THREAD_CPUTIME_ID); }

int64_t mp_host_from_realtime_ns(int64_t realtime_ns) {
    int64_t age = read_ns(CLOCK_REALTIME) - realtime_ns;
    int64_t now = read_ns(CLOCK_MONOTONIC);
    /* Somebody set the wall clock in between: better no kernel timestamp than a wrong one. */
    if (age < 0 || age > 1000000000) age = 0;
    return mp_host_from_monotonic_ns(now - age);
}

void mp_host_sleep_until_ns(int64_t host_ns) {
    int64_t until = mp_host_to_monotonic_ns(host_ns);
#ifdef __linux__
    struct timespec t = {.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {
    }
#else
    int64_t left = until - read_ns(CLOCK_MONOTONIC);
    if (left <= 0) return;
    struct timespec t = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
    nanosleep(&t, NULL);
#endif
}

mp_status mp_thread_realtime(int priority) {
#ifdef __linux__
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
#endif
    struct sched_param param = {.sched_priority = priority};
    return pthread_setschedparam(pthread_self(), SCHED_FIFO, &param) ? MP_NOT_PERMITTED : MP_OK;
}

void mp_thread_name(const char *name) {
#ifdef __APPLE__
    pthread_setname_np(name);
#else
    pthread_setname_np(pthread_self(), name);
#endif
}

mp_status mp_lock_memory(void) {
    return mlockall(MCL_CURRENT | MCL_FUTURE) ? MP_NOT_PERMITTED : MP_OK;
}
