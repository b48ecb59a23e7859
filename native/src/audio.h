/* What the audio engine's parts share. Which thread owns what is said at each struct. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "audio_bars.h"
#include "audio_insert.h"
#include "audio_link.h"
#include "capture_marks.h"
#include "concealer.h"
#include "decode_lead.h"
#include "frame_ring.h"
#include "resampler.h"
#include "ring.h"
#include "rt.h"
#include "steering.h"

enum { MP_ORDERS = 512, MP_SLOWER_BINS = 256, MP_SEEN = 1024, MP_SPREAD = 64, MP_JOIN = 96 };

/* ---- callback ---- */

/* Peak and sum of squares since the reader last took them; written by the callback. */
typedef struct {
    _Atomic float peak, squares;
    _Atomic uint32_t frames;
    _Atomic int taken; /* the reader asks to begin anew */
} mp_audio_meter;

void mp_level_see(mp_audio_meter *meters, uint32_t channels, const float *interleaved,
                  uint32_t frames);
void mp_level_take(mp_audio_meter *meters, uint32_t channels, mp_level *levels);

/* A player's place in the mix; the callback's own. */
typedef struct {
    float gain, pan;
    bool mute, solo;
    mp_audio_link link; /* what comes of the player at all */
    mp_audio_link tape; /* what recordings get of it */
    float now[MP_MAX_CHANNELS]; /* gains to each output, on their way to what is wanted */
    float last[MP_MAX_CHANNELS]; /* samples, when the ring ran dry */
    float fade; /* 0 after a dry ring, rising to 1 */
} mp_mix_place;

/* The place of a channel of one's own input; the callback's own. */
typedef struct {
    float gain, pan;
    bool mute, solo;
    float send_now, now[MP_MAX_CHANNELS]; /* gains to the room and to each output, on their way */
} mp_own_place;

/* ---- codec thread ---- */

/* How long packets wait: the quickest of each quarter of a second count. */
typedef struct {
    double best; /* of the window that is filling, in stream frames */
    double from_capture; /* the sum of the waits since capture in it */
    uint32_t packets, timed;
    double transit_offset;  /* what lies between capture and the quickest arrivals */
    uint32_t offset_windows;
    int64_t window_end_ns;
    double wait;            /* the last window's */
    double jitter, transit; /* RFC 3550, in stream frames; transit is the last packet's */
    bool transit_known, hurried;
    float slower[MP_SLOWER_BINS]; /* how many were so much slower than the quickest; it fades */
} mp_waits;

/* Another stream. */
void mp_waits_restart(mp_waits *waits, int64_t now_ns);
/* Something was left out or filled in: packets wait otherwise from now on, on the same way. */
void mp_waits_change(mp_waits *waits, int64_t now_ns);
/* A packet waits so long, in stream frames, until it is played; `from_capture` is how long it is
 * since it was captured, by the room's clock, or NAN. */
void mp_waits_see(mp_waits *waits, double wait, double from_capture, double transit);
/* Something happened: look again soon, at what comes from now on. */
void mp_waits_hurry(mp_waits *waits, int64_t now_ns);
/* True at the end of a window: then `wait` is new. */
bool mp_waits_window(mp_waits *waits, int64_t now_ns);
double mp_waits_p95(const mp_waits *waits); /* in stream frames */

typedef struct {
    uint32_t timestamp;
    bool there;
    int64_t capture_us;
} mp_seen;

