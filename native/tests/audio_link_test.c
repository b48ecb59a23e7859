/* What links of the room's graph do to sound. One thread only. */
#define _GNU_SOURCE
#include <math.h>

#include "../src/audio.h"
#include "check.h"

enum { BLOCK = 128 };
static const uint32_t RATES[] = {44100, 48000, 88200, 96000};

static mp_audio_link link_of(uint32_t rate, float high, float low) {
    mp_audio_link link;
    mp_link_order order;
    mp_link_settings settings = {1.0f, ~0u, high, low};
    mp_link_begin(&link);
    CHECK(mp_link_order_of(&settings, rate, &order));
    mp_link_set(&link, &order);
    return link;
}

static void change(mp_audio_link *link, uint32_t rate, float gain, float high, float low) {
    mp_link_order order;
    mp_link_settings settings = {gain, ~0u, high, low};
    CHECK(mp_link_order_of(&settings, rate, &order));
    mp_link_set(link, &order);
}

/* How loud a tone comes out, in dB, once what swings in has died away. */
static double db_at(mp_audio_link *link, uint32_t rate, double hz) {
    double sine = 0.0, cosine = 0.0;
    int64_t from = rate / 2, periods = (int64_t)(hz / 4.0) + 1, to;
    to = from + (int64_t)(periods * rate / hz);
    for (int64_t frame = 0; frame < to; frame++) {
        double at = 2.0 * M_PI * hz * (double)frame / rate;
        float sample[2] = {(float)sin(at), 0.0f};
        mp_link_pass(link, 2, sample, 1);
        CHECK(sample[1] == 0.0f);
        if (frame < from) continue;
        sine += sample[0] * sin(at);
        cosine += sample[0] * cos(at);
    }
    double count = (double)(to - from);
    return 20.0 * log10(2.0 * hypot(sine, cosine) / count);
}

/* Butterworth's, of second order. */
static double ideal_db(double ratio) { return -10.0 * log10(1.0 + pow(ratio, 4.0)); }

static void filters_are_butterworths_at_all_rates(void) {
    const float corners[] = {20.0f, 80.0f, 1000.0f, 8000.0f, 20000.0f};
    const double ratios[] = {0.25, 0.5, 1.0, 2.0, 4.0};
    for (int r = 0; r < 4; r++) {
        for (int c = 0; c < 5; c++) {
            for (int i = 0; i < 5; i++) {
                uint32_t rate = RATES[r];
                double hz = corners[c] * ratios[i];
                /* Above an eighth of the rate it is steeper, and nothing at half of it. */
                if (hz < 20.0 || hz > 0.45 * rate) continue;
                double bent = tan(M_PI * hz / rate) / tan(M_PI * corners[c] / rate);
                double ratio = hz > rate / 8.0 || corners[c] > rate / 8.0f ? bent : ratios[i];
                mp_audio_link low = link_of(rate, 0.0f, corners[c]);
                CHECK(fabs(db_at(&low, rate, hz) - ideal_db(ratio)) < 0.5);
                mp_audio_link high = link_of(rate, corners[c], 0.0f);
                CHECK(fabs(db_at(&high, rate, hz) - ideal_db(1.0 / ratio)) < 0.5);
            }
        }
    }
}

static void both_together_leave_what_is_between(void) {
    mp_audio_link link = link_of(48000, 200.0f, 4000.0f);
    CHECK(fabs(db_at(&link, 48000, 900.0)) < 0.5);
    CHECK(fabs(db_at(&link, 48000, 50.0) + 24.1) < 0.5);
    CHECK(db_at(&link, 48000, 16000.0) < -24.0);
}

static float tone(int64_t frame) {
    return 0.5f * (float)sin(2.0 * M_PI * 220.0 * (double)frame / 48000.0);
}
static const float STEP_OF_TONE = 0.5f * 2.0f * 3.1416f * 220.0f / 48000.0f;

