/* Synthetic cycles: each is seen late by an exponential delay, and now and then by 2 ms more. */
#include <pthread.h>
#include <stdatomic.h>

#include "../src/jack_api.h"
#include "check.h"

static const double MEAN_LATE_NS = 30000.0, OUTLIER_NS = 2e6, OUTLIERS = 1e-3;
static const double MOST_OFF = 0.3; /* frames, once it has settled */
static const int64_t BEGIN_NS = INT64_C(50000000000000);

typedef struct {
    mp_frame_clock *clock;
    uint64_t seed;
    double mean_late_ns;
    double frames_per_ns; /* the device's true rate */
    int64_t period;
    int64_t frame;  /* where the next cycle starts */
    double true_ns; /* when it starts, after BEGIN_NS */
    double worst;
} device;

static device made(uint32_t rate, int64_t period, double ppm, int64_t first_frame) {
    device d = {.clock = mp_frame_clock_new(rate),
                .seed = 11,
                .mean_late_ns = MEAN_LATE_NS,
                .frames_per_ns = rate * (1.0 + ppm * 1e-6) * 1e-9,
                .period = period,
                .frame = first_frame};
    CHECK(d.clock != NULL);
    return d;
}

static void one_cycle(device *d) {
    double late_ns = -d->mean_late_ns * log(1.0 - random_unit(&d->seed));
    if (random_unit(&d->seed) < OUTLIERS) late_ns += OUTLIER_NS;
    int64_t seen_ns = BEGIN_NS + llround(d->true_ns + late_ns);
    mp_frame_clock_see(d->clock, d->frame, seen_ns);
    double since_ns = (double)(seen_ns - BEGIN_NS) - d->true_ns;
    double truth = (double)d->frame + since_ns * d->frames_per_ns;
    double off = fabs(mp_frame_clock_frame_at(d->clock, seen_ns) - truth);
    if (off > d->worst) d->worst = off;
    d->frame += d->period;
    d->true_ns += (double)d->period / d->frames_per_ns;
}

/* The largest error, in frames, during the next `seconds`. */
static double run(device *d, double seconds) {
    double end_ns = d->true_ns + seconds * 1e9;
    d->worst = 0.0;
    while (d->true_ns < end_ns) one_cycle(d);
    return d->worst;
}

static void at_most(double worst, double limit, const char *what) {
    if (worst <= limit) return;
    fprintf(stderr, "%s: off by %.3f frames, not %.3f\n", what, worst, limit);
    exit(1);
}

static const struct {
    uint32_t rate;
    int64_t period;
} DEVICES[] = {{48000, 128}, {44100, 1024}, {48000, 64}, {96000, 256}};
static const double PPMS[] = {0, 1, -1, 20, -20, 100, -100, 200, -200};

static void it_settles_and_stays(uint32_t rate, int64_t period, double ppm) {
    device d = made(rate, period, ppm, 0);
    double limit = MOST_OFF * rate / 48000;
    /* A drift shows only after some time, which costs this much at the most. */
    run(&d, 1.0);
    at_most(run(&d, 6.0), rate * 150e-6, "while the drift is found");
    at_most(run(&d, 60.0), limit, "settled");
    CHECK(fabs(mp_frame_clock_drift(d.clock) * 1e6 - ppm) < 1.0);
    CHECK_EQUAL(mp_frame_clock_resets(d.clock), 0);
    mp_frame_clock_free(d.clock);
}

static void without_drift_a_second_is_enough(void) {
    device d = made(48000, 128, 0, 0);
    run(&d, 1.0);
    at_most(run(&d, 20.0), MOST_OFF, "after a second");
    mp_frame_clock_free(d.clock);
}

/* Where few cycles come, and late, a drift that is not known yet is no reason to begin anew. */
static void a_drift_is_no_jump(double ppm) {
    for (uint64_t seed = 0; seed < 20; seed++) {
        device d = made(48000, 2048, ppm, 0);
        d.seed = seed;
        d.mean_late_ns = 10 * MEAN_LATE_NS;
        run(&d, 5.0);
        CHECK_EQUAL(mp_frame_clock_resets(d.clock), 0);
        mp_frame_clock_free(d.clock);
    }
}

/* The map never jumps while nothing happens to the device. */
static void it_moves_smoothly(double ppm) {
    device d = made(48000, 128, ppm, 0);
    run(&d, 0.5);
    for (int i = 0; i < 4000; i++) {
        int64_t at_ns = BEGIN_NS + llround(d.true_ns + 3e6);
        double before = mp_frame_clock_frame_at(d.clock, at_ns);
        one_cycle(&d);
        CHECK(fabs(mp_frame_clock_frame_at(d.clock, at_ns) - before) < 0.1);
    }
    mp_frame_clock_free(d.clock);
}

