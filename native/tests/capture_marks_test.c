/* When frames of a ring were captured, by marks here and there. One thread only. */
#include "check.h"
#include "../src/capture_marks.h"

enum { RATE = 48000 };
static const int64_t MS = 1000000;

static int64_t captured_at(mp_capture_marks *m, uint64_t at) {
    int64_t ns;
    mp_captured_at(m, at, 1, RATE, &ns);
    return ns;
}

static void a_mark_goes_on_until_the_next_one(void) {
    mp_capture_marks m;
    CHECK(mp_capture_marks_init(&m));
    CHECK_EQUAL(captured_at(&m, 0), MP_NOT_CAPTURED);
    mp_capture_mark_put(&m, 480, 0.0, 7 * MS, RATE);
    CHECK_EQUAL(captured_at(&m, 479), MP_NOT_CAPTURED);
    mp_capture_mark_put(&m, 480, 480.0, 27 * MS, RATE); /* 10 ms were not captured */
    CHECK_EQUAL(captured_at(&m, 480), 7 * MS);
    CHECK_EQUAL(captured_at(&m, 912), 16 * MS);
    CHECK_EQUAL(captured_at(&m, 960), 27 * MS);
    CHECK_EQUAL(captured_at(&m, 1008), 28 * MS);
    mp_capture_marks_free(&m);
}

static void a_block_is_cut_where_something_else_begins(void) {
    mp_capture_marks m;
    int64_t ns;
    CHECK(mp_capture_marks_init(&m));
    mp_capture_mark_put(&m, 0, 0.0, 7 * MS, RATE);
    mp_capture_mark_put(&m, 0, 48.0, MP_NOT_CAPTURED, RATE);
    mp_capture_mark_put(&m, 0, 96.0, 8 * MS, RATE);
    CHECK_EQUAL(mp_captured_at(&m, 0, 256, RATE, &ns), 48);
    CHECK_EQUAL(ns, 7 * MS);
    CHECK_EQUAL(mp_captured_at(&m, 48, 208, RATE, &ns), 48);
    CHECK_EQUAL(ns, MP_NOT_CAPTURED);
    CHECK_EQUAL(mp_captured_at(&m, 96, 160, RATE, &ns), 160);
    CHECK_EQUAL(ns, 8 * MS);
    mp_capture_marks_free(&m);
}

/* What the resampler holds is no whole number of frames. */
static void a_mark_may_lie_between_frames(void) {
    mp_capture_marks m;
    CHECK(mp_capture_marks_init(&m));
    mp_capture_mark_put(&m, 100, 20.25, 5 * MS, RATE);
    CHECK_EQUAL(captured_at(&m, 119), MP_NOT_CAPTURED);
    CHECK_EQUAL(captured_at(&m, 120), 5 * MS - 5208);
    mp_capture_marks_free(&m);
}

/* Frames that the callback lacked are made for nobody: what is marked then lies before its place. */
static void what_begins_before_the_ring_does_counts_all_the_same(void) {
    mp_capture_marks m;
    CHECK(mp_capture_marks_init(&m));
    mp_capture_mark_put(&m, 0, -96.0, 5 * MS, RATE);
    CHECK_EQUAL(captured_at(&m, 0), 7 * MS);
    mp_capture_marks_free(&m);
}

static void where_nobody_reads_the_newest_are_left_out(void) {
    mp_capture_marks m;
    CHECK(mp_capture_marks_init(&m));
    for (uint64_t i = 0; i < 5000; i++) mp_capture_mark_put(&m, 48 * i, 0.0, (int64_t)i * MS, RATE);
    CHECK_EQUAL(captured_at(&m, 48 * 6000), 6000 * MS);
    mp_capture_mark_put(&m, 48 * 6001, 0.0, 9000 * MS, RATE);
    CHECK_EQUAL(captured_at(&m, 48 * 6001), 9000 * MS);
    mp_capture_marks_free(&m);
}

int main(void) {
    a_mark_goes_on_until_the_next_one();
    a_block_is_cut_where_something_else_begins();
    a_mark_may_lie_between_frames();
    what_begins_before_the_ring_does_counts_all_the_same();
    where_nobody_reads_the_newest_are_left_out();
    return 0;
}
