/* `bar` mode: what is played on a beat is heard on the beat some bars later, whatever the clocks
 * of both sound cards and the tempo do. One thread only. */
#define _GNU_SOURCE
#include "audio_pair.h"

enum { MOST_CLICKS = 256, HEARD = 1 << 21, WIDTH = 24 };
static const int64_t BEGIN_US = 1000000; /* of the devices' first frames */
static const double CHANGE_US = 9e6;

/* The song's beats and bars: four beats a bar, another tempo from CHANGE_US on. */
static double beat_us[MOST_CLICKS];
static uint32_t clicks;
static mp_piece pieces[MP_MAX_PIECES];
static uint32_t piece_count;
static double source_rate;
static float heard[HEARD];
static int64_t heard_count;

static void add_piece(double play, double play_end, double capture, double capture_end) {
    pieces[piece_count++] = (mp_piece){MP_PIECE_BARS, llround(play), llround(play_end),
                                       llround(capture), llround(capture_end)};
}

/* Bars of `before` µs, and of `after` µs from the change on; one bar later. In the bar that is
 * faster or slower by much what was played is heard as it was. */
static void write_song(double before, double after) {
    clicks = piece_count = 0;
    pieces[piece_count++] = (mp_piece){MP_PIECE_SILENCE, 0, llround(BEGIN_US + before), 0, 0};
    for (double bar = BEGIN_US; bar < CHANGE_US - 1.0; bar += before) {
        for (int i = 0; i < 4; i++) beat_us[clicks++] = bar + i * before / 4.0;
        if (bar > BEGIN_US + 1.0) add_piece(bar, bar + before, bar - before, bar);
    }
    bool bends = fabs(after / before - 1.0) < 0.003;
    double length = bends ? before : after;
    add_piece(CHANGE_US, CHANGE_US + after, CHANGE_US - before, CHANGE_US - before + length);
    for (double bar = CHANGE_US; bar < CHANGE_US + 20e6; bar += after) {
        for (int i = 0; i < 4; i++) beat_us[clicks++] = bar + i * after / 4.0;
        if (bar > CHANGE_US) add_piece(bar, bar + after, bar - after, bar);
    }
}

/* A short bump on each beat. */
static float click(int64_t frame, uint32_t channel) {
    static uint32_t at;
    double us = (double)BEGIN_US + (double)frame * 1e6 / source_rate;
    (void)channel;
    if (frame == 0) at = 0;
    while (at + 1 < clicks && beat_us[at + 1] - us < 2000.0) at++;
    double off = (us - beat_us[at]) * source_rate * 1e-6 / WIDTH;
    return fabs(off) < 1.0 ? 0.4f * (float)(1.0 + cos(M_PI * off)) : 0.0f;
}

static float constant(int64_t frame, uint32_t channel) {
    (void)frame, (void)channel;
    return 0.4f;
}

static void listen(pair *p, int64_t frame, const float *const *out, uint32_t frames) {
    (void)p;
    for (uint32_t i = 0; i < frames && frame + i < HEARD; i++) heard[frame + i] = out[0][i];
    heard_count = frame + frames;
}

static pair *new_pair(device from, device to, float (*source)(int64_t, uint32_t)) {
    static pair p;
    memset(&p, 0, sizeof p);
    memset(heard, 0, sizeof heard);
    p.from = from, p.to = to, p.source = source, p.listen = listen;
    p.delay_ns = 30000000;
    p.jitter_ns = 4000000;
    source_rate = from.rate * (1.0 + from.ppm * 1e-6);
    return &p;
}

static void hear_by_bars(pair *p, double wait_frames) {
    CHECK(mp_audio_keep(p->hearer, 0, 1 << 18) == MP_OK);
    CHECK(mp_audio_set_pieces(p->hearer, pieces, piece_count) == MP_OK);
    CHECK(mp_audio_set_target(p->hearer, 0, MP_WAIT_FOR_BARS, wait_frames, 1920.0) == MP_OK);
    mp_audio_set_input_latency(p->sender, 0);
}

/* By how many frames the bump that should be heard at `us` is off; -9999 if there is none. */
static double off_at(const pair *p, double us) {
    double rate = p->to.rate * (1.0 + p->to.ppm * 1e-6);
    int64_t middle = llround((us - (double)BEGIN_US) * rate * 1e-6);
    double sum = 0.0, moment = 0.0;
    for (int64_t i = middle - 1000; i < middle + 1000; i++) {
        CHECK(i >= 0 && i < heard_count);
        double x = heard[i] > 0.1f ? heard[i] : 0.0;
        sum += x, moment += x * (double)(i - middle);
    }
    double exact = (us - (double)BEGIN_US) * rate * 1e-6 - (double)middle;
    return sum < 1.0 ? -9999.0 : moment / sum - exact;
}

