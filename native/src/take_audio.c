/* A recording or a program as a device: a timer on the room's clock, whose cycles have for input
 * what belongs to that time. So nothing is resampled to keep pace, and nothing runs away. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audio.h"
#include "timed_ring.h"
#include "timer_audio.h"

static const int64_t SECOND_NS = 1000000000;
/* A clock that is off by more was set; less is caught up with, by so much a cycle. */
static const int64_t JUMP_NS = 5000000;
static const double MOST_FASTER = 3e-3;
enum { MOST_HELD = 1 << 20, MOST_HEARD = 1 << 12 };

typedef struct {
    int64_t at;
    float frames[]; /* period * channels */
} heard_cycle;

struct mp_take {
    mp_take_settings settings;
    mp_audio *audio;
    mp_timer_audio timer;
    mp_timed_ring ring;
    mp_ring heard; /* of heard_cycle */
    heard_cycle *to_hear, *to_take; /* one for each end of it; NULL: nobody hears */
    /* The timer's thread's. */
    mp_clock_map map;
    bool mapped, placed;
    int64_t frame; /* the room's, where the next cycle begins */
    uint64_t restarts_seen;
    float frames[MP_MAX_PERIOD * MP_MAX_CHANNELS];
    float planar_in[MP_MAX_CHANNELS][MP_MAX_PERIOD], planar_out[MP_MAX_CHANNELS][MP_MAX_PERIOD];
    /* Everybody's. */
    pthread_mutex_t map_lock; /* held for a copy; the timer's thread only tries it */
    mp_clock_map new_map;
    bool map_is_new;
    _Atomic int64_t next_frame;
    _Atomic int is_placed;
    _Atomic uint64_t missing, jumps, unheard;
};

/* ---- frames of the room ---- */

static int64_t frame_at(const mp_take *t, int64_t room_ns) {
    int64_t seconds = room_ns / SECOND_NS, rest_ns = room_ns % SECOND_NS;
    return seconds * t->settings.rate + llround((double)rest_ns * 1e-9 * t->settings.rate);
}

static int64_t ns_of(const mp_take *t, int64_t frame) {
    int64_t rate = t->settings.rate, seconds = frame / rate, rest = frame % rate;
    return seconds * SECOND_NS + llround((double)rest * 1e9 / (double)rate);
}

/* ---- a cycle ---- */

static void follow_map(mp_take *t) {
    if (pthread_mutex_trylock(&t->map_lock) != 0) return;
    if (t->map_is_new) t->map = t->new_map;
    t->mapped |= t->map_is_new;
    t->map_is_new = false;
    pthread_mutex_unlock(&t->map_lock);
}

static void place(mp_take *t, int64_t cycle_ns) {
    int64_t room_ns = mp_room_at_ns(&t->map, cycle_ns);
    if (t->placed && llabs(room_ns - ns_of(t, t->frame)) <= JUMP_NS) return;
    if (t->placed) atomic_fetch_add(&t->jumps, 1);
    t->frame = frame_at(t, room_ns);
    t->placed = true;
}

/* The input of a cycle was captured in the period before it. */
static void take_frames(mp_take *t) {
    const uint32_t period = t->settings.period, channels = t->settings.channels;
    uint32_t missing = mp_timed_ring_read(&t->ring, t->frame - period, t->frames, period);
    atomic_fetch_add_explicit(&t->missing, missing, memory_order_relaxed);
    for (uint32_t c = 0; c < channels; c++) {
        for (uint32_t i = 0; i < period; i++) t->planar_in[c][i] = t->frames[i * channels + c];
    }
}

static void give_mix(mp_take *t) {
    const uint32_t period = t->settings.period, channels = t->settings.channels;
    if (t->to_hear == NULL) return;
    t->to_hear->at = t->frame;
    for (uint32_t c = 0; c < channels; c++) {
        for (uint32_t i = 0; i < period; i++) {
            t->to_hear->frames[i * channels + c] = t->planar_out[c][i];
        }
    }
    if (mp_ring_stage(&t->heard, t->to_hear)) {
        mp_ring_publish(&t->heard);
    } else {
        atomic_fetch_add_explicit(&t->unheard, period, memory_order_relaxed);
    }
}

/* The next cycle is due when the room's clock has come to its frame. */
static double pace(const mp_take *t, int64_t cycle_ns) {
    double nominal_ns = 1e9 * t->settings.period / t->settings.rate;
    double wanted_ns = (double)(mp_local_at_ns(&t->map, ns_of(t, t->frame)) - cycle_ns);
    double faster = wanted_ns > 0.0 ? nominal_ns / wanted_ns - 1.0 : MOST_FASTER;
    return fmax(-MOST_FASTER, fmin(MOST_FASTER, faster));
}

static void notice_restart(mp_take *t) {
    uint64_t restarts = atomic_load(&t->timer.restarts);
    if (restarts != t->restarts_seen) mp_audio_xrun(t->audio);
    t->restarts_seen = restarts;
}

