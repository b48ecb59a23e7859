/* How long a stream's packets wait. The quickest of each quarter of a second are little touched by
 * the network. */
#include <math.h>
#include <string.h>

#include "audio.h"

static const int64_t WINDOW_NS = 250000000, HURRIED_NS = 60000000;
/* 20 s. */
enum { OFFSET_WINDOWS = 80 };
static const double OTHER_PATH_FRAMES = 96.0;
static const double BIN_FRAMES = 24.0;
static const float FADE = 1.0f - 1.0f / 32.0f;

void mp_waits_restart(mp_waits *w, int64_t now_ns) {
    memset(w, 0, sizeof *w);
    w->window_end_ns = now_ns + WINDOW_NS;
}

static void empty_window(mp_waits *w) {
    w->packets = w->timed = 0;
    w->from_capture = 0.0;
}

void mp_waits_change(mp_waits *w, int64_t now_ns) {
    w->wait = 0.0;
    w->hurried = false;
    w->window_end_ns = now_ns + WINDOW_NS;
    empty_window(w);
}

void mp_waits_see(mp_waits *w, double wait, double from_capture, double transit) {
    if (w->packets++ == 0 || wait > w->best) w->best = wait;
    if (!isnan(from_capture)) {
        w->from_capture += from_capture;
        w->timed++;
    }
    double change = w->transit_known ? fabs(transit - w->transit) : 0.0;
    w->jitter += (change - w->jitter) / 16.0;
    w->transit = transit;
    w->transit_known = true;
    double slower = fmax(w->wait - wait, 0.0) / BIN_FRAMES;
    int bin = slower < MP_SLOWER_BINS - 1 ? (int)slower : MP_SLOWER_BINS - 1;
    if (w->wait != 0.0) w->slower[bin] += 1.0f;
}

/* The wait since arrival is what counts, but packets arrive in the sender's periods, and beat with
 * them. Since capture is smooth, but says nothing of the network. So take the wait since capture,
 * less what slowly shows to lie between the two. */
static double smooth_wait(mp_waits *w) {
    if (w->timed < w->packets) return w->best;
    double from_capture = w->from_capture / w->timed, offset = from_capture - w->best;
    bool other_path = fabs(offset - w->transit_offset) > OTHER_PATH_FRAMES;
    if (other_path) w->offset_windows = 0;
    if (w->offset_windows < OFFSET_WINDOWS) w->offset_windows++;
    w->transit_offset += (offset - w->transit_offset) / w->offset_windows;
    return from_capture - w->transit_offset;
}

void mp_waits_hurry(mp_waits *w, int64_t now_ns) {
    if (w->hurried) return;
    w->hurried = true;
    w->window_end_ns = now_ns + HURRIED_NS;
    empty_window(w);
}

bool mp_waits_window(mp_waits *w, int64_t now_ns) {
    if (now_ns < w->window_end_ns) return false;
    w->window_end_ns = now_ns + WINDOW_NS;
    w->hurried = false;
    if (w->packets == 0) return false;
    w->wait = smooth_wait(w);
    empty_window(w);
    for (int i = 0; i < MP_SLOWER_BINS; i++) w->slower[i] *= FADE;
    return true;
}

double mp_waits_p95(const mp_waits *w) {
    float all = 0.0f, sum = 0.0f;
    for (int i = 0; i < MP_SLOWER_BINS; i++) all += w->slower[i];
    if (all <= 0.0f) return 0.0;
    for (int i = 0; i < MP_SLOWER_BINS; i++) {
        sum += w->slower[i];
        if (sum >= 0.95f * all) return (i + 0.5) * BIN_FRAMES;
    }
    return MP_SLOWER_BINS * BIN_FRAMES;
}
