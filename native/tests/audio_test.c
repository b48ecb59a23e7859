/* What players hear of one another, on virtual time. One thread only. */
#define _GNU_SOURCE
#include "audio_pair.h"

enum { HEARD = 1 << 18 };

static float heard[2][HEARD];
static int64_t heard_count;

static void listen_all(pair *p, int64_t frame, const float *const *out, uint32_t frames) {
    for (uint32_t i = 0; i < frames; i++) {
        if (frame + i >= HEARD) return;
        heard[0][frame + i] = out[0][i];
        heard[1][frame + i] = p->to.channels > 1 ? out[1][i] : 0.0f;
    }
    heard_count = frame + frames;
}

/* Noise that is the same each time, another one in each channel. */
static float noise(int64_t frame, uint32_t channel) {
    uint64_t seed = (uint64_t)frame * 4 + channel;
    return (float)(random_unit(&seed) - 0.5) * 0.5f;
}

static float low_tone(int64_t frame, uint32_t channel) {
    return 0.5f * (float)sin(2.0 * M_PI * 220.0 * (double)frame / 48000.0 + channel);
}

static float constant(int64_t frame, uint32_t channel) {
    (void)frame;
    return channel == 0 ? 0.4f : 0.2f;
}

static pair *new_pair(device from, device to, float (*source)(int64_t, uint32_t)) {
    static pair p;
    memset(&p, 0, sizeof p);
    memset(heard, 0, sizeof heard);
    p.from = from, p.to = to, p.source = source, p.listen = listen_all;
    p.delay_ns = 2000000;
    return &p;
}

static const device STUDIO = {48000, 128, 0.0, 2};

/* How like channel `in` of what was sent channel `out` is, `lag` frames later: -1 to 1. */
static double correlation(uint32_t out, uint32_t in, int64_t from, int64_t lag) {
    double product = 0.0, sent = 0.0, got = 0.0;
    for (int64_t i = from; i < from + 8192; i++) {
        double x = noise(i - lag, in), y = heard[out][i];
        product += x * y, sent += x * x, got += y * y;
    }
    return product / sqrt(sent * got + 1e-30);
}

static int64_t best_lag(uint32_t channel, int64_t from) {
    int64_t best = 0;
    double most = 0.0;
    for (int64_t lag = 0; lag < 3000; lag++) {
        double found = correlation(channel, channel, from, lag);
        if (found > most) most = found, best = lag;
    }
    return best;
}

static void what_goes_in_comes_out_in_its_channel(void) {
    pair *p = new_pair(STUDIO, STUDIO, noise);
    pair_begin(p, 128, 0.0);
    pair_run(p, 2.0);
    int64_t lag = best_lag(0, 48000);
    CHECK(correlation(0, 0, 48000, lag) > 0.8);
    CHECK(correlation(1, 1, 48000, lag) > 0.8);
    CHECK(fabs(correlation(0, 1, 48000, lag)) < 0.1);
    /* Both devices hold a period: what is sent is one old, what is heard one later. */
    mp_player_stats stats = pair_stats(p);
    CHECK_WITHIN(lag * 1000000 / 48000, stats.latency_us - 128 * 1000000 / 48000, 200);
    CHECK(stats.latency_us < 12000);
    CHECK_WITHIN(stats.fill_frames, 128, 128);
    CHECK_EQUAL(stats.lost, 0);
    CHECK_EQUAL(stats.underruns, 0);
    pair_end(p);
}

/* The quickest packets wait as long as the target says, from the first on and after it changed. */
static void the_wait_follows_its_target(void) {
    pair *p = new_pair(STUDIO, STUDIO, low_tone);
    pair_begin(p, 120, 960.0);
    pair_run(p, 2.0);
    CHECK_WITHIN(pair_stats(p).wait_frames, 960, 10);
    CHECK(mp_audio_set_target(p->hearer, 0, MP_WAIT_TO_PLAY, 1100.0, 0.0) == MP_OK);
    pair_run(p, 15.0);
    CHECK_WITHIN(pair_stats(p).wait_frames, 1100, 10);
    CHECK_EQUAL(pair_stats(p).jumps, 0);
    CHECK(mp_audio_set_target(p->hearer, 0, MP_WAIT_TO_PLAY, 9600.0, 0.0) == MP_OK);
    pair_run(p, 3.0);
    CHECK_WITHIN(pair_stats(p).wait_frames, 9600, 120);
    CHECK(mp_audio_set_target(p->hearer, 0, MP_WAIT_TO_PLAY, 960.0, 0.0) == MP_OK);
    pair_run(p, 15.0);
    CHECK_WITHIN(pair_stats(p).wait_frames, 960, 20);
    CHECK_EQUAL(pair_stats(p).jumps, 2);
    CHECK_EQUAL(pair_stats(p).lost, 0);
    CHECK(!pair_stats(p).needs_decoder);
    pair_end(p);
}

