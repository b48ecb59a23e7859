/* The effects engine's end of the shared memory. The callback wakes nobody, so the worker looks
 * when a cycle is nearly always over, which it learns as the codec thread does. */
#include <stdlib.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "effects_memory.h"

static const int64_t LEAST_AFTER_NS = 20000, SOONER_NS = 1000, LATER_NS = 15000;
static const int64_t LEAST_POLL_NS = 40000, IDLE_POLL_NS = 5000000, IDLE_AFTER_NS = 100000000;
/* What is older than so many cycles nobody waits for. */
enum { MOST_CYCLES = 3 };

struct mp_effects_worker {
    mp_effects_memory *memory;
    uint32_t rate, channels[MP_PLACES];
    uint64_t at[MP_PLACES];
    uint32_t cycle_seen, frames;
    int64_t next_ns, after_ns;
    bool missed, placed[MP_PLACES];
};

uint64_t mp_effects_bytes(void) { return sizeof(mp_effects_memory); }

void mp_effects_mark(void *memory, uint32_t which, uint32_t what) {
    mp_effects_memory *m = memory;
    if (which < MP_EFFECTS_MARKS) atomic_store(&m->marks[which], what);
}

uint32_t mp_effects_marked(void *memory, uint32_t which) {
    mp_effects_memory *m = memory;
    return which < MP_EFFECTS_MARKS ? atomic_load(&m->marks[which]) : 0;
}

mp_effects_worker *mp_effects_worker_new(void *memory, uint32_t rate, uint32_t in_channels,
                                         uint32_t out_channels) {
    if (rate == 0 || in_channels > MP_MAX_CHANNELS || out_channels > MP_MAX_CHANNELS) return NULL;
    mp_effects_worker *w = calloc(1, sizeof *w);
    if (w == NULL) return NULL;
    w->memory = memory;
    w->rate = rate;
    w->channels[MP_PLACE_INPUT] = in_channels;
    w->channels[MP_PLACE_MIX] = out_channels;
    w->cycle_seen = atomic_load(&w->memory->cycle);
    w->after_ns = LEAST_AFTER_NS;
    return w;
}

void mp_effects_worker_free(mp_effects_worker *w) { free(w); }

/* True for a cycle that was not seen before. */
static bool see_cycle(mp_effects_worker *w, int64_t now_ns) {
    mp_effects_memory *m = w->memory;
    uint32_t cycle = atomic_load(&m->cycle);
    if (cycle % 2 != 0 || cycle == w->cycle_seen) return false;
    int64_t ns = atomic_load(&m->cycle_ns);
    uint32_t frames = atomic_load(&m->cycle_frames);
    if (atomic_load(&m->cycle) != cycle) return false;
    w->cycle_seen = cycle;
    w->frames = frames < 1 ? 1 : frames > MP_MAX_PERIOD ? MP_MAX_PERIOD : frames;
    if (ns < now_ns - IDLE_AFTER_NS || ns > now_ns + IDLE_AFTER_NS) ns = now_ns;
    w->next_ns = ns + INT64_C(1000000000) * w->frames / w->rate;
    return true;
}

static void learn_when_to_look(mp_effects_worker *w, bool done, int64_t now_ns) {
    const int64_t most_ns = INT64_C(250000000) * (w->frames > 0 ? w->frames : 1) / w->rate;
    bool missed = !done && now_ns >= w->next_ns + w->after_ns;
    if (missed && !w->missed) w->after_ns += LATER_NS;
    if (done && !w->missed) w->after_ns -= SOONER_NS;
    w->missed = !done && (w->missed || missed);
    if (w->after_ns > most_ns) w->after_ns = most_ns;
    if (w->after_ns < LEAST_AFTER_NS) w->after_ns = LEAST_AFTER_NS;
}

