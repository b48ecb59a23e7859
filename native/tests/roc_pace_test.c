/* The bridge's clock: a timer without a device, which follows a sender's. */
#include "../src/roc_pace.h"

#include <pthread.h>
#include <string.h>

#include "../src/timer_audio.h"
#include "check.h"

enum { RATE = 44100, PERIOD = 220, PACKET = 220 };
static const int64_t SECOND = 1000000000, BEGIN = 1000000000;

typedef struct {
    mp_timer_audio timer;
    mp_pace pace;
    uint64_t seed;
    double faster;        /* the sender's clock */
    double late_after_s;  /* from then on the way takes so much longer */
    double late_s;
    double sent_frames;
    int64_t cycles, lost;
    double least_wait, most_wait;
} stage;

/* What was sent up to now: in pieces as roc-send does, and with some jitter. */
static void hear(stage *s, int64_t now_ns) {
    for (;;) {
        double due_s = (s->sent_frames + PACKET) / RATE / (1.0 + s->faster);
        due_s += 0.005 - 0.0025 * fmod(due_s, 2.0); /* 5 ms earlier and earlier, then late again */
        due_s += 0.0003 * random_unit(&s->seed);
        if (due_s > s->late_after_s) due_s += s->late_s;
        int64_t arrival_ns = BEGIN + (int64_t)(due_s * 1e9);
        if (arrival_ns > now_ns) return;
        mp_pace_see(&s->pace, 0xFFFFF000u + (uint32_t)s->sent_frames, arrival_ns);
        s->sent_frames += PACKET;
    }
}

static void cycle(void *arg, int64_t cycle_ns) {
    stage *s = arg;
    s->cycles++;
    hear(s, cycle_ns);
    if (!mp_pace_cycle(&s->pace, PERIOD, cycle_ns)) {
        s->lost++;
        mp_pace_end(&s->pace);
    }
    s->timer.faster = s->pace.faster;
}

static void run(stage *s, double seconds) {
    mp_timer_audio_init(&s->timer, RATE, PERIOD, cycle, s);
    s->pace.rate = RATE;
    s->seed = 1;
    int64_t now_ns = BEGIN;
    while (now_ns < BEGIN + (int64_t)(seconds * 1e9)) {
        now_ns = mp_timer_audio_step(&s->timer, now_ns);
    }
}

static void the_clock_becomes_the_senders(void) {
    for (int ppm = -200; ppm <= 200; ppm += 100) {
        stage *s = calloc(1, sizeof *s);
        s->faster = ppm * 1e-6;
        s->late_after_s = INFINITY;
        run(s, 300);
        CHECK_EQUAL(s->lost, 0);
        CHECK_WITHIN(s->pace.faster * 1e9, ppm * 1000, 25000);
        CHECK_WITHIN((s->pace.seen.wait - s->pace.target) / 48 * 1000, 0, 2000); /* us */
        free(s);
    }
}

static void a_way_that_became_longer_begins_anew(void) {
    stage *s = calloc(1, sizeof *s);
    s->late_after_s = 60;
    s->late_s = 0.2;
    run(s, 90);
    CHECK_EQUAL(s->lost, 1);
    CHECK_WITHIN(s->pace.faster * 1e9, 0, 25000);
    free(s);
}

static void nobody_is_nominal(void) {
    stage *s = calloc(1, sizeof *s);
    s->sent_frames = 1e12;
    run(s, 3600);
    CHECK_WITHIN(s->cycles, (int64_t)RATE * 3600 / PERIOD, 1);
    free(s);
}

static void count_only(void *arg, int64_t cycle_ns) {
    (void)cycle_ns;
    ++*(int64_t *)arg;
}

static void what_stood_still_is_caught_up_or_left_out(void) {
    mp_timer_audio timer;
    int64_t cycles = 0;
    mp_timer_audio_init(&timer, RATE, PERIOD, count_only, &cycles);
    int64_t next_ns = mp_timer_audio_step(&timer, BEGIN);
    CHECK_EQUAL(mp_timer_audio_step(&timer, next_ns - 1), next_ns);
    CHECK_EQUAL(cycles, 1);
    int64_t late_ns = next_ns + 50000000;
    while ((next_ns = mp_timer_audio_step(&timer, late_ns)) <= late_ns) continue;
    CHECK_EQUAL(cycles, 12);
    CHECK(atomic_load(&timer.late) >= 9);
    CHECK_EQUAL(mp_timer_audio_step(&timer, next_ns + SECOND), next_ns + SECOND + 4988662);
    CHECK_EQUAL(cycles, 13);
    CHECK_EQUAL(atomic_load(&timer.restarts), 1);
}

static void note_thread(void *arg, int64_t cycle_ns) {
    (void)cycle_ns;
    atomic_fetch_add((_Atomic int *)arg, 1);
}

static void a_thread_runs_it_until_it_is_stopped(void) {
    mp_timer_audio timer;
    _Atomic int cycles = 0;
    mp_timer_audio_init(&timer, RATE, PERIOD, note_thread, &cycles);
    CHECK_EQUAL(mp_timer_audio_start(&timer, 100), MP_OUT_OF_RANGE);
    CHECK_EQUAL(mp_timer_audio_start(&timer, 0), MP_OK);
    while (atomic_load(&cycles) < 20) mp_host_sleep_until_ns(mp_host_now_ns() + 1000000);
    mp_timer_audio_stop(&timer);
    int stopped = atomic_load(&cycles);
    mp_timer_audio_stop(&timer);
    mp_host_sleep_until_ns(mp_host_now_ns() + 20000000);
    CHECK_EQUAL(atomic_load(&cycles), stopped);
}

int main(void) {
    the_clock_becomes_the_senders();
    a_way_that_became_longer_begins_anew();
    nobody_is_nominal();
    what_stood_still_is_caught_up_or_left_out();
    a_thread_runs_it_until_it_is_stopped();
    return 0;
}