static void beats_are_heard_on_the_beat(device from, device to, double before, double after) {
    pair *p = new_pair(from, to, click);
    write_song(before, after);
    pair_begin(p, 128, 480.0);
    hear_by_bars(p, 9600.0);
    pair_run(p, 20.0);
    double worst = 0.0;
    int looked_at = 0;
    bool bends = fabs(after / before - 1.0) < 0.003;
    for (uint32_t i = 0; i < clicks; i++) {
        double us = beat_us[i];
        /* In the bar after the change the grid is left, unless it is followed by bending. */
        bool across = us >= CHANGE_US - 1.0 && us < CHANGE_US + after - 1.0;
        /* The first of all is where the stream begins. */
        if (us < BEGIN_US + before + 1.0 || us > 20e6 || (across && !bends)) continue;
        double off = off_at(p, us);
        if (fabs(off) > fabs(worst)) worst = off;
        looked_at++;
    }
    mp_player_stats stats = pair_stats(p);
    printf("%+4.0f -> %+4.0f ppm, bars of %.3f, then %.3f s: %d beats off by up to %.2f frames, "
           "drift %.1f ppm\n", from.ppm, to.ppm, before * 1e-6, after * 1e-6, looked_at, worst,
           stats.drift_ppm);
    fflush(stdout);
    CHECK(looked_at > 24);
    CHECK(fabs(worst) < 48.0 * to.rate / 48000.0);
    CHECK_WITHIN(stats.latency_us, (int64_t)after, 1000);
    CHECK_EQUAL(stats.lost, 0);
    CHECK_EQUAL(stats.concealed_frames, 0);
    CHECK_EQUAL(stats.underruns, 0);
    pair_end(p);
}

/* What was kept while one played together is there when the bars begin. */
static void it_goes_to_bars_and_back_without_a_hole(void) {
    pair *p = new_pair((device){48000, 128, 100.0, 1}, (device){48000, 128, 0.0, 1}, constant);
    write_song(2e6, 1.6e6);
    p->encoder.timestamp = 3000000000u;
    pair_begin(p, 128, 720.0);
    mp_audio_set_input_latency(p->sender, 0);
    pair_run(p, 1.0);
    CHECK(mp_audio_keep(p->hearer, 0, 1 << 17) == MP_OK);
    pair_run(p, 1.0);
    CHECK(mp_audio_keep(p->hearer, 0, 1 << 18) == MP_OK);
    pair_run(p, 3.0);
    int64_t from = heard_count;
    hear_by_bars(p, 19200.0);
    pair_run(p, 2.0);
    CHECK_WITHIN(pair_stats(p).latency_us, 2000000, 1000);
    CHECK(mp_audio_set_target(p->hearer, 0, MP_WAIT_TO_PLAY, 720.0, 0.0) == MP_OK);
    pair_run(p, 3.0);
    CHECK(pair_stats(p).latency_us < 60000);
    CHECK_WITHIN(pair_stats(p).wait_frames, 720, 100);
    for (int64_t i = from; i < heard_count; i++) CHECK(heard[i] > 0.35f && heard[i] < 0.45f);
    CHECK_EQUAL(pair_stats(p).lost, 0);
    CHECK(!pair_stats(p).needs_decoder);
    pair_end(p);
}

/* What is heard bars later is in the ring long before. */
static void a_codec_thread_that_comes_late_is_not_heard(void) {
    pair *p = new_pair((device){48000, 128, 100.0, 1}, (device){48000, 512, 0.0, 1}, constant);
    write_song(2e6, 1.6e6);
    pair_begin(p, 128, 720.0);
    hear_by_bars(p, 19200.0);
    pair_run(p, 3.0);
    int64_t from = heard_count;
    for (int i = 0; i < 20; i++) {
        p->hearer_step_ns += 25000000;
        pair_run(p, 0.2);
    }
    for (int64_t i = from; i < heard_count; i++) CHECK(heard[i] > 0.35f && heard[i] < 0.45f);
    CHECK_EQUAL(pair_stats(p).underruns, 0);
    pair_end(p);
}