static void changes_do_not_click(void) {
    const float steps[][3] = {{1.0f, 400.0f, 0.0f},   {1.0f, 20.0f, 0.0f}, {1.0f, 20000.0f, 0.0f},
                              {1.0f, 0.0f, 20000.0f}, {1.0f, 0.0f, 20.0f}, {0.0f, 80.0f, 8000.0f},
                              {1.0f, 80.0f, 8000.0f}, {1.0f, 0.0f, 0.0f}};
    mp_audio_link link = link_of(48000, 0.0f, 0.0f);
    float last = 0.0f;
    int64_t frame = 0;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 8; i++) {
            change(&link, 48000, steps[i][0], steps[i][1], steps[i][2]);
            for (int64_t end = frame + (round == 1 ? BLOCK : 9600); frame < end; frame += BLOCK) {
                float block[BLOCK];
                for (int64_t k = 0; k < BLOCK; k++) block[k] = tone(frame + k);
                mp_link_pass(&link, 1, block, BLOCK);
                for (int k = 0; k < BLOCK; k++) {
                    CHECK(fabsf(block[k] - last) < 1.5f * STEP_OF_TONE);
                    last = block[k];
                }
            }
        }
    }
    CHECK(mp_link_is_plain(&link, 1)); /* and costs nothing again */
    CHECK(link.high.memory[0].one == 0.0f && link.low.memory[0].two == 0.0f);
}

/* The first block is as it is to be: nothing glides that nobody has heard. */
static void what_is_set_before_it_is_heard_holds_from_the_first_frame_on(void) {
    mp_audio_link link = link_of(48000, 0.0f, 0.0f);
    change(&link, 48000, 0.0f, 0.0f, 100.0f);
    float block[BLOCK];
    for (int i = 0; i < BLOCK; i++) block[i] = 1.0f;
    mp_link_pass(&link, 1, block, BLOCK);
    for (int i = 0; i < BLOCK; i++) CHECK(block[i] == 0.0f);
}

static void nothing_that_is_asked_for_makes_it_unstable(void) {
    uint64_t seed = 7;
    for (int r = 0; r < 4; r++) {
        mp_audio_link link = link_of(RATES[r], 0.0f, 0.0f);
        for (int i = 0; i < 4000; i++) {
            float high = random_bits(&seed) & 1 ? 0.0f : (float)random_between(&seed, 20, 20000);
            float low = random_bits(&seed) & 1 ? 0.0f : (float)random_between(&seed, 20, 20000);
            change(&link, RATES[r], 1.0f, high, low);
            float block[BLOCK];
            for (int k = 0; k < BLOCK; k++) block[k] = (float)random_unit(&seed) * 2.0f - 1.0f;
            mp_link_pass(&link, 2, block, BLOCK / 2);
            for (int k = 0; k < BLOCK; k++) CHECK(fabsf(block[k]) < 8.0f);
        }
    }
}

/* Numbers too small to be normal would take many times as long. */
static void silence_ends_at_zero(void) {
    mp_audio_link link = link_of(96000, 20.0f, 200.0f);
    float block[BLOCK];
    for (int i = 0; i < 2000; i++) {
        for (int k = 0; k < BLOCK; k++) block[k] = i == 0 ? 1.0f : 0.0f;
        mp_link_pass(&link, 1, block, BLOCK);
        for (int k = 0; k < BLOCK; k++) CHECK(fpclassify(block[k]) != FP_SUBNORMAL);
    }
    CHECK(link.high.memory[0].one == 0.0f && link.high.memory[0].two == 0.0f);
    CHECK(link.low.memory[0].one == 0.0f && link.low.memory[0].two == 0.0f);
}

static void what_cannot_be_is_refused(void) {
    const float bad[] = {-1.0f, 19.0f, 20001.0f, NAN, INFINITY};
    mp_link_order order;
    for (int i = 0; i < 5; i++) {
        mp_link_settings high = {1.0f, ~0u, bad[i], 0.0f}, low = {1.0f, ~0u, 0.0f, bad[i]};
        CHECK(!mp_link_order_of(&high, 48000, &order));
        CHECK(!mp_link_order_of(&low, 48000, &order));
    }
    mp_link_settings gain = {8.1f, ~0u, 0.0f, 0.0f}, number = {NAN, ~0u, 0.0f, 0.0f};
    CHECK(!mp_link_order_of(&gain, 48000, &order));
    CHECK(!mp_link_order_of(&number, 48000, &order));
}

int main(void) {
    filters_are_butterworths_at_all_rates();
    both_together_leave_what_is_between();
    changes_do_not_click();
    what_is_set_before_it_is_heard_holds_from_the_first_frame_on();
    nothing_that_is_asked_for_makes_it_unstable();
    silence_ends_at_zero();
    what_cannot_be_is_refused();
    return 0;
}