typedef struct mp_player {
    mp_player_settings settings;
    uint32_t slot;
    mp_ring queue;      /* media socket -> codec thread */
    mp_frame_ring ring; /* codec thread -> callback */
    mp_capture_marks captured; /* the same: when what lies in the ring was captured */
    /* The callback's. */
    mp_mix_place place;
    mp_audio_meter meters[MP_MAX_CHANNELS];
    /* The codec thread's. */
    uint64_t read_at; /* frames of the ring that were read before the next cycle's begin */
    mp_resampler resampler;
    mp_concealer concealer;
    bool quiet; /* the last block that came was silent */
    uint32_t away; /* frames in a row of which nothing came */
    mp_waits waits;
    mp_steering steering;
    double target, cover;
    uint64_t dry_seen;
    uint32_t xruns_seen;
    uint32_t behind;        /* device frames that are not heard any more: their time is over */
    int troubled;            /* so many looks at the wait may cut it to its place */
    int64_t trouble_ns;     /* when it was so last */
    bool held, started;     /* a first block was decoded, and waits for its time */
    bool pending_there;     /* a packet was taken out of the queue, but it is too early for it */
    mp_media_packet pending;
    uint32_t ssrc, next, newest; /* stream time of what is fed next, and of what came last */
    double silence;             /* frames that are to pass before the stream */
    uint32_t to_skip;           /* frames that are to be left out of it */
    uint32_t left_out;          /* frames of the held block */
    int64_t heard_ns;           /* the last source packet */
    mp_seen seen[MP_SEEN];
    int64_t origin_ns; /* what transit times count from */
    uint32_t late_row; /* source packets that came too late, without one in time between */
    int64_t late_since_ns; /* when the first of them came */
    double late_wait;      /* of the quickest of them */
    float block[MP_MAX_PACKET_FRAMES * MP_MAX_CHANNELS];
    float other[MP_MAX_PACKET_FRAMES * MP_MAX_CHANNELS];
    void *spare;              /* decoder for the next stream, or NULL */
    int64_t begun_capture_us; /* of the stream's first packet */
    bool drained;             /* what comes next follows a stream that was played to its end */
    mp_bars *bars; /* what was heard is kept, for bar mode; or NULL */
    bool by_bars;  /* it is heard by pieces */
    uint32_t joining;            /* frames until nothing of another way of playing is heard */
    float tail[MP_MAX_CHANNELS]; /* the last frame that went into the ring */
    /* Everybody's to look at. */
    _Atomic uint64_t packets, repair_packets, lost, repaired, late, concealed;
    _Atomic uint64_t overflow, underruns, dry, jumps; /* `dry` are frames of the device */
    _Atomic uint32_t covered, used; /* frames that are left behind a cycle in time; most that lacked */
    _Atomic double wait, floor, faster, jitter_us, p95_us;
    _Atomic int64_t latency_us;
    _Atomic int playing, needs_decoder;
    _Atomic int absent; /* nothing came for so long that nothing of it is to be recorded */
    _Atomic(void *) decoder;
    /* The third thread's. */
    bool leaving, callback_has, codec_has;
} mp_player;

/* What the codec thread knows of the callback: the frame ring's `read` at the next cycle's start,
 * which is expected at next_ns. */
typedef struct {
    int64_t next_ns;
    uint32_t period, rate;
    uint32_t lead_us; /* so long before, at least, what is to be played is decoded */
    uint32_t xruns;   /* so far */
    uint32_t missed;  /* frames of cycles that should have begun since */
} mp_device_time;

/* Frames that lie in the ring when the next cycle begins. The callback may run in the middle of a
 * step: then the ring has less, of which the device time says nothing. */
static inline uint32_t mp_player_ahead(mp_player *p) {
    return (uint32_t)(atomic_load_explicit(&p->ring.written, memory_order_relaxed) - p->read_at);
}

/* What a step knows of the moment. */
typedef struct {
    const mp_device_time *device;
    const mp_clock_map *map;
    const mp_pieces *pieces;
    uint32_t cover; /* so many frames are to be in the ring */
    double least;   /* the least wait */
    int64_t ns;
} mp_moment;

/* The next packet's frames: as sent, repaired or made up. */
void mp_player_next_block(mp_player *p, float *block);
/* Keep them for bars. */
void mp_player_keep(mp_player *p, uint32_t timestamp, const float *block);
/* Decode and keep a block without playing it. */
void mp_player_decode_next(mp_player *p);
/* Do so with all for which repair had its time. */
void mp_player_decode_for_bars(mp_player *p, const mp_moment *at);
/* Play by bars, or as it comes, as it is set to now. */
void mp_player_choose_way(mp_player *p, const mp_moment *at);
/* Take in what came, and fill the ring to `cover` frames. */
void mp_player_step(mp_player *p, const mp_device_time *device, const mp_clock_map *map,
                    const mp_pieces *pieces, uint32_t cover, int64_t now_ns);
