/* Taps: what the callback has, for a recording. The callback says when each block was captured; the
 * reader puts it there, on the room's clock: a little off is bent, more is cut or left silent. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audio.h"

enum { CHUNK = 256, LEAST_BLOCK = 16, MOST_FRAMES = 1 << 20, HOLES = 128 };
static const double JUMP_S = 0.002, MOST_BENT = 1500e-6, MOST_DRIFT = 600e-6;
/* The loop that bends: fast at the begin, slow after some seconds. */
static const double SLOW_RAD_S = 0.3, FAST_RAD_S_S = 4.0, FAST_FOR_S = 2.0;
static const int64_t POLL_NS = 50000;

typedef struct {
    int64_t host_ns;
    uint32_t frames;
} block;

struct mp_tap {
    mp_frame_ring ring;
    mp_ring blocks;
    _Atomic uint64_t dropped;
    /* The reader's. */
    mp_resampler resampler;
    uint32_t rate, left; /* frames of the block at hand */
    int64_t made, silence;
    double drift, age_s;
    bool started;
    mp_hole holes[HOLES];
    uint32_t holes_met, holes_told;
};

mp_tap *mp_tap_new(uint32_t channels, uint32_t rate, uint32_t frames) {
    bool power_of_two = frames >= LEAST_BLOCK && (frames & (frames - 1)) == 0;
    if (channels < 1 || channels > MP_MAX_CHANNELS || rate < 1 || !power_of_two ||
        frames > MOST_FRAMES) {
        return NULL;
    }
    mp_tap *t = calloc(1, sizeof *t);
    if (t == NULL) return NULL;
    t->rate = rate;
    if (mp_frame_ring_init(&t->ring, channels, frames) &&
        mp_ring_init(&t->blocks, sizeof(block), frames / LEAST_BLOCK) &&
        mp_resampler_init(&t->resampler, rate, rate, channels)) {
        return t;
    }
    mp_tap_free(t);
    return NULL;
}

void mp_tap_free(mp_tap *t) {
    if (t == NULL) return;
    mp_frame_ring_free(&t->ring);
    mp_ring_free(&t->blocks);
    mp_resampler_free(&t->resampler);
    free(t);
}

uint64_t mp_tap_dropped(const mp_tap *t) { return atomic_load(&t->dropped); }

/* A block is whole or not there: its time says where it belongs. */
void mp_tap_write(mp_tap *t, const float *frames, uint32_t count, int64_t host_ns) {
    block b = {host_ns, count};
    bool fits = t->ring.mask + 1 - mp_frame_ring_fill(&t->ring) >= count;
    if (!fits || !mp_ring_stage(&t->blocks, &b)) {
        atomic_fetch_add_explicit(&t->dropped, count, memory_order_relaxed);
        return;
    }
    mp_frame_ring_write(&t->ring, frames, count);
    mp_ring_publish(&t->blocks);
}

/* ---- reading ---- */

static void discard(mp_tap *t, uint32_t count) {
    float none[CHUNK * MP_MAX_CHANNELS];
    for (; count > 0;) {
        uint32_t part = count < CHUNK ? count : CHUNK;
        mp_frame_ring_read(&t->ring, none, part);
        count -= part;
    }
}

static void steer(mp_tap *t, double error_s, double seconds) {
    double radians = fmax(SLOW_RAD_S, FAST_RAD_S_S / (t->age_s + FAST_FOR_S));
    double bent = t->drift + 2.0 * radians * error_s;
    t->drift += radians * radians * error_s * seconds;
    t->drift = fmax(-MOST_DRIFT, fmin(MOST_DRIFT, t->drift));
    t->resampler.faster = -fmax(-MOST_BENT, fmin(MOST_BENT, bent));
    t->age_s += seconds;
}

static void note_hole(mp_tap *t, int64_t frames) {
    if (t->holes_met - t->holes_told == HOLES) return;
    int64_t at = t->made + (int64_t)mp_resampler_waiting(&t->resampler);
    t->holes[t->holes_met++ % HOLES] = (mp_hole){at, frames};
}

