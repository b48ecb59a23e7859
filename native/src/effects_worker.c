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

/* Of each new load, what the mean takes over. */
static const float LOAD_TAKEN = 0.01f;

struct mp_effects_worker {
    mp_effects_memory *memory;
    uint32_t rate, channels[MP_PLACES];
    uint64_t at[MP_PLACES];
    uint32_t cycle_seen, frames;
    int64_t next_ns, after_ns;
    bool missed, placed[MP_PLACES];
    mp_effects_step steps[MP_PLACES][MP_EFFECTS_STEPS];
    uint32_t step_count[MP_PLACES];
    _Atomic bool recalled;
    _Atomic float mean_load, most_load;
    float planar[MP_MAX_PERIOD * MP_MAX_CHANNELS];
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

/* Does what it can of the lanes in which something waits; returns the others. */
static int work(mp_effects_worker *w, int lanes, int64_t began_ns) {
    int left = lanes;
    for (uint32_t lane = 0; lane < MP_PLACES; lane++) {
        if ((lanes & 1 << lane) == 0 || w->step_count[lane] == 0) continue;
        uint32_t frames = mp_effects_take(w, lane, w->planar, MP_MAX_PERIOD);
        for (uint32_t s = 0; s < w->step_count[lane]; s++) {
            const mp_effects_step *step = &w->steps[lane][s];
            mp_fx_process(step->fx, w->planar + (size_t)step->channel * frames, frames);
        }
        mp_effects_give(w, lane, w->planar, frames);
        left &= ~(1 << lane);
    }
    if (lanes != left && w->frames > 0) {
        float took_s = (float)(mp_host_now_ns() - began_ns) * 1e-9f;
        mp_effects_note_load(w, took_s * (float)w->rate / (float)w->frames);
    }
    return left;
}

int mp_effects_wait(mp_effects_worker *w, int64_t until_ns) {
    flush_denormals();
    for (;;) {
        int64_t now_ns = mp_host_now_ns();
        bool done = see_cycle(w, now_ns);
        learn_when_to_look(w, done, now_ns);
        if (atomic_exchange(&w->recalled, false)) memset(w->step_count, 0, sizeof w->step_count);
        int lanes = done ? work(w, waiting_lanes(w), now_ns) : 0;
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

mp_status mp_effects_set_steps(mp_effects_worker *w, uint32_t lane, const mp_effects_step *steps,
                               uint32_t count) {
    if (lane >= MP_PLACES || count > MP_EFFECTS_STEPS) return MP_OUT_OF_RANGE;
    for (uint32_t i = 0; i < count; i++) w->steps[lane][i] = steps[i];
    w->step_count[lane] = count;
    return MP_OK;
}

void mp_effects_recall(mp_effects_worker *w) { atomic_store(&w->recalled, true); }

void mp_effects_note_load(mp_effects_worker *w, float load) {
    float mean = atomic_load_explicit(&w->mean_load, memory_order_relaxed);
    atomic_store_explicit(&w->mean_load, mean + (load - mean) * LOAD_TAKEN, memory_order_relaxed);
    if (load > atomic_load_explicit(&w->most_load, memory_order_relaxed)) {
        atomic_store_explicit(&w->most_load, load, memory_order_relaxed);
    }
}

void mp_effects_get_load(mp_effects_worker *w, mp_effects_load *load) {
    load->mean = atomic_load_explicit(&w->mean_load, memory_order_relaxed);
    load->most = atomic_exchange(&w->most_load, 0.0f);
}
