/* A player's decoder into the ring to the callback, with holes concealed and the drift taken out.
 *
 * Stream time is RTP's: the frame count of the sender. The decoder was opened with a target of one
 * packet, and is popped one packet at a time from the first on, so that we know which frames it
 * gives. */
#include <math.h>
#include <string.h>

#include "audio_player.h"

enum { PULL = 256, BEFORE = 16, DRAIN_ROOM = 4 * MP_MAX_PACKET_FRAMES };
/* Packets that are looked through for one that was not lost. */
enum { MOST_BACK = 16 };
/* A hole that is longer is silence in a recording, which is begun anew behind it. */
enum { LONG_HOLE = MP_STREAM_RATE / 20 };

static bool was_seen(mp_player *p, uint32_t timestamp) {
    const mp_seen *seen = mp_player_seen_at(p, timestamp);
    return seen->there && seen->timestamp == timestamp;
}

bool mp_player_pop(mp_player *p, float *block) {
    size_t samples = (size_t)p->settings.packet_frames * p->settings.channels;
    mp_roc_frame frame = {block, samples * sizeof(float)};
    memset(block, 0, samples * sizeof(float));
    if (p->settings.calls.decoder_pop_frame(p->settings.decoder, &frame) < 0) return false;
    for (size_t i = 0; i < samples; i++) {
        if (block[i] != 0.0f) return true;
    }
    return false;
}

void mp_player_next_block(mp_player *p, float *block) {
    uint32_t frames = p->settings.packet_frames;
    bool came = was_seen(p, p->next), sounds = mp_player_pop(p, block);
    if (!came) mp_count(&p->lost, 1);
    if (!came && sounds) mp_count(&p->repaired, 1);
    if (came) p->quiet = !sounds;
    /* A hole in silence is none: libroc does not say whether it repaired it. */
    if (came || sounds || p->quiet) {
        mp_concealer_pass(&p->concealer, block, frames);
    } else {
        mp_concealer_fill(&p->concealer, block, frames);
        mp_count(&p->concealed, frames);
    }
    p->away = came || sounds ? 0 : p->away + frames;
    /* What is played by bars was decoded long before. */
    atomic_store(&p->absent, !p->by_bars && p->away > LONG_HOLE);
    p->next += frames;
}

void mp_player_keep(mp_player *p, uint32_t timestamp, const float *block) {
    if (p->bars == NULL) return;
    mp_history_store(&p->bars->history, timestamp, block, p->settings.packet_frames);
}

/* What comes to lie `after` frames behind what is in the ring was captured then. */
static void mark_after(mp_player *p, double after, int64_t captured_ns, uint32_t rate) {
    uint64_t written = atomic_load_explicit(&p->ring.written, memory_order_relaxed);
    mp_capture_mark_put(&p->captured, written, after, captured_ns, rate);
}

/* What is fed next was. */
static void mark(mp_player *p, int64_t captured_ns, uint32_t rate) {
    double after = mp_resampler_waiting(&p->resampler) * rate / MP_STREAM_RATE - p->behind;
    mark_after(p, after, captured_ns, rate);
}

/* The same for a packet, from its frame `from` on: as it said itself, or, where it was lost, as one
 * shortly before said. */
static void mark_packet(mp_player *p, uint32_t timestamp, uint32_t from, uint32_t rate,
                        const mp_clock_map *map) {
    const uint32_t frames = p->settings.packet_frames;
    uint32_t back = 0;
    while (back < MOST_BACK * frames && !was_seen(p, timestamp - back)) back += frames;
    if (map == NULL || back == MOST_BACK * frames) return;
    int64_t captured_us = mp_player_seen_at(p, timestamp - back)->capture_us;
    int64_t later_ns = (int64_t)(back + from) * 1000000000 / MP_STREAM_RATE;
    mark(p, mp_local_at_ns(map, captured_us * 1000) + later_ns, rate);
}

/* Leave frames out: what is played goes over into what comes after them. The number is exact but
 * where it leaves too little of a packet to go over in. */
static void skip(mp_player *p, uint32_t out, uint32_t rate, const mp_clock_map *map) {
    const uint32_t frames = p->settings.packet_frames, channels = p->settings.channels;
    uint32_t packets = out / frames, part = out % frames;
    if (part > frames - frames / 4) part = frames - frames / 4;
    uint32_t over = frames - part;
    mp_player_next_block(p, p->block);
    mp_player_keep(p, p->next - frames, p->block);
    memcpy(p->other, p->block, (size_t)frames * channels * sizeof(float));
    for (uint32_t i = 0; i < packets; i++) {
        mp_player_pop(p, p->other);
        mp_player_keep(p, p->next, p->other);
        p->next += frames;
    }
    const float *to = p->other + (size_t)part * channels;
    for (uint32_t i = 0; i < over * channels; i++) {
        float in = (float)(i / channels + 1) / (float)(over + 1);
        p->block[i] += in * (to[i] - p->block[i]);
    }
    mark_packet(p, p->next - frames, part, rate, map);
    mp_resampler_push(&p->resampler, p->block, over);
    p->to_skip = 0;
}