int mp_tap_hole(mp_tap *t, mp_hole *hole) {
    if (t->holes_told == t->holes_met) return 0;
    *hole = t->holes[t->holes_told++ % HOLES];
    return 1;
}

/* Where nothing is there yet, or it is far off: silence in front, or frames left out. */
static void jump(mp_tap *t, double error) {
    error = fmax(-1e12, fmin(1e12, error));
    if (error >= 0.0) {
        t->silence = llround(error);
        if (t->started) note_hole(t, t->silence);
    } else {
        uint32_t late = (uint32_t)fmin(-error + 0.5, (double)t->left);
        discard(t, late);
        t->left -= late;
    }
    if (t->left > 0) t->started = true;
    t->age_s = 0.0;
}

static bool next_block(mp_tap *t, const mp_clock_map *map, int64_t base_ns) {
    block b;
    if (!mp_ring_take(&t->blocks, &b)) return false;
    t->left = b.frames;
    double wanted = (double)(mp_room_at_ns(map, b.host_ns) - base_ns) * 1e-9 * t->rate;
    double error = wanted - ((double)t->made + mp_resampler_waiting(&t->resampler));
    if (!t->started || fabs(error) > JUMP_S * t->rate) {
        jump(t, error);
    } else {
        steer(t, error / t->rate, (double)b.frames / t->rate);
    }
    return true;
}

static bool feed(mp_tap *t, const mp_clock_map *map, int64_t base_ns) {
    float frames[CHUNK * MP_MAX_CHANNELS];
    if (t->silence > 0) {
        uint32_t part = t->silence < CHUNK ? (uint32_t)t->silence : CHUNK;
        memset(frames, 0, sizeof frames);
        mp_resampler_push(&t->resampler, frames, part);
        t->silence -= part;
        return true;
    }
    if (t->left == 0) return next_block(t, map, base_ns);
    uint32_t part = mp_frame_ring_read(&t->ring, frames, t->left < CHUNK ? t->left : CHUNK);
    mp_resampler_push(&t->resampler, frames, part);
    t->left -= part;
    return true;
}

uint32_t mp_tap_read(mp_tap *t, const mp_clock_map *map, int64_t base_ns, float *frames,
                     uint32_t most) {
    uint32_t made = 0;
    for (;;) {
        float *to = frames + (size_t)made * t->ring.channels;
        uint32_t got = mp_resampler_pull(&t->resampler, to, most - made);
        made += got;
        t->made += got;
        for (uint32_t i = 0; i < got * t->ring.channels; i++) {
            to[i] = fmaxf(-1.0f, fminf(1.0f, to[i])); /* whole numbers would wrap around */
        }
        if (made == most || !feed(t, map, base_ns)) return made;
    }
}

/* ---- where they are ---- */

mp_status mp_audio_set_tap(mp_audio *a, uint32_t source, mp_tap *tap) {
    if (source >= MP_TAPS) return MP_OUT_OF_RANGE;
    atomic_store(&a->taps[source], tap);
    /* A cycle that began before may have the one before in hand. */
    uint32_t cycle = atomic_load(&a->cycle);
    while (cycle % 2 != 0 && atomic_load(&a->cycle) == cycle) {
        mp_host_sleep_until_ns(mp_host_now_ns() + POLL_NS);
    }
    return MP_OK;
}

void mp_audio_tap(mp_audio *a, uint32_t source, mp_audio_link *link, uint32_t channels,
                  const float *frames, uint32_t count, int64_t host_ns) {
    mp_tap *t = atomic_load(&a->taps[source]);
    if (t == NULL || t->ring.channels != channels) return;
    if (link != NULL && !mp_link_is_plain(link, channels)) {
        memcpy(a->taped, frames, (size_t)count * channels * sizeof *frames);
        mp_link_pass(link, channels, a->taped, count);
        frames = a->taped;
    }
    mp_tap_write(t, frames, count, host_ns);
}
