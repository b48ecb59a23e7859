/* Our effects do what they are called for, and stand all values and all sounds. */
#include <float.h>
#include <string.h>

#include "../src/fx.h"
#include "check.h"

enum { RATE = 48000, BLOCK = 128 };

static float out[RATE * 4];

/* The effect on a sound of so many frames, block by block. */
static void run(mp_fx_kind kind, const float *values, float (*sound)(int), int frames) {
    mp_fx *fx = mp_fx_new(kind, 1, RATE);
    CHECK(fx != NULL);
    mp_fx_set(fx, values);
    for (int i = 0; i < frames; i += BLOCK) {
        for (int j = 0; j < BLOCK; j++) out[i + j] = sound(i + j);
        mp_fx_process(fx, out + i, BLOCK);
    }
    mp_fx_free(fx);
}

static float tone(int i) { return 0.5f * sinf(6.2831853f * 440.0f * (float)i / RATE); }
static float quiet(int i) { return 0.001f * tone(i); }
static float click(int i) { return i == 1000 ? 0.5f : 0.0f; }

/* How strong a frequency is in a stretch. */
static double strength(int from, int frames, double hz) {
    double re = 0, im = 0;
    for (int i = 0; i < frames; i++) {
        double window = 0.5 - 0.5 * cos(6.283185307 * i / frames), turn = 6.283185307 * hz * i / RATE;
        re += out[from + i] * window * cos(turn);
        im += out[from + i] * window * sin(turn);
    }
    return sqrt(re * re + im * im) * 4 / frames;
}

static double rms(int from, int frames) {
    double sum = 0;
    for (int i = from; i < from + frames; i++) sum += (double)out[i] * out[i];
    return sqrt(sum / frames);
}

static void a_gate_lets_through_what_is_loud(void) {
    const float values[MP_FX_VALUES] = {-50, 0.01f, 0.04f, 0.1f};
    run(MP_FX_GATE, values, tone, RATE);
    CHECK(fabs(rms(24000, 12000) - 0.3535) < 0.001);
    run(MP_FX_GATE, values, quiet, RATE);
    CHECK(rms(24000, 12000) < 1e-7);
}

static void a_delay_repeats_in_time(void) {
    const float values[MP_FX_VALUES] = {0, 0.25f, 0.5f, 0.5f, -90, 1};
    run(MP_FX_DELAY, values, click, RATE);
    CHECK(fabsf(out[1000] - 0.5f) < 1e-6f);
    for (int repeat = 1; repeat < 4; repeat++) {
        float loud = 0.0f;
        int where = 1000 + repeat * 12000;
        for (int i = where - 2; i <= where + 2 && i < RATE; i++) loud = fmaxf(loud, out[i]);
        if (where < RATE) CHECK(fabsf(loud - 0.25f * powf(0.5f, (float)repeat - 1)) < 0.05f);
        CHECK(fabsf(out[where - 500]) < 0.01f);
    }
}

static void a_tremolo_swings(void) {
    const float values[MP_FX_VALUES] = {1, 2, 0};
    run(MP_FX_TREMOLO, values, tone, RATE);
    CHECK(rms(12000 - 400, 800) < 0.01 && rms(36000 - 400, 800) < 0.01);
    CHECK(rms(24000 - 400, 800) > 0.34);
    CHECK(fabs(strength(0, RATE, 440) - 0.25) < 0.01 && fabs(strength(0, RATE, 442) - 0.125) < 0.01);
}

static void an_envelope_filter_opens_with_loudness(void) {
    const float values[MP_FX_VALUES] = {0, 60, 1, 70, 0.01f, 0.2f, 0, -90};
    run(MP_FX_ENVELOPE, values, tone, RATE);
    double loud = rms(24000, 12000) / 0.3535;
    run(MP_FX_ENVELOPE, values, quiet, RATE);
    CHECK(loud > 0.9 && rms(24000, 12000) / 0.0003535 < 0.1);
}

/* What is above half the rate does not come back as something else. */
static float high_tone(int i) { return 0.5f * sinf(6.2831853f * 9000.0f * (float)i / RATE); }

static void a_drive_adds_overtones_and_folds_little(void) {
    const float values[MP_FX_VALUES] = {MP_DRIVE_SOFT, 30, 1, 5, 0};
    run(MP_FX_DRIVE, values, tone, RATE);
    CHECK(strength(24000, 20000, 1320) > 0.1 * strength(24000, 20000, 440));
    const float little[MP_FX_VALUES] = {MP_DRIVE_SOFT, 6, 1, 5, 0};
    run(MP_FX_DRIVE, little, high_tone, RATE);
    /* The third overtone, 27 kHz, would be at 21 kHz, with a tenth of the strength. */
    CHECK(strength(24000, 20000, 21000) < 0.005 * strength(24000, 20000, 9000));
    for (int shape = 0; shape < MP_DRIVE_SHAPES; shape++) {
        const float each[MP_FX_VALUES] = {(float)shape, 20, 0.5f, 20, 0};
        run(MP_FX_DRIVE, each, tone, RATE);
        CHECK(rms(24000, 12000) > 0.1);
    }
}

