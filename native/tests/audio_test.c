/* What players hear of one another, on virtual time. One thread only. */
#define _GNU_SOURCE
#include "audio_heard.h"

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
    packets_of_another_length_are_dropped_and_counted();
    repair_packets_that_wait_are_there_in_time();
    loss_is_faded_and_counted();
    an_outage_ends_in_silence_and_comes_back();
    too_much_is_dropped_and_counted();
    repair_packets_are_spread_over_the_next_block();
    who_comes_in_the_middle_of_a_block_hears_what_is_left_of_it();
    what_cannot_be_is_refused();
    a_removed_player_is_freed_once_both_threads_let_go();
    rates_and_periods_mix();
    return 0;
}
