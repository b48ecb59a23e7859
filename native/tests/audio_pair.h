/* Two audio engines on virtual time: what goes into the first is heard at the second, through a
 * network that delays and loses. Each device has a rate, a period and a drift of its own. */
#pragma once

#include <string.h>

#include "check.h"
#include "fake_roc.h"

enum { PAIR_FLIGHT = 4096 };

typedef struct {
    uint32_t rate, period;
    double ppm;
    uint32_t channels;
} device;

typedef struct {
    mp_media_packet packet;
    int64_t arrives_ns;
} flight;

typedef struct pair {
    device from, to;
    mp_audio *sender, *hearer;
    fake_encoder encoder;
    fake_decoder decoder;
    int64_t now_ns, sender_step_ns, hearer_step_ns;
    int64_t from_cycles, to_cycles;
    int64_t from_late_ns, to_late_ns; /* the devices stood still for so long in all */
    int64_t step_late_ns;             /* so much later than it wishes the hearer's thread comes */
    flight flying[PAIR_FLIGHT];
    uint32_t first, last;
    uint64_t seed;
    int64_t delay_ns, jitter_ns;
    double loss;
    uint32_t cut_bytes; /* of the sender's source packets, at their ends */
    uint64_t sent[3], lost;
    int64_t repair_at_ns[64];
    /* What goes in at a frame of the sender's device, and who gets what comes out. */
    float (*source)(int64_t frame, uint32_t channel);
    void (*listen)(struct pair *pair, int64_t frame, const float *const *out, uint32_t frames);
    void *listener;
} pair;

static int64_t cycle_ns(const device *d, int64_t cycle) {
    return 1000000000 + (int64_t)((double)cycle * d->period * 1e9 / (d->rate * (1.0 + d->ppm * 1e-6)));
}

static int pair_send(void *arg, int kind, int64_t capture_us, const uint8_t *bytes, uint32_t size) {
    pair *p = arg;
    if (kind == MP_MEDIA_REPAIR) p->repair_at_ns[p->sent[kind] % 64] = p->now_ns;
    p->sent[kind]++;
    if (kind == MP_MEDIA_SOURCE && random_unit(&p->seed) < p->loss) {
        p->lost++;
        return 0;
    }
    if (kind == MP_MEDIA_SOURCE) size -= p->cut_bytes;
    flight *f = &p->flying[p->last++ % PAIR_FLIGHT];
    CHECK(p->last - p->first < PAIR_FLIGHT);
    f->packet = (mp_media_packet){.kind = (uint8_t)kind, .size = (uint16_t)size,
                                  .capture_us = capture_us};
    memcpy(f->packet.bytes, bytes, size);
    f->arrives_ns = p->now_ns + p->delay_ns + (int64_t)(random_unit(&p->seed) * (double)p->jitter_ns);
    f->packet.received_ns = f->arrives_ns;
    return 0;
}

static mp_audio *new_engine(const device *d, bool sends) {
    mp_status status;
    mp_audio_settings settings = {d->rate, d->period, sends ? d->channels : 0, d->channels, 700};
    mp_audio *audio = mp_audio_new(&settings, &status);
    CHECK(audio != NULL && status == MP_OK);
    return audio;
}

static mp_player_settings player_of(pair *p, double target_frames) {
    return (mp_player_settings){.calls = fake_roc, .decoder = &p->decoder,
                                .packet_frames = p->encoder.frames, .channels = p->from.channels,
                                .source_packets = p->encoder.source_packets,
                                .queue_packets = 1024, .target_frames = target_frames};
}

static void pair_begin(pair *p, uint32_t packet_frames, double target_frames) {
    mp_clock_map map = {0}; /* room time is host time */
    p->sender = new_engine(&p->from, true);
    p->hearer = new_engine(&p->to, false);
    p->encoder.channels = p->decoder.channels = p->from.channels;
    p->encoder.frames = p->decoder.frames = packet_frames;
    p->encoder.ssrc = 7;
    p->seed = 1;
    mp_audio_encoder encoder = {fake_roc, &p->encoder, packet_frames, p->encoder.source_packets,
                                p->encoder.repair_packets, pair_send, p};
    mp_player_settings player = player_of(p, target_frames);
    CHECK(mp_audio_set_encoder(p->sender, &encoder) == MP_OK);
    CHECK(mp_audio_set_map(p->sender, &map) == MP_OK);
    CHECK(mp_audio_set_map(p->hearer, &map) == MP_OK);
    CHECK(mp_audio_add_player(p->hearer, 0, &player) == MP_OK);
}

static void pair_end(pair *p) {
    mp_audio_free(p->sender);
    mp_audio_free(p->hearer);
}

