/* A recording's track of a player lies where that player played, to within a ms: at all rates,
 * with quartzes that drift, heard at once or bars later. One thread only. */
#define _GNU_SOURCE
#include "audio_pair.h"

enum { RING = 1 << 17, WIDTH = 24, SECONDS = 9, SETTLED_S = 4 };
static const double BEGIN_US = 1e6, CLICK_US = 5e5, BAR_US = 2e6;
static double source_rate;
static float heard[96000 * (SECONDS + 2)];

/* A short bump each half second of the room. */
static float click(int64_t frame, uint32_t channel) {
    double us = BEGIN_US + (double)frame * 1e6 / source_rate;
    double off = (us - CLICK_US * round(us / CLICK_US)) * source_rate * 1e-6 / WIDTH;
    (void)channel;
    return fabs(off) < 1.0 ? 0.4f * (float)(1.0 + cos(M_PI * off)) : 0.0f;
}

static void nobody_listens(pair *p, int64_t frame, const float *const *out, uint32_t frames) {
    (void)p, (void)frame, (void)out, (void)frames;
}

static void hear_bars_later(pair *p) {
    mp_piece pieces[2 + SECONDS];
    uint32_t count = 0;
    pieces[count++] = (mp_piece){MP_PIECE_SILENCE, 0, llround(2 * BAR_US), 0, 0};
    for (int64_t at = llround(2 * BAR_US); at < SECONDS * 1000000; at += llround(BAR_US)) {
        int64_t bar = llround(BAR_US);
        pieces[count++] = (mp_piece){MP_PIECE_BARS, at, at + bar, at - bar, at};
    }
    CHECK(mp_audio_keep(p->hearer, 0, 1 << 18) == MP_OK);
    CHECK(mp_audio_set_pieces(p->hearer, pieces, count) == MP_OK);
    CHECK(mp_audio_set_target(p->hearer, 0, MP_WAIT_FOR_BARS, 9600.0, 1920.0) == MP_OK);
}

/* By how many µs the click of that time is off in the track; 1e9 where there is none. */
static double off_us(double at_us, uint32_t rate, uint32_t count) {
    double exact = at_us * rate * 1e-6, sum = 0.0, moment = 0.0;
    int64_t middle = llround(exact), near = rate / 50;
    for (int64_t i = middle - near; i < middle + near; i++) {
        CHECK(i >= 0 && i < count);
        double x = heard[i] > 0.1f ? heard[i] : 0.0;
        sum += x, moment += x * ((double)i - exact);
    }
    return sum < 1.0 ? 1e9 : moment / sum * 1e6 / rate;
}

static void a_track_is_where_it_was_played(device from, device to, bool bars) {
    static pair p;
    const mp_clock_map same = {0};
    uint32_t count = 0;
    memset(&p, 0, sizeof p);
    p.from = from, p.to = to, p.source = click, p.listen = nobody_listens;
    p.delay_ns = 30000000, p.jitter_ns = 4000000;
    source_rate = from.rate * (1.0 + from.ppm * 1e-6);
    pair_begin(&p, 128, 960.0);
    mp_audio_set_input_latency(p.sender, 0);
    if (bars) hear_bars_later(&p);
    mp_tap *tap = mp_tap_new(1, to.rate, RING);
    CHECK(mp_audio_set_tap(p.hearer, 0, tap) == MP_OK);
    for (int i = 0; i < 10 * SECONDS; i++) {
        uint32_t got;
        pair_run(&p, 0.1);
        while ((got = mp_tap_read(tap, &same, 0, heard + count, 8192)) > 0) count += got;
    }
    double worst = 0.0;
    for (double at = SETTLED_S * 1e6; at < (SECONDS - 2.5) * 1e6; at += CLICK_US) {
        worst = fmax(worst, fabs(off_us(at, to.rate, count)));
    }
    printf("%u %+.0f ppm -> %u %+.0f ppm%s: off by %.0f us at most\n", from.rate, from.ppm, to.rate,
           to.ppm, bars ? ", bars later" : "", worst);
    CHECK_EQUAL(pair_stats(&p).concealed_frames, 0);
    CHECK(worst < 1000.0);
    mp_audio_set_tap(p.hearer, 0, NULL);
    mp_tap_free(tap);
    pair_end(&p);
}

static mp_hole longest;
static int64_t silent; /* frames of all holes */

static void read_on(pair *p, mp_tap *tap, uint32_t *count, double seconds) {
    const mp_clock_map same = {0};
    for (double left_s = seconds; left_s > 0.001; left_s -= 0.1) {
        uint32_t got;
        mp_hole hole;
        pair_run(p, left_s < 0.1 ? left_s : 0.1);
        if (pair_stats(p).needs_decoder) {
            p->decoder.started = false;
            CHECK(mp_audio_set_decoder(p->hearer, 0, &p->decoder) == MP_OK);
        }
        while ((got = mp_tap_read(tap, &same, 0, heard + *count, 8192)) > 0) *count += got;
        while (mp_tap_hole(tap, &hole)) {
            silent += hole.frames;
            if (hole.frames > longest.frames) longest = hole;
        }
    }
}

