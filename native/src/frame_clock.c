/* JACK frames <-> host time, with a long memory.
 *
 * A process callback only ever runs late, never early. So, as in clock_sync.py, the earliest
 * wake-up of each quarter of a second is kept for half a minute, and the drift is the slope under
 * which their lateness is likeliest. The line runs through their lower quartile: the very earliest
 * would draw it down the further the longer it lasts.
 * JACK's own estimate forgets within a few cycles and wobbles with each late wake-up.
 *
 * Frames are held as nominal nanoseconds (frame / sample rate), so that the line is a clock map.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "rt.h"

enum { POINTS = 128, FIT_ROUNDS = 32 };
static const int64_t BUCKET_NS = 250000000;
static const int64_t SLEW_NS = 1000000000;
static const double MAX_DRIFT = 1e-3;
/* How far the drift is likely to be from what we take it for: at first, and when it was watched for
 * so many buckets, down to what a quartz changes by. */
static const double USUAL_DRIFT = 30e-6, USUAL_CHANGE = 0.3e-6;
static const double WATCHED = 60e-6; /* 3e-6 after 20 buckets */
static const double GUESS_GAIN = 1.0 / 32;
static const double LEAST_NOISE_NS = 2000.0;
/* A cycle that comes earlier than possible, or a quarter of a second in which all come this late,
 * means that the frame clock itself jumped: JACK's does at xruns. */
static const int64_t EARLY_NS = 200000;
static const int64_t LATE_NS = 200000;
/* Buckets after which the drift is known well enough to outlive an xrun. Until that was so once, a
 * point may be off by this drift without that anything jumped. */
enum { KNOWN_AFTER = 20 };
/* The first cycles behind an xrun are no measure: JACK's dummy driver begins the first one up to a
 * tenth of a ms earlier than those that follow. */
enum { SETTLING_CYCLES = 4 };
static const double MAX_UNKNOWN_DRIFT = 300e-6;

typedef struct {
    int64_t local_ns;
    int64_t frame_ns;
} point;

struct mp_frame_clock {
    uint32_t sample_rate;
    _Atomic double drift; /* frame clock over host clock, minus 1; other threads look at it */
    double drift_guess;
    uint32_t watched; /* buckets in which it was known */
    point points[POINTS];
    uint32_t count, next;
    point best; /* of the bucket that is filling */
    int64_t bucket_end_ns;
    bool settled; /* a whole bucket was seen: from now on nothing jumps */
    uint32_t settling; /* cycles still to come that are no measure */
    mp_clock_map map;
    _Atomic uint32_t resets;
};

mp_frame_clock *mp_frame_clock_new(uint32_t sample_rate) {
    mp_frame_clock *c = calloc(1, sizeof *c);
    if (c == NULL) return NULL;
    c->sample_rate = sample_rate;
    return c;
}

void mp_frame_clock_free(mp_frame_clock *c) { free(c); }

uint32_t mp_frame_clock_resets(const mp_frame_clock *c) { return c->resets; }

double mp_frame_clock_drift(const mp_frame_clock *c) { return c->drift; }

/* Lateness of a point against the line through the oldest point with slope `drift`. */
static double lateness(const point *p, const point *from, double drift) {
    double elapsed = (double)(p->local_ns - from->local_ns);
    return elapsed * (1.0 + drift) - (double)(p->frame_ns - from->frame_ns);
}

static double mean_lateness(const mp_frame_clock *c, double drift, double *least) {
    double sum = 0.0;
    *least = INFINITY;
    for (uint32_t i = 0; i < c->count; i++) {
        double late = lateness(&c->points[i], &c->points[0], drift);
        sum += late;
        if (late < *least) *least = late;
    }
    return sum / c->count - *least;
}

static double unlikely(const mp_frame_clock *c, double drift, double noise) {
    double least, usual = c->watched ? fmax(WATCHED / c->watched, USUAL_CHANGE) : USUAL_DRIFT;
    return c->count * mean_lateness(c, drift, &least) / noise +
           fabs(drift - c->drift_guess) / usual;
}

static double lower_quartile(const mp_frame_clock *c, double drift) {
    double sorted[POINTS];
    for (uint32_t i = 0; i < c->count; i++) {
        double late = lateness(&c->points[i], &c->points[0], drift);
        uint32_t at = i;
        for (; at > 0 && sorted[at - 1] > late; at--) sorted[at] = sorted[at - 1];
        sorted[at] = late;
    }
    return sorted[c->count / 4];
}

/* The likeliest drift if points are late by `noise` ns on average. */
static double fit_drift(const mp_frame_clock *c, double noise) {
    const double golden = 0.6180339887498949;
    double low = c->drift_guess - MAX_DRIFT, high = c->drift_guess + MAX_DRIFT;
    double left = high - golden * (high - low), right = low + golden * (high - low);
    double at_left = unlikely(c, left, noise), at_right = unlikely(c, right, noise);
    for (int i = 0; i < FIT_ROUNDS; i++) {
        if (at_left <= at_right) {
            high = right, right = left, at_right = at_left;
            left = high - golden * (high - low);
            at_left = unlikely(c, left, noise);
        } else {
            low = left, left = right, at_left = at_right;
            right = low + golden * (high - low);
            at_right = unlikely(c, right, noise);
        }
    }
    return (low + high) / 2.0;
}