/* What a codec thread that comes late leaves out is missing; who waits long does not notice. */
static void a_late_codec_thread_is_counted_and_a_long_wait_bears_it(void) {
    for (double target = 480.0; target < 10000.0; target *= 10.0) {
        pair *p = new_pair(STUDIO, STUDIO, low_tone);
        pair_begin(p, 128, target);
        CHECK(mp_audio_set_target(p->hearer, 0, MP_WAIT_TO_PLAY, target, target / 10.0) == MP_OK);
        pair_run(p, 2.0);
        CHECK_EQUAL(pair_stats(p).concealed_frames, 0);
        p->hearer_step_ns += 8000000;
        pair_run(p, 1.0);
        mp_player_stats stats = pair_stats(p);
        CHECK((stats.underruns > 0) == (target < 1000.0));
        CHECK_WITHIN(stats.concealed_frames, target < 1000.0 ? 384 : 0, 192);
        CHECK(target < 1000.0 || stats.concealed_frames == 0);
        pair_end(p);
    }
}

/* Packets that are not as long as their sender said are not given to libroc. */
static void packets_of_another_length_are_dropped_and_counted(void) {
    pair *p = new_pair(STUDIO, STUDIO, noise);
    p->encoder.source_packets = p->encoder.repair_packets = 4;
    pair_begin(p, 128, 960.0);
    pair_run(p, 0.5);
    CHECK_EQUAL(pair_stats(p).overflow, 0);
    uint32_t pushed = p->decoder.pushed;
    p->cut_bytes = 4;
    pair_run(p, 0.5);
    CHECK(pair_stats(p).overflow > 100);
    CHECK(p->decoder.pushed <= pushed + 2);
    pair_end(p);
}

/* Long blocks: what repairs a block is in the decoder before its first packet is due. */
static void repair_packets_that_wait_are_there_in_time(void) {
    enum { FRAMES = 256, PACKETS = 60 };
    pair *p = new_pair(STUDIO, STUDIO, noise);
    p->encoder.source_packets = p->encoder.repair_packets = PACKETS;
    pair_begin(p, FRAMES, 0.0);
    CHECK(mp_audio_keep(p->hearer, 0, 1 << 17) == MP_OK);
    CHECK(mp_audio_set_target(p->hearer, 0, MP_WAIT_FOR_BARS, 33400.0, 1920.0) == MP_OK);
    CHECK(mp_audio_set_repairs(p->sender, 1) == MP_OK);
    pair_run(p, 2.0);
    for (int i = 0; i < 30; i++) {
        pair_run(p, 0.1);
        uint32_t begun = (p->decoder.next + FRAMES * PACKETS - 1) / (FRAMES * PACKETS);
        CHECK(p->decoder.repair_pushed >= begun * PACKETS);
    }
    CHECK(!pair_stats(p).needs_decoder);
    CHECK_EQUAL(pair_stats(p).lost, 0);
    pair_end(p);
}

/* The greatest step from one sample to the next in what was heard. */
static float greatest_step(int64_t from, int64_t to) {
    float most = 0.0f;
    for (int64_t i = from + 1; i < to; i++) {
        float step = fabsf(heard[0][i] - heard[0][i - 1]);
        if (step > most) most = step;
    }
    return most;
}

static const float STEP_OF_TONE = 0.5f * 2.0f * 3.1416f * 220.0f / 48000.0f;

/* The codec thread was too late for some periods: what was to be heard then is not heard later. */
static void what_the_callback_lacked_does_not_make_the_rest_late(void) {
    pair *p = new_pair(STUDIO, STUDIO, noise);
    pair_begin(p, 128, 0.0);
    pair_run(p, 3.0);
    mp_player_stats before = pair_stats(p);
    p->hearer_step_ns = p->now_ns + 9000000;
    pair_run(p, 1.0);
    mp_player_stats after = pair_stats(p);
    CHECK_WITHIN(after.underruns - before.underruns, 3, 1);
    CHECK_WITHIN(after.latency_us, before.latency_us, 100);
    CHECK_WITHIN(after.concealed_frames - before.concealed_frames, 128 * 3, 128);
    CHECK_EQUAL(after.jumps, before.jumps);
    pair_end(p);
}

/* A device that stood still (an xrun) makes all later by that, until it is cut. */
static void the_latency_is_soon_what_it_was_behind_an_xrun(void) {
    pair *p = new_pair(STUDIO, STUDIO, low_tone);
    pair_begin(p, 128, 480.0);
    pair_run(p, 3.0);
    mp_player_stats before = pair_stats(p);
    p->to_late_ns = 5300000;
    mp_audio_xrun(p->hearer);
    pair_run(p, 0.2);
    mp_player_stats after = pair_stats(p);
    CHECK_WITHIN(after.latency_us, before.latency_us, 300);
    CHECK(after.jumps > before.jumps && after.jumps <= before.jumps + 2);
    pair_run(p, 1.0);
    CHECK_EQUAL(pair_stats(p).lost, before.lost);
    CHECK_EQUAL(pair_stats(p).jumps, after.jumps);
    CHECK(greatest_step((int64_t)(3.1 * 48000), (int64_t)(4.1 * 48000)) < 1.5f * STEP_OF_TONE);
    pair_end(p);
}