static int64_t next_look_ns(const mp_effects_worker *w, int64_t now_ns) {
    if (now_ns - w->next_ns > IDLE_AFTER_NS) return now_ns + IDLE_POLL_NS;
    if (now_ns < w->next_ns + w->after_ns) return w->next_ns + w->after_ns;
    int64_t poll_ns = INT64_C(1000000000) * w->frames / w->rate / 16;
    return now_ns + (poll_ns > LEAST_POLL_NS ? poll_ns : LEAST_POLL_NS);
}

/* Tails that die away become numbers so small that reckoning with them is slow: take them for 0. */
static void flush_denormals(void) {
#ifdef __SSE2__
    _mm_setcsr(_mm_getcsr() | 0x8040u);
#endif
}

/* A bit for each lane in which something waits. */
static int waiting_lanes(const mp_effects_worker *w) {
    int found = 0;
    for (uint32_t lane = 0; lane < MP_PLACES; lane++) {
        uint64_t written = atomic_load_explicit(&w->memory->lanes[lane].written, memory_order_acquire);
        if (written != w->at[lane]) found |= 1 << lane;
    }
    return found;
}

int mp_effects_wait(mp_effects_worker *w, int64_t until_ns) {
    flush_denormals();
    for (;;) {
        int64_t now_ns = mp_host_now_ns();
        bool done = see_cycle(w, now_ns);
        learn_when_to_look(w, done, now_ns);
        int lanes = done ? waiting_lanes(w) : 0;
        if (lanes != 0) return lanes;
        if (now_ns >= until_ns) return 0;
        int64_t look_ns = next_look_ns(w, now_ns);
        mp_host_sleep_until_ns(look_ns < until_ns ? look_ns : until_ns);
    }
}

uint32_t mp_effects_take(mp_effects_worker *w, uint32_t lane, float *planar, uint32_t most) {
    if (lane >= MP_PLACES) return 0;
    mp_effects_lane *l = &w->memory->lanes[lane];
    uint32_t channels = w->channels[lane], done = 0, whole;
    uint64_t written = atomic_load_explicit(&l->written, memory_order_acquire);
    uint64_t waiting = written - w->at[lane];
    if (!w->placed[lane] || waiting > (uint64_t)MOST_CYCLES * (w->frames > 0 ? w->frames : 1)) {
        /* Of what is there the last cycle's alone can be in time. */
        waiting = w->placed[lane] || waiting != 0 ? w->frames : 0;
        w->at[lane] = written - waiting;
        w->placed[lane] = true;
    }
    uint32_t count = waiting < most ? (uint32_t)waiting : most;
    while (done < count) {
        const float *from = mp_lane_at(l->in, channels, w->at[lane] + done, count - done, &whole);
        for (uint32_t c = 0; c < channels; c++) {
            float *to = planar + (size_t)c * count + done;
            for (uint32_t i = 0; i < whole; i++) to[i] = from[(size_t)i * channels + c];
        }
        done += whole;
    }
    return count;
}

void mp_effects_give(mp_effects_worker *w, uint32_t lane, const float *planar, uint32_t frames) {
    if (lane >= MP_PLACES || frames > MP_LANE_FRAMES) return;
    mp_effects_lane *l = &w->memory->lanes[lane];
    uint32_t channels = w->channels[lane], done = 0, whole;
    while (done < frames) {
        float *to = mp_lane_at(l->out, channels, w->at[lane] + done, frames - done, &whole);
        for (uint32_t c = 0; c < channels; c++) {
            const float *from = planar + (size_t)c * frames + done;
            for (uint32_t i = 0; i < whole; i++) to[(size_t)i * channels + c] = from[i];
        }
        done += whole;
    }
    w->at[lane] += frames;
    atomic_store_explicit(&l->done, w->at[lane], memory_order_release);
}

void mp_effects_set_latency(mp_effects_worker *w, uint32_t lane, uint32_t frames) {
    if (lane < MP_PLACES) atomic_store(&w->memory->lanes[lane].latency, frames);
}