/* A player is gone for a while, and comes back with the same stream, or with another one: its track
 * goes on where it belongs, and the hole is told. */
static void who_was_away_is_recorded_in_its_place(double away_s, bool comes_anew) {
    static pair p;
    uint32_t count = 0;
    const device home = {48000, 128, 0.0, 1};
    memset(&p, 0, sizeof p);
    silent = longest.frames = 0;
    p.from = p.to = home, p.source = click, p.listen = nobody_listens;
    p.delay_ns = 30000000;
    source_rate = home.rate;
    pair_begin(&p, 128, 960.0);
    mp_audio_set_input_latency(p.sender, 0);
    mp_tap *tap = mp_tap_new(1, home.rate, RING);
    CHECK(mp_audio_set_tap(p.hearer, 0, tap) == MP_OK);
    read_on(&p, tap, &count, 3.0);
    CHECK_EQUAL(silent, 0);
    p.loss = 1.0;
    read_on(&p, tap, &count, away_s);
    p.loss = 0.0;
    if (comes_anew) p.encoder.ssrc++;
    read_on(&p, tap, &count, 4.0);
    double told_s = (double)longest.frames / home.rate;
    double ends_s = (double)longest.at / home.rate + told_s;
    printf("away for %.2f s%s: %.3f s of silence are told, to %.3f s\n", away_s,
           comes_anew ? ", another stream then" : "", told_s, ends_s);
    CHECK(fabs(told_s - away_s) < 0.12);
    CHECK(silent - longest.frames < home.rate / 20);
    const double last_s = (double)count / home.rate - 0.5;
    for (double at_s = ceil(2.0 * ends_s + 0.2) / 2.0; at_s < last_s; at_s += 0.5) {
        CHECK(fabs(off_us(at_s * 1e6, home.rate, count)) < 1000.0);
    }
    mp_audio_set_tap(p.hearer, 0, NULL);
    mp_tap_free(tap);
    pair_end(&p);
}

/* One of the devices stands still while much is on its way: what was played before stays in its
 * place, and what is played behind it is where it was played then. `target` 0: bars later. */
static void a_device_that_stands_still_moves_nothing(bool senders, double target, int behind_ms) {
    enum { STOOD_NS = 10666667 };
    const int64_t stands_ns = 5000000000 + INT64_C(1000000) * behind_ms;
    static pair p;
    uint32_t count = 0;
    const device home = {48000, 256, 0.0, 1};
    memset(&p, 0, sizeof p);
    p.from = p.to = home, p.source = click, p.listen = nobody_listens;
    p.delay_ns = 5000000;
    source_rate = home.rate;
    pair_begin(&p, 128, fmax(target, 960.0));
    if (target == 0.0) hear_bars_later(&p);
    mp_audio_set_input_latency(p.sender, 0);
    mp_tap *tap = mp_tap_new(1, home.rate, RING);
    CHECK(mp_audio_set_tap(p.hearer, 0, tap) == MP_OK);
    while (p.now_ns < stands_ns) read_on(&p, tap, &count, 0.006);
    *(senders ? &p.from_late_ns : &p.to_late_ns) = STOOD_NS;
    mp_audio_xrun(senders ? p.sender : p.hearer);
    read_on(&p, tap, &count, 5.0);
    double worst_us = 0.0;
    for (double at_us = 2.5e6; at_us < 6.3e6; at_us += CLICK_US) {
        double later_us = senders && at_us > 5.1e6 ? STOOD_NS * 1e-3 : 0.0;
        worst_us = fmax(worst_us, fabs(off_us(at_us + later_us, home.rate, count)));
    }
    printf("the %s device stands still %d ms behind a click, wait of %.0f ms: off by %.0f us\n",
           senders ? "sender's" : "listener's", behind_ms, target / 48.0, worst_us);
    CHECK(worst_us < 500.0);
    mp_audio_set_tap(p.hearer, 0, NULL);
    mp_tap_free(tap);
    pair_end(&p);
}

int main(void) {
    const double targets[] = {10000.0, 1200.0, 0.0};
    for (int i = 0; i < 12; i++) {
        a_device_that_stands_still_moves_nothing(i % 2 == 0, targets[i / 2 % 3], i < 6 ? 20 : 80);
    }
    const device pairs[][2] = {
        {{44100, 256, 200, 1}, {48000, 128, -200, 1}},
        {{48000, 128, -200, 1}, {96000, 512, 200, 1}},
    };
    for (int i = 0; i < 2; i++) {
        a_track_is_where_it_was_played(pairs[i][0], pairs[i][1], false);
        a_track_is_where_it_was_played(pairs[i][0], pairs[i][1], true);
    }
    who_was_away_is_recorded_in_its_place(0.5, false);
    who_was_away_is_recorded_in_its_place(2.0, false);
    who_was_away_is_recorded_in_its_place(0.5, true);
    who_was_away_is_recorded_in_its_place(2.0, true);
    return 0;
}
