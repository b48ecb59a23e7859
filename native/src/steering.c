/* Two quartzes differ by a rate that hardly ever changes. How long packets wait is changed by much:
 * by what is wished, by what is left out or filled in, by each xrun. A Kalman filter keeps the two
 * apart, so that the rate, once it is known, outlives all of that.
 *
 * Each change of the rate is heard as noise beside a pure tone: at 0.3 ppm a second it lies 83 dB
 * below one of 1 kHz. So the wait comes to its place that slowly, or, where it is off by so much
 * that it matters, fast. */
#include "steering.h"

#include <math.h>

static const double UNKNOWN_RATE = 200e-6, MOST_RATE = 600e-6, MOST_FASTER = 2000e-6;
static const double UNKNOWN_NOISE_S = 50e-6, LEAST_NOISE_S = 1e-6, MOST_NOISE_S = 2e-3;
/* By how much the rate walks in a second, and the wait beside it. */
static const double RATE_WALK = 0.01e-6, WAIT_WALK_S = 0.5e-6;
static const double NOISE_GAIN = 1.0 / 16;
/* What is off by more is no noise: the wait jumped. What is off the same way all the time is none
 * either: the rate is another one. */
static const double JUMP_SIGMAS = 6.0, JUMP_S = 30e-6;
static const double MOST_LEAN = 1.5, LEAN_SIGMAS = 3.0, OTHER_RATE = 20e-6;
static const double CALM_A_S = 0.3e-6, CALM_GAIN_A_S = 0.04;
/* It hurries when the wait is off by more, or when another one is wished, until it is there. */
static const double TOO_LONG_S = 750e-6, TOO_SHORT_S = 300e-6, WISH_S = 250e-6, THERE_S = 50e-6;
static const double HURRY_GAIN_A_S = 1.0;

static double square(double x) { return x * x; }

static double clamp(double x, double most) { return fmax(-most, fmin(most, x)); }

void mp_steering_lost(mp_steering *s) {
    s->seen_ns = 0;
    s->hurries = false;
    s->bent = 0.0;
    s->faster = s->rate;
}

static void take_as_it_is(mp_steering *s, double wait_s) {
    s->wait_s = wait_s;
    s->ww = s->noise_s2;
    s->wr = 0.0;
}

static void predict(mp_steering *s, double dt_s) {
    s->wait_s += (s->rate - s->faster) * dt_s;
    s->ww += dt_s * (2.0 * s->wr + dt_s * s->rr) + square(WAIT_WALK_S) * dt_s;
    s->wr += dt_s * s->rr;
    s->rr += square(RATE_WALK) * dt_s;
}

static void see_jump(mp_steering *s, double wait_s, double off_s) {
    if (s->jumped) s->noise_s2 += NOISE_GAIN * fmin(square(off_s), square(MOST_NOISE_S));
    s->jumped = true;
    s->moved = false;
    take_as_it_is(s, wait_s);
}

/* Whether the last ones were all on the same side; white noise hardly ever is. */
static bool leans(mp_steering *s, double off_sigmas) {
    s->lean += NOISE_GAIN * (clamp(off_sigmas, LEAN_SIGMAS) - s->lean);
    bool much = fabs(s->lean) > MOST_LEAN;
    if (much) s->lean = 0.0;
    return much;
}

static void see(mp_steering *s, double wait_s) {
    double off_s = wait_s - s->wait_s, spread = s->ww + s->noise_s2;
    if (leans(s, off_s / sqrt(spread))) s->rr += square(OTHER_RATE);
    if (fabs(off_s) > fmax(JUMP_SIGMAS * sqrt(spread), JUMP_S)) {
        see_jump(s, wait_s, off_s);
        return;
    }
    s->moved = s->jumped;
    s->jumped = false;
    double noise_s2 = fmax(square(off_s) - s->ww, 0.0);
    double to_wait = s->ww / spread, to_rate = s->wr / spread;
    s->wait_s += to_wait * off_s;
    s->rate = clamp(s->rate + to_rate * off_s, MOST_RATE);
    s->rr -= to_rate * s->wr;
    s->wr -= to_rate * s->ww;
    s->ww -= to_wait * s->ww;
    s->noise_s2 += NOISE_GAIN * (noise_s2 - s->noise_s2);
    s->noise_s2 = fmax(square(LEAST_NOISE_S), fmin(square(MOST_NOISE_S), s->noise_s2));
}

/* How much faster than the rate, so that it can slow down in time. */
static double calmly(double error_s) {
    double fast = fmin(CALM_GAIN_A_S * fabs(error_s), sqrt(CALM_A_S * fabs(error_s)));
    return copysign(fast, error_s);
}

static void play(mp_steering *s, double dt_s) {
    double error_s = s->wait_s - s->target_s;
    if (error_s > TOO_LONG_S || error_s < -TOO_SHORT_S) s->hurries = true;
    if (s->hurries && fabs(error_s) > THERE_S) {
        s->bent = HURRY_GAIN_A_S * error_s;
    } else {
        double wanted = calmly(error_s);
        s->bent = s->hurries ? wanted : s->bent + clamp(wanted - s->bent, CALM_A_S * dt_s);
        s->hurries = false;
    }
    s->faster = clamp(s->rate + s->bent, MOST_FASTER);
}

double mp_steering_step(mp_steering *s, double wait_s, double target_s, int64_t now_ns) {
    double dt_s = (double)(now_ns - s->seen_ns) * 1e-9;
    if (s->noise_s2 == 0.0) {
        s->noise_s2 = square(UNKNOWN_NOISE_S);
        s->rr = square(UNKNOWN_RATE);
        s->target_s = target_s;
    }
    if (fabs(target_s - s->target_s) > WISH_S / 2.0) s->hurries = true;
    s->target_s = target_s;
    if (s->seen_ns == 0) {
        take_as_it_is(s, wait_s);
        dt_s = 0.0;
    } else {
        predict(s, dt_s);
        see(s, wait_s);
    }
    s->seen_ns = now_ns;
    if (!s->jumped) play(s, dt_s); /* else the next one tells what to do */
    return s->faster;
}