/* The sender's device stood still: from now on all packets come too late, until one waits longer. */
static void a_sender_that_stood_still_is_soon_heard_again(void) {
    pair *p = new_pair(STUDIO, STUDIO, noise);
    pair_begin(p, 128, 0.0);
    pair_run(p, 3.0);
    mp_player_stats before = pair_stats(p);
    p->delay_ns += 8000000;
    pair_run(p, 0.3);
    CHECK_WITHIN(pair_stats(p).late - before.late, 20, 15);
    CHECK_WITHIN(pair_stats(p).wait_frames, pair_stats(p).floor_frames, 24);
    pair_end(p);
}

static void loss_is_faded_and_counted(void) {
    pair *p = new_pair(STUDIO, STUDIO, low_tone);
    pair_begin(p, 120, 720.0);
    pair_run(p, 0.5);
    p->loss = 0.1;
    pair_run(p, 2.5);
    mp_player_stats stats = pair_stats(p);
    CHECK(p->lost > 50);
    CHECK_WITHIN(stats.lost, p->lost, 6);
    CHECK_EQUAL(stats.concealed_frames, stats.lost * 120);
    CHECK_EQUAL(stats.repaired, 0);
    CHECK(greatest_step(24000, 140000) < 3.0f * STEP_OF_TONE);
    pair_end(p);
}

static void an_outage_ends_in_silence_and_comes_back(void) {
    pair *p = new_pair(STUDIO, STUDIO, low_tone);
    pair_begin(p, 120, 720.0);
    pair_run(p, 1.0);
    p->loss = 1.0;
    pair_run(p, 0.15);
    int64_t at = heard_count;
    for (int64_t i = at - 1000; i < at; i++) CHECK(heard[0][i] == 0.0f);
    p->loss = 0.0;
    pair_run(p, 0.5);
    CHECK(greatest_step(24000, heard_count) < 3.0f * STEP_OF_TONE);
    float most = 0.0f;
    for (int64_t i = heard_count - 1000; i < heard_count; i++) most = fmaxf(most, heard[0][i]);
    CHECK(most > 0.49f);
    CHECK(!pair_stats(p).needs_decoder);
    /* After a second libroc would take nothing any more. */
    p->loss = 1.0;
    pair_run(p, 2.0);
    CHECK(pair_stats(p).needs_decoder);
    CHECK(!pair_stats(p).playing);
    p->loss = 0.0;
    memset(&p->decoder.held, 0, sizeof p->decoder.held);
    p->decoder.started = false;
    CHECK(mp_audio_set_decoder(p->hearer, 0, &p->decoder) == MP_OK);
    pair_run(p, 0.5);
    CHECK(pair_stats(p).playing);
    CHECK(mp_audio_decoder_in_use(p->hearer, 0) == &p->decoder);
    pair_end(p);
}

static void late_packets_are_counted_and_the_wait_recovers(void) {
    pair *p = new_pair(STUDIO, STUDIO, low_tone);
    pair_begin(p, 120, 600.0);
    pair_run(p, 1.0);
    p->delay_ns += 40000000;
    pair_run(p, 1.5);
    uint64_t late = pair_stats(p).late;
    CHECK(late > 0);
    pair_run(p, 5.0);
    CHECK_EQUAL(pair_stats(p).late, late);
    CHECK_WITHIN(pair_stats(p).wait_frames, 600, 130);
    pair_end(p);
}

/* Another path, by the relay say: the sound stops for as long as it takes more, and a few packets. */
static void a_path_that_takes_longer_is_waited_for_at_once(void) {
    pair *p = new_pair(STUDIO, STUDIO, low_tone);
    pair_begin(p, 120, 600.0);
    pair_run(p, 3.0);
    uint64_t jumps = pair_stats(p).jumps;
    p->delay_ns += 25000000;
    pair_run(p, 1.0);
    CHECK_EQUAL(pair_stats(p).jumps, jumps + 1);
    CHECK(pair_stats(p).late > 0);
    CHECK(pair_stats(p).late < 20); /* 2.5 ms each */
    pair_end(p);
}

/* The same by so little that the wait is hardly off: all of it is too late nevertheless. */
static void a_path_that_takes_a_little_longer_is_not_silent_for_seconds(void) {
    for (int64_t more_us = 1000; more_us < 6000; more_us += 1000) {
        pair *p = new_pair(STUDIO, STUDIO, low_tone);
        pair_begin(p, 128, 0.0);
        pair_run(p, 3.0);
        uint64_t late = pair_stats(p).late;
        p->delay_ns += more_us * 1000;
        pair_run(p, 3.0);
        CHECK(pair_stats(p).late - late < 20);
        pair_end(p);
    }
}

