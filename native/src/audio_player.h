/* What the files of a player's codec side share: audio_player_hear.c takes packets in,
 * audio_player_feed.c turns the decoder's frames into the ring's, audio_player_bars.c does so for
 * bars, and audio_player.c steers how long packets wait. All of it is the codec thread's. */
#pragma once

#include "audio.h"

/* A wait that is too long by more is cut, not bent. */
static const double MP_CUT_FRAMES = 0.02 * MP_STREAM_RATE;

static inline void mp_count(_Atomic uint64_t *counter, uint64_t by) {
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

static inline mp_seen *mp_player_seen_at(mp_player *p, uint32_t timestamp) {
    return &p->seen[timestamp / p->settings.packet_frames % MP_SEEN];
}

/* One packet's frames of the decoder's; false when it has nothing. */
bool mp_player_pop(mp_player *p, float *block);
/* Up to the moment's cover, and past what has no time to be heard any more. */
void mp_player_fill_ring(mp_player *p, const mp_moment *at);
/* All that came of this stream is decoded, before another one follows it. */
void mp_player_drain(mp_player *p, uint32_t rate, const mp_clock_map *map);
/* What has come, as far as its time is near. */
void mp_player_take_in(mp_player *p, const mp_device_time *device, const mp_clock_map *map,
                       int64_t now_ns);
/* For how long all packets have come too late. */
int64_t mp_player_late_for_ns(const mp_player *p);
/* The stream began anew, or ended: libroc would refuse what comes now. */
void mp_player_end_stream(mp_player *p);
