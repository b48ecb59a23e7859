/* What is heard over minutes, with sound cards that drift: no hole, and a pure tone stays pure.
 * The argument is how many seconds; the figure we are held to is of 600. One thread only. */
#define _GNU_SOURCE
#include "audio_pair.h"

static const double TONE_HZ = 997.0;
static uint32_t source_rate;

static float tone(int64_t frame, uint32_t channel) {
    double angle = 2.0 * M_PI * TONE_HZ * (double)frame / source_rate;
    return (float)(0.5 * sin(angle + channel));
}

/* The last samples heard. */
typedef struct {
    double *samples;
    int64_t from, count, size;
} recording;

static void record(pair *p, int64_t frame, const float *const *out, uint32_t frames) {
    recording *r = p->listener;
    for (uint32_t i = 0; i < frames; i++) {
        if (frame + i >= r->from && r->count < r->size) r->samples[r->count++] = out[0][i];
    }
}

/* Signal against all the rest in dB, with the frequency found by a fine search around `hz`. */
static double sinad_at(const recording *r, double radians) {
    double cc = 0, ss = 0, cs = 0, xc = 0, xs = 0, xx = 0;
    for (int64_t i = 0; i < r->count; i++) {
        double c = cos(radians * (double)i), s = sin(radians * (double)i), x = r->samples[i];
        cc += c * c, ss += s * s, cs += c * s, xc += x * c, xs += x * s, xx += x * x;
    }
    double det = cc * ss - cs * cs;
    double a = (xc * ss - xs * cs) / det, b = (xs * cc - xc * cs) / det;
    double signal = a * xc + b * xs;
    return 10.0 * log10(signal / fmax(xx - signal, 1e-30));
}

static double sinad(const recording *r, double hz, uint32_t rate) {
    double middle = 2.0 * M_PI * hz / rate, width = middle * 400e-6;
    double best = -200.0;
    for (int round = 0; round < 7; round++, width /= 5.0) {
        double best_at = middle;
        for (int k = -6; k <= 6; k++) {
            double at = middle + width * k / 6.0, found = sinad_at(r, at);
            if (found > best) best = found, best_at = at;
        }
        middle = best_at;
    }
    return best;
}

static void a_tone_stays_pure(device from, device to, uint32_t packet_frames, double seconds) {
    static double samples[1 << 14];
    static pair p;
    recording r = {samples, (int64_t)((seconds - 0.5 - seconds / 2000) * to.rate), 0, 1 << 14};
    memset(&p, 0, sizeof p);
    source_rate = from.rate;
    p.from = from, p.to = to, p.source = tone, p.listen = record, p.listener = &r;
    p.delay_ns = 3000000;
    p.jitter_ns = 0;
    pair_begin(&p, packet_frames, 1500.0);
    pair_run(&p, 20.0);
    mp_player_stats before = pair_stats(&p);
    int64_t least_us = INT64_MAX, most_us = 0;
    for (double at = 20.0; at < seconds; at += 2.0) {
        pair_run(&p, 2.0);
        mp_player_stats now = pair_stats(&p);
        if (now.latency_us < least_us) least_us = now.latency_us;
        if (now.latency_us > most_us) most_us = now.latency_us;
    }
    mp_player_stats after = pair_stats(&p);
    double hz = TONE_HZ * (1.0 + from.ppm * 1e-6) / (1.0 + to.ppm * 1e-6);
    double db = sinad(&r, hz, to.rate);
    printf("%u/%u %+.0f ppm -> %u/%u %+.0f ppm: %.1f dB, drift %.2f ppm, wait %.1f, latency %d to "
           "%d us, lost %d late %d concealed %d underruns %d jumps %d\n",
           from.rate, from.period, from.ppm, to.rate, to.period, to.ppm, db, after.drift_ppm,
           after.wait_frames, (int)least_us, (int)most_us, (int)after.lost, (int)after.late,
           (int)after.concealed_frames, (int)after.underruns, (int)after.jumps);
    fflush(stdout);
    CHECK(after.playing && !after.needs_decoder);
    CHECK_EQUAL(after.concealed_frames, before.concealed_frames);
    CHECK_EQUAL(after.lost, 0);
    CHECK_EQUAL(after.late, 0);
    CHECK_EQUAL(after.underruns, 0);
    CHECK_EQUAL(after.jumps, before.jumps); /* the first window may cut once */
    CHECK(fabs(after.drift_ppm - (from.ppm - to.ppm)) < 10.0);
    CHECK(most_us - least_us < 2000);
    CHECK_EQUAL(r.count, r.size);
    CHECK(db > 80.0);
    pair_end(&p);
}

int main(int arguments, char **argument) {
    double seconds = arguments > 1 ? atof(argument[1]) : 30.0;
    a_tone_stays_pure((device){48000, 128, 200.0, 1}, (device){48000, 128, 0.0, 1}, 128, seconds);
    a_tone_stays_pure((device){48000, 128, -200.0, 1}, (device){48000, 64, 0.0, 1}, 120, seconds);
    a_tone_stays_pure((device){44100, 256, 100.0, 1}, (device){96000, 1024, -100.0, 1}, 120, seconds);
    a_tone_stays_pure((device){96000, 32, 0.0, 1}, (device){44100, 1024, 200.0, 1}, 240, seconds);
    return 0;
}