/* A line that stood still is no other path: what comes then comes all at once. */
static void what_comes_late_at_once_changes_no_wait(void) {
    pair *p = new_pair(STUDIO, STUDIO, low_tone);
    pair_begin(p, 120, 600.0);
    pair_run(p, 3.0);
    uint64_t jumps = pair_stats(p).jumps;
    p->delay_ns += 60000000;
    pair_run(p, 0.05);
    for (uint32_t i = p->first; i != p->last; i++) {
        p->flying[i % PAIR_FLIGHT].arrives_ns = p->now_ns;
        p->flying[i % PAIR_FLIGHT].packet.received_ns = p->now_ns;
    }
    p->delay_ns -= 60000000;
    pair_run(p, 1.0);
    CHECK(pair_stats(p).late > 5);
    CHECK_EQUAL(pair_stats(p).jumps, jumps);
    pair_end(p);
}

static void jitter_is_measured(void) {
    pair *p = new_pair(STUDIO, STUDIO, low_tone);
    p->jitter_ns = 8000000;
    pair_begin(p, 128, 1500.0);
    pair_run(p, 10.0);
    mp_player_stats stats = pair_stats(p);
    CHECK_EQUAL(stats.concealed_frames, 0);
    CHECK_WITHIN(stats.jitter_p95_us, 7600, 700);
    CHECK_WITHIN(stats.jitter_us, 2667, 1500);
    pair_end(p);
}

static void too_much_is_dropped_and_counted(void) {
    pair *p = new_pair(STUDIO, STUDIO, low_tone);
    pair_begin(p, 120, 600.0);
    pair_run(p, 0.5);
    uint64_t refused = 0;
    mp_media_packet packet = {.kind = MP_MEDIA_SOURCE, .size = 500, .received_ns = p->now_ns};
    for (int i = 0; i < 5000; i++) {
        if (mp_audio_receive(p->hearer, 0, &packet) == MP_FULL) refused++;
    }
    CHECK(refused >= 5000 - 1024);
    packet.kind = MP_MEDIA_CONTROL; /* as a member may send it: libroc never sees it */
    for (int i = 0; i < 10; i++) mp_audio_receive(p->hearer, 0, &packet);
    packet.size = UINT16_MAX;
    packet.kind = 99;
    pair_run(p, 0.5);
    for (int i = 0; i < 10; i++) mp_audio_receive(p->hearer, 0, &packet);
    pair_run(p, 0.5);
    CHECK_WITHIN(pair_stats(p).overflow, 5020, 64);
    CHECK(pair_stats(p).playing);
    CHECK(p->decoder.most_held < FAKE_HELD);
    pair_end(p);
}

static void repair_packets_are_spread_over_the_next_block(void) {
    pair *p = new_pair(STUDIO, STUDIO, low_tone);
    p->encoder.source_packets = 8;
    p->encoder.repair_packets = 4;
    pair_begin(p, 120, 960.0);
    pair_run(p, 1.0);
    CHECK_EQUAL(p->sent[MP_MEDIA_REPAIR], 0); /* as long as nobody wants any */
    CHECK(mp_audio_set_repairs(p->sender, 1) == MP_OK);
    p->sent[MP_MEDIA_SOURCE] = 0;
    pair_run(p, 1.0);
    CHECK_WITHIN(p->sent[MP_MEDIA_REPAIR] * 2, p->sent[MP_MEDIA_SOURCE], 12);
    for (uint64_t i = 17; i < 60; i++) {
        CHECK_WITHIN(p->repair_at_ns[i] - p->repair_at_ns[i - 1], 5000000, 3000000);
    }
    CHECK(p->decoder.repair_pushed > 150);
    CHECK_EQUAL(pair_stats(p).lost, 0);
    pair_end(p);
}

/* Somebody else hears the stream already: no block begins for who comes now. */
static void who_comes_in_the_middle_of_a_block_hears_what_is_left_of_it(void) {
    enum { FRAMES = 256, PACKETS = 60 };
    pair *p = new_pair(STUDIO, STUDIO, constant);
    p->encoder.source_packets = p->encoder.repair_packets = PACKETS;
    pair_begin(p, FRAMES, 600.0);
    CHECK(mp_audio_remove_player(p->hearer, 0) == MP_OK);
    pair_run(p, 2.0);
    while (p->encoder.sent % PACKETS != 2) pair_run(p, 0.004);
    CHECK_EQUAL(mp_audio_collect(p->hearer), 0);
    mp_player_settings player = player_of(p, 600.0);
    CHECK(mp_audio_add_player(p->hearer, 0, &player) == MP_OK);
    pair_run(p, 0.1);
    CHECK(p->encoder.sent % PACKETS < 30);
    CHECK(fabsf(heard[0][heard_count - 1] - 0.4f) < 0.002f);
    CHECK_EQUAL(pair_stats(p).lost, 0);
    pair_end(p);
}

/* ---- the mixer ---- */

static float level_of(uint32_t channel) { return heard[channel][heard_count - 1]; }

static void expect_levels(pair *p, double left, double right) {
    pair_run(p, 0.2);
    CHECK(fabs(level_of(0) - left) < 0.002);
    CHECK(fabs(level_of(1) - right) < 0.002);
}

