#include "capture_marks.h"

#include <math.h>
#include <stddef.h>

/* More than there are packets in a player's ring. */
enum { MARKS = 1024 };

bool mp_capture_marks_init(mp_capture_marks *m) {
    m->last = (mp_capture_mark){0, MP_NOT_CAPTURED};
    return mp_ring_init(&m->marks, sizeof(mp_capture_mark), MARKS);
}

void mp_capture_marks_free(mp_capture_marks *m) { mp_ring_free(&m->marks); }

static int64_t frames_ns(double frames, uint32_t rate) { return llround(frames * 1e9 / rate); }

void mp_capture_mark_put(mp_capture_marks *m, uint64_t at, double after, int64_t captured_ns,
                         uint32_t rate) {
    double whole = floor(after);
    mp_capture_mark mark = {(int64_t)at + (int64_t)whole, captured_ns};
    if (captured_ns != MP_NOT_CAPTURED) mark.captured_ns -= frames_ns(after - whole, rate);
    if (mp_ring_stage(&m->marks, &mark)) mp_ring_publish(&m->marks);
}

uint32_t mp_captured_at(mp_capture_marks *m, uint64_t at, uint32_t count, uint32_t rate,
                        int64_t *captured_ns) {
    const mp_capture_mark *next;
    while ((next = mp_ring_next(&m->marks)) != NULL && next->at <= (int64_t)at) {
        m->last = *next;
        mp_ring_drop(&m->marks);
    }
    *captured_ns = m->last.captured_ns;
    if (*captured_ns != MP_NOT_CAPTURED) {
        *captured_ns += frames_ns((double)((int64_t)at - m->last.at), rate);
    }
    int64_t until = next == NULL ? count : next->at - (int64_t)at;
    return until < count ? (uint32_t)until : count;
}
