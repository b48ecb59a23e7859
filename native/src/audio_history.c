#include "audio_history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rt.h"

static const double FRAMES_A_US = MP_STREAM_RATE * 1e-6, FRAMES_A_NS = MP_STREAM_RATE * 1e-9;
/* Room times are noted so often, and at once where they differ from what was expected by more. */
enum { ANCHOR_FRAMES = MP_STREAM_RATE / 10 };
static const double ODD_FRAMES = MP_STREAM_RATE * 1e-3;
/* A device that stood still is behind by more; a clock that is found anew may be behind by less. */
static const double STOOD_FRAMES = MP_STREAM_RATE * 2e-3;
/* What was captured so much later or earlier has nothing to do with what came before. */
static const int64_t OTHER_STREAM_US = 120000000;
/* What arrives is compared with the quickest; that is forgotten slowly, since clocks differ. */
static const double FORGET = 1e-3;

bool mp_history_init(mp_history *h, uint32_t channels, uint32_t frames) {
    memset(h, 0, sizeof *h);
    h->samples = calloc((size_t)frames * channels, sizeof *h->samples);
    h->channels = channels;
    h->mask = frames - 1;
    return h->samples != NULL;
}

void mp_history_free(mp_history *h) {
    free(h->samples);
    h->samples = NULL;
}

static int16_t *at(const mp_history *h, int64_t place) {
    return h->samples + (size_t)((uint64_t)place & h->mask) * h->channels;
}

static int64_t oldest(const mp_history *h) {
    int64_t kept = h->written - (int64_t)h->mask - 1;
    return kept > h->first ? kept : h->first;
}

void mp_history_move(mp_history *h, mp_history *other) {
    int16_t *samples = other->samples;
    uint32_t mask = other->mask;
    int64_t from = h->written - (int64_t)mask - 1;
    if (from < oldest(h)) from = oldest(h);
    for (int64_t place = from; place < h->written; place++) {
        memcpy(samples + (size_t)((uint64_t)place & mask) * h->channels, at(h, place),
               h->channels * sizeof *samples);
    }
    h->first = from;
    other->samples = h->samples;
    other->mask = h->mask;
    h->samples = samples;
    h->mask = mask;
}

/* ---- places and room times ---- */

static const mp_anchor *anchor(const mp_history *h, uint32_t index) {
    return &h->anchors[index % MP_ANCHORS];
}

int64_t mp_history_place_of(const mp_history *h, uint32_t timestamp) {
    return h->base_place + (int32_t)(timestamp - h->base_timestamp);
}

/* The newest anchor that is not behind; the oldest one where all are. */
static uint32_t anchor_before(const mp_history *h, double value, bool by_place) {
    uint32_t least = h->anchor_count > MP_ANCHORS ? h->anchor_count - MP_ANCHORS : 0;
    uint32_t index = h->anchor_count - 1;
    for (; index > least; index--) {
        const mp_anchor *a = anchor(h, index);
        if ((double)(by_place ? a->place : a->capture_us) <= value) break;
    }
    return index;
}

/* How many frames there are in a µs behind an anchor: as many as up to the next one. */
static double slope(const mp_history *h, uint32_t index, bool within) {
    if (!within || index + 1 >= h->anchor_count) return FRAMES_A_US;
    const mp_anchor *a = anchor(h, index), *b = anchor(h, index + 1);
    return (double)(b->place - a->place) / (double)(b->capture_us - a->capture_us);
}

double mp_history_place_at(const mp_history *h, double capture_us) {
    if (h->anchor_count == 0) return 0.0;
    uint32_t index = anchor_before(h, capture_us, false);
    double after_us = capture_us - (double)anchor(h, index)->capture_us;
    return (double)anchor(h, index)->place + after_us * slope(h, index, after_us > 0.0);
}

double mp_history_capture_at(const mp_history *h, double place) {
    if (h->anchor_count == 0) return 0.0;
    uint32_t index = anchor_before(h, place, true);
    double after = place - (double)anchor(h, index)->place;
    return (double)anchor(h, index)->capture_us + after / slope(h, index, after > 0.0);
}

bool mp_history_stood_at(const mp_history *h, double capture_us) {
    if (h->anchor_count == 0) return false;
    uint32_t index = anchor_before(h, capture_us, false);
    const mp_anchor *last = anchor(h, index), *next = anchor(h, index + 1);
    bool within = capture_us > (double)last->capture_us && index + 1 < h->anchor_count;
    return within && next->place - last->place == 1; /* by note_stand */
}

/* The room's clock is another one: what was kept is of no known time. */
static void forget(mp_history *h, int64_t place) {
    h->anchor_count = 0;
    h->first = place;
}

static void add_anchor(mp_history *h, int64_t place, int64_t capture_us) {
    h->anchors[h->anchor_count++ % MP_ANCHORS] = (mp_anchor){place, capture_us};
}