static void pitch_moves_and_keeps_its_strength(void) {
    for (int semitones = -12; semitones <= 12; semitones += 6) {
        const float values[MP_FX_VALUES] = {(float)semitones, 1};
        run(MP_FX_PITCH, values, tone, 2 * RATE);
        double wanted = strength(RATE, RATE / 2, 440 * pow(2, semitones / 12.0));
        CHECK(fabs(wanted - 0.5) < 0.1);
        CHECK(rms(RATE, RATE / 2) > 0.3 && rms(RATE, RATE / 2) < 0.37);
    }
    const float none[MP_FX_VALUES] = {0, 1};
    run(MP_FX_PITCH, none, click, RATE);
    mp_fx *fx = mp_fx_new(MP_FX_PITCH, 1, RATE);
    int at = 1000 + (int)mp_fx_latency(fx);
    CHECK(fmaxf(fabsf(out[at]), fmaxf(fabsf(out[at + 1]), fabsf(out[at - 1]))) > 0.2f);
    mp_fx_free(fx);
}

/* Any bits for values, any number for sound: what comes out is a number, once the sound is one. */
static float once_no_number(int i) { return i == 500 ? NAN : tone(i); }

/* Its level is the sound's, above the threshold by as much less as the ratio says. */
static void a_compressor_squeezes_what_is_loud(void) {
    const float values[MP_FX_VALUES] = {-26, 4, 0.001f, 2, 0};
    const double above_db = 20 * log10(0.5) + 26;
    run(MP_FX_COMPRESSOR, values, once_no_number, RATE);
    CHECK(fabs(20 * log10(rms(24000, 12000) / 0.35355) + above_db * 0.75) < 0.3);
    run(MP_FX_COMPRESSOR, values, quiet, RATE);
    CHECK(fabs(rms(24000, 12000) / 0.00035355 - 1) < 0.001);
}

static void a_reverb_rings_and_dies_away(void) {
    const float values[MP_FX_VALUES] = {0.5f, 0.5f, 1, 20, 8000, 0.5f};
    run(MP_FX_REVERB, values, click, RATE * 4);
    CHECK(fabsf(out[1000] - 0.5f) < 1e-6f && fabsf(out[999]) < 1e-6f);
    double soon = rms(4000, 4000), later = rms(24000, 4000);
    CHECK(soon > 1e-4 && later < soon / 2 && later > soon / 100);
    CHECK(rms(RATE * 4 - 4000, 4000) < soon / 1000);
    run(MP_FX_REVERB, values, once_no_number, RATE);
    CHECK(rms(24000, 4000) > 0.1 && rms(24000, 4000) < 10);
}

static void nothing_breaks_them(void) {
    uint64_t seed = 3;
    static float block[BLOCK * MP_MAX_CHANNELS];
    for (int round = 0; round < 600; round++) {
        uint32_t channels = 1 + (uint32_t)(random_bits(&seed) % MP_MAX_CHANNELS);
        uint32_t rate = round % 2 ? 96000 : 44100;
        mp_fx *fx = mp_fx_new((mp_fx_kind)(round % MP_FX_KINDS), channels, rate);
        for (int set = 0; set < 20; set++) {
            float values[MP_FX_VALUES];
            for (int i = 0; i < MP_FX_VALUES; i++) {
                uint32_t bits = (uint32_t)random_bits(&seed);
                memcpy(&values[i], &bits, 4);
                if (set % 2) values[i] = (float)(random_unit(&seed) * 40 - 20);
            }
            mp_fx_set(fx, values);
            uint32_t frames = 1 + (uint32_t)(random_bits(&seed) % BLOCK);
            for (uint32_t i = 0; i < frames * channels; i++) {
                block[i] = (float)(random_unit(&seed) * 4 - 2);
            }
            mp_fx_process(fx, block, frames);
            for (uint32_t i = 0; i < frames * channels; i++) CHECK(fabsf(block[i]) < 1e6f);
        }
        mp_fx_free(fx);
    }
    CHECK(mp_fx_new(MP_FX_KINDS, 1, RATE) == NULL && mp_fx_new(MP_FX_GATE, 0, RATE) == NULL);
    CHECK(mp_fx_new(MP_FX_GATE, MP_MAX_CHANNELS + 1, RATE) == NULL);
    CHECK(mp_fx_new(MP_FX_GATE, 1, 0) == NULL);
}

int main(void) {
    a_gate_lets_through_what_is_loud();
    a_delay_repeats_in_time();
    a_tremolo_swings();
    an_envelope_filter_opens_with_loudness();
    a_drive_adds_overtones_and_folds_little();
    pitch_moves_and_keeps_its_strength();
    a_compressor_squeezes_what_is_loud();
    a_reverb_rings_and_dies_away();
    nothing_breaks_them();
    return 0;
}
