/* A sender packs otherwise from one moment on, for a listener with another profile: nobody hears a
 * hole. One thread only. */
#define _GNU_SOURCE
#include "audio_pair.h"

static float lowest, highest;
static int64_t quiet;

static float constant(int64_t frame, uint32_t channel) {
    (void)frame, (void)channel;
    return 0.4f;
}

static void listen(pair *p, int64_t frame, const float *const *out, uint32_t frames) {
    (void)p, (void)frame;
    for (uint32_t i = 0; i < frames; i++) {
        lowest = fminf(lowest, out[0][i]), highest = fmaxf(highest, out[0][i]);
        if (out[0][i] < 0.2f) quiet++;
    }
}

static void what_is_packed_otherwise_goes_on(device from, device to, uint32_t before,
                                             uint32_t after, int64_t jitter_ns, bool bars,
                                             uint32_t wire_channels) {
    static pair p;
    static fake_decoder spare;
    static fake_encoder second;
    memset(&p, 0, sizeof p);
    memset(&spare, 0, sizeof spare);
    p.from = from, p.to = to, p.source = constant, p.listen = listen;
    p.delay_ns = 10000000, p.jitter_ns = jitter_ns;
    p.encoder.source_packets = 4, p.encoder.repair_packets = 4;
    pair_begin(&p, before, 1200.0);
    CHECK(mp_audio_keep(p.hearer, 0, 1 << 17) == MP_OK);
    mp_wait wait = bars ? MP_WAIT_FOR_BARS : MP_WAIT_TO_PLAY;
    CHECK(mp_audio_set_target(p.hearer, 0, wait, 1200.0, 0.0) == MP_OK);
    spare.channels = from.channels, spare.frames = after;
    CHECK(mp_audio_set_decoder(p.hearer, 0, &spare) == MP_OK);
    pair_run(&p, 3.0071);
    CHECK(mp_audio_decoder_in_use(p.hearer, 0) == &p.decoder);
    lowest = highest = 0.4f;
    quiet = 0;
    second = (fake_encoder){.channels = from.channels, .frames = after, .source_packets = 6,
                            .repair_packets = 3, .timestamp = 4000000000u, .ssrc = 99,
                            .wire_channels = wire_channels};
    mp_audio_encoder with = {fake_roc, &second, after, 6, 3, pair_send, &p};
    CHECK(mp_audio_set_encoder(p.sender, &with) == MP_OK);
    pair_run(&p, 3.0);
    mp_player_stats stats = pair_stats(&p);
    printf("%u -> %u frames, %u -> %u channels, jitter %d us, %s: %.2f to %.2f, %d frames quiet\n",
           before, after, from.channels, wire_channels > 0 ? wire_channels : from.channels,
           (int)(jitter_ns / 1000), bars ? "bars" : "played", lowest, highest, (int)quiet);
    fflush(stdout);
    CHECK(mp_audio_decoder_in_use(p.hearer, 0) == &spare);
    CHECK(!stats.needs_decoder && stats.playing);
    CHECK_EQUAL(stats.lost, 0);
    CHECK_EQUAL(stats.concealed_frames, 0);
    CHECK_EQUAL(stats.underruns, 0);
    CHECK_EQUAL(quiet, 0);
    CHECK(lowest > 0.3f && highest < 0.45f);
    pair_end(&p);
}

int main(void) {
    const device studio = {48000, 128, 0.0, 1}, other = {44100, 256, 100.0, 1};
    what_is_packed_otherwise_goes_on(studio, studio, 128, 256, 0, false, 0);
    what_is_packed_otherwise_goes_on(studio, studio, 256, 128, 3000000, false, 0);
    what_is_packed_otherwise_goes_on(other, studio, 256, 64, 0, false, 0);
    what_is_packed_otherwise_goes_on(studio, other, 128, 240, 3000000, true, 0);
    const device stereo = {48000, 128, 0.0, 2};
    what_is_packed_otherwise_goes_on(stereo, stereo, 128, 128, 0, false, 1);
    what_is_packed_otherwise_goes_on(stereo, stereo, 128, 64, 3000000, true, 1);
    return 0;
}