static void gain_pan_mute_and_solo(void) {
    pair *p = new_pair(STUDIO, STUDIO, constant);
    pair_begin(p, 120, 600.0);
    pair_run(p, 0.3);
    mp_audio *a = p->hearer;
    expect_levels(p, 0.4, 0.2);
    CHECK(mp_audio_set_player_mix(a, 0, 0.5f, 0.0f, 0, 0) == MP_OK);
    expect_levels(p, 0.2, 0.1);
    CHECK(mp_audio_set_player_mix(a, 0, 1.0f, -1.0f, 0, 0) == MP_OK);
    expect_levels(p, 0.4, 0.0);
    CHECK(mp_audio_set_player_mix(a, 0, 1.0f, 0.0f, 1, 0) == MP_OK);
    expect_levels(p, 0.0, 0.0);
    CHECK(mp_audio_set_player_mix(a, 0, 1.0f, 0.0f, 0, 0) == MP_OK);
    static fake_decoder other = {.channels = 2, .frames = 120};
    mp_player_settings settings = player_of(p, 600.0);
    settings.decoder = &other;
    CHECK(mp_audio_add_player(a, 1, &settings) == MP_OK);
    CHECK(mp_audio_set_player_mix(a, 1, 1.0f, 0.0f, 0, 1) == MP_OK);
    expect_levels(p, 0.0, 0.0);
    CHECK(mp_audio_set_player_mix(a, 0, 1.0f, 0.0f, 0, 1) == MP_OK);
    expect_levels(p, 0.4, 0.2);
    CHECK(mp_audio_set_master(a, 0.5f) == MP_OK);
    expect_levels(p, 0.2, 0.1);
    CHECK(greatest_step(15000, heard_count) < 0.01f);
    CHECK(mp_audio_set_master(a, 8.0f) == MP_OK);
    CHECK(mp_audio_set_player_mix(a, 0, 8.0f, 0.0f, 0, 1) == MP_OK);
    pair_run(p, 0.3);
    CHECK(level_of(0) > 0.95f && level_of(0) < 1.0f);
    CHECK(mp_audio_set_player_mix(a, 0, 9.0f, 0.0f, 0, 0) == MP_OUT_OF_RANGE);
    CHECK(mp_audio_set_player_mix(a, 0, 1.0f, NAN, 0, 0) == MP_OUT_OF_RANGE);
    CHECK(mp_audio_set_player_mix(a, 5, 1.0f, 0.0f, 0, 0) == MP_OUT_OF_RANGE);
    pair_end(p);
}

static mp_status link_player(mp_audio *a, uint32_t slot, float gain, uint32_t channels) {
    mp_link_settings settings = {.gain = gain, .channels = channels};
    return mp_audio_set_player_link(a, slot, &settings);
}

static void a_link_has_a_gain_and_channels(void) {
    pair *p = new_pair(STUDIO, STUDIO, constant);
    pair_begin(p, 120, 600.0);
    pair_run(p, 0.3);
    mp_audio *a = p->hearer;
    expect_levels(p, 0.4, 0.2);
    CHECK(link_player(a, 0, 0.5f, ~0u) == MP_OK);
    expect_levels(p, 0.2, 0.1);
    CHECK(mp_audio_set_player_mix(a, 0, 0.5f, 0.0f, 0, 0) == MP_OK); /* beside the strip's */
    expect_levels(p, 0.1, 0.05);
    CHECK(link_player(a, 0, 1.0f, 2) == MP_OK);
    expect_levels(p, 0.0, 0.1);
    CHECK(link_player(a, 0, 1.0f, ~0u) == MP_OK);
    CHECK(mp_audio_set_player_mix(a, 0, 1.0f, 0.0f, 0, 0) == MP_OK);
    expect_levels(p, 0.4, 0.2);
    CHECK(greatest_step(15000, heard_count) < 0.01f);
    CHECK(link_player(a, 0, 8.1f, ~0u) == MP_OUT_OF_RANGE);
    CHECK(link_player(a, 5, 1.0f, ~0u) == MP_OUT_OF_RANGE);
    pair_end(p);
}

/* What is steady is the lowest of all frequencies. */
static void a_link_has_a_filter(void) {
    pair *p = new_pair(STUDIO, STUDIO, constant);
    pair_begin(p, 120, 600.0);
    pair_run(p, 0.3);
    mp_link_settings settings = {1.0f, ~0u, 80.0f, 0.0f};
    CHECK(mp_audio_set_player_link(p->hearer, 0, &settings) == MP_OK);
    expect_levels(p, 0.0, 0.0);
    settings = (mp_link_settings){1.0f, ~0u, 0.0f, 8000.0f};
    CHECK(mp_audio_set_player_link(p->hearer, 0, &settings) == MP_OK);
    expect_levels(p, 0.4, 0.2);
    settings.low_pass_hz = 10.0f;
    CHECK(mp_audio_set_player_link(p->hearer, 0, &settings) == MP_OUT_OF_RANGE);
    pair_end(p);
}

