/* A device that stands still for some ms, as at an xrun, is heard there and then, and not for
 * seconds: soon all waits as long as before, and the pitch is what it was. One thread only. */
#define _GNU_SOURCE
#include "audio_pair.h"

enum { RATE = 48000, PERIOD = 128 };
static const int64_t MS = 1000000;

static float tone(int64_t frame, uint32_t channel) {
    (void)channel;
    return 0.5f * (float)sin(2.0 * M_PI * 997.0 / RATE * (double)frame);
}

static void listen(pair *p, int64_t frame, const float *const *out, uint32_t frames) {
    (void)p, (void)frame, (void)out, (void)frames;
}

static void stand(pair *p, bool sender, int64_t ns) {
    if (sender) {
        p->from_late_ns += ns;
        mp_audio_xrun(p->sender);
    } else {
        p->to_late_ns += ns;
        mp_audio_xrun(p->hearer);
    }
}

/* Pitch and wait are as before a second later, for good; it is cut twice at most. */
static void it_is_over_soon(pair *p, bool sender, double stands_ms) {
    mp_player_stats before = pair_stats(p);
    int pitch_ms = 0, wait_ms = 0;
    stand(p, sender, (int64_t)(stands_ms * 1e6));
    for (int ms = 0; ms < 2000; ms += 20) {
        pair_run(p, 0.02);
        mp_player_stats now = pair_stats(p);
        if (fabs(now.drift_ppm - before.drift_ppm) > 20.0) pitch_ms = ms + 20;
        if (llabs(now.latency_us - before.latency_us) > 400) wait_ms = ms + 20;
    }
    uint64_t cuts = pair_stats(p).jumps - before.jumps;
    printf("%s stands %.1f ms: pitch after %d ms, wait after %d ms, %d cuts\n",
           sender ? "sender" : "hearer", stands_ms, pitch_ms, wait_ms, (int)cuts);
    CHECK(pitch_ms < 1000 && wait_ms < 1000);
    CHECK(cuts <= 2);
}

static void where_nothing_stands_nothing_is_cut(pair *p, int64_t jitter_ns) {
    p->jitter_ns = jitter_ns;
    pair_run(p, 3.0);
    uint64_t before = pair_stats(p).jumps;
    pair_run(p, 20.0);
    CHECK_EQUAL(pair_stats(p).jumps, before);
}

/* Whoever finds that this machine comes late has more decoded, and all wait longer for it; until
 * they do, packets still come as late as they may. */
static void more_cover_makes_nothing_late(pair *p) {
    const double covers[] = {0.0, 200.0, 100.0, 480.0, 0.0};
    p->jitter_ns = MS / 2;
    for (size_t i = 0; i < sizeof covers / sizeof *covers; i++) {
        mp_player_stats before = pair_stats(p);
        double target = before.floor_frames + 60.0 + covers[i];
        CHECK(mp_audio_set_target(p->hearer, 0, MP_WAIT_TO_PLAY, target, covers[i]) == MP_OK);
        pair_run(p, 6.0);
        mp_player_stats now = pair_stats(p);
        printf("cover of %.0f frames: waits %.0f of %.0f, %d late, %d lost\n", covers[i],
               now.wait_frames, target, (int)(now.late - before.late),
               (int)(now.lost - before.lost));
        if (i == 0) continue; /* the jitter was another one before */
        CHECK(fabs(now.wait_frames - target) < 24.0);
        CHECK_EQUAL(now.late, before.late);
        CHECK_EQUAL(now.lost, before.lost);
    }
}

/* On a machine of which too much is wanted the thread that decodes comes late for each cycle. What
 * lies decoded is for that. */
static void a_thread_that_is_always_late_decodes_what_is_heard(pair *p) {
    const double lates_ms[] = {0.5, 1.0, 1.5, 2.0, 2.6};
    p->jitter_ns = 0;
    for (size_t i = 0; i < sizeof lates_ms / sizeof *lates_ms; i++) {
        double target = pair_stats(p).floor_frames + 480.0;
        CHECK(mp_audio_set_target(p->hearer, 0, MP_WAIT_TO_PLAY, target, 320.0) == MP_OK);
        p->step_late_ns = (int64_t)(lates_ms[i] * 1e6);
        pair_run(p, 3.0);
        mp_player_stats before = pair_stats(p);
        pair_run(p, 3.0);
        mp_player_stats now = pair_stats(p);
        printf("comes %.1f ms late: %d times nothing, %d late, %d lost\n", lates_ms[i],
               (int)(now.underruns - before.underruns), (int)(now.late - before.late),
               (int)(now.lost - before.lost));
        CHECK_EQUAL(now.underruns, before.underruns);
        CHECK_EQUAL(now.late, before.late);
        CHECK_EQUAL(now.lost, before.lost);
    }
    p->step_late_ns = 0;
}

/* Another path is slower by less than a packet: what waits little misses all, but not for long. */
static void a_path_that_is_a_little_slower_is_waited_for_soon(pair *p) {
    uint64_t lost = 0;
    const double slower_ms[] = {1.2, 1.6, 2.0, 2.4, 4.0};
    for (size_t i = 0; i < sizeof slower_ms / sizeof *slower_ms; i++) {
        double target = pair_stats(p).floor_frames + 14.0;
        CHECK(mp_audio_set_target(p->hearer, 0, MP_WAIT_TO_PLAY, target, 7.0) == MP_OK);
        pair_run(p, 5.0);
        mp_player_stats before = pair_stats(p);
        p->delay_ns += (int64_t)(slower_ms[i] * 1e6);
        pair_run(p, 2.0);
        mp_player_stats now = pair_stats(p);
        uint64_t more = now.lost - before.lost;
        printf("path %.1f ms slower: %d lost\n", slower_ms[i], (int)more);
        CHECK(more <= 12); /* 32 ms */
        lost += more;
    }
    CHECK(lost > 0);
}

int main(void) {
    static pair p;
    const double stands_ms[] = {0.3, 1.0, 3.0, 8.0, 30.0};
    p.from = (device){RATE, PERIOD, 100.0, 1}, p.to = (device){RATE, PERIOD, -100.0, 1};
    p.source = tone, p.listen = listen, p.delay_ns = 3 * MS;
    pair_begin(&p, 128, 576.0);
    pair_run(&p, 20.0);
    for (size_t i = 0; i < sizeof stands_ms / sizeof *stands_ms; i++) {
        it_is_over_soon(&p, false, stands_ms[i]);
        it_is_over_soon(&p, true, stands_ms[i]);
    }
    where_nothing_stands_nothing_is_cut(&p, MS / 10);
    where_nothing_stands_nothing_is_cut(&p, MS);
    where_nothing_stands_nothing_is_cut(&p, 3 * MS);
    more_cover_makes_nothing_late(&p);
    a_thread_that_is_always_late_decodes_what_is_heard(&p);
    a_path_that_is_a_little_slower_is_waited_for_soon(&p);
    pair_end(&p);
    return 0;
}
