/* The callback for PortAudio, driven block by block: what goes in comes out by the monitor. */
#include <string.h>

#include "../src/rt.h"
#include "check.h"

enum { PERIOD = 64, MOST = 2 * MP_MAX_PERIOD, SETTLED = 200 };

static float input[MOST * MP_MAX_CHANNELS], output[MOST * MP_MAX_CHANNELS];

static mp_portaudio_settings settings_of(uint32_t channels, uint32_t in, uint32_t out) {
    return (mp_portaudio_settings){.rate = 48000, .period = PERIOD, .channels = channels,
                                   .device_in_channels = in, .device_out_channels = out,
                                   .decode_lead_us = 1500};
}

/* A driver whose input is heard in its own mix. */
static mp_portaudio *monitored(uint32_t channels, uint32_t in, uint32_t out) {
    mp_status status;
    mp_portaudio_settings settings = settings_of(channels, in, out);
    mp_portaudio *driver = mp_portaudio_new(&settings, &status);
    CHECK(driver != NULL && status == MP_OK);
    CHECK(mp_audio_set_monitor(mp_portaudio_engine(driver), 1.0f) == MP_OK);
    for (size_t i = 0; i < MOST * MP_MAX_CHANNELS; i++) output[i] = 9.0f;
    return driver;
}

/* What a frame of a channel is: far below full scale, another one for each. */
static float sample(uint32_t frame, uint32_t channel) {
    return 0.0001f * (float)(frame % 1000) + 0.1f * (float)channel;
}

static void fill(uint32_t channels, uint32_t frames) {
    for (uint32_t i = 0; i < frames; i++) {
        for (uint32_t c = 0; c < channels; c++) input[i * channels + c] = sample(i, c);
    }
}

static void call(mp_portaudio *driver, const float *in, float *out, uint32_t frames) {
    CHECK_EQUAL(mp_portaudio_callback(in, out, frames, NULL, 0, driver), 0);
}

/* Until gains have reached what was asked for. */
static void settle(mp_portaudio *driver, const float *in, float *out) {
    for (int i = 0; i < SETTLED; i++) call(driver, in, out, PERIOD);
}

static bool is_about(float got, float wanted) { return fabsf(got - wanted) < 1e-4f; }

static void channels_stay_apart(uint32_t channels) {
    mp_portaudio *driver = monitored(channels, channels, channels);
    fill(channels, PERIOD);
    settle(driver, input, output);
    for (uint32_t i = 0; i < PERIOD; i++) {
        for (uint32_t c = 0; c < channels; c++) {
            CHECK(is_about(output[i * channels + c], sample(i, c)));
        }
    }
    CHECK(output[PERIOD * channels] == 9.0f);
    mp_portaudio_free(driver);
}

static void a_microphone_goes_into_both_channels(void) {
    mp_portaudio *driver = monitored(2, 1, 2);
    fill(1, PERIOD);
    settle(driver, input, output);
    for (uint32_t i = 0; i < PERIOD; i++) {
        CHECK(is_about(output[2 * i], sample(i, 0)) && is_about(output[2 * i + 1], sample(i, 0)));
    }
    mp_portaudio_free(driver);
}

static void without_an_input_it_is_silent(void) {
    mp_portaudio *driver = monitored(2, 0, 2);
    settle(driver, NULL, output);
    for (uint32_t i = 0; i < 2 * PERIOD; i++) CHECK(output[i] == 0.0f);
    mp_portaudio_free(driver);
}

static void without_an_output_the_input_is_taken(void) {
    mp_level levels[MP_MAX_CHANNELS];
    mp_portaudio *driver = monitored(2, 2, 0);
    fill(2, PERIOD);
    settle(driver, input, NULL);
    mp_audio_input_levels(mp_portaudio_engine(driver), levels);
    CHECK(is_about(levels[1].peak, sample(PERIOD - 1, 1)));
    CHECK(output[0] == 9.0f);
    mp_portaudio_free(driver);
}

static void blocks_may_have_any_length(void) {
    mp_portaudio *driver = monitored(2, 2, 2);
    const uint32_t lengths[] = {1, PERIOD - 1, MP_MAX_PERIOD, MP_MAX_PERIOD + 1, MOST};
    fill(2, MOST);
    settle(driver, input, output);
    for (size_t n = 0; n < sizeof lengths / sizeof *lengths; n++) {
        call(driver, input, output, lengths[n]);
        for (uint32_t i = 0; i < lengths[n]; i++) {
            CHECK(is_about(output[2 * i + 1], sample(i, 1)));
        }
    }
    mp_portaudio_free(driver);
}

static void what_happens_is_counted(void) {
    enum { INPUT_OVERFLOW = 2, OUTPUT_UNDERFLOW = 4, PRIMING = 16 };
    mp_portaudio_info info;
    mp_portaudio *driver = monitored(2, 2, 2);
    const unsigned long flags[] = {0, INPUT_OVERFLOW, PRIMING, INPUT_OVERFLOW | OUTPUT_UNDERFLOW};
    for (int i = 0; i < 4; i++) {
        mp_portaudio_callback(input, output, PERIOD, NULL, flags[i], driver);
    }
    mp_portaudio_get_info(driver, &info);
    CHECK_EQUAL(info.cycles, 4);
    CHECK_EQUAL(info.xruns, 2);
    CHECK(!info.finished);
    mp_portaudio_finished(driver);
    mp_portaudio_get_info(driver, &info);
    CHECK(info.finished);
    mp_portaudio_free(driver);
}

static void what_cannot_be_is_refused(void) {
    const uint32_t impossible[][3] = {{0, 0, 0}, {5, 5, 5}, {2, 0, 0}, {2, 3, 2},
                                      {4, 2, 4}, {2, 2, 1}, {1, 2, 1}};
    for (size_t i = 0; i < sizeof impossible / sizeof *impossible; i++) {
        mp_status status = MP_OK;
        const uint32_t *n = impossible[i];
        mp_portaudio_settings settings = settings_of(n[0], n[1], n[2]);
        CHECK(mp_portaudio_new(&settings, &status) == NULL && status == MP_OUT_OF_RANGE);
    }
    mp_status status = MP_OK;
    mp_portaudio_settings settings = settings_of(2, 2, 2);
    settings.rate = 8000;
    CHECK(mp_portaudio_new(&settings, &status) == NULL && status == MP_OUT_OF_RANGE);
    mp_portaudio_free(NULL);
}

int main(void) {
    channels_stay_apart(1);
    channels_stay_apart(2);
    channels_stay_apart(4);
    a_microphone_goes_into_both_channels();
    without_an_input_it_is_silent();
    without_an_output_the_input_is_taken();
    blocks_may_have_any_length();
    what_happens_is_counted();
    what_cannot_be_is_refused();
    return 0;
}