/* An xrun: `lost` frames were not counted while time went on (or counted too many). */
static void an_xrun_is_got_over(double ppm, int64_t lost, bool told) {
    device d = made(48000, 128, ppm, 0);
    run(&d, 8.0);
    for (int i = 0; i < 5; i++) {
        d.frame -= lost;
        if (told) mp_frame_clock_restart(d.clock);
        run(&d, told ? 0.3 : 0.8);
        at_most(run(&d, 6.0), MOST_OFF, told ? "after an xrun" : "after an xrun nobody told of");
        CHECK_EQUAL(mp_frame_clock_resets(d.clock), i + 1);
        CHECK(fabs(mp_frame_clock_drift(d.clock) * 1e6 - ppm) < 2.0);
    }
    mp_frame_clock_free(d.clock);
}

/* JACK's dummy driver begins the first cycle behind an xrun early. */
static void an_early_cycle_behind_an_xrun_is_no_measure(bool told) {
    device d = made(48000, 128, 0, 0);
    run(&d, 8.0);
    for (int i = 0; i < 5; i++) {
        d.frame -= 500;
        if (told) mp_frame_clock_restart(d.clock);
        mp_frame_clock_see(d.clock, d.frame, BEGIN_NS + llround(d.true_ns) - 60000);
        d.frame += d.period;
        d.true_ns += (double)d.period / d.frames_per_ns;
        run(&d, told ? 0.3 : 0.8);
        at_most(run(&d, 6.0), MOST_OFF, "after an xrun with an early cycle");
    }
    mp_frame_clock_free(d.clock);
}

/* Nothing was seen for long: the machine slept, or the server froze. */
static void a_gap_begins_anew(void) {
    device d = made(48000, 128, 50, 0);
    run(&d, 8.0);
    d.true_ns += 30e9;
    one_cycle(&d);
    CHECK_EQUAL(mp_frame_clock_resets(d.clock), 1);
    run(&d, 0.3);
    at_most(run(&d, 5.0), MOST_OFF, "after a gap");
    mp_frame_clock_free(d.clock);
}

static void frames_may_be_many(void) {
    const int64_t first[] = {INT64_C(4294967296) - 48000 * 10, INT64_C(1) << 40, -48000 * 10};
    for (int i = 0; i < 3; i++) {
        device d = made(48000, 128, -20, first[i]);
        run(&d, 6.0);
        at_most(run(&d, 20.0), MOST_OFF, "with large frame counts");
        CHECK_EQUAL(mp_frame_clock_resets(d.clock), 0);
        mp_frame_clock_free(d.clock);
    }
}

static _Atomic int done;

static void *look(void *arg) {
    device *d = arg;
    while (!atomic_load(&done)) {
        CHECK(fabs(mp_frame_clock_drift(d->clock)) < 1e-3);
        CHECK(mp_frame_clock_resets(d->clock) < 100);
    }
    return NULL;
}

static void another_thread_may_look(void) {
    device d = made(48000, 128, 100, 0);
    pthread_t looking;
    CHECK(pthread_create(&looking, NULL, look, &d) == 0);
    for (int i = 0; i < 20; i++) {
        run(&d, 1.0);
        mp_frame_clock_restart(d.clock);
    }
    atomic_store(&done, 1);
    pthread_join(looking, NULL);
    mp_frame_clock_free(d.clock);
}

static void frames_are_extended_past_32_bits(void) {
    int64_t last = 0, truth = 0;
    uint64_t seed = 5;
    for (int i = 0; i < 200000; i++) {
        truth += random_between(&seed, 0, 100000);
        CHECK_EQUAL(mp_extend_frames(&last, (jack_nframes_t)truth), truth);
    }
    CHECK(truth > INT64_C(2) << 32);
    CHECK_EQUAL(mp_extend_frames(&last, (jack_nframes_t)(truth - 128)), truth - 128);
    int64_t from = 0;
    CHECK_EQUAL(mp_extend_frames(&from, UINT32_MAX), -1);
    CHECK_EQUAL(mp_extend_frames(&from, 127), 127);
    from = 0;
    CHECK_EQUAL(mp_extend_frames(&from, 0x7FFFFFFF), 0x7FFFFFFF);
    CHECK_EQUAL(mp_extend_frames(&from, 0x80000000u), INT64_C(0x80000000));
}

int main(void) {
    for (size_t i = 0; i < sizeof DEVICES / sizeof *DEVICES; i++) {
        for (size_t j = 0; j < sizeof PPMS / sizeof *PPMS; j++) {
            it_settles_and_stays(DEVICES[i].rate, DEVICES[i].period, PPMS[j]);
        }
    }
    without_drift_a_second_is_enough();
    a_drift_is_no_jump(200);
    a_drift_is_no_jump(-200);
    it_moves_smoothly(0);
    it_moves_smoothly(200);
    it_moves_smoothly(-200);
    for (int told = 0; told <= 1; told++) {
        an_xrun_is_got_over(30, 2400, told);
        an_xrun_is_got_over(-30, 128, told);
        an_xrun_is_got_over(0, -128, told);
        an_xrun_is_got_over(100, -48000, told);
        an_early_cycle_behind_an_xrun_is_no_measure(told);
    }
    a_gap_begins_anew();
    frames_may_be_many();
    another_thread_may_look();
    frames_are_extended_past_32_bits();
    return 0;
}