/* A recording gets what its own link lets through, also of who is not heard. */
static void a_player_is_recorded_as_its_tape_says(void) {
    pair *p = new_pair(STUDIO, STUDIO, constant);
    pair_begin(p, 120, 600.0);
    mp_clock_map map = {0, 0, 0.0, 0, 0.0};
    CHECK(mp_audio_set_map(p->hearer, &map) == MP_OK);
    mp_tap *tap = mp_tap_new(2, 48000, 1 << 15);
    CHECK(mp_audio_set_tap(p->hearer, 0, tap) == MP_OK);
    CHECK(link_player(p->hearer, 0, 0.0f, ~0u) == MP_OK);
    mp_link_settings left = {0.5f, 1, 0.0f, 0.0f};
    CHECK(mp_audio_set_player_tape(p->hearer, 0, &left) == MP_OK);
    pair_run(p, 0.3);
    expect_levels(p, 0.0, 0.0);
    static float taped[2 * 32768];
    uint32_t got, all = 0;
    while ((got = mp_tap_read(tap, &map, 1000000000, taped + 2 * all, 16384 - all)) > 0) all += got;
    CHECK(all > 9600);
    CHECK(fabsf(taped[2 * (all - 1)] - 0.2f) < 0.001f && taped[2 * all - 1] == 0.0f);
    CHECK(mp_audio_set_tap(p->hearer, 0, NULL) == MP_OK);
    mp_tap_free(tap);
    pair_end(p);
}

static void meters_show_peak_and_rms(void) {
    pair *p = new_pair(STUDIO, STUDIO, low_tone);
    mp_level levels[MP_MAX_CHANNELS];
    pair_begin(p, 120, 600.0);
    pair_run(p, 1.0);
    mp_audio_player_levels(p->hearer, 0, levels);
    mp_audio_mix_levels(p->hearer, levels);
    mp_audio_input_levels(p->sender, levels);
    pair_run(p, 1.0);
    void (*const take[])(mp_audio *, mp_level *) = {mp_audio_mix_levels, mp_audio_input_levels};
    for (int i = 0; i < 3; i++) {
        if (i < 2) take[i](i == 0 ? p->hearer : p->sender, levels);
        if (i == 2) CHECK(mp_audio_player_levels(p->hearer, 0, levels) == MP_OK);
        for (int c = 0; c < 2; c++) {
            CHECK(fabsf(levels[c].peak - 0.5f) < 0.01f);
            CHECK(fabsf(levels[c].rms - 0.3536f) < 0.01f);
        }
    }
    pair_end(p);
}

/* One's own input is heard only when asked for, and what is no number never. */
static void own_monitoring_is_off_until_asked_for(void) {
    mp_status status;
    mp_audio_settings settings = {48000, 64, 1, 2, 500};
    mp_audio *a = mp_audio_new(&settings, &status);
    float in[64], left[64], right[64], *out[] = {left, right};
    const float *ins[] = {in};
    for (int i = 0; i < 64; i++) in[i] = 0.25f;
    in[10] = NAN, in[11] = INFINITY;
    for (int i = 0; i < 100; i++) mp_audio_process(a, ins, out, NULL, 64, i * 1333333);
    for (int i = 0; i < 64; i++) CHECK(left[i] == 0.0f && right[i] == 0.0f);
    CHECK(mp_audio_set_monitor(a, 1.0f) == MP_OK);
    for (int i = 100; i < 200; i++) mp_audio_process(a, ins, out, NULL, 64, i * 1333333);
    CHECK(fabsf(left[63] - 0.25f) < 0.001f && fabsf(right[63] - 0.25f) < 0.001f);
    CHECK(left[10] == 0.0f && left[11] <= 1.0f);
    mp_audio_free(a);
}

/* Who mutes itself for the others still hears itself, and is not heard. */
static void own_input_is_muted_for_the_others_alone(void) {
    pair *p = new_pair((device){48000, 128, 0.0, 1}, STUDIO, constant);
    pair_begin(p, 120, 600.0);
    pair_run(p, 0.5);
    double before = level_of(0);
    CHECK(before > 0.1);
    CHECK(mp_audio_set_send(p->sender, 0.5f) == MP_OK);
    pair_run(p, 0.5);
    CHECK(fabs(level_of(0) - before / 2) < 0.002);
    CHECK(mp_audio_set_send(p->sender, 0.0f) == MP_OK);
    pair_run(p, 0.5);
    CHECK(level_of(0) < 1e-4);
    mp_level levels[MP_MAX_CHANNELS];
    mp_audio_input_levels(p->sender, levels);
    pair_run(p, 0.1);
    mp_audio_input_levels(p->sender, levels);
    CHECK(levels[0].peak > 0.1f);
    CHECK(mp_audio_set_send(p->sender, 9.0f) == MP_OUT_OF_RANGE);
    pair_end(p);
}