static void sender_cycle(pair *p) {
    static float samples[MP_MAX_CHANNELS][MP_MAX_PERIOD], nothing[MP_MAX_CHANNELS][MP_MAX_PERIOD];
    const float *in[MP_MAX_CHANNELS];
    float *out[MP_MAX_CHANNELS];
    int64_t frame = p->from_cycles++ * p->from.period;
    for (uint32_t c = 0; c < p->from.channels; c++) {
        for (uint32_t i = 0; i < p->from.period; i++) samples[c][i] = p->source(frame + i, c);
        in[c] = samples[c];
        out[c] = nothing[c];
    }
    mp_audio_process(p->sender, in, out, NULL, p->from.period, p->now_ns);
}

static void hearer_cycle(pair *p) {
    static float samples[MP_MAX_CHANNELS][MP_MAX_PERIOD];
    float *out[MP_MAX_CHANNELS];
    for (uint32_t c = 0; c < p->to.channels; c++) out[c] = samples[c];
    static const float silence[MP_MAX_PERIOD];
    const float *const in[] = {silence, silence, silence, silence};
    mp_audio_process(p->hearer, in, out, NULL, p->to.period, p->now_ns);
    const float *heard[] = {samples[0], samples[1], samples[2], samples[3]};
    p->listen(p, p->to_cycles++ * p->to.period, heard, p->to.period);
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* The packet that arrives first is swapped to the front: jitter reorders. */
static int64_t next_arrival(pair *p) {
    if (p->first == p->last) return INT64_MAX;
    flight *front = &p->flying[p->first % PAIR_FLIGHT];
    for (uint32_t i = p->first + 1; p->jitter_ns > 0 && i != p->last; i++) {
        flight *f = &p->flying[i % PAIR_FLIGHT];
        if (f->arrives_ns >= front->arrives_ns) continue;
        flight swap = *f;
        *f = *front;
        *front = swap;
    }
    return front->arrives_ns;
}

/* Let virtual seconds pass. */
static void pair_run(pair *p, double seconds) {
    int64_t end_ns = (p->now_ns > 0 ? p->now_ns : 1000000000) + (int64_t)(seconds * 1e9);
    for (;;) {
        int64_t from_ns = cycle_ns(&p->from, p->from_cycles) + p->from_late_ns;
        int64_t to_ns = cycle_ns(&p->to, p->to_cycles) + p->to_late_ns;
        int64_t arrives_ns = next_arrival(p);
        int64_t next_ns = least(least(from_ns, to_ns), arrives_ns);
        next_ns = least(next_ns, least(p->sender_step_ns, p->hearer_step_ns));
        if (next_ns >= end_ns) return;
        if (next_ns > p->now_ns) p->now_ns = next_ns;
        if (next_ns == from_ns) sender_cycle(p);
        else if (next_ns == to_ns) hearer_cycle(p);
        else if (next_ns == arrives_ns) {
            mp_audio_receive(p->hearer, 0, &p->flying[p->first++ % PAIR_FLIGHT].packet);
        } else if (next_ns == p->sender_step_ns) {
            p->sender_step_ns = mp_audio_step(p->sender, p->now_ns);
            CHECK(p->sender_step_ns > p->now_ns);
        } else {
            p->hearer_step_ns = mp_audio_step(p->hearer, p->now_ns) + p->step_late_ns;
            CHECK(p->hearer_step_ns > p->now_ns);
        }
    }
}

static inline mp_player_stats pair_stats(pair *p) {
    mp_player_stats stats;
    CHECK(mp_audio_player_stats(p->hearer, 0, &stats) == MP_OK);
    return stats;
}

/* The hearer hears bars of 2 s one bar later; nothing was played in the first. */
static inline void pair_hear_bars_later(pair *p, int64_t seconds) {
    const int64_t bar_us = 2000000;
    mp_piece pieces[64] = {{MP_PIECE_SILENCE, 0, 2 * bar_us, 0, 0}};
    uint32_t count = 1;
    for (int64_t at = 2 * bar_us; at < (seconds + 2) * INT64_C(1000000); at += bar_us) {
        CHECK(count < 64);
        pieces[count++] = (mp_piece){MP_PIECE_BARS, at, at + bar_us, at - bar_us, at};
    }
    CHECK(mp_audio_keep(p->hearer, 0, 1 << 18) == MP_OK);
    CHECK(mp_audio_set_pieces(p->hearer, pieces, count) == MP_OK);
    CHECK(mp_audio_set_target(p->hearer, 0, MP_WAIT_FOR_BARS, 9600.0, 1920.0) == MP_OK);
}
