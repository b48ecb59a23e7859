#include "audio_bars.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Pieces are looked up once in so many frames. */
enum { CHUNK = 64, FADE = 96, SOFT = 64 };
/* A new piece is faded in before it begins, so that its first beat is whole. */
static const int64_t AHEAD_NS = (FADE + CHUNK) * INT64_C(1000000000) / 44100;
/* Off by more is faded over to where it should be; less is bent back. */
static const double JUMP_FRAMES = 0.002 * MP_STREAM_RATE;
static const double MOST_BENT = 1500e-6, MOST_DRIFT = 600e-6;
/* The loop that bends: fast at the begin, slow after some seconds. */
static const double SLOW_RAD_S = 0.3, FAST_RAD_S_S = 4.0, FAST_FOR_S = 2.0;
static const int64_t SLOPE_NS = 100000000;
static const double MOST_SLOPE = 0.01;

mp_bars *mp_bars_new(uint32_t channels, uint32_t frames, uint32_t device_rate) {
    mp_bars *b = calloc(1, sizeof *b);
    if (b == NULL) return NULL;
    mp_resampler *first = &b->readers[0].resampler, *second = &b->readers[1].resampler;
    if (mp_history_init(&b->history, channels, frames) &&
        mp_resampler_init(first, MP_STREAM_RATE, device_rate, channels) &&
        mp_resampler_init(second, MP_STREAM_RATE, device_rate, channels)) {
        mp_bars_restart(b);
        return b;
    }
    mp_bars_free(b);
    return NULL;
}

void mp_bars_free(mp_bars *b) {
    if (b == NULL) return;
    mp_history_free(&b->history);
    mp_resampler_free(&b->readers[0].resampler);
    mp_resampler_free(&b->readers[1].resampler);
    free(b);
}

void mp_bars_restart(mp_bars *b) {
    b->readers[0].there = b->readers[1].there = false;
    b->fading = 0;
    b->fresh = true;
}

/* ---- where to read ---- */

typedef struct {
    bool sounds;
    double place;
} aim;

/* The piece that a room time lies in; the last one goes on. */
static const mp_piece *piece_at(const mp_pieces *pieces, int64_t room_us) {
    if (pieces == NULL || pieces->count == 0) return NULL;
    uint32_t low = 0, high = pieces->count - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (pieces->pieces[middle].play_end_us <= room_us) low = middle + 1;
        else high = middle;
    }
    return &pieces->pieces[low];
}

static double capture_at(const mp_piece *piece, double room_us) {
    double share = (double)(piece->capture_end_us - piece->capture_us) /
                   (double)(piece->play_end_us - piece->play_us);
    return (double)piece->capture_us + (room_us - (double)piece->play_us) * share;
}

static double room_us_at(const mp_clock_map *map, int64_t ns) {
    return (double)mp_room_at_ns(map, ns) * 1e-3;
}

static aim aim_at(const mp_bars *b, const mp_piece *piece, const mp_clock_map *map, int64_t ns,
                  double behind) {
    if (piece == NULL || piece->kind == MP_PIECE_AT_ONCE) {
        return (aim){b->history.headed, mp_history_head_at(&b->history, ns) - behind};
    }
    if (piece->kind == MP_PIECE_SILENCE) return (aim){false, 0.0};
    double captured_us = capture_at(piece, room_us_at(map, ns));
    bool stood = mp_history_stood_at(&b->history, captured_us);
    return (aim){!stood, mp_history_place_at(&b->history, captured_us)};
}

/* By how much sound runs faster than our clock, as piece and clock map want it. */
static double slope_of(const mp_piece *piece, const mp_clock_map *map, int64_t ns) {
    if (piece == NULL || piece->kind != MP_PIECE_BARS) return 0.0;
    double from = capture_at(piece, room_us_at(map, ns));
    double to = capture_at(piece, room_us_at(map, ns + SLOPE_NS));
    double slope = (to - from) * 1e3 / (double)SLOPE_NS - 1.0;
    return fmax(-MOST_SLOPE, fmin(MOST_SLOPE, slope));
}

/* ---- reading ---- */

static double place_of(const mp_bars_reader *r) {
    return (double)r->next - mp_resampler_waiting(&r->resampler);
}