void mp_player_set_decoder(mp_player *p, void *decoder);
void mp_player_stats_of(mp_player *p, mp_player_stats *stats);

typedef struct {
    mp_media_packet packet;
    int64_t due_ns;
} mp_spread_packet;

/* The codec thread's sending side. */
typedef struct {
    mp_audio_encoder with;
    _Atomic(void *) encoder;
    mp_resampler resampler;
    bool resamples;
    uint32_t channels, rate;
    float block[MP_MAX_PACKET_FRAMES * MP_MAX_CHANNELS];
    uint32_t filled;
    bool repairs; /* somebody waits for repair packets */
    float from[256 * MP_MAX_CHANNELS];
    mp_spread_packet spread[MP_SPREAD];
    uint32_t spread_first, spread_count;
    int64_t spread_next_ns;
} mp_sender;

bool mp_sender_init(mp_sender *s, uint32_t rate, uint32_t channels);
void mp_sender_free(mp_sender *s);
void mp_sender_set(mp_sender *s, const mp_audio_encoder *with);
/* Encode the first `available` frames of the ring; the last was captured at `end_ns`. */
void mp_sender_step(mp_sender *s, mp_frame_ring *input, uint32_t available, int64_t end_ns,
                    const mp_clock_map *map, int64_t now_ns);
/* When the next repair packet is due; INT64_MAX when there is none. */
int64_t mp_sender_next_ns(const mp_sender *s);
void mp_sender_send_due(mp_sender *s, int64_t now_ns);

/* What a source has, to its tap if there is one, as the link lets it through (NULL: all); the
 * callback's. */
void mp_audio_tap(mp_audio *a, uint32_t source, mp_audio_link *link, uint32_t channels,
                  const float *frames, uint32_t count, int64_t host_ns);

/* ---- messages ---- */

typedef struct {
    mp_audio_arrive arrive;
    void *arg;
} mp_arrivals;

typedef enum {
    MP_ORDER_ADD = 0,
    MP_ORDER_REMOVE,
    MP_ORDER_MIX,
    MP_ORDER_LINK,
    MP_ORDER_TAPE,
    MP_ORDER_OWN_TAPE,
    MP_ORDER_MASTER,
    MP_ORDER_MONITOR,
    MP_ORDER_SEND,
    MP_ORDER_OWN,
    MP_ORDER_TARGET,
    MP_ORDER_DECODER,
    MP_ORDER_ENCODER,
    MP_ORDER_REPAIRS,
    MP_ORDER_ARRIVE,
    MP_ORDER_MAP,
    MP_ORDER_KEEP,
    MP_ORDER_PIECES,
    MP_ORDER_INSERTS,
    MP_ORDER_INSERT
} mp_order_kind;

typedef struct {
    mp_order_kind kind;
    uint32_t slot;
    union {
        mp_player *player; /* ADD; and what is handed back */
        struct {
            float gain, pan;
            int mute, solo;
        } mix; /* MIX, and OWN, of which the slot is the channel */
        mp_link_order link; /* LINK, TAPE, OWN_TAPE */
        float gain;
        struct {
            mp_wait wait;
            double frames, cover;
        } target;
        mp_bars *bars;     /* KEEP; what it is not used for any more is handed back */
        mp_pieces *pieces; /* likewise */
        mp_inserts *inserts;
        mp_insert_mode insert; /* of the lane `slot` */
        void *decoder;
        mp_audio_encoder encoder;
        bool repairs;
        mp_arrivals arrivals;
        mp_clock_map map;
    };
} mp_order;

