#define _GNU_SOURCE
#include "resampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TAPS = 32, LANES = 4 };
#define ALWAYS_INLINE inline __attribute__((always_inline))
/* Side lobes below -90 dB. */
static const double KAISER_BETA = 9.0;
/* The band that is kept, of what both rates can carry. */
static const double BAND = 0.93;

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

static double bessel_i0(double x) {
    double sum = 1.0, term = 1.0;
    for (int k = 1; k < 60; k++) {
        term *= (x / (2.0 * k)) * (x / (2.0 * k));
        sum += term;
    }
    return sum;
}

static double windowed_sinc(double x, double cutoff, double half) {
    if (fabs(x) >= half) return 0.0;
    double window = bessel_i0(KAISER_BETA * sqrt(1.0 - x * x / (half * half)));
    double angle = M_PI * x * cutoff;
    double sinc = fabs(angle) < 1e-12 ? 1.0 : sin(angle) / angle;
    return cutoff * sinc * window / bessel_i0(KAISER_BETA);
}

/* Each row is made to let a constant through as it is. */
static void fill_row(float *row, uint32_t taps, double phase, double cutoff) {
    double values[4 * TAPS], sum = 0.0, half = taps / 2.0;
    for (uint32_t i = 0; i < taps; i++) {
        values[i] = windowed_sinc((double)i - (half - 1.0) - phase, cutoff, half);
        sum += values[i];
    }
    for (uint32_t i = 0; i < taps; i++) row[i] = (float)(values[i] / sum);
}

bool mp_resampler_init(mp_resampler *r, uint32_t in_rate, uint32_t out_rate, uint32_t channels) {
    memset(r, 0, sizeof *r);
    double narrow = in_rate > out_rate ? (double)out_rate / in_rate : 1.0;
    r->taps = (uint32_t)ceil(TAPS / narrow / LANES) * LANES;
    r->channels = channels;
    r->step = (double)in_rate / out_rate;
    r->table = calloc((size_t)(MP_RESAMPLER_PHASES + 1) * r->taps, sizeof(float));
    r->history = calloc((size_t)channels * MP_RESAMPLER_HELD, sizeof(float));
    if (r->table == NULL || r->history == NULL) {
        mp_resampler_free(r);
        return false;
    }
    for (uint32_t i = 0; i <= MP_RESAMPLER_PHASES; i++) {
        double phase = (double)i / MP_RESAMPLER_PHASES;
        fill_row(r->table + (size_t)i * r->taps, r->taps, phase, narrow * BAND);
    }
    /* So that the first output lies on the first input. */
    r->fill = r->taps / 2 - 1;
    return true;
}

void mp_resampler_free(mp_resampler *r) {
    free(r->table);
    free(r->history);
    r->table = r->history = NULL;
}

uint32_t mp_resampler_restart(mp_resampler *r, double phase) {
    r->at = r->fill = 0;
    r->phase = phase;
    return r->taps / 2 - 1;
}

uint32_t mp_resampler_ahead(const mp_resampler *r) { return r->taps / 2; }

uint32_t mp_resampler_room(const mp_resampler *r) { return MP_RESAMPLER_HELD - (r->fill - r->at); }

double mp_resampler_waiting(const mp_resampler *r) {
    return (double)r->fill - (double)r->at - (r->taps / 2 - 1) - r->phase;
}

static void move_to_front(mp_resampler *r) {
    for (uint32_t c = 0; c < r->channels; c++) {
        float *line = r->history + (size_t)c * MP_RESAMPLER_HELD;
        memmove(line, line + r->at, (r->fill - r->at) * sizeof(float));
    }
    r->fill -= r->at;
    r->at = 0;
}

void mp_resampler_push(mp_resampler *r, const float *frames, uint32_t count) {
    if (count > mp_resampler_room(r)) count = mp_resampler_room(r);
    if (r->fill + count > MP_RESAMPLER_HELD) move_to_front(r);
    for (uint32_t c = 0; c < r->channels; c++) {
        float *line = r->history + (size_t)c * MP_RESAMPLER_HELD + r->fill;
        for (uint32_t i = 0; i < count; i++) line[i] = frames[(size_t)i * r->channels + c];
    }
    r->fill += count;
}

/* ---- the hot path. Where `channels` and `taps` are constants the sums stay in registers. ---- */

static ALWAYS_INLINE lanes load(const float *from) {
    lanes value;
    memcpy(&value, from, sizeof value);
    return value;
}

/* One frame: the row between two phases is the same for all channels. */
static ALWAYS_INLINE void make(const mp_resampler *r, float *frame, uint32_t channels,
                               uint32_t taps) {
    double place = r->phase * MP_RESAMPLER_PHASES;
    uint32_t index = (uint32_t)place;
    float part = (float)(place - index);
    const float *row = r->table + (size_t)index * taps;
    lanes sums[MP_MAX_CHANNELS] = {{0}};
    for (uint32_t i = 0; i < taps; i += LANES) {
        lanes here = load(row + i), next = load(row + taps + i);
        lanes weight = here + (next - here) * part;
        for (uint32_t c = 0; c < channels; c++) {
            sums[c] += weight * load(r->history + (size_t)c * MP_RESAMPLER_HELD + r->at + i);
        }
    }
    for (uint32_t c = 0; c < channels; c++) {
        frame[c] = (sums[c][0] + sums[c][1]) + (sums[c][2] + sums[c][3]);
    }
}

static ALWAYS_INLINE void go_on(mp_resampler *r, double step) {
    r->phase += step;
    uint32_t whole = (uint32_t)r->phase;
    r->phase -= whole;
    r->at += whole;
    if (r->at > r->fill) { /* Only at steps of many frames: never go past what is there. */
        r->phase += r->at - r->fill;
        r->at = r->fill;
    }
}

static ALWAYS_INLINE uint32_t pull(mp_resampler *r, float *frames, uint32_t count,
                                   uint32_t channels, uint32_t taps) {
    const double step = r->step * (1.0 + r->faster);
    uint32_t made = 0;
    for (; made < count && r->at + taps <= r->fill; made++) {
        make(r, frames + (size_t)made * channels, channels, taps);
        go_on(r, step);
    }
    return made;
}

uint32_t mp_resampler_pull(mp_resampler *r, float *frames, uint32_t count) {
    if (r->taps == TAPS && r->channels == 1) return pull(r, frames, count, 1, TAPS);
    if (r->taps == TAPS && r->channels == 2) return pull(r, frames, count, 2, TAPS);
    return pull(r, frames, count, r->channels, r->taps);
}
