#include "roc_pace.h"

#include <math.h>

static const double MOST_ERROR_S = 0.06;
/* What is measured is uneven in a way of its own: the loop is a slow one. */
static const double RAD_S = 0.05, WINDOW_S = 0.25;
static const double MOST_RATE = 600e-6, MOST_FASTER = 2000e-6;

void mp_pace_end(mp_pace *p) {
    p->hears = false;
    p->faster = 0.0;
}

static void begin(mp_pace *p, uint32_t timestamp, int64_t now_ns) {
    p->hears = true;
    p->next = timestamp;
    p->windows = 0;
    mp_waits_restart(&p->seen, now_ns);
}

void mp_pace_see(mp_pace *p, uint32_t timestamp, int64_t arrival_ns) {
    if (!p->hears) begin(p, timestamp, p->cycle_ns);
    double after_cycle = (double)(arrival_ns - p->cycle_ns) * 1e-9 * p->rate;
    double wait = (double)(int32_t)(timestamp - p->next) - after_cycle;
    mp_waits_see(&p->seen, wait * ((double)MP_STREAM_RATE / p->rate), NAN, 0.0);
}

/* roc-send's packets come earlier and earlier, and then 5 ms late, every 2 s: its frames are not
 * as long as its packets. So the quickest of 4 s counts. */
static double quickest(const mp_pace *p) {
    double wait = p->waits[0];
    for (int i = 1; i < MP_PACE_WINDOWS; i++) wait = fmax(wait, p->waits[i]);
    return wait;
}

/* Two integrators, of the wait and of the rate: a constant drift leaves no error. */
static void steer(mp_pace *p, double wait) {
    double error_s = (wait - p->target) / MP_STREAM_RATE;
    double faster = p->clock_rate + 2.0 * RAD_S * error_s;
    p->clock_rate += RAD_S * RAD_S * error_s * WINDOW_S;
    p->clock_rate = fmax(-MOST_RATE, fmin(MOST_RATE, p->clock_rate));
    p->faster = fmax(-MOST_FASTER, fmin(MOST_FASTER, faster));
}

bool mp_pace_cycle(mp_pace *p, uint32_t frames, int64_t cycle_ns) {
    p->cycle_ns = cycle_ns;
    p->next += frames;
    if (!p->hears || !mp_waits_window(&p->seen, cycle_ns)) return true;
    double wait = p->seen.wait;
    p->waits[p->windows++ % MP_PACE_WINDOWS] = wait;
    if (p->windows < MP_PACE_WINDOWS) return true;
    p->seen.wait = quickest(p);
    if (p->windows == MP_PACE_WINDOWS) p->target = p->seen.wait;
    if (fabs(wait - p->target) > MOST_ERROR_S * MP_STREAM_RATE) return false;
    steer(p, p->seen.wait);
    return true;
}
