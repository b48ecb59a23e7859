/* The codec thread's side of a player: packets from the queue into the decoder, and its frames,
 * with holes concealed and the drift taken out, into the ring to the callback.
 *
 * Stream time is RTP's: the frame count of the sender. The decoder was opened with a target of one
 * packet, and is popped one packet at a time from the first on, so that we know which frames it
 * gives. The waiting is ours: packets lie in the decoder until their frames are due. */
#include <math.h>
#include <string.h>

#include "audio.h"
#include "rtp.h"

/* Packets go into the decoder so long before they are due, and never more of them. */
static const int64_t AHEAD_NS = 200000000;
enum { MOST_AHEAD_FRAMES = MP_STREAM_RATE * 13 / 10, PULL = 256, BEFORE = 16 };
/* libroc refuses a stream that jumped by 100 packets or a second. */
enum { JUMP_PACKETS = 90, JUMP_FRAMES = MP_STREAM_RATE * 9 / 10 };
/* A wait that is too long by more is cut, not bent. */
static const double CUT_FRAMES = 0.02 * MP_STREAM_RATE;
/* So is less where there was something to be heard anyway: at the begin, when the first packet was
 * hardly one of the quickest, and behind an xrun. */
static const double CUT_IN_TROUBLE = 0.00075 * MP_STREAM_RATE;
/* A wait that is short by so much makes packets come too late: the hole is filled at once. */
static const double SHORT_FRAMES = 0.00025 * MP_STREAM_RATE;
/* When all are late for so long, they come another way: nobody waits for the window's end then. */
static const int64_t ALL_LATE_NS = 6000000;
enum { ALL_LATE_PACKETS = 3 };
static const double LONG_FRAMES = 0.1 * MP_STREAM_RATE;
/* Of a stream that ended nothing comes after so long. */
static const int64_t STRAGGLES_US = 2000000;
enum { DRAIN_ROOM = 4 * MP_MAX_PACKET_FRAMES };

