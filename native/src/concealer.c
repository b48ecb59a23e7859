#include "concealer.h"

#include <string.h>

/* Periods of 83 to 500 Hz; the pattern that is compared is 5 ms long. */
enum { LEAST_PERIOD = 96, MOST_PERIOD = MP_CONCEAL_PERIOD, PATTERN = 240, COARSE = 4, JOIN = 96 };

void mp_concealer_init(mp_concealer *c, uint32_t channels) {
    memset(c, 0, sizeof *c);
    c->channels = channels;
    c->end = MP_CONCEAL_HISTORY;
    c->quiet = true;
}

/* The frame that was given so long ago; 1 is the last. */
static const float *ago(const mp_concealer *c, uint32_t frames) {
    return c->past + (size_t)(c->end - frames) * c->channels;
}

static float sum_of(const float *frame, uint32_t channels) {
    float sum = 0.0f;
    for (uint32_t i = 0; i < channels; i++) sum += frame[i];
    return sum;
}

/* How alike the last pattern and the one `lag` frames before are, of each `stride`th frame. */
static float likeness(const float *mono, uint32_t lag, uint32_t stride) {
    const float *last = mono + MP_CONCEAL_HISTORY - PATTERN, *before = last - lag;
    float product = 0.0f, energy = 1e-9f;
    for (uint32_t i = 0; i < PATTERN; i += stride) {
        product += last[i] * before[i];
        energy += before[i] * before[i];
    }
    return product <= 0.0f ? 0.0f : product * product / energy;
}

static uint32_t best_period(const float *mono, uint32_t low, uint32_t high, uint32_t stride) {
    uint32_t best = high;
    float best_likeness = -1.0f;
    for (uint32_t lag = low; lag <= high; lag += stride) {
        float found = likeness(mono, lag, stride);
        if (found <= best_likeness) continue;
        best = lag;
        best_likeness = found;
    }
    return best;
}

static uint32_t find_period(const mp_concealer *c) {
    float mono[MP_CONCEAL_HISTORY];
    for (uint32_t i = 0; i < MP_CONCEAL_HISTORY; i++)
        mono[i] = sum_of(ago(c, MP_CONCEAL_HISTORY - i), c->channels);
    uint32_t rough = best_period(mono, LEAST_PERIOD, MOST_PERIOD, COARSE);
    uint32_t low = rough - COARSE < LEAST_PERIOD ? LEAST_PERIOD : rough - COARSE;
    uint32_t high = rough + COARSE > MOST_PERIOD ? MOST_PERIOD : rough + COARSE;
    return best_period(mono, low, high, 1);
}

/* What goes on in a hole, `at` frames into it. */
static float made_up(const mp_concealer *c, uint32_t at, uint32_t channel) {
    if (at >= MP_CONCEAL_FADE || c->quiet) return 0.0f;
    float gain = 1.0f - (float)at / MP_CONCEAL_FADE;
    float join = at < JOIN ? 1.0f - (float)(at + 1) / (JOIN + 1) : 0.0f;
    return gain * (c->loop[(size_t)(at % c->period) * c->channels + channel] +
                   join * c->off[channel]);
}

static void remember(mp_concealer *c, const float *frames, uint32_t count) {
    if (count > MP_CONCEAL_HISTORY) {
        frames += (size_t)(count - MP_CONCEAL_HISTORY) * c->channels;
        count = MP_CONCEAL_HISTORY;
    }
    size_t size = sizeof(float) * c->channels;
    if (c->end + count > 2 * MP_CONCEAL_HISTORY) {
        memmove(c->past, ago(c, MP_CONCEAL_HISTORY), MP_CONCEAL_HISTORY * size);
        c->end = MP_CONCEAL_HISTORY;
    }
    memcpy(c->past + (size_t)c->end * c->channels, frames, count * size);
    c->end += count;
}

void mp_concealer_pass(mp_concealer *c, float *frames, uint32_t count) {
    bool returns = c->made > 0 || c->quiet;
    uint32_t fade = count < MP_CONCEAL_RETURN ? count : MP_CONCEAL_RETURN;
    for (uint32_t i = 0; returns && i < fade; i++) {
        float in = (float)(i + 1) / (float)(fade + 1);
        for (uint32_t k = 0; k < c->channels; k++) {
            float *sample = &frames[(size_t)i * c->channels + k];
            *sample = in * *sample + (1.0f - in) * made_up(c, c->made + i, k);
        }
    }
    c->made = 0;
    c->quiet = false;
    remember(c, frames, count);
}

static void begin(mp_concealer *c) {
    c->period = find_period(c);
    memcpy(c->loop, ago(c, c->period), (size_t)c->period * c->channels * sizeof(float));
    const float *last = ago(c, 1), *before = ago(c, c->period + 1);
    for (uint32_t k = 0; k < c->channels; k++) c->off[k] = last[k] - before[k];
}

void mp_concealer_fill(mp_concealer *c, float *frames, uint32_t count) {
    if (c->made == 0 && !c->quiet) begin(c);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < c->channels; k++) {
            frames[(size_t)i * c->channels + k] = made_up(c, c->made + i, k);
        }
    }
    remember(c, frames, count);
    c->made += count;
    if (c->made >= MP_CONCEAL_FADE) c->made = MP_CONCEAL_FADE;
}
