/* A player in bar mode: its packets are decoded once repair had its time, whenever they are heard;
 * and the way into it and back. */
#include <math.h>

#include "audio.h"

/* So many blocks are decoded in one step at most. */
enum { MOST_BLOCKS = 16 };

void mp_player_decode_next(mp_player *p) {
    uint32_t timestamp = p->next;
    if (p->held) {
        mp_player_keep(p, timestamp, p->other);
        p->held = false;
        p->next += p->settings.packet_frames;
    } else {
        mp_player_next_block(p, p->block);
        mp_player_keep(p, timestamp, p->block);
    }
}

/* How many frames there are from the newest that can have come to the next to be decoded. */
static double undecoded(const mp_player *p, int64_t now_ns) {
    const mp_history *h = &p->bars->history;
    return mp_history_head_at(h, now_ns) - (double)mp_history_place_of(h, p->next);
}

/* How old what can be played is at least, when it is: some of it lies in the ring for a while. */
static double age_of_next(const mp_player *p, const mp_moment *at) {
    double place = (double)mp_history_place_of(&p->bars->history, p->next);
    double captured_us = mp_history_capture_at(&p->bars->history, place);
    double age_us = (double)mp_room_at_ns(at->map, at->ns) * 1e-3 - captured_us;
    double sooner_s = (double)(at->cover - at->device->period) / at->device->rate;
    return (age_us * 1e-6 + sooner_s) * MP_STREAM_RATE;
}

/* Repair has all its time; then it is kept until its bar comes. */
void mp_player_decode_for_bars(mp_player *p, const mp_moment *at) {
    for (int i = 0; p->started && i < MOST_BLOCKS; i++) {
        if (!p->held && undecoded(p, at->ns) < p->target + p->settings.packet_frames) break;
        mp_player_decode_next(p);
    }
    atomic_store(&p->latency_us, isnan(p->bars->latency_us) ? -1 : llround(p->bars->latency_us));
    atomic_store(&p->faster, p->bars->faster);
    if (at->map != NULL) atomic_store(&p->wait, age_of_next(p, at));
    uint64_t missing = p->bars->missing;
    p->bars->missing = 0;
    if (p->started) atomic_fetch_add_explicit(&p->concealed, missing, memory_order_relaxed);
}

static void play_other_way(mp_player *p, bool by_bars, int64_t now_ns) {
    p->by_bars = by_bars;
    p->joining = MP_JOIN;
    p->silence = 0.0;
    p->to_skip = 0;
    mp_bars_restart(p->bars);
    mp_waits_restart(&p->waits, now_ns);
    mp_steering_lost(&p->steering);
    static const float none[MP_MAX_CHANNELS];
    for (uint32_t i = mp_resampler_restart(&p->resampler, 0.0); i > 0; i--) {
        mp_resampler_push(&p->resampler, none, 1);
    }
}

/* Back to playing what comes: what waited for repair is decoded, some in each step; the bars are
 * heard until then. */
static void leave_bars(mp_player *p, const mp_moment *at) {
    double target = fmax(p->target, at->least);
    double ahead = (double)(at->device->next_ns - at->ns) * (MP_STREAM_RATE * 1e-9) +
                   mp_player_ahead(p) * ((double)MP_STREAM_RATE / at->device->rate);
    /* More may be in the ring than is to be waited: that is heard first. */
    double left = fmax(target - ahead, at->least);
    for (int i = 0; p->started && i < MOST_BLOCKS; i++) {
        if (undecoded(p, at->ns) <= left + p->settings.packet_frames) break;
        mp_player_decode_next(p);
    }
    double lacks = p->started ? target - ahead - undecoded(p, at->ns) : 0.0;
    if (lacks < -2.0 * p->settings.packet_frames) return;
    play_other_way(p, false, at->ns);
    p->silence = floor(fmax(0.0, lacks));
    p->troubled = true;
}

void mp_player_choose_way(mp_player *p, const mp_moment *at) {
    bool can = p->bars != NULL && (p->bars->history.begun || !p->started);
    bool by_bars = can && p->settings.wait == MP_WAIT_FOR_BARS;
    if (by_bars && !p->by_bars) play_other_way(p, true, at->ns);
    if (!by_bars && p->by_bars) leave_bars(p, at);
}
