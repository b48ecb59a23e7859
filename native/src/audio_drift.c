/* Steers how fast a stream is played, so that its quickest packets wait as long as they should.
 *
 * The quickest packets of each quarter of a second are little touched by the network. The loop has
 * two integrators (wait and rate), so that a constant drift leaves no error; it begins fast and
 * becomes slow, because each correction of the rate is heard as noise beside a pure tone. */
#include <math.h>
#include <string.h>

#include "audio.h"

static const int64_t WINDOW_NS = 250000000, HURRIED_NS = 60000000;
static const double WINDOW_S = 0.25;
/* The loop's frequency: SLOW after some time, faster before. */
static const double SLOW_RAD_S = 0.05, FAST_RAD_S_S = 4.0, FAST_FOR_S = 6.0;
static const double MOST_RATE = 600e-6, MOST_FASTER = 2000e-6;
/* Once the rate is known, a wait that is off by more after a wish says nothing of the rate. */
static const double WISH_S = 300e-6;
/* 20 s. */
enum { OFFSET_WINDOWS = 80 };
static const double OTHER_PATH_FRAMES = 96.0;
static const double BIN_FRAMES = 24.0;
static const float FADE = 1.0f - 1.0f / 32.0f;

void mp_drift_restart(mp_drift *d, int64_t now_ns) {
    double rate = d->rate;
    bool settled = d->settled;
    memset(d, 0, sizeof *d);
    d->rate = rate;
    d->settled = settled;
    d->began_ns = now_ns;
    d->window_end_ns = now_ns + WINDOW_NS;
}

void mp_drift_see(mp_drift *d, double wait, double from_capture, double transit) {
    if (d->packets++ == 0 || wait > d->best) d->best = wait;
    if (!isnan(from_capture)) {
        d->from_capture += from_capture;
        d->timed++;
    }
    double change = d->transit_known ? fabs(transit - d->transit) : 0.0;
    d->jitter += (change - d->jitter) / 16.0;
    d->transit = transit;
    d->transit_known = true;
    double slower = fmax(d->wait - wait, 0.0) / BIN_FRAMES;
    int bin = slower < MP_SLOWER_BINS - 1 ? (int)slower : MP_SLOWER_BINS - 1;
    if (d->wait != 0.0) d->slower[bin] += 1.0f;
}

/* The wait since arrival is what counts, but packets arrive in the sender's periods, and beat with
 * them. Since capture is smooth, but says nothing of the network. So take the wait since capture,
 * less what slowly shows to lie between the two. */
static double smooth_wait(mp_drift *d) {
    if (d->timed < d->packets) return d->best;
    double from_capture = d->from_capture / d->timed, offset = from_capture - d->best;
    bool other_path = fabs(offset - d->transit_offset) > OTHER_PATH_FRAMES;
    if (other_path) d->offset_windows = 0;
    if (d->offset_windows < OFFSET_WINDOWS) d->offset_windows++;
    d->transit_offset += (offset - d->transit_offset) / d->offset_windows;
    return from_capture - d->transit_offset;
}

static void empty_window(mp_drift *d) {
    d->packets = d->timed = 0;
    d->from_capture = 0.0;
}

void mp_drift_hurry(mp_drift *d, int64_t now_ns) {
    if (d->hurried) return;
    d->hurried = true;
    d->window_end_ns = now_ns + HURRIED_NS;
    empty_window(d);
}

bool mp_drift_window(mp_drift *d, int64_t now_ns) {
    if (now_ns < d->window_end_ns) return false;
    d->window_end_ns = now_ns + WINDOW_NS;
    d->hurried = false;
    if (d->packets == 0) return false;
    d->wait = smooth_wait(d);
    empty_window(d);
    for (int i = 0; i < MP_SLOWER_BINS; i++) d->slower[i] *= FADE;
    return true;
}

double mp_drift_steer(mp_drift *d, double target, int64_t now_ns) {
    /* A new wish is followed fast, as at the beginning. */
    if (fabs(target - d->target) > 0.5 * BIN_FRAMES) {
        d->began_ns = now_ns;
        d->following = d->settled;
    }
    d->target = target;
    double age_s = (double)(now_ns - d->began_ns) * 1e-9;
    double radians = fmax(SLOW_RAD_S, FAST_RAD_S_S / (age_s + FAST_FOR_S));
    double error_s = (d->wait - target) / MP_STREAM_RATE;
    double faster = d->rate + 2.0 * radians * error_s;
    if (fabs(error_s) < WISH_S) d->following = false;
    if (fabs(faster) < MOST_FASTER && !d->following) {
        d->rate += radians * radians * error_s * WINDOW_S;
        d->rate = fmax(-MOST_RATE, fmin(MOST_RATE, d->rate));
    }
    if (age_s > 20.0) d->settled = true;
    return fmax(-MOST_FASTER, fmin(MOST_FASTER, faster));
}

double mp_drift_p95(const mp_drift *d) {
    float all = 0.0f, sum = 0.0f;
    for (int i = 0; i < MP_SLOWER_BINS; i++) all += d->slower[i];
    if (all <= 0.0f) return 0.0;
    for (int i = 0; i < MP_SLOWER_BINS; i++) {
        sum += d->slower[i];
        if (sum >= 0.95f * all) return (i + 0.5) * BIN_FRAMES;
    }
    return MP_SLOWER_BINS * BIN_FRAMES;
}
