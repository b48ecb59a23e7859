/* `bar` mode: what is heard when, by the pieces of midipool/audio/bars.py. Where in the stream one
 * is follows from room time alone, so that no drift of any clock adds up. The codec thread's own;
 * realtime-safe but for new and free. */
#pragma once

#include <stdatomic.h>

#include "audio_history.h"
#include "resampler.h"
#include "rt.h"

/* What the client said last; replaced as a whole. */
typedef struct {
    uint32_t count;
    mp_piece pieces[];
} mp_pieces;

/* Where the sound is read from. */
typedef struct {
    mp_resampler resampler;
    int64_t next; /* place of the frame that it gets next */
    bool there;   /* false: it is silent */
    float part;   /* 0 where nothing is kept, rising to 1 where something is */
    float last[MP_MAX_CHANNELS];
} mp_bars_reader;

typedef struct {
    mp_history history;
    mp_bars_reader readers[2];
    int reading;     /* which one */
    uint32_t fading; /* frames that the other one is still heard for */
    bool fresh;      /* nothing was heard yet */
    double faster;   /* by which the stream is faster than our device, as found so far */
    double age_s;    /* since the last jump */
    double latency_us; /* of what was read last; NAN where nothing sounds */
    uint64_t missing; /* frames that had not been decoded when they were to be heard */
} mp_bars;

mp_bars *mp_bars_new(uint32_t channels, uint32_t frames, uint32_t device_rate);
void mp_bars_free(mp_bars *b);
/* Begin at once, without a fade: what was heard another way before is faded out elsewhere. */
void mp_bars_restart(mp_bars *b);
/* What is heard from host time `ns` on. Without map or pieces, and between the bars, that is what
 * came `behind` frames before the newest. */
void mp_bars_fill(mp_bars *b, float *frames, uint32_t count, int64_t ns, uint32_t rate,
                  const mp_clock_map *map, const mp_pieces *pieces, double behind);
