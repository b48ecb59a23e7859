/* A stream's rate is found and kept, whatever happens to how long its packets wait. */
#include "../src/steering.h"

#include <math.h>
#include <string.h>

#include "check.h"

static const int64_t WINDOW_NS = 250000000;
static const double WINDOW_S = 0.25, PPM = 1e-6, US = 1e-6;

typedef struct {
    mp_steering steering;
    double wait_s, target_s, rate, noise_s;
    int64_t now_ns;
    uint64_t seed;
    double most_change; /* of what is played, from window to window */
    double least_s, most_s; /* the wait */
} stage;

static double noise(stage *s) {
    double sum = 0.0;
    for (int i = 0; i < 12; i++) sum += random_unit(&s->seed);
    return (sum - 6.0) * s->noise_s;
}

static stage begin(double rate, double noise_s) {
    return (stage){.wait_s = 0.006, .target_s = 0.006, .rate = rate, .noise_s = noise_s,
                   .now_ns = 1000000000, .seed = 1};
}

static void run(stage *s, double seconds) {
    s->most_change = 0.0;
    s->least_s = INFINITY, s->most_s = 0.0;
    for (double end_s = seconds; end_s > 0.0; end_s -= WINDOW_S) {
        double before = s->steering.faster;
        double faster = mp_steering_step(&s->steering, s->wait_s + noise(s), s->target_s, s->now_ns);
        s->now_ns += WINDOW_NS;
        s->wait_s += (s->rate - faster) * WINDOW_S;
        s->most_change = fmax(s->most_change, fabs(faster - before));
        s->least_s = fmin(s->least_s, s->wait_s);
        s->most_s = fmax(s->most_s, s->wait_s);
    }
}

static void check_rate(const stage *s, double within) {
    CHECK(fabs(s->steering.rate - s->rate) < within);
}

static void check_wait(const stage *s, double within_s) {
    CHECK(fabs(s->wait_s - s->target_s) < within_s);
}

static void it_settles_so_that_nothing_is_heard_of_it(void) {
    for (int ppm = -400; ppm <= 400; ppm += 200) {
        stage s = begin(ppm * PPM, 2 * US);
        run(&s, 20);
        check_rate(&s, 2 * PPM);
        run(&s, 40);
        CHECK(s.most_change < 0.2 * PPM);
        check_rate(&s, 0.5 * PPM);
        check_wait(&s, 50 * US);
        CHECK(s.most_s - s.least_s < 400 * US);
    }
}

static void other_wishes_say_nothing_of_the_rate(void) {
    stage s = begin(200 * PPM, 5 * US);
    run(&s, 3);
    for (int i = 0; i < 20; i++) { /* 1 ms a second */
        s.target_s -= 250 * US;
        run(&s, WINDOW_S);
    }
    check_rate(&s, 20 * PPM);
    run(&s, 6);
    check_wait(&s, 100 * US);
    check_rate(&s, 5 * PPM);
    s.target_s += 0.002;
    run(&s, 5);
    check_wait(&s, 100 * US);
    check_rate(&s, 5 * PPM);
}

static void the_rate_outlives_xruns(void) {
    stage s = begin(-200 * PPM, 5 * US);
    run(&s, 20);
    for (int i = 0; i < 60; i++) {
        s.wait_s = s.target_s + (2.0 * random_unit(&s.seed) - 1.0) * 250 * US;
        if (i % 2 == 0) mp_steering_lost(&s.steering);
        run(&s, 5);
        check_rate(&s, 3 * PPM);
        CHECK(s.most_change < 0.5 * PPM);
    }
}

static void a_long_wait_is_shortened_soon(void) {
    stage s = begin(50 * PPM, 5 * US);
    run(&s, 20);
    s.wait_s += 0.004;
    mp_steering_lost(&s.steering);
    run(&s, 6);
    check_wait(&s, 100 * US);
    check_rate(&s, 3 * PPM);
}

static void another_quartz_is_found_too(void) {
    stage s = begin(50 * PPM, 5 * US);
    run(&s, 120);
    s.rate = -150 * PPM;
    run(&s, 60);
    check_rate(&s, 10 * PPM);
    check_wait(&s, 300 * US);
}

static void a_wild_network_is_ridden_out(void) {
    stage s = begin(100 * PPM, 700 * US);
    run(&s, 60);
    run(&s, 240);
    check_rate(&s, 30 * PPM);
    CHECK(s.least_s > s.target_s - 0.0025);
    CHECK(s.most_s < s.target_s + 0.0025);
}

static void noise_that_comes_of_a_sudden_is_believed(void) {
    stage s = begin(100 * PPM, 2 * US);
    run(&s, 60);
    s.noise_s = 300 * US;
    run(&s, 10);
    run(&s, 60);
    check_rate(&s, 60 * PPM);
    CHECK(s.least_s > s.target_s - 0.001);
    CHECK(s.most_s < s.target_s + 0.001);
}

int main(void) {
    it_settles_so_that_nothing_is_heard_of_it();
    other_wishes_say_nothing_of_the_rate();
    the_rate_outlives_xruns();
    a_long_wait_is_shortened_soon();
    another_quartz_is_found_too();
    a_wild_network_is_ridden_out();
    noise_that_comes_of_a_sudden_is_believed();
    return 0;
}