/* Before there are pieces, and where the song stands. */
static void without_bars_the_newest_is_heard(void) {
    pair *p = new_pair((device){48000, 128, 0.0, 1}, (device){44100, 256, 200.0, 1}, constant);
    piece_count = 0;
    pair_begin(p, 128, 480.0);
    hear_by_bars(p, 9600.0);
    pair_run(p, 5.0);
    CHECK_WITHIN(pair_stats(p).latency_us, 270000, 25000);
    for (int64_t i = 44100; i < heard_count; i++) CHECK(heard[i] > 0.35f && heard[i] < 0.45f);
    mp_piece silence = {MP_PIECE_SILENCE, 0, 1000000000, 0, 0};
    CHECK(mp_audio_set_pieces(p->hearer, &silence, 1) == MP_OK);
    pair_run(p, 1.0);
    for (int64_t i = heard_count - 22050; i < heard_count; i++) CHECK(heard[i] == 0.0f);
    pair_end(p);
}

/* The room's clock is known better: 1 ms, slewed. It is followed, and no sample jumps. */
static void a_clock_that_is_slewed_is_followed_softly(void) {
    pair *p = new_pair((device){48000, 128, 50.0, 1}, (device){48000, 128, -50.0, 1}, click);
    write_song(2e6, 1.6e6);
    pair_begin(p, 128, 480.0);
    hear_by_bars(p, 9600.0);
    pair_run(p, 11.0);
    int64_t now_ns = p->now_ns;
    mp_clock_map map = {.local_ns = now_ns, .room_ns = now_ns, .slew_end_ns = now_ns + 1000000000,
                        .slew = 1e-3, .drift = 0.0};
    CHECK(mp_audio_set_map(p->hearer, &map) == MP_OK);
    pair_run(p, 7.0);
    for (uint32_t i = 0; i < clicks; i++) {
        double us = beat_us[i];
        double later_us = us < (double)now_ns * 1e-3 ? 0.0
                          : fmin((us - (double)now_ns * 1e-3) * 1e-3, 1000.0);
        if (us < CHANGE_US + 1.6e6 - 1.0 || us > 18e6) continue;
        CHECK(fabs(off_at(p, us - later_us)) < 24.0);
    }
    pair_end(p);
}

static void what_cannot_be_is_refused(void) {
    pair *p = new_pair((device){48000, 128, 0.0, 1}, (device){48000, 128, 0.0, 1}, constant);
    pair_begin(p, 128, 480.0);
    mp_audio *a = p->hearer;
    CHECK(mp_audio_keep(a, 0, 1000) == MP_OUT_OF_RANGE);
    CHECK(mp_audio_keep(a, 0, 1u << 31) == MP_OUT_OF_RANGE);
    CHECK(mp_audio_keep(a, 5, 1024) == MP_OUT_OF_RANGE);
    const mp_piece wrong[] = {
        {MP_PIECE_BARS, 10, 10, 0, 5},
        {MP_PIECE_BARS, 0, 10, 5, 5},
        {(mp_piece_kind)7, 0, 10, 0, 5},
        {MP_PIECE_BARS, INT64_MIN, 10, 0, 5},
        {MP_PIECE_BARS, 0, 10, 0, INT64_MAX},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        CHECK(mp_audio_set_pieces(a, &wrong[i], 1) == MP_OUT_OF_RANGE);
    }
    const mp_piece gap[] = {{MP_PIECE_SILENCE, 0, 10, 0, 0}, {MP_PIECE_SILENCE, 11, 20, 0, 0}};
    CHECK(mp_audio_set_pieces(a, gap, 2) == MP_OUT_OF_RANGE);
    CHECK(mp_audio_set_pieces(a, NULL, MP_MAX_PIECES + 1) == MP_OUT_OF_RANGE);
    /* Bars without anything kept: it is heard all the same. */
    CHECK(mp_audio_set_target(a, 0, MP_WAIT_FOR_BARS, 960.0, 1920.0) == MP_OK);
    pair_run(p, 3.0);
    CHECK(heard[heard_count - 1] > 0.35f);
    /* What waits for the codec thread is freed with the rest. */
    CHECK(mp_audio_keep(a, 0, 1024) == MP_OK);
    CHECK(mp_audio_set_pieces(a, gap, 1) == MP_OK);
    pair_end(p);
}

int main(void) {
    const device fast = {48000, 128, 200.0, 1}, slow = {48000, 128, -200.0, 1};
    beats_are_heard_on_the_beat(fast, slow, 2e6, 1.6e6);
    beats_are_heard_on_the_beat(slow, fast, 2e6, 2.4e6);
    beats_are_heard_on_the_beat(fast, slow, 2e6, 2.004e6);
    beats_are_heard_on_the_beat((device){44100, 256, -100.0, 1}, (device){96000, 1024, 200.0, 1},
                                1e6, 0.8e6);
    it_goes_to_bars_and_back_without_a_hole();
    a_codec_thread_that_comes_late_is_not_heard();
    without_bars_the_newest_is_heard();
    a_clock_that_is_slewed_is_followed_softly();
    what_cannot_be_is_refused();
    return 0;
}