static void cycle(void *arg, int64_t cycle_ns) {
    mp_take *t = arg;
    const float *in[MP_MAX_CHANNELS];
    float *out[MP_MAX_CHANNELS];
    for (uint32_t c = 0; c < t->settings.channels; c++) {
        in[c] = t->planar_in[c];
        out[c] = t->planar_out[c];
    }
    notice_restart(t);
    follow_map(t);
    if (t->mapped) {
        place(t, cycle_ns);
        take_frames(t);
    }
    mp_audio_process(t->audio, in, out, NULL, t->settings.period, cycle_ns);
    if (!t->mapped) return;
    give_mix(t);
    atomic_store(&t->next_frame, t->frame);
    atomic_store(&t->is_placed, 1);
    t->frame += t->settings.period;
    t->timer.faster = pace(t, cycle_ns);
}

int64_t mp_take_step(mp_take *t, int64_t now_ns) { return mp_timer_audio_step(&t->timer, now_ns); }

/* ---- who writes ---- */

void mp_take_set_map(mp_take *t, const mp_clock_map *map) {
    pthread_mutex_lock(&t->map_lock);
    t->new_map = *map;
    t->map_is_new = true;
    pthread_mutex_unlock(&t->map_lock);
}

uint32_t mp_take_write(mp_take *t, int64_t at, const float *frames, uint32_t count) {
    return mp_timed_ring_write(&t->ring, at, frames, count);
}

int mp_take_hear(mp_take *t, int64_t *at, float *frames) {
    const size_t samples = (size_t)t->settings.period * t->settings.channels;
    if (t->to_take == NULL || !mp_ring_take(&t->heard, t->to_take)) return 0;
    *at = t->to_take->at;
    memcpy(frames, t->to_take->frames, samples * sizeof(float));
    return 1;
}

mp_status mp_take_restart(mp_take *t) {
    const bool ran = t->timer.running;
    mp_timer_audio_stop(&t->timer);
    mp_timed_ring_clear(&t->ring);
    t->placed = false;
    atomic_store(&t->is_placed, 0);
    return ran ? mp_timer_audio_start(&t->timer, t->timer.priority) : MP_OK;
}

void mp_take_get_info(mp_take *t, mp_take_info *info) {
    *info = (mp_take_info){
        .placed = atomic_load(&t->is_placed),
        .next_frame = atomic_load(&t->next_frame),
        .missing = atomic_load(&t->missing),
        .jumps = atomic_load(&t->jumps),
        .late_cycles = atomic_load(&t->timer.late),
        .restarts = atomic_load(&t->timer.restarts),
        .unheard = atomic_load(&t->unheard),
    };
}

/* ---- making one ---- */

static bool is_usable(const mp_take_settings *s) {
    bool power_of_two = s->held > 0 && (s->held & (s->held - 1)) == 0 &&
                        (s->heard & (s->heard - 1)) == 0 && s->heard <= MOST_HEARD;
    return s->channels >= 1 && s->channels <= MP_MAX_CHANNELS && s->period >= 1 &&
           s->period <= MP_MAX_PERIOD && power_of_two && s->held >= 2 * s->period &&
           s->held <= MOST_HELD;
}

static bool can_hear(mp_take *t) {
    const mp_take_settings *s = &t->settings;
    size_t size = sizeof(heard_cycle) + sizeof(float) * s->period * s->channels;
    size = (size + 7) / 8 * 8;
    if (s->heard == 0) return true;
    t->to_hear = calloc(1, size);
    t->to_take = calloc(1, size);
    return t->to_hear != NULL && t->to_take != NULL &&
           mp_ring_init(&t->heard, (uint32_t)size, s->heard);
}

mp_take *mp_take_new(const mp_take_settings *settings, mp_status *status) {
    *status = MP_OUT_OF_RANGE;
    if (!is_usable(settings)) return NULL;
    mp_take *t = calloc(1, sizeof *t);
    *status = MP_NO_MEMORY;
    if (t == NULL) return NULL;
    t->settings = *settings;
    pthread_mutex_init(&t->map_lock, NULL);
    mp_timer_audio_init(&t->timer, settings->rate, settings->period, cycle, t);
    /* Nothing is in a hurry here: a whole period ahead. */
    mp_audio_settings audio = {settings->rate, settings->period, settings->channels,
                               settings->channels, 1000000};
    if (mp_timed_ring_init(&t->ring, settings->channels, settings->held) && can_hear(t)) {
        t->audio = mp_audio_new(&audio, status);
    }
    if (t->audio != NULL) return t;
    mp_take_free(t);
    return NULL;
}

mp_audio *mp_take_engine(mp_take *t) { return t->audio; }

mp_status mp_take_start(mp_take *t, int priority) {
    return mp_timer_audio_start(&t->timer, priority);
}

void mp_take_free(mp_take *t) {
    mp_timer_audio_stop(&t->timer);
    if (t->audio != NULL) mp_audio_stop(t->audio);
    mp_audio_free(t->audio);
    mp_timed_ring_free(&t->ring);
    mp_ring_free(&t->heard);
    free(t->to_hear);
    free(t->to_take);
    pthread_mutex_destroy(&t->map_lock);
    free(t);
}
