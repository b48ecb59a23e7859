#include "roc_pace.h"

#include <math.h>

static const double MOST_ERROR_S = 0.06;
/* As if it had run for so long: the loop is a slow one from the beginning. */
static const int64_t SLOW_AFTER_NS = 80000000000;

void mp_pace_end(mp_pace *p) {
    p->hears = false;
    p->faster = 0.0;
}

static void begin(mp_pace *p, uint32_t timestamp, int64_t now_ns) {
    p->hears = true;
    p->next = timestamp;
    p->windows = 0;
    mp_drift_restart(&p->drift, now_ns);
    p->drift.began_ns -= SLOW_AFTER_NS;
}

void mp_pace_see(mp_pace *p, uint32_t timestamp, int64_t arrival_ns) {
    if (!p->hears) begin(p, timestamp, p->cycle_ns);
    double after_cycle = (double)(arrival_ns - p->cycle_ns) * 1e-9 * p->rate;
    double wait = (double)(int32_t)(timestamp - p->next) - after_cycle;
    mp_drift_see(&p->drift, wait * ((double)MP_STREAM_RATE / p->rate), NAN, 0.0);
}

/* roc-send's packets come earlier and earlier, and then 5 ms late, every 2 s: its frames are not
 * as long as its packets. So the quickest of 4 s counts. */
static double quickest(const mp_pace *p) {
    double wait = p->waits[0];
    for (int i = 1; i < MP_PACE_WINDOWS; i++) wait = fmax(wait, p->waits[i]);
    return wait;
}

bool mp_pace_cycle(mp_pace *p, uint32_t frames, int64_t cycle_ns) {
    p->cycle_ns = cycle_ns;
    p->next += frames;
    if (!p->hears || !mp_drift_window(&p->drift, cycle_ns)) return true;
    double wait = p->drift.wait;
    p->waits[p->windows++ % MP_PACE_WINDOWS] = wait;
    if (p->windows < MP_PACE_WINDOWS) return true;
    p->drift.wait = quickest(p);
    if (p->windows == MP_PACE_WINDOWS) p->drift.target = p->target = p->drift.wait;
    if (fabs(wait - p->target) > MOST_ERROR_S * MP_STREAM_RATE) return false;
    p->faster = mp_drift_steer(&p->drift, p->target, cycle_ns);
    return true;
}