static void each_own_channel_is_sent_as_it_is_set(void) {
    pair *p = new_pair(STUDIO, STUDIO, constant);
    pair_begin(p, 120, 600.0);
    mp_audio *a = p->sender;
    expect_levels(p, 0.4, 0.2);
    CHECK(mp_audio_set_own(a, 0, 0.5f, 0.0f, 0, 0) == MP_OK);
    expect_levels(p, 0.2, 0.2); /* no pan for the room */
    CHECK(mp_audio_set_send(a, 0.5f) == MP_OK);
    expect_levels(p, 0.1, 0.1);
    CHECK(mp_audio_set_own(a, 1, 1.0f, 1.0f, 1, 1) == MP_OK);
    expect_levels(p, 0.1, 0.0); /* nor solo */
    CHECK(mp_audio_set_own(a, 2, 1.0f, 0.0f, 0, 0) == MP_OUT_OF_RANGE);
    CHECK(mp_audio_set_own(a, 1, 9.0f, 0.0f, 0, 0) == MP_OUT_OF_RANGE);
    CHECK(mp_audio_set_own(a, 1, 1.0f, NAN, 0, 0) == MP_OUT_OF_RANGE);
    pair_end(p);
}

typedef struct {
    mp_audio *audio;
    int64_t cycles;
} studio;

/* What one's own mix is, after a while, when 0.4 and 0.2 come in. */
static void expect_monitor(studio *s, double left, double right) {
    float in[2][64], out[2][64], *const outs[] = {out[0], out[1]};
    const float *const ins[] = {in[0], in[1]};
    for (int i = 0; i < 64; i++) in[0][i] = 0.4f, in[1][i] = 0.2f;
    for (int i = 0; i < 100; i++) {
        mp_audio_process(s->audio, ins, outs, NULL, 64, s->cycles++ * 1333333);
    }
    CHECK(fabs(out[0][63] - left) < 0.002 && fabs(out[1][63] - right) < 0.002);
}

static void each_own_channel_has_its_place_in_the_own_mix(void) {
    mp_status status;
    mp_audio_settings settings = {48000, 64, 2, 2, 500};
    studio s = {mp_audio_new(&settings, &status), 0};
    CHECK(mp_audio_set_monitor(s.audio, 1.0f) == MP_OK);
    expect_monitor(&s, 0.4, 0.2);
    CHECK(mp_audio_set_own(s.audio, 0, 0.5f, 1.0f, 0, 0) == MP_OK);
    expect_monitor(&s, 0.0, 0.4);
    CHECK(mp_audio_set_own(s.audio, 0, 0.5f, 0.0f, 1, 0) == MP_OK); /* muted for the room alone */
    expect_monitor(&s, 0.2, 0.4);
    CHECK(mp_audio_set_own(s.audio, 1, 1.0f, 1.0f, 0, 1) == MP_OK);
    expect_monitor(&s, 0.0, 0.2);
    CHECK(mp_audio_set_monitor(s.audio, 0.0f) == MP_OK);
    expect_monitor(&s, 0.0, 0.0);
    mp_audio_free(s.audio);
}

/* A soloed channel that is not monitored must not make the players fall silent. */
static void own_solo_silences_players_while_it_is_monitored(void) {
    pair *p = new_pair(STUDIO, STUDIO, constant);
    pair_begin(p, 120, 600.0);
    mp_audio_free(p->hearer);
    mp_status status;
    mp_audio_settings settings = {48000, p->to.period, 2, 2, 700};
    mp_player_settings player = player_of(p, 600.0);
    p->hearer = mp_audio_new(&settings, &status);
    CHECK(mp_audio_add_player(p->hearer, 0, &player) == MP_OK);
    CHECK(mp_audio_set_own(p->hearer, 0, 1.0f, -1.0f, 0, 1) == MP_OK);
    expect_levels(p, 0.4, 0.2);
    CHECK(mp_audio_set_monitor(p->hearer, 1.0f) == MP_OK);
    expect_levels(p, 0.0, 0.0);
    pair_end(p);
}

static void mono_goes_to_the_middle_and_own_outputs_get_each_player(void) {
    pair *p = new_pair((device){48000, 128, 0.0, 1}, STUDIO, constant);
    pair_begin(p, 120, 600.0);
    pair_run(p, 0.5);
    CHECK(fabs(level_of(0) - 0.4 * M_SQRT1_2) < 0.002);
    CHECK(fabs(level_of(1) - 0.4 * M_SQRT1_2) < 0.002);
    static float mix[2][128], own[2][128];
    float *out[] = {mix[0], mix[1]}, *from[MP_MAX_PLAYERS * 2] = {own[0], own[1]};
    own[1][5] = 9.0f;
    mp_audio_step(p->hearer, cycle_ns(&p->to, p->to_cycles));
    mp_audio_process(p->hearer, NULL, out, from, 128, cycle_ns(&p->to, p->to_cycles));
    CHECK(fabsf(own[0][0] - 0.4f) < 0.002f && fabsf(own[1][0] - 0.4f) < 0.002f);
    CHECK(own[1][5] <= 1.0f);
    pair_end(p);
}

/* ---- settings ---- */