struct mp_audio {
    mp_audio_settings settings;
    /* Third thread -> callback, and back; third thread -> codec thread, and back. */
    mp_ring to_callback, from_callback, to_codec, from_codec;
    mp_player *slots[MP_MAX_PLAYERS]; /* the third thread's */
    mp_inserts *own_inserts;          /* likewise */
    /* The callback's. */
    mp_player *heard[MP_MAX_PLAYERS];
    float master, master_now, monitor, send;
    mp_own_place own[MP_MAX_CHANNELS];
    mp_audio_link own_tape[2]; /* of MP_TAP_INPUT, and of MP_TAP_PLAYED */
    int64_t frame;
    uint32_t lost; /* frames of the device before this cycle that nobody took or gave */
    float own_last[MP_MAX_CHANNELS]; /* the last frame that went to the codec thread */
    mp_frame_clock *clock;
    bool silenced; /* somebody is soloed */
    uint32_t xruns_seen;
    mp_inserts *inserts; /* NULL without effects */
    float mixed[MP_MAX_PERIOD * MP_MAX_CHANNELS], scratch[MP_MAX_PERIOD * MP_MAX_CHANNELS];
    float taped[MP_MAX_PERIOD * MP_MAX_CHANNELS];
    mp_audio_meter in_meters[MP_MAX_CHANNELS], out_meters[MP_MAX_CHANNELS];
    mp_frame_ring input; /* callback -> codec thread */
    int64_t began_ns;    /* this cycle */
    _Atomic(mp_tap *) taps[MP_TAPS]; /* the third thread's to set */
    /* Callback -> codec thread: odd while they are being written. */
    _Atomic uint32_t cycle;
    _Atomic int64_t cycle_ns;
    _Atomic uint32_t cycle_frames;
    _Atomic uint32_t xruns;
    _Atomic uint64_t input_dropped;
    _Atomic uint32_t input_latency; /* frames; UINT32_MAX is a period */
    _Atomic uint32_t input_older;   /* frames more, by effects */
    /* The codec thread's. */
    mp_player *decoded[MP_MAX_PLAYERS];
    mp_sender sender;
    mp_clock_map map;
    bool mapped;
    mp_pieces *pieces;
    mp_arrivals arrivals;
    mp_decode_lead lead;
    uint64_t decodings;
    uint32_t cycle_seen, cycle_decoded, missed_decoded;
    int64_t expected_ns; /* when the cycle behind the last one begins */
    int64_t after_ns; /* so long after it begins a cycle has left its input, nearly always */
    bool missed; /* a look was too early for it */
    pthread_t thread;
    bool running;
    int priority;
    _Atomic int stopping;
    _Atomic int started; /* 1 with the priority, -1 without */
};

/* ---- the callback's arithmetic ---- */

/* Gains go to what is wanted within some ms: this part of the way each frame. */
static const float MP_GLIDE = 0.01f;

/* A number that a device can play. */
static inline float mp_clamped(float sample) {
    if (sample >= -1.0f && sample <= 1.0f) return sample;
    return sample > 1.0f ? 1.0f : sample < -1.0f ? -1.0f : 0.0f;
}

/* Two outputs are panned with equal power; `full`: what is in the middle keeps its level in both,
 * as what is stereo already must. */
float mp_pan(float pan, uint32_t out, bool full);

/* Frames become those with effects, where there are any; returns how much older they are then. */
uint32_t mp_audio_insert(mp_audio *a, mp_place lane, float *samples, uint32_t frames);

static inline int64_t mp_frames_ns(const mp_audio *a, uint32_t frames) {
    return frames * INT64_C(1000000000) / a->settings.rate;
}

/* Frames that were lost are passed over in the players' rings, before they are read. */
void mp_lost_outputs(mp_audio *a);
/* They are filled in before one's own block, which `a->scratch` has. */
void mp_lost_input(mp_audio *a, uint32_t frames);

/* One's own input, in the callback. */
void mp_own_places_init(mp_audio *a);
void mp_own_obey(mp_audio *a, const mp_order *order);
/* Whether a channel of it silences what is not soloed. */
bool mp_own_is_soloed(const mp_audio *a);
void mp_own_take(mp_audio *a, const float *const *in, uint32_t frames);