/* What is missing in a bar was not decoded in time: `counts`. */
static void feed(mp_bars *b, mp_bars_reader *r, bool counts) {
    float frames[CHUNK * MP_MAX_CHANNELS];
    uint32_t channels = b->history.channels;
    for (uint32_t i = 0; i < CHUNK; i++, r->next++) {
        float *frame = frames + (size_t)i * channels;
        if (mp_history_read(&b->history, r->next, frame)) {
            r->part = fminf(1.0f, r->part + 1.0f / SOFT);
            for (uint32_t c = 0; c < channels; c++) r->last[c] = frame[c] *= r->part;
            continue;
        }
        if (counts && r->next >= b->history.written) b->missing++;
        r->part = 0.0f;
        for (uint32_t c = 0; c < channels; c++) frame[c] = r->last[c] *= 0.95f;
    }
    mp_resampler_push(&r->resampler, frames, CHUNK);
}

static void read(mp_bars *b, mp_bars_reader *r, float *frames, uint32_t count, bool counts) {
    uint32_t channels = b->history.channels, made = 0;
    if (!r->there) {
        memset(frames, 0, (size_t)count * channels * sizeof(float));
        return;
    }
    while (made < count) {
        made += mp_resampler_pull(&r->resampler, frames + (size_t)made * channels, count - made);
        if (made < count) feed(b, r, counts);
    }
}

/* The other reader goes to where the sound is to be; this one is faded out. */
static void jump(mp_bars *b, const aim *to) {
    b->reading = 1 - b->reading;
    b->fading = b->fresh ? 0 : FADE;
    b->age_s = 0.0;
    mp_bars_reader *r = &b->readers[b->reading];
    r->there = to->sounds;
    if (!to->sounds) return;
    double whole = floor(to->place);
    r->next = (int64_t)whole - mp_resampler_restart(&r->resampler, to->place - whole);
    r->part = 1.0f;
    memset(r->last, 0, sizeof r->last);
}

/* Bend the reader's way towards the aim. */
static void steer(mp_bars *b, mp_bars_reader *r, const aim *to, double slope, double seconds) {
    double radians = fmax(SLOW_RAD_S, FAST_RAD_S_S / (b->age_s + FAST_FOR_S));
    double error_s = (to->place - place_of(r)) / MP_STREAM_RATE;
    double bent = fmax(-MOST_BENT, fmin(MOST_BENT, b->faster + 2.0 * radians * error_s));
    b->faster += radians * radians * error_s * seconds;
    b->faster = fmax(-MOST_DRIFT, fmin(MOST_DRIFT, b->faster));
    r->resampler.faster = slope + bent;
    b->age_s += seconds;
}

static void fade_over(mp_bars *b, float *frames, uint32_t count) {
    float before[CHUNK * MP_MAX_CHANNELS];
    uint32_t channels = b->history.channels;
    read(b, &b->readers[1 - b->reading], before, count, false);
    for (uint32_t i = 0; i < count && b->fading > 0; i++, b->fading--) {
        float part = (float)b->fading / (FADE + 1);
        for (uint32_t c = 0; c < channels; c++) {
            size_t at = (size_t)i * channels + c;
            frames[at] += part * (before[at] - frames[at]);
        }
    }
}

static void fill_chunk(mp_bars *b, float *frames, uint32_t count, int64_t ns, uint32_t rate,
                       const mp_clock_map *map, const mp_pieces *pieces, double behind) {
    const mp_piece *piece = NULL;
    if (map != NULL) piece = piece_at(pieces, mp_room_at_ns(map, ns + AHEAD_NS) / 1000);
    aim to = aim_at(b, piece, map, ns, behind);
    mp_bars_reader *r = &b->readers[b->reading];
    bool off = r->there && to.sounds && fabs(to.place - place_of(r)) > JUMP_FRAMES;
    if (b->fading == 0 && (off || r->there != to.sounds)) {
        jump(b, &to);
        r = &b->readers[b->reading];
    }
    if (to.sounds && r->there) {
        steer(b, r, &to, slope_of(piece, map, ns), (double)count / rate);
        double captured_us = mp_history_capture_at(&b->history, place_of(r));
        b->latency_us = map == NULL ? NAN : room_us_at(map, ns) - captured_us;
    } else {
        b->latency_us = NAN;
    }
    b->fresh = false;
    read(b, r, frames, count, piece != NULL && piece->kind == MP_PIECE_BARS);
    if (b->fading > 0) fade_over(b, frames, count);
}

void mp_bars_fill(mp_bars *b, float *frames, uint32_t count, int64_t ns, uint32_t rate,
                  const mp_clock_map *map, const mp_pieces *pieces, double behind) {
    for (uint32_t done = 0; done < count;) {
        uint32_t part = count - done < CHUNK ? count - done : CHUNK;
        int64_t at_ns = ns + (int64_t)done * 1000000000 / rate;
        fill_chunk(b, frames + (size_t)done * b->history.channels, part, at_ns, rate, map, pieces,
                   behind);
        done += part;
    }
}
