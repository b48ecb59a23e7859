/* What was decoded of a stream, kept by where it was captured: the sound, and what room time each
 * part of it is of. A *place* counts the stream's frames over all of its new beginnings, and what
 * was lost between them. The codec thread's own; realtime-safe but for init and free. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { MP_ANCHORS = 1024 };

typedef struct {
    int64_t place, capture_us;
} mp_anchor;

typedef struct {
    int16_t *samples; /* those before `written`, by place */
    uint32_t channels, mask;
    int64_t first, written; /* places: of the first frame ever, and behind the newest one */
    int64_t base_place;     /* of the frame with this stream time */
    uint32_t base_timestamp;
    bool begun; /* a stream has; nothing is kept before */
    mp_anchor anchors[MP_ANCHORS]; /* rising in both; some every second */
    uint32_t anchor_count;         /* ever */
    double head; /* behind the newest frame that can have arrived at head_ns */
    int64_t head_ns;
    bool headed;
} mp_history;

/* `frames` must be a power of two. False when there is no memory. */
bool mp_history_init(mp_history *h, uint32_t channels, uint32_t frames);
void mp_history_free(mp_history *h);
/* Go on in the memory of `other`, which gets ours: what fits in is kept. */
void mp_history_move(mp_history *h, mp_history *other);

/* A stream begins, or begins anew, with the frame of this stream time. */
void mp_history_begin(mp_history *h, uint32_t timestamp, int64_t capture_us);
/* A packet arrived. */
void mp_history_arrived(mp_history *h, uint32_t timestamp, uint32_t frames, int64_t capture_us,
                        int64_t received_ns);
/* Keep what was decoded; it is given in order. */
void mp_history_store(mp_history *h, uint32_t timestamp, const float *frames, uint32_t count);
/* One frame; false where nothing is kept. */
bool mp_history_read(const mp_history *h, int64_t place, float *frame);

int64_t mp_history_place_of(const mp_history *h, uint32_t timestamp);
/* The place that was captured at a room time, and back. 0 while there was no stream. */
double mp_history_place_at(const mp_history *h, double capture_us);
double mp_history_capture_at(const mp_history *h, double place);
/* Whether nothing was captured then, because the sender's device stood still. */
bool mp_history_stood_at(const mp_history *h, double capture_us);
/* Behind the newest frame that can have arrived at a host time. */
double mp_history_head_at(const mp_history *h, int64_t host_ns);