/* The sender's device stood still before this place: the frame before it was captured in time. */
static void note_stand(mp_history *h, int64_t place) {
    const mp_anchor *last = anchor(h, h->anchor_count - 1);
    int64_t frames = place - 1 - last->place;
    if (frames > 0) {
        add_anchor(h, place - 1, last->capture_us + llround((double)frames / FRAMES_A_US));
    }
}

static void note(mp_history *h, int64_t place, int64_t capture_us, bool at_once) {
    if (h->anchor_count > 0) {
        const mp_anchor *last = anchor(h, h->anchor_count - 1);
        int64_t later_us = capture_us - last->capture_us;
        if (later_us < -OTHER_STREAM_US || later_us > OTHER_STREAM_US) forget(h, place);
    }
    if (h->anchor_count > 0) {
        const mp_anchor *last = anchor(h, h->anchor_count - 1);
        if (place <= last->place || capture_us <= last->capture_us) return;
        double expected = (double)last->place +
                          (double)(capture_us - last->capture_us) * FRAMES_A_US;
        double stood = expected - (double)place;
        bool odd = fabs(stood) > ODD_FRAMES;
        if (!at_once && !odd && place < last->place + ANCHOR_FRAMES) return;
        if (stood > STOOD_FRAMES) note_stand(h, place);
    }
    add_anchor(h, place, capture_us);
}

double mp_history_head_at(const mp_history *h, int64_t host_ns) {
    return h->head + (double)(host_ns - h->head_ns) * FRAMES_A_NS;
}

/* ---- sound ---- */

void mp_history_begin(mp_history *h, uint32_t timestamp, int64_t capture_us) {
    int64_t place = h->written;
    if (h->anchor_count > 0) {
        int64_t later_us = capture_us - anchor(h, h->anchor_count - 1)->capture_us;
        if (later_us > -OTHER_STREAM_US && later_us < OTHER_STREAM_US) {
            int64_t captured = llround(mp_history_place_at(h, (double)capture_us));
            if (captured > place) place = captured;
        } else {
            forget(h, place);
        }
    } else {
        h->first = place;
    }
    h->base_place = place;
    h->base_timestamp = timestamp;
    h->begun = true;
    h->headed = false;
    note(h, place, capture_us, true);
}

void mp_history_arrived(mp_history *h, uint32_t timestamp, uint32_t frames, int64_t capture_us,
                        int64_t received_ns) {
    int64_t place = mp_history_place_of(h, timestamp);
    double end = (double)(place + frames);
    note(h, place, capture_us, false);
    double later = h->headed ? mp_history_head_at(h, received_ns) - end : 0.0;
    if (!h->headed || later < 0.0) {
        h->head = end;
        h->head_ns = received_ns;
        h->headed = true;
    } else {
        h->head -= fmin(later, FORGET * frames);
    }
}

/* To the nearest: adding so much leaves no bits behind the point. */
static int16_t rounded(float sample) {
    const float no_fraction = 12582912.0f; /* 1.5 * 2^23 */
    float value = sample * 32767.0f;
    value = value > -32767.0f ? value : -32767.0f; /* also what is no number */
    value = value < 32767.0f ? value : 32767.0f;
    return (int16_t)(int32_t)(value + no_fraction - no_fraction);
}

/* Frames that lie one behind the other, in two pieces at the buffer's end. */
static void keep(mp_history *h, int64_t place, const float *frames, uint32_t count) {
    while (count > 0) {
        uint32_t piece = h->mask + 1 - (uint32_t)((uint64_t)place & h->mask);
        if (piece > count) piece = count;
        int16_t *to = at(h, place);
        for (uint32_t i = 0; i < piece * h->channels; i++) to[i] = rounded(frames[i]);
        place += piece;
        frames += (size_t)piece * h->channels;
        count -= piece;
    }
}

void mp_history_store(mp_history *h, uint32_t timestamp, const float *frames, uint32_t count) {
    if (!h->begun) return;
    int64_t place = mp_history_place_of(h, timestamp);
    int64_t gap_from = place - (int64_t)h->mask - 1;
    if (gap_from < h->written) gap_from = h->written;
    for (int64_t p = gap_from; p < place; p++) memset(at(h, p), 0, h->channels * sizeof(int16_t));
    int64_t kept = h->written > place ? h->written - place : 0; /* was there before */
    if (kept < count) {
        keep(h, place + kept, frames + (size_t)kept * h->channels, count - (uint32_t)kept);
        h->written = place + count;
    }
    h->base_place = place;
    h->base_timestamp = timestamp;
}

bool mp_history_read(const mp_history *h, int64_t place, float *frame) {
    if (place < oldest(h) || place >= h->written) return false;
    for (uint32_t c = 0; c < h->channels; c++) frame[c] = (float)at(h, place)[c] / 32767.0f;
    return true;
}