static void what_cannot_be_is_refused(void) {
    mp_status status;
    const mp_audio_settings bad[] = {{8000, 128, 2, 2, 0}, {48000, 4, 2, 2, 0},
                                     {48000, 128, 5, 2, 0}, {48000, 128, 2, 0, 0}};
    for (int i = 0; i < 4; i++) {
        CHECK(mp_audio_new(&bad[i], &status) == NULL);
        CHECK_EQUAL(status, MP_OUT_OF_RANGE);
    }
    pair *p = new_pair(STUDIO, STUDIO, constant);
    pair_begin(p, 120, 600.0);
    mp_player_settings player = player_of(p, 600.0);
    CHECK(mp_audio_add_player(p->hearer, 0, &player) == MP_OUT_OF_RANGE);
    CHECK(mp_audio_add_player(p->hearer, MP_MAX_PLAYERS, &player) == MP_OUT_OF_RANGE);
    player.queue_packets = 100;
    CHECK(mp_audio_add_player(p->hearer, 1, &player) == MP_OUT_OF_RANGE);
    CHECK(mp_audio_set_target(p->hearer, 0, MP_WAIT_TO_PLAY, NAN, 0.0) == MP_OUT_OF_RANGE);
    mp_player_settings huge = player_of(p, 1e12);
    CHECK(mp_audio_add_player(p->hearer, 1, &huge) == MP_OUT_OF_RANGE);
    pair_end(p);
}

static void a_removed_player_is_freed_once_both_threads_let_go(void) {
    pair *p = new_pair(STUDIO, STUDIO, constant);
    pair_begin(p, 120, 600.0);
    mp_audio *a = p->hearer;
    pair_run(p, 0.3);
    CHECK(mp_audio_remove_player(a, 0) == MP_OK);
    CHECK_EQUAL(mp_audio_collect(a), 1);
    CHECK(mp_audio_remove_player(a, 0) == MP_OUT_OF_RANGE);
    mp_audio_step(a, p->now_ns);
    CHECK_EQUAL(mp_audio_collect(a), 1);
    CHECK(mp_audio_has_player(a, 0));
    pair_run(p, 0.1);
    CHECK_EQUAL(mp_audio_collect(a), 0);
    CHECK(!mp_audio_has_player(a, 0));
    CHECK(level_of(0) == 0.0f);
    mp_player_settings player = player_of(p, 600.0);
    CHECK(mp_audio_add_player(a, 0, &player) == MP_OK);
    pair_run(p, 0.3);
    CHECK(fabsf(level_of(0) - 0.4f) < 0.002f);
    pair_end(p);
}

/* Every rate and period with others. */
static void rates_and_periods_mix(void) {
    const uint32_t rates[] = {44100, 48000, 88200, 96000}, periods[] = {32, 128, 512, 1024};
    for (int i = 0; i < 16; i++) {
        device from = {rates[i % 4], periods[i / 4], 20.0, 2};
        device to = {rates[(i + 1 + i / 4) % 4], periods[(i * 5 + 2) % 4], -20.0, 2};
        pair *p = new_pair(from, to, constant);
        pair_begin(p, 120, 3600.0);
        pair_run(p, 1.2);
        CHECK(fabsf(level_of(0) - 0.4f) < 0.002f);
        CHECK(fabsf(level_of(1) - 0.2f) < 0.002f);
        mp_player_stats before = pair_stats(p);
        pair_run(p, 1.0);
        mp_player_stats after = pair_stats(p);
        CHECK_EQUAL(after.concealed_frames, before.concealed_frames);
        CHECK_EQUAL(after.underruns, 0);
        CHECK_EQUAL(after.late, 0);
        CHECK_EQUAL(after.jumps, before.jumps); /* the first window may cut once */
        pair_end(p);
    }
}

int main(void) {
    what_goes_in_comes_out_in_its_channel();
    the_wait_follows_its_target();
    a_late_codec_thread_is_counted_and_a_long_wait_bears_it();
    packets_of_another_length_are_dropped_and_counted();
    repair_packets_that_wait_are_there_in_time();
    what_the_callback_lacked_does_not_make_the_rest_late();
    the_latency_is_soon_what_it_was_behind_an_xrun();
    a_sender_that_stood_still_is_soon_heard_again();
    loss_is_faded_and_counted();
    an_outage_ends_in_silence_and_comes_back();
    late_packets_are_counted_and_the_wait_recovers();
    a_path_that_takes_longer_is_waited_for_at_once();
    a_path_that_takes_a_little_longer_is_not_silent_for_seconds();
    what_comes_late_at_once_changes_no_wait();
    jitter_is_measured();
    too_much_is_dropped_and_counted();
    repair_packets_are_spread_over_the_next_block();
    who_comes_in_the_middle_of_a_block_hears_what_is_left_of_it();
    gain_pan_mute_and_solo();
    a_link_has_a_gain_and_channels();
    a_link_has_a_filter();
    a_player_is_recorded_as_its_tape_says();
    meters_show_peak_and_rms();
    own_monitoring_is_off_until_asked_for();
    own_input_is_muted_for_the_others_alone();
    each_own_channel_is_sent_as_it_is_set();
    each_own_channel_has_its_place_in_the_own_mix();
    own_solo_silences_players_while_it_is_monitored();
    mono_goes_to_the_middle_and_own_outputs_get_each_player();
    what_cannot_be_is_refused();
    a_removed_player_is_freed_once_both_threads_let_go();
    rates_and_periods_mix();
    return 0;
}
