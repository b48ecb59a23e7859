/* When what lies in a player's frame ring was captured: from the thread that puts it there to the one
 * that takes it out.
 *
 * The latency of what comes in is no answer: behind an xrun, of either device, it is another one
 * already while much of what was captured before is still to be heard.
 */
#pragma once

#include "ring.h"

/* Made here: silence that nobody captured. */
#define MP_NOT_CAPTURED INT64_MIN

typedef struct {
    int64_t at; /* a frame of the ring, counted as its `written` and `read` are */
    int64_t captured_ns;
} mp_capture_mark;

typedef struct {
    mp_ring marks;
    mp_capture_mark last; /* the reader's */
} mp_capture_marks;

bool mp_capture_marks_init(mp_capture_marks *m);
void mp_capture_marks_free(mp_capture_marks *m);

/* Writer: the frame that lies `after` frames behind frame `at` was captured then, or not; and what
 * follows it one by one behind it. What finds no place is left out: the mark before it goes on. */
void mp_capture_mark_put(mp_capture_marks *m, uint64_t at, double after, int64_t captured_ns,
                         uint32_t rate);
/* Reader: when frame `at` was captured; returns how many frames from there on, at most `count`, lie
 * one behind the other. */
uint32_t mp_captured_at(mp_capture_marks *m, uint64_t at, uint32_t count, uint32_t rate,
                        int64_t *captured_ns);
