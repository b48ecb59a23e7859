/* A pair whose hearer's sound is kept, all of it, and what may go in. */
#pragma once

#include "audio_pair.h"

enum { HEARD = 1 << 18 };

static float heard[2][HEARD];
static int64_t heard_count;

static inline void listen_all(pair *p, int64_t frame, const float *const *out, uint32_t frames) {
    for (uint32_t i = 0; i < frames; i++) {
        if (frame + i >= HEARD) return;
        heard[0][frame + i] = out[0][i];
        heard[1][frame + i] = p->to.channels > 1 ? out[1][i] : 0.0f;
    }
    heard_count = frame + frames;
}

/* Noise that is the same each time, another one in each channel. */
static inline float noise(int64_t frame, uint32_t channel) {
    uint64_t seed = (uint64_t)frame * 4 + channel;
    return (float)(random_unit(&seed) - 0.5) * 0.5f;
}

static inline float low_tone(int64_t frame, uint32_t channel) {
    return 0.5f * (float)sin(2.0 * M_PI * 220.0 * (double)frame / 48000.0 + channel);
}

static inline float constant(int64_t frame, uint32_t channel) {
    (void)frame;
    return channel == 0 ? 0.4f : 0.2f;
}

static inline pair *new_pair(device from, device to, float (*source)(int64_t, uint32_t)) {
    static pair p;
    memset(&p, 0, sizeof p);
    memset(heard, 0, sizeof heard);
    p.from = from, p.to = to, p.source = source, p.listen = listen_all;
    p.delay_ns = 2000000;
    return &p;
}

static const device STUDIO = {48000, 128, 0.0, 2};

/* The greatest step from one sample to the next in what was heard. */
static inline float greatest_step(int64_t from, int64_t to) {
    float most = 0.0f;
    for (int64_t i = from + 1; i < to; i++) {
        float step = fabsf(heard[0][i] - heard[0][i - 1]);
        if (step > most) most = step;
    }
    return most;
}

static const float STEP_OF_TONE = 0.5f * 2.0f * 3.1416f * 220.0f / 48000.0f;

static inline float level_of(uint32_t channel) { return heard[channel][heard_count - 1]; }

static inline void expect_levels(pair *p, double left, double right) {
    pair_run(p, 0.2);
    CHECK(fabs(level_of(0) - left) < 0.002);
    CHECK(fabs(level_of(1) - right) < 0.002);
}
