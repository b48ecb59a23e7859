/* The codec thread's sending side: one's own input into packets. Repair packets come all at once,
 * at the end of a block; they are spread over the next one, so that no burst of loss takes them
 * and the block. */
#include <string.h>

#include "audio.h"

enum { PIECE = 256 };

bool mp_sender_init(mp_sender *s, uint32_t rate, uint32_t channels) {
    s->rate = rate;
    s->channels = channels;
    s->resamples = rate != MP_STREAM_RATE;
    return !s->resamples || mp_resampler_init(&s->resampler, rate, MP_STREAM_RATE, channels);
}

void mp_sender_free(mp_sender *s) {
    if (s->resamples) mp_resampler_free(&s->resampler);
}

void mp_sender_set(mp_sender *s, const mp_audio_encoder *with) {
    s->with = *with;
    s->spread_count = 0;
    atomic_store(&s->encoder, with->encoder);
}

int64_t mp_sender_next_ns(const mp_sender *s) {
    return s->spread_count > 0 ? s->spread[s->spread_first].due_ns : INT64_MAX;
}

static void send(const mp_sender *s, const mp_media_packet *packet) {
    s->with.send(s->with.send_arg, packet->kind, packet->capture_us, packet->bytes, packet->size);
}

static void send_first(mp_sender *s) {
    send(s, &s->spread[s->spread_first].packet);
    s->spread_first = (s->spread_first + 1) % MP_SPREAD;
    s->spread_count--;
}

void mp_sender_send_due(mp_sender *s, int64_t now_ns) {
    while (mp_sender_next_ns(s) <= now_ns) send_first(s);
}

static bool pop(const mp_sender *s, int interface, mp_media_packet *packet) {
    mp_roc_packet popped = {packet->bytes, sizeof packet->bytes};
    if (s->with.calls.encoder_pop_packet(s->with.encoder, interface, &popped) < 0) return false;
    packet->size = (uint16_t)popped.bytes_size;
    return true;
}

/* Those of a block go out at even distances over the next one. */
static void spread(mp_sender *s, const mp_media_packet *packet, int64_t now_ns) {
    const mp_audio_encoder *with = &s->with;
    int64_t block_ns = (int64_t)with->source_packets * with->packet_frames * 1000000000 /
                       MP_STREAM_RATE;
    int64_t apart_ns = block_ns / with->repair_packets;
    if (s->spread_count == MP_SPREAD) send_first(s);
    if (s->spread_count == 0) s->spread_next_ns = now_ns - apart_ns / 2;
    s->spread_next_ns += apart_ns;
    uint32_t at = (s->spread_first + s->spread_count++) % MP_SPREAD;
    s->spread[at].packet = *packet;
    s->spread[at].due_ns = s->spread_next_ns;
}

static void encode(mp_sender *s, int64_t capture_us, int64_t now_ns) {
    size_t size = (size_t)s->with.packet_frames * s->channels * sizeof(float);
    mp_roc_frame frame = {s->block, size};
    mp_media_packet packet = {.capture_us = capture_us};
    if (s->with.calls.encoder_push_frame(s->with.encoder, &frame) < 0) return;
    packet.kind = MP_MEDIA_SOURCE;
    while (pop(s, MP_ROC_SOURCE, &packet)) send(s, &packet);
    packet.kind = MP_MEDIA_REPAIR;
    while (s->with.repair_packets > 0 && pop(s, MP_ROC_REPAIR, &packet)) {
        if (s->repairs) spread(s, &packet, now_ns);
    }
}

/* Up to `available` frames of the ring become stream frames in the block; returns how many. */
static uint32_t take(mp_sender *s, mp_frame_ring *input, uint32_t *available) {
    float *to = s->block + (size_t)s->filled * s->channels;
    if (s->filled >= s->with.packet_frames) return 0;
    uint32_t wanted = s->with.packet_frames - s->filled;
    if (!s->resamples) {
        uint32_t got = mp_frame_ring_read(input, to, wanted < *available ? wanted : *available);
        *available -= got;
        return got;
    }
    uint32_t made;
    while ((made = mp_resampler_pull(&s->resampler, to, wanted)) == 0 && *available > 0) {
        uint32_t piece = *available < PIECE ? *available : PIECE;
        piece = mp_frame_ring_read(input, s->from, piece);
        mp_resampler_push(&s->resampler, s->from, piece);
        *available -= piece;
    }
    return made;
}

/* More than a packet is there only where packets have become shorter. */
static void drop_first(mp_sender *s, uint32_t frames) {
    s->filled -= frames;
    size_t frame = s->channels * sizeof(float);
    memmove(s->block, s->block + (size_t)frames * s->channels, s->filled * frame);
}

void mp_sender_step(mp_sender *s, mp_frame_ring *input, uint32_t available, int64_t end_ns,
                    const mp_clock_map *map, int64_t now_ns) {
    if (s->with.encoder == NULL) {
        while (available > 0) {
            uint32_t piece = available < PIECE ? available : PIECE;
            available -= mp_frame_ring_read(input, s->from, piece);
        }
        s->filled = 0;
        return;
    }
    uint32_t got;
    while ((got = take(s, input, &available)) > 0 || s->filled >= s->with.packet_frames) {
        s->filled += got;
        if (s->filled < s->with.packet_frames) continue;
        double behind = available + (s->resamples ? mp_resampler_waiting(&s->resampler) : 0.0);
        double before_s = behind / s->rate + (double)s->filled / MP_STREAM_RATE;
        int64_t capture_ns = end_ns - (int64_t)(before_s * 1e9);
        encode(s, map == NULL ? 0 : mp_room_at_ns(map, capture_ns) / 1000, now_ns);
        drop_first(s, s->with.packet_frames);
    }
}