/* How late points are on average. A drift that is not known yet would pass for lateness, and never
 * be found: so take what the best line of all, which spends two points, leaves over. */
static double noise_ns(const mp_frame_clock *c) {
    const double believe_points_ns = 1e-3;
    double least;
    if (c->watched) return fmax(mean_lateness(c, c->drift, &least), LEAST_NOISE_NS);
    if (c->count <= 2) return INFINITY;
    double left_over = mean_lateness(c, fit_drift(c, believe_points_ns), &least);
    return fmax(left_over * c->count / (c->count - 2), LEAST_NOISE_NS);
}

/* Steer the map towards the line of `drift` that passes through `on`. */
static void steer(mp_frame_clock *c, const point *on, int64_t now_ns, bool jump) {
    double ahead = (double)(now_ns - on->local_ns) * (1.0 + c->drift);
    int64_t truth_ns = on->frame_ns + llround(ahead);
    int64_t shown_ns = jump ? truth_ns : mp_room_at_ns(&c->map, now_ns);
    c->map = (mp_clock_map){
        .local_ns = now_ns,
        .room_ns = shown_ns,
        .slew = c->drift + (double)(truth_ns - shown_ns) / (double)SLEW_NS,
        .slew_end_ns = now_ns + SLEW_NS,
        .drift = c->drift,
    };
}

static void begin(mp_frame_clock *c, const point *seen) {
    c->count = c->next = 0;
    c->drift = c->drift_guess;
    c->best = *seen;
    c->bucket_end_ns = seen->local_ns + BUCKET_NS;
    c->settled = false;
    steer(c, seen, seen->local_ns, true);
}

/* What is learned here outlives an xrun. */
static void learn_drift(mp_frame_clock *c) {
    if (c->count < KNOWN_AFTER) return;
    if (c->watched == 0) c->drift_guess = c->drift;
    c->watched = c->watched ? c->watched + 1 : KNOWN_AFTER;
    c->drift_guess += (c->drift - c->drift_guess) * GUESS_GAIN;
}

static void close_bucket(mp_frame_clock *c, int64_t now_ns) {
    c->points[c->next] = c->best;
    c->next = (c->next + 1) % POINTS;
    if (c->count < POINTS) c->count++;
    c->drift = fit_drift(c, noise_ns(c));
    learn_drift(c);
    point on = c->points[0];
    on.frame_ns -= llround(lower_quartile(c, c->drift));
    steer(c, &on, now_ns, !c->settled);
    c->settled = true;
}

/* How late a point is against the map; negative is earlier than it should be possible. */
static int64_t late_ns(const mp_frame_clock *c, const point *p) {
    return mp_room_at_ns(&c->map, p->local_ns) - p->frame_ns;
}

static bool jumped(const mp_frame_clock *c, const point *seen) {
    if (seen->local_ns > c->bucket_end_ns + 4 * BUCKET_NS) return true;
    if (!c->settled) return false;
    double unknown = c->watched ? 0.0 : MAX_UNKNOWN_DRIFT;
    int64_t margin_ns = llround((double)(seen->local_ns - c->points[0].local_ns) * unknown);
    bool bucket_is_full = seen->local_ns >= c->bucket_end_ns;
    return late_ns(c, seen) < -EARLY_NS - margin_ns ||
           (bucket_is_full && late_ns(c, &c->best) > LATE_NS + margin_ns);
}

void mp_frame_clock_restart(mp_frame_clock *c) {
    if (c->bucket_end_ns == 0) return;
    if (c->settling == 0) c->resets++;
    c->settling = SETTLING_CYCLES;
}

static int64_t nominal_ns(const mp_frame_clock *c, int64_t frame) {
    int64_t whole = frame / c->sample_rate, rest = frame % c->sample_rate;
    return whole * 1000000000 + rest * 1000000000 / c->sample_rate;
}

void mp_frame_clock_see(mp_frame_clock *c, int64_t frame, int64_t local_ns) {
    point seen = {local_ns, nominal_ns(c, frame)};
    if (c->settling == 0 && c->bucket_end_ns != 0 && jumped(c, &seen)) mp_frame_clock_restart(c);
    if (c->settling > 0 || c->bucket_end_ns == 0) {
        if (c->settling > 0) c->settling--;
        begin(c, &seen);
        return;
    }
    if (local_ns >= c->bucket_end_ns) {
        close_bucket(c, local_ns);
        c->best = seen;
        c->bucket_end_ns = local_ns + BUCKET_NS;
    }
    int64_t late = late_ns(c, &seen);
    if (late <= late_ns(c, &c->best)) {
        c->best = seen;
        if (!c->settled) steer(c, &seen, local_ns, true);
    }
}

int64_t mp_frame_clock_local_at(const mp_frame_clock *c, int64_t frame) {
    return mp_local_at_ns(&c->map, nominal_ns(c, frame));
}

double mp_frame_clock_frame_at(const mp_frame_clock *c, int64_t local_ns) {
    return (double)mp_room_at_ns(&c->map, local_ns) * (double)c->sample_rate / 1e9;
}
