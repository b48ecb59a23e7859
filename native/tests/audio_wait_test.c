/* How long what is heard waits, on virtual time, when something comes late. One thread only. */
#define _GNU_SOURCE
#include "audio_heard.h"

/* The quickest packets wait as long as the target says, from the first on and after it changed. */
static void the_wait_follows_its_target(void) {
    pair *p = new_pair(STUDIO, STUDIO, low_tone);
    pair_begin(p, 120, 960.0);
    pair_run(p, 2.0);
    CHECK_WITHIN(pair_stats(p).wait_frames, 960, 10);
    CHECK(mp_audio_set_target(p->hearer, 0, MP_WAIT_TO_PLAY, 1100.0, 0.0) == MP_OK);
    pair_run(p, 15.0);
    CHECK_WITHIN(pair_stats(p).wait_frames, 1100, 10);
    CHECK_EQUAL(pair_stats(p).jumps, 0);
    CHECK(mp_audio_set_target(p->hearer, 0, MP_WAIT_TO_PLAY, 9600.0, 0.0) == MP_OK);
    pair_run(p, 3.0);
    CHECK_WITHIN(pair_stats(p).wait_frames, 9600, 120);
    CHECK(mp_audio_set_target(p->hearer, 0, MP_WAIT_TO_PLAY, 960.0, 0.0) == MP_OK);
    pair_run(p, 15.0);
    CHECK_WITHIN(pair_stats(p).wait_frames, 960, 20);
    CHECK_EQUAL(pair_stats(p).jumps, 2);
    CHECK_EQUAL(pair_stats(p).lost, 0);
    CHECK(!pair_stats(p).needs_decoder);
    pair_end(p);
}

/* What a codec thread that comes late leaves out is missing; who waits long does not notice. */
static void a_late_codec_thread_is_counted_and_a_long_wait_bears_it(void) {
    for (double target = 480.0; target < 10000.0; target *= 10.0) {
        pair *p = new_pair(STUDIO, STUDIO, low_tone);
        pair_begin(p, 128, target);
        CHECK(mp_audio_set_target(p->hearer, 0, MP_WAIT_TO_PLAY, target, target / 10.0) == MP_OK);
        pair_run(p, 2.0);
        CHECK_EQUAL(pair_stats(p).concealed_frames, 0);
        p->hearer_step_ns += 8000000;
        pair_run(p, 1.0);
        mp_player_stats stats = pair_stats(p);
        CHECK((stats.underruns > 0) == (target < 1000.0));
        CHECK_WITHIN(stats.concealed_frames, target < 1000.0 ? 384 : 0, 192);
        CHECK(target < 1000.0 || stats.concealed_frames == 0);
        pair_end(p);
    }
}

/* The codec thread was too late for some periods: what was to be heard then is not heard later. */
static void what_the_callback_lacked_does_not_make_the_rest_late(void) {
    pair *p = new_pair(STUDIO, STUDIO, noise);
    pair_begin(p, 128, 0.0);
    pair_run(p, 3.0);
    mp_player_stats before = pair_stats(p);
    p->hearer_step_ns = p->now_ns + 9000000;
    pair_run(p, 1.0);
    mp_player_stats after = pair_stats(p);
    CHECK_WITHIN(after.underruns - before.underruns, 3, 1);
    CHECK_WITHIN(after.latency_us, before.latency_us, 100);
    CHECK_WITHIN(after.concealed_frames - before.concealed_frames, 128 * 3, 128);
    CHECK_EQUAL(after.jumps, before.jumps);
    pair_end(p);
}

/* A device that stood still (an xrun) makes all later by that, until it is cut. */
static void the_latency_is_soon_what_it_was_behind_an_xrun(void) {
    pair *p = new_pair(STUDIO, STUDIO, low_tone);
    pair_begin(p, 128, 480.0);
    pair_run(p, 3.0);
    mp_player_stats before = pair_stats(p);
    p->to_late_ns = 5300000;
    mp_audio_xrun(p->hearer);
    pair_run(p, 0.2);
    mp_player_stats after = pair_stats(p);
    CHECK_WITHIN(after.latency_us, before.latency_us, 300);
    CHECK(after.jumps > before.jumps && after.jumps <= before.jumps + 2);
    pair_run(p, 1.0);
    CHECK_EQUAL(pair_stats(p).lost, before.lost);
    CHECK_EQUAL(pair_stats(p).jumps, after.jumps);
    CHECK(greatest_step((int64_t)(3.1 * 48000), (int64_t)(4.1 * 48000)) < 1.5f * STEP_OF_TONE);
    pair_end(p);
}