static void count(_Atomic uint64_t *counter, uint64_t by) {
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

static mp_seen *seen_at(mp_player *p, uint32_t timestamp) {
    return &p->seen[timestamp / p->settings.packet_frames % MP_SEEN];
}

static bool was_seen(mp_player *p, uint32_t timestamp) {
    const mp_seen *seen = seen_at(p, timestamp);
    return seen->there && seen->timestamp == timestamp;
}

static void push(mp_player *p, int interface) {
    mp_roc_packet packet = {p->pending.bytes, p->pending.size};
    p->settings.calls.decoder_push_packet(p->settings.decoder, interface, &packet);
}

/* One packet's frames of the decoder's; false when it has nothing. */
static bool pop(mp_player *p, float *block) {
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
    bool came = was_seen(p, p->next), sounds = pop(p, block);
    if (!came) count(&p->lost, 1);
    if (!came && sounds) count(&p->repaired, 1);
    if (came) p->quiet = !sounds;
    /* A hole in silence is none: libroc does not say whether it repaired it. */
    if (came || sounds || p->quiet) {
        mp_concealer_pass(&p->concealer, block, frames);
    } else {
        mp_concealer_fill(&p->concealer, block, frames);
        count(&p->concealed, frames);
    }
    p->next += frames;
}

void mp_player_keep(mp_player *p, uint32_t timestamp, const float *block) {
    if (p->bars == NULL) return;
    mp_history_store(&p->bars->history, timestamp, block, p->settings.packet_frames);
}

/* Leave frames out: what is played goes over into what comes after them. The number is exact but
 * where it leaves too little of a packet to go over in. */
static void skip(mp_player *p, uint32_t out) {
    const uint32_t frames = p->settings.packet_frames, channels = p->settings.channels;
    uint32_t packets = out / frames, part = out % frames;
    if (part > frames - frames / 4) part = frames - frames / 4;
    uint32_t over = frames - part;
    mp_player_next_block(p, p->block);
    mp_player_keep(p, p->next - frames, p->block);
    memcpy(p->other, p->block, (size_t)frames * channels * sizeof(float));
    for (uint32_t i = 0; i < packets; i++) {
        pop(p, p->other);
        mp_player_keep(p, p->next, p->other);
        p->next += frames;
    }
    const float *to = p->other + (size_t)part * channels;
    for (uint32_t i = 0; i < over * channels; i++) {
        float in = (float)(i / channels + 1) / (float)(over + 1);
        p->block[i] += in * (to[i] - p->block[i]);
    }
    mp_resampler_push(&p->resampler, p->block, over);
    p->to_skip = 0;
}

static void feed(mp_player *p) {
    uint32_t frames = p->settings.packet_frames;
    if (!p->started || p->silence >= 1.0) {
        if (p->started && p->silence < frames) frames = (uint32_t)p->silence;
        if (!p->started && frames > BEFORE) frames = BEFORE;
        mp_concealer_fill(&p->concealer, p->block, frames);
        if (p->started) p->silence -= frames;
    } else if (p->held) {
        size_t size = p->settings.channels * sizeof(float);
        frames -= p->left_out;
        mp_player_keep(p, p->next - p->left_out, p->other);
        memcpy(p->block, p->other + p->left_out * p->settings.channels, frames * size);
        mp_concealer_pass(&p->concealer, p->block, frames);
        p->held = false;
        p->next += frames;
    } else if (p->to_skip > 0) {
        skip(p, p->to_skip);
        return;
    } else {
        mp_player_next_block(p, p->block);
        mp_player_keep(p, p->next - frames, p->block);
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

static uint32_t make(mp_player *p, const mp_moment *at, float *made, uint32_t wanted, uint32_t fill) {
    uint32_t got;
    if (p->by_bars) {
        int64_t ns = at->device->next_ns + (int64_t)fill * 1000000000 / at->device->rate;
        double behind = p->target + at->least + p->settings.packet_frames;
        mp_bars_fill(p->bars, made, wanted, ns, at->device->rate, at->map, at->pieces, behind);
        return wanted;
    }
    while ((got = mp_resampler_pull(&p->resampler, made, wanted)) == 0) feed(p);
    return got;
}

/* Frames that the ring lacks, or that are to be made for nobody. */
static uint32_t lacking(const mp_player *p, uint32_t fill, uint32_t cover) {
    if (p->behind > 0) return p->behind;
    return fill < cover ? cover - fill : 0;
}

static void fill_ring(mp_player *p, const mp_moment *at) {
    float made[PULL * MP_MAX_CHANNELS];
    for (;;) {
        uint32_t fill = mp_frame_ring_fill(&p->ring), lacks = lacking(p, fill, at->cover);
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

/* What the callback lacked had its time, and is not heard later: so the wait stays as it was. */
static void look_for_trouble(mp_player *p, const mp_device_time *device, int64_t now_ns) {
    uint64_t dry = atomic_load(&p->dry), more = dry - p->dry_seen;
    if (more == 0 && device->xruns == p->xruns_seen) return;
    p->dry_seen = dry;
    p->xruns_seen = device->xruns;
    /* In bars mode all has its place in time anyhow. */
    if (!p->started || p->by_bars) return;
    if (more > device->rate) more = device->rate;
    p->behind += (uint32_t)more;
    p->troubled = true;
    mp_drift_hurry(&p->drift, now_ns);
}

/* How many stream frames after `ns` stream time `at` is played. */
static double wait_of(mp_player *p, const mp_device_time *device, uint32_t at, int64_t ns) {
    double to_callback = (double)(device->next_ns - ns) * (MP_STREAM_RATE * 1e-9);
    double in_ring = mp_frame_ring_fill(&p->ring) * ((double)MP_STREAM_RATE / device->rate);
    double behind = p->behind * ((double)MP_STREAM_RATE / device->rate);
    double fed = mp_resampler_waiting(&p->resampler) + p->silence - p->to_skip - behind;
    return to_callback + in_ring + fed + (double)(int32_t)(at - p->next);
}

/* The history may be younger than the stream. */
static void note_arrival(mp_player *p, uint32_t timestamp) {
    mp_history *h = &p->bars->history;
    if (!h->begun) mp_history_begin(h, timestamp, p->pending.capture_us);
    mp_history_arrived(h, timestamp, p->settings.packet_frames,
                       p->pending.capture_us, p->pending.received_ns);
}

/* How much later than the quickest a packet came, in stream frames. */
static double slower_by(const mp_player *p, uint32_t end) {
    const mp_history *h = &p->bars->history;
    return mp_history_head_at(h, p->pending.received_ns) - (double)mp_history_place_of(h, end);
}

/* From capture until it is played, in stream frames; NAN without a map. */
static double latency_of(mp_player *p, const mp_device_time *device, const mp_clock_map *map,
                         uint32_t timestamp) {
    if (map == NULL) return NAN;
    int64_t captured_ns = mp_local_at_ns(map, p->pending.capture_us * 1000);
    double latency = wait_of(p, device, timestamp, captured_ns);
    if (!(fabs(latency) < 1e9)) return NAN;
    atomic_store(&p->latency_us, llround(latency * (1e6 / MP_STREAM_RATE)));
    return latency;
}

static void use_decoder(mp_player *p, void *decoder) {
    p->settings.decoder = decoder;
    p->spare = NULL;
    atomic_store(&p->decoder, decoder);
    atomic_store(&p->needs_decoder, decoder == NULL);
}

/* The stream began anew, or ended: libroc would refuse what comes now. */
static void end_stream(mp_player *p) {
    p->started = p->held = false;
    p->silence = 0.0;
    p->to_skip = 0;
    atomic_store(&p->playing, 0);
    if (p->spare != NULL) use_decoder(p, p->spare);
    else atomic_store(&p->needs_decoder, 1);
}

/* How many frames the packet holds; 0 is more than there can be. */
static uint32_t frames_in(const mp_player *p) {
    uint32_t bytes = p->pending.size - MP_RTP_HEAD - MP_RTP_FEC, frame = 2 * p->settings.channels;
    return bytes % frame == 0 && bytes / frame <= MP_MAX_PACKET_FRAMES ? bytes / frame : 0;
}

/* A straggler of the stream before this one. */
static bool is_of_old_stream(const mp_player *p, const mp_rtp *rtp) {
    int64_t before_us = p->begun_capture_us - p->pending.capture_us;
    return p->started && rtp->ssrc != p->ssrc && before_us > 0 && before_us < STRAGGLES_US;
}

/* All that came of this stream is decoded, before another one follows it. */
static void drain(mp_player *p) {
    float made[PULL * MP_MAX_CHANNELS];
    uint32_t got, room = p->ring.mask + 1;
    while (p->started && (int32_t)(p->newest - p->next) >= 0) {
        if (p->by_bars) {
            mp_player_decode_next(p);
            continue;
        }
        if (mp_frame_ring_fill(&p->ring) + DRAIN_ROOM > room) break;
        feed(p);
        while ((got = mp_resampler_pull(&p->resampler, made, PULL)) > 0) {
            join(p, made, got);
            mp_frame_ring_write(&p->ring, made, got);
        }
    }
    p->drained = true;
}

static void begin(mp_player *p, const mp_device_time *device, const mp_rtp *rtp, int64_t now_ns) {
    bool goes_on = p->drained;
    /* libroc starts reading a block at its first packet. */
    if (p->settings.source_packets > 0 && rtp->symbol != 0) return;
    p->settings.packet_frames = frames_in(p);
    push(p, MP_ROC_SOURCE);
    pop(p, p->other);
    p->held = p->started = true;
    p->drained = false;
    p->begun_capture_us = p->pending.capture_us;
    p->ssrc = rtp->ssrc;
    p->next = p->newest = rtp->timestamp;
    p->silence = 0.0;
    p->to_skip = 0;
    p->late_row = 0;
    p->heard_ns = p->origin_ns = p->pending.received_ns;
    memset(p->seen, 0, sizeof p->seen);
    *seen_at(p, rtp->timestamp) = (mp_seen){rtp->timestamp, true};
    uint32_t end = rtp->timestamp + p->settings.packet_frames;
    double target = fmax(p->target, atomic_load(&p->floor));
    double lacks = target - wait_of(p, device, end, p->pending.received_ns);
    if (p->bars != NULL) {
        mp_history_begin(&p->bars->history, rtp->timestamp, p->pending.capture_us);
        note_arrival(p, rtp->timestamp);
    }
    /* What goes on from what was there before is bent to its place later, not cut. */
    bool fits = fabs(lacks) < CUT_FRAMES && target - lacks > atomic_load(&p->floor);
    if (p->by_bars || (goes_on && fits)) lacks = 0.0;
    p->silence = floor(fmax(0.0, lacks));
    p->left_out = (uint32_t)fmin(fmax(0.0, -lacks), p->settings.packet_frames - 1);
    p->next += p->left_out;
    mp_drift_restart(&p->drift, now_ns);
    p->drift.target = target;
    p->troubled = true;
    atomic_store(&p->playing, 1);
}

static void note_late(mp_player *p, bool is_late, double wait) {
    if (!is_late) {
        p->late_row = 0;
        return;
    }
    count(&p->late, 1);
    if (p->late_row++ == 0) {
        p->late_since_ns = p->pending.received_ns;
        p->late_wait = wait;
    }
    p->late_wait = fmax(p->late_wait, wait);
}

static bool all_are_late(const mp_player *p) {
    return p->late_row >= ALL_LATE_PACKETS && p->heard_ns - p->late_since_ns >= ALL_LATE_NS;
}

static void hear_source(mp_player *p, const mp_device_time *device, const mp_clock_map *map,
                        int64_t now_ns) {
    mp_rtp rtp;
    const uint32_t frames = p->settings.packet_frames;
    bool whole = mp_rtp_read(&rtp, p->pending.bytes, p->pending.size) && frames_in(p) > 0;
    if (!whole || atomic_load(&p->needs_decoder)) {
        count(&p->overflow, 1);
        return;
    }
    if (is_of_old_stream(p, &rtp)) {
        count(&p->late, 1);
        return;
    }
    if (!p->started) {
        begin(p, device, &rtp, now_ns);
        return;
    }
    int32_t ahead = (int32_t)(rtp.timestamp - p->next);
    int32_t after = (int32_t)(rtp.timestamp - p->newest);
    bool jumped = after > JUMP_FRAMES || after < -JUMP_FRAMES || ahead < -JUMP_FRAMES;
    if (rtp.ssrc != p->ssrc || jumped) {
        drain(p);
        end_stream(p);
        if (!atomic_load(&p->needs_decoder)) begin(p, device, &rtp, now_ns);
        return;
    }
    if (ahead > MOST_AHEAD_FRAMES || frames_in(p) != frames) {
        count(&p->overflow, 1);
        return;
    }
    if (after > 0) p->newest = rtp.timestamp;
    p->heard_ns = p->pending.received_ns;
    *seen_at(p, rtp.timestamp) = (mp_seen){rtp.timestamp, true};
    double transit_s = (double)(p->pending.received_ns - p->origin_ns) * 1e-9;
    double wait, latency = NAN;
    if (p->bars != NULL) note_arrival(p, rtp.timestamp);
    if (p->by_bars) {
        wait = p->target - slower_by(p, rtp.timestamp + frames);
    } else {
        wait = wait_of(p, device, rtp.timestamp + frames, p->pending.received_ns);
        latency = latency_of(p, device, map, rtp.timestamp);
    }
    note_late(p, ahead + (int32_t)frames <= 0, wait);
    mp_drift_see(&p->drift, wait, latency, transit_s * MP_STREAM_RATE - (double)rtp.timestamp);
    push(p, MP_ROC_SOURCE);
}

static void hear(mp_player *p, const mp_device_time *device, const mp_clock_map *map,
                 int64_t now_ns) {
    switch (p->pending.kind) {
    case MP_MEDIA_SOURCE:
        count(&p->packets, 1);
        hear_source(p, device, map, now_ns);
        break;
    case MP_MEDIA_REPAIR:
        count(&p->repair_packets, 1);
        if (p->started && p->settings.source_packets > 0 &&
            p->pending.capture_us >= p->begun_capture_us) {
            push(p, MP_ROC_REPAIR);
        }
        break;
    default: count(&p->overflow, 1); break; /* none of ours sends RTCP */
    }
}

/* Where the wait is long, a packet stays in our queue, which is bounded, and not in libroc's. A
 * block's last repair packet comes two blocks behind its first source packet, and must not be held
 * back until that one was due: in bar mode none is. */
static bool is_early(const mp_player *p, int64_t now_ns) {
    if (p->settings.wait == MP_WAIT_FOR_BARS) return false;
    int64_t wait_ns = (int64_t)(p->target * (1e9 / MP_STREAM_RATE));
    uint32_t blocks_frames = 2 * p->settings.source_packets * p->settings.packet_frames;
    int64_t ahead_ns = (int64_t)blocks_frames * 1000000000 / MP_STREAM_RATE + AHEAD_NS / 2;
    return now_ns <
           p->pending.received_ns + wait_ns - (ahead_ns > AHEAD_NS ? ahead_ns : AHEAD_NS);
}

/* The socket's own queue is short: the codec thread is both ends of ours then. */
static void collect(mp_player *p) {
    mp_media_packet packet;
    const mp_player_settings *s = &p->settings;
    while (s->take != NULL && s->take(s->take_arg, s->take_index, &packet)) {
        if (!mp_ring_stage(&p->queue, &packet)) count(&p->overflow, 1);
        mp_ring_publish(&p->queue);
    }
}

static void take_in(mp_player *p, const mp_device_time *device, const mp_clock_map *map,
                    int64_t now_ns) {
    collect(p);
    for (;;) {
        if (!p->pending_there) p->pending_there = mp_ring_take(&p->queue, &p->pending);
        if (!p->pending_there || is_early(p, now_ns)) return;
        p->pending_there = false;
        if (p->pending.size > sizeof p->pending.bytes) {
            count(&p->overflow, 1);
        } else {
            hear(p, device, map, now_ns);
        }
    }
}

static void begin_to_steer(mp_player *p, double target, int64_t now_ns) {
    p->late_row = 0;
    count(&p->jumps, 1);
    mp_drift_restart(&p->drift, now_ns);
    p->drift.target = target;
}

static void steer(mp_player *p, double target, double least, int64_t now_ns) {
    double frames = p->settings.packet_frames, error = p->drift.wait - target;
    double cut = p->troubled ? CUT_IN_TROUBLE : CUT_FRAMES;
    p->troubled = false;
    if (error > cut) {
        p->to_skip = (uint32_t)fmin(error, JUMP_PACKETS * frames);
        begin_to_steer(p, target, now_ns);
        return;
    }
    /* Too late is heard at once; what lacks otherwise is stretched where that is soon done. */
    bool too_late = p->drift.wait < least - SHORT_FRAMES;
    if (too_late || error < -fmax(2.0 * frames, 0.25 * CUT_FRAMES)) {
        p->silence += floor(-error);
        begin_to_steer(p, target, now_ns);
        return;
    }
    p->resampler.faster = mp_drift_steer(&p->drift, target, now_ns);
    atomic_store(&p->faster, p->resampler.faster);
}

/* The least wait with which a packet is there when it is decoded. */
static double least_wait(const mp_player *p, const mp_device_time *device, uint32_t cover) {
    double ratio = (double)MP_STREAM_RATE / device->rate;
    double lead = device->lead_us * (MP_STREAM_RATE * 1e-6);
    return lead + cover * ratio + p->settings.packet_frames + mp_resampler_ahead(&p->resampler);
}

static void publish(mp_player *p) {
    const double us = 1e6 / MP_STREAM_RATE;
    if (!p->by_bars) atomic_store(&p->wait, p->drift.wait);
    atomic_store(&p->jitter_us, p->drift.jitter * us);
    atomic_store(&p->p95_us, mp_drift_p95(&p->drift) * us);
}

/* Decoded sooner, no callback runs dry when the system comes late, or when a long block takes its time
 * to be repaired: half of the time that there is more than must be, where that is little, and a bit of
 * it where it is much. Between the two it is for repair packets, and for jitter. */
static uint32_t more_cover(const mp_player *p, const mp_device_time *device, double lowest) {
    double spare = p->target - lowest;
    if (p->target >= LONG_FRAMES) return device->rate / 100;
    if (spare <= 0.0 || spare > 2.0 * p->settings.packet_frames) return 0;
    return (uint32_t)(spare / 2.0 * device->rate / MP_STREAM_RATE);
}

void mp_player_step(mp_player *p, const mp_device_time *device, const mp_clock_map *map,
                    const mp_pieces *pieces, uint32_t cover, int64_t now_ns) {
    double lowest = least_wait(p, device, cover);
    cover += more_cover(p, device, lowest);
    double least = least_wait(p, device, cover);
    const mp_moment at = {device, map, pieces, cover, least, now_ns};
    atomic_store(&p->floor, lowest);
    mp_player_choose_way(p, &at);
    look_for_trouble(p, device, now_ns);
    take_in(p, device, map, now_ns);
    if (p->started && now_ns - p->heard_ns > INT64_C(900000000) + AHEAD_NS &&
        !p->pending_there) {
        end_stream(p);
    }
    double target = fmax(p->target, least);
    /* Those that were late already when it began to wait are so without need for more. */
    bool all_late = p->started && !p->by_bars && all_are_late(p);
    if (all_late && p->late_wait < target - p->settings.packet_frames) {
        p->silence += floor(target - p->late_wait);
        begin_to_steer(p, target, now_ns);
    } else if (p->started && mp_drift_window(&p->drift, now_ns)) {
        publish(p); /* a cut begins to measure anew */
        if (!p->by_bars) steer(p, target, least, now_ns);
    }
    if (p->by_bars) mp_player_decode_for_bars(p, map, now_ns);
    fill_ring(p, &at);
}

void mp_player_set_decoder(mp_player *p, void *decoder) {
    if (atomic_load(&p->needs_decoder)) use_decoder(p, decoder);
    else p->spare = decoder;
}

void mp_player_stats_of(mp_player *p, mp_player_stats *stats) {
    *stats = (mp_player_stats){
        .packets = atomic_load(&p->packets),
        .repair_packets = atomic_load(&p->repair_packets),
        .lost = atomic_load(&p->lost),
        .repaired = atomic_load(&p->repaired),
        .late = atomic_load(&p->late),
        .concealed_frames = atomic_load(&p->concealed),
        .overflow = atomic_load(&p->overflow),
        .underruns = atomic_load(&p->underruns),
        .jumps = atomic_load(&p->jumps),
        .fill_frames = mp_frame_ring_fill(&p->ring),
        .wait_frames = atomic_load(&p->wait),
        .floor_frames = atomic_load(&p->floor),
        .drift_ppm = atomic_load(&p->faster) * 1e6,
        .jitter_us = atomic_load(&p->jitter_us),
        .jitter_p95_us = atomic_load(&p->p95_us),
        .latency_us = atomic_load(&p->latency_us),
        .playing = atomic_load(&p->playing),
        .needs_decoder = atomic_load(&p->needs_decoder),
    };
}