static void feed(mp_player *p, uint32_t rate, const mp_clock_map *map) {
    uint32_t frames = p->settings.packet_frames;
    if (!p->started || p->silence >= 1.0) {
        if (p->started && p->silence < frames) frames = (uint32_t)p->silence;
        if (!p->started && frames > BEFORE) frames = BEFORE;
        mp_concealer_fill(&p->concealer, p->block, frames);
        mark(p, MP_NOT_CAPTURED, rate);
        if (p->started) p->silence -= frames;
    } else if (p->held) {
        size_t size = p->settings.channels * sizeof(float);
        frames -= p->left_out;
        mark_packet(p, p->next - p->left_out, p->left_out, rate, map);
        mp_player_keep(p, p->next - p->left_out, p->other);
        memcpy(p->block, p->other + p->left_out * p->settings.channels, frames * size);
        mp_concealer_pass(&p->concealer, p->block, frames);
        p->held = false;
        p->next += frames;
    } else if (p->to_skip > 0) {
        skip(p, p->to_skip, rate, map);
        return;
    } else {
        mp_player_next_block(p, p->block);
        mp_player_keep(p, p->next - frames, p->block);
        mark_packet(p, p->next - frames, 0, rate, map);
    }
    mp_resampler_push(&p->resampler, p->block, frames);
}

/* What is played another way from now on begins where the last one ended. */
static void join(mp_player *p, float *frames, uint32_t count) {
    uint32_t channels = p->settings.channels;
    for (uint32_t i = 0; i < count; i++) {
        float before = (float)p->joining / MP_JOIN;
        if (p->joining > 0) p->joining--;
        for (uint32_t c = 0; c < channels; c++) {
            float *sample = &frames[(size_t)i * channels + c];
            *sample += before * (p->tail[c] - *sample);
            if (p->joining == 0) p->tail[c] = *sample;
        }
    }
}

/* What was made now is to be heard at `ns`. */
static void mark_bars(mp_player *p, int64_t ns, uint32_t rate) {
    double latency_us = p->bars->latency_us;
    mark_after(p, 0.0, isnan(latency_us) ? MP_NOT_CAPTURED : ns - llround(latency_us * 1e3), rate);
}

static uint32_t make(mp_player *p, const mp_moment *at, float *made, uint32_t wanted, uint32_t fill) {
    uint32_t got, rate = at->device->rate;
    if (p->by_bars) {
        int64_t ns = at->device->next_ns + (int64_t)fill * 1000000000 / rate;
        double behind = p->target + at->least + p->settings.packet_frames;
        mp_bars_fill(p->bars, made, wanted, ns, rate, at->map, at->pieces, behind);
        mark_bars(p, ns, rate);
        return wanted;
    }
    while ((got = mp_resampler_pull(&p->resampler, made, wanted)) == 0) feed(p, rate, at->map);
    return got;
}

/* Frames that the ring lacks, or that are to be made for nobody. */
static uint32_t lacking(const mp_player *p, uint32_t fill, uint32_t cover) {
    if (p->behind > 0) return p->behind;
    return fill < cover ? cover - fill : 0;
}

void mp_player_fill_ring(mp_player *p, const mp_moment *at) {
    float made[PULL * MP_MAX_CHANNELS];
    for (;;) {
        uint32_t fill = mp_player_ahead(p), lacks = lacking(p, fill, at->cover);
        if (lacks == 0) return;
        uint32_t got = make(p, at, made, lacks < PULL ? lacks : PULL, fill);
        if (p->behind > 0) {
            p->behind -= got;
        } else {
            join(p, made, got);
            mp_frame_ring_write(&p->ring, made, got);
        }
    }
}

void mp_player_drain(mp_player *p, uint32_t rate, const mp_clock_map *map) {
    float made[PULL * MP_MAX_CHANNELS];
    uint32_t got, room = p->ring.mask + 1;
    while (p->started && (int32_t)(p->newest - p->next) >= 0) {
        if (p->by_bars) {
            mp_player_decode_next(p);
            continue;
        }
        if (mp_frame_ring_fill(&p->ring) + DRAIN_ROOM > room) break;
        feed(p, rate, map);
        while ((got = mp_resampler_pull(&p->resampler, made, PULL)) > 0) {
            join(p, made, got);
            mp_frame_ring_write(&p->ring, made, got);
        }
    }
    p->drained = true;
}