/* The sender's device stood still: from now on all packets come too late, until one waits longer. */
static void a_sender_that_stood_still_is_soon_heard_again(void) {
    pair *p = new_pair(STUDIO, STUDIO, noise);
    pair_begin(p, 128, 0.0);
    pair_run(p, 3.0);
    mp_player_stats before = pair_stats(p);
    p->delay_ns += 8000000;
    pair_run(p, 0.3);
    CHECK_WITHIN(pair_stats(p).late - before.late, 20, 15);
    CHECK_WITHIN(pair_stats(p).wait_frames, pair_stats(p).floor_frames, 24);
    pair_end(p);
}

static void late_packets_are_counted_and_the_wait_recovers(void) {
    pair *p = new_pair(STUDIO, STUDIO, low_tone);
    pair_begin(p, 120, 600.0);
    pair_run(p, 1.0);
    p->delay_ns += 40000000;
    pair_run(p, 1.5);
    uint64_t late = pair_stats(p).late;
    CHECK(late > 0);
    pair_run(p, 5.0);
    CHECK_EQUAL(pair_stats(p).late, late);
    CHECK_WITHIN(pair_stats(p).wait_frames, 600, 130);
    pair_end(p);
}

/* Another path, by the relay say: the sound stops for as long as it takes more, and a few packets. */
static void a_path_that_takes_longer_is_waited_for_at_once(void) {
    pair *p = new_pair(STUDIO, STUDIO, low_tone);
    pair_begin(p, 120, 600.0);
    pair_run(p, 3.0);
    uint64_t jumps = pair_stats(p).jumps;
    p->delay_ns += 25000000;
    pair_run(p, 1.0);
    CHECK_EQUAL(pair_stats(p).jumps, jumps + 1);
    CHECK(pair_stats(p).late > 0);
    CHECK(pair_stats(p).late < 20); /* 2.5 ms each */
    pair_end(p);
}

/* The same by so little that the wait is hardly off: all of it is too late nevertheless. */
static void a_path_that_takes_a_little_longer_is_not_silent_for_seconds(void) {
    for (int64_t more_us = 1000; more_us < 6000; more_us += 1000) {
        pair *p = new_pair(STUDIO, STUDIO, low_tone);
        pair_begin(p, 128, 0.0);
        pair_run(p, 3.0);
        uint64_t late = pair_stats(p).late;
        p->delay_ns += more_us * 1000;
        pair_run(p, 3.0);
        CHECK(pair_stats(p).late - late < 20);
        pair_end(p);
    }
}

/* A line that stood still is no other path: what comes then comes all at once. */
static void what_comes_late_at_once_changes_no_wait(void) {
    pair *p = new_pair(STUDIO, STUDIO, low_tone);
    pair_begin(p, 120, 600.0);
    pair_run(p, 3.0);
    uint64_t jumps = pair_stats(p).jumps;
    p->delay_ns += 60000000;
    pair_run(p, 0.05);
    for (uint32_t i = p->first; i != p->last; i++) {
        p->flying[i % PAIR_FLIGHT].arrives_ns = p->now_ns;
        p->flying[i % PAIR_FLIGHT].packet.received_ns = p->now_ns;
    }
    p->delay_ns -= 60000000;
    pair_run(p, 1.0);
    CHECK(pair_stats(p).late > 5);
    CHECK_EQUAL(pair_stats(p).jumps, jumps);
    pair_end(p);
}

static void jitter_is_measured(void) {
    pair *p = new_pair(STUDIO, STUDIO, low_tone);
    p->jitter_ns = 8000000;
    pair_begin(p, 128, 1500.0);
    pair_run(p, 10.0);
    mp_player_stats stats = pair_stats(p);
    CHECK_EQUAL(stats.concealed_frames, 0);
    CHECK_WITHIN(stats.jitter_p95_us, 7600, 700);
    CHECK_WITHIN(stats.jitter_us, 2667, 1500);
    pair_end(p);
}

int main(void) {
    the_wait_follows_its_target();
    a_late_codec_thread_is_counted_and_a_long_wait_bears_it();
    what_the_callback_lacked_does_not_make_the_rest_late();
    the_latency_is_soon_what_it_was_behind_an_xrun();
    a_sender_that_stood_still_is_soon_heard_again();
    late_packets_are_counted_and_the_wait_recovers();
    a_path_that_takes_longer_is_waited_for_at_once();
    a_path_that_takes_a_little_longer_is_not_silent_for_seconds();
    what_comes_late_at_once_changes_no_wait();
    jitter_is_measured();
    return 0;
}
