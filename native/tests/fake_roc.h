/* A codec of plain 16-bit samples behind RTP, in the shape of libroc's calls: packets go in and
 * out as they do there, but nothing is repaired and nobody waits. */
#pragma once

#include <string.h>

#include "../src/rtp.h"
#include "../src/rt.h"
#include "check.h"

enum { FAKE_PAYLOAD = 1380, FAKE_HELD = 512 };

typedef struct {
    uint32_t channels, frames; /* of a packet */
    uint32_t wire_channels;    /* the first ones alone, and the packet says so; 0: all */
    uint32_t source_packets, repair_packets;
    uint32_t timestamp, ssrc, sent, repair_waiting;
    bool waiting;
    uint8_t bytes[FAKE_PAYLOAD];
    uint32_t size;
} fake_encoder;

typedef struct {
    uint32_t channels, frames, next, pushed, repair_pushed, most_held;
    bool started;
    struct {
        uint32_t timestamp;
        bool there;
        int16_t samples[FAKE_PAYLOAD / 2];
    } held[FAKE_HELD];
} fake_decoder;

static inline void fake_put_u32(uint8_t *at, uint32_t value) {
    for (int i = 3; i >= 0; i--, value >>= 8) at[i] = (uint8_t)value;
}

static inline int fake_push_frame(void *arg, const mp_roc_frame *frame) {
    fake_encoder *e = arg;
    const float *samples = frame->samples;
    uint32_t wire = e->wire_channels > 0 ? e->wire_channels : e->channels;
    uint32_t count = e->frames * wire;
    CHECK_EQUAL(frame->samples_size, e->frames * e->channels * sizeof(float));
    CHECK(!e->waiting);
    memset(e->bytes, 0, sizeof e->bytes);
    e->bytes[0] = 0x80;
    if (e->wire_channels > 0) e->bytes[1] = wire == 1 ? MP_RTP_MONO : MP_RTP_STEREO;
    fake_put_u32(e->bytes + 4, e->timestamp);
    fake_put_u32(e->bytes + 8, e->ssrc);
    for (uint32_t i = 0; i < count; i++) {
        int32_t value = (int32_t)lrintf(samples[i / wire * e->channels + i % wire] * 32767.0f);
        e->bytes[MP_RTP_HEAD + 2 * i] = (uint8_t)(value >> 8);
        e->bytes[MP_RTP_HEAD + 2 * i + 1] = (uint8_t)value;
    }
    e->size = MP_RTP_HEAD + 2 * count + MP_RTP_FEC;
    CHECK(e->size <= FAKE_PAYLOAD);
    if (e->source_packets > 0) e->bytes[e->size - 3] = (uint8_t)(e->sent % e->source_packets);
    e->timestamp += e->frames;
    e->sent++;
    e->waiting = true;
    if (e->source_packets > 0 && e->sent % e->source_packets == 0) {
        e->repair_waiting = e->repair_packets;
    }
    return 0;
}

static inline int fake_pop_packet(void *arg, int interface, mp_roc_packet *packet) {
    fake_encoder *e = arg;
    if (interface == MP_ROC_REPAIR && e->repair_waiting > 0) {
        e->repair_waiting--;
        packet->bytes_size = 20;
        return 0;
    }
    if (interface != MP_ROC_SOURCE || !e->waiting) return -1;
    CHECK(packet->bytes_size >= e->size);
    memcpy(packet->bytes, e->bytes, e->size);
    packet->bytes_size = e->size;
    e->waiting = false;
    return 0;
}

static inline int fake_push_packet(void *arg, int interface, const mp_roc_packet *packet) {
    fake_decoder *d = arg;
    const uint8_t *bytes = packet->bytes;
    mp_rtp rtp;
    CHECK(interface != MP_ROC_CONTROL);
    if (interface == MP_ROC_REPAIR) d->repair_pushed++;
    if (interface != MP_ROC_SOURCE) return 0;
    CHECK(mp_rtp_read(&rtp, bytes, (uint32_t)packet->bytes_size));
    if (!d->started) d->next = rtp.timestamp;
    d->started = true;
    d->pushed++;
    uint32_t at = rtp.timestamp / d->frames % FAKE_HELD;
    d->held[at].timestamp = rtp.timestamp;
    d->held[at].there = true;
    uint32_t wire = rtp.channels > 0 ? rtp.channels : d->channels;
    for (uint32_t i = 0; i < d->frames * d->channels; i++) {
        uint32_t channel = i % d->channels < wire ? i % d->channels : wire - 1;
        const uint8_t *sample = bytes + MP_RTP_HEAD + 2 * (i / d->channels * wire + channel);
        d->held[at].samples[i] = (int16_t)((uint16_t)sample[0] << 8 | sample[1]);
    }
    uint32_t held = (rtp.timestamp - d->next) / d->frames;
    if ((int32_t)held > 0 && held > d->most_held) d->most_held = held;
    return 0;
}

static inline int fake_pop_frame(void *arg, mp_roc_frame *frame) {
    fake_decoder *d = arg;
    float *samples = frame->samples;
    uint32_t count = d->frames * d->channels, at = d->next / d->frames % FAKE_HELD;
    CHECK_EQUAL(frame->samples_size, count * sizeof(float));
    bool there = d->started && d->held[at].there && d->held[at].timestamp == d->next;
    for (uint32_t i = 0; i < count; i++) {
        samples[i] = there ? (float)d->held[at].samples[i] / 32767.0f : 0.0f;
    }
    if (d->started) d->next += d->frames;
    return 0;
}

static const mp_roc_calls fake_roc = {
    .encoder_push_frame = fake_push_frame,
    .encoder_pop_packet = fake_pop_packet,
    .decoder_push_packet = fake_push_packet,
    .decoder_pop_frame = fake_pop_frame,
};
