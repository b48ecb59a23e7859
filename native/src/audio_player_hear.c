/* A player's packets into its decoder. The waiting is ours: they lie in the decoder until their
 * frames are due, or, where that takes long, in the queue before it. */
#include <math.h>
#include <string.h>

#include "audio_player.h"
#include "packet_ring.h"
#include "rtp.h"

/* Packets go into the decoder so long before they are due, and never more of them. */
static const int64_t AHEAD_NS = 200000000;
enum { MOST_AHEAD_FRAMES = MP_STREAM_RATE * 13 / 10 };
/* libroc refuses a stream that jumped by 100 packets or a second. */
enum { JUMP_FRAMES = MP_STREAM_RATE * 9 / 10 };
enum { LATE_IN_A_ROW = 3 };
/* Of a stream that ended nothing comes after so long. */
static const int64_t STRAGGLES_US = 2000000;

static void push(mp_player *p, int interface) {
    mp_roc_packet packet = {p->pending.bytes, p->pending.size};
    p->settings.calls.decoder_push_packet(p->settings.decoder, interface, &packet);
}

/* How many stream frames after `ns` stream time `at` is played. */
static double wait_of(mp_player *p, const mp_device_time *device, uint32_t at, int64_t ns) {
    double to_callback = (double)(device->next_ns - ns) * (MP_STREAM_RATE * 1e-9);
    double in_ring = mp_player_ahead(p) * ((double)MP_STREAM_RATE / device->rate);
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

void mp_player_end_stream(mp_player *p) {
    p->started = p->held = false;
    p->silence = 0.0;
    p->to_skip = 0;
    atomic_store(&p->playing, 0);
    if (p->spare != NULL) use_decoder(p, p->spare);
    else atomic_store(&p->needs_decoder, 1);
}

void mp_player_set_decoder(mp_player *p, void *decoder) {
    if (atomic_load(&p->needs_decoder)) use_decoder(p, decoder);
    else p->spare = decoder;
}

/* How many frames the packet holds; 0 is more than there can be. A sender may have come to send
 * other channels than the player was made for: the decoder makes ours of them. */
static uint32_t frames_in(const mp_player *p, const mp_rtp *rtp) {
    uint32_t channels = rtp->channels > 0 ? rtp->channels : p->settings.channels;
    uint32_t bytes = p->pending.size - MP_RTP_HEAD - MP_RTP_FEC, frame = 2 * channels;
    return bytes % frame == 0 && bytes / frame <= MP_MAX_PACKET_FRAMES ? bytes / frame : 0;
}

/* A straggler of the stream before this one. */
static bool is_of_old_stream(const mp_player *p, const mp_rtp *rtp) {
    int64_t before_us = p->begun_capture_us - p->pending.capture_us;
    return p->started && rtp->ssrc != p->ssrc && before_us > 0 && before_us < STRAGGLES_US;
}

static void begin(mp_player *p, const mp_device_time *device, const mp_rtp *rtp, int64_t now_ns) {
    bool goes_on = p->drained;
    /* In the middle of a block, too: until one begins, libroc passes packets on as they come, and
     * repairs none. */
    p->settings.packet_frames = frames_in(p, rtp);
    push(p, MP_ROC_SOURCE);
    mp_player_pop(p, p->other);
    p->held = p->started = true;
    p->away = 0;
    atomic_store(&p->absent, 0);
    p->drained = false;
    p->begun_capture_us = p->pending.capture_us;
    p->ssrc = rtp->ssrc;
    p->next = p->newest = rtp->timestamp;
    p->silence = 0.0;
    p->to_skip = 0;
    p->late_row = 0;
    p->heard_ns = p->origin_ns = p->pending.received_ns;
    memset(p->seen, 0, sizeof p->seen);
    *mp_player_seen_at(p, rtp->timestamp) = (mp_seen){rtp->timestamp, true, p->pending.capture_us};
    uint32_t end = rtp->timestamp + p->settings.packet_frames;
    double target = fmax(p->target, atomic_load(&p->floor));
    double lacks = target - wait_of(p, device, end, p->pending.received_ns);
    if (p->bars != NULL) {
        mp_history_begin(&p->bars->history, rtp->timestamp, p->pending.capture_us);
        note_arrival(p, rtp->timestamp);
    }
    /* What goes on from what was there before is bent to its place later, not cut. */
    bool fits = fabs(lacks) < MP_CUT_FRAMES && target - lacks > atomic_load(&p->floor);
    if (p->by_bars || (goes_on && fits)) lacks = 0.0;
    p->silence = floor(fmax(0.0, lacks));
    p->left_out = (uint32_t)fmin(fmax(0.0, -lacks), p->settings.packet_frames - 1);
    p->next += p->left_out;
    mp_waits_restart(&p->waits, now_ns);
    mp_steering_lost(&p->steering);
    p->troubled = 1;
    atomic_store(&p->playing, 1);
}

static void note_late(mp_player *p, bool is_late, double wait) {
    if (!is_late) {
        p->late_row = 0;
        return;
    }
    mp_count(&p->late, 1);
    if (p->late_row++ == 0) {
        p->late_since_ns = p->pending.received_ns;
        p->late_wait = wait;
    }
    p->late_wait = fmax(p->late_wait, wait);
}

int64_t mp_player_late_for_ns(const mp_player *p) {
    return p->late_row >= LATE_IN_A_ROW ? p->heard_ns - p->late_since_ns : 0;
}

static void hear_source(mp_player *p, const mp_device_time *device, const mp_clock_map *map,
                        int64_t now_ns) {
    mp_rtp rtp;
    const uint32_t frames = p->settings.packet_frames;
    bool whole = mp_rtp_read(&rtp, p->pending.bytes, p->pending.size) && frames_in(p, &rtp) > 0;
    if (!whole || atomic_load(&p->needs_decoder)) {
        mp_count(&p->overflow, 1);
        return;
    }
    if (is_of_old_stream(p, &rtp)) {
        mp_count(&p->late, 1);
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
        mp_player_drain(p, device->rate, map);
        mp_player_end_stream(p);
        if (!atomic_load(&p->needs_decoder)) begin(p, device, &rtp, now_ns);
        return;
    }
    if (ahead > MOST_AHEAD_FRAMES || frames_in(p, &rtp) != frames) {
        mp_count(&p->overflow, 1);
        return;
    }
    if (after > 0) p->newest = rtp.timestamp;
    p->heard_ns = p->pending.received_ns;
    *mp_player_seen_at(p, rtp.timestamp) = (mp_seen){rtp.timestamp, true, p->pending.capture_us};
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
    mp_waits_see(&p->waits, wait, latency, transit_s * MP_STREAM_RATE - (double)rtp.timestamp);
    push(p, MP_ROC_SOURCE);
}

static void hear(mp_player *p, const mp_device_time *device, const mp_clock_map *map,
                 int64_t now_ns) {
    switch (p->pending.kind) {
    case MP_MEDIA_SOURCE:
        mp_count(&p->packets, 1);
        hear_source(p, device, map, now_ns);
        break;
    case MP_MEDIA_REPAIR:
        mp_count(&p->repair_packets, 1);
        if (p->started && p->settings.source_packets > 0 &&
            p->pending.capture_us >= p->begun_capture_us) {
            push(p, MP_ROC_REPAIR);
        }
        break;
    default: mp_count(&p->overflow, 1); break; /* none of ours sends RTCP */
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
        if (!mp_packet_stage(&p->queue, &packet)) mp_count(&p->overflow, 1);
        mp_ring_publish(&p->queue);
    }
}

void mp_player_take_in(mp_player *p, const mp_device_time *device, const mp_clock_map *map,
                    int64_t now_ns) {
    collect(p);
    for (;;) {
        if (!p->pending_there) p->pending_there = mp_packet_take(&p->queue, &p->pending);
        if (!p->pending_there || is_early(p, now_ns)) return;
        p->pending_there = false;
        if (p->pending.size > sizeof p->pending.bytes) {
            mp_count(&p->overflow, 1);
        } else {
            hear(p, device, map, now_ns);
        }
    }
}
