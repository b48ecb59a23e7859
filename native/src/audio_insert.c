/* The callback's end of the effects: what goes in comes back a block later, or is played as it was.
 *
 * Frames are told apart by their number, so nothing is out of step after a stall of either side:
 * the block that is due was worked on, or it was not. */
#include <math.h>
#include <string.h>

#include "audio.h"
#include "audio_insert.h"

/* Frames over which one thing goes over into another. */
static const float BLEND = 1.0f / 256.0f, FADE = 1.0f / 64.0f;
/* A device whose blocks stay shorter has another period now. */
enum { SHORTER_FOR = 64 };

static void copy_in(float *ring, uint32_t channels, uint64_t at, const float *frames,
                    uint32_t count) {
    while (count > 0) {
        uint32_t whole;
        float *to = mp_lane_at(ring, channels, at, count, &whole);
        memcpy(to, frames, (size_t)whole * channels * sizeof *to);
        frames += (size_t)whole * channels;
        at += whole;
        count -= whole;
    }
}

static void copy_out(float *ring, uint32_t channels, uint64_t at, float *frames, uint32_t count) {
    while (count > 0) {
        uint32_t whole;
        const float *from = mp_lane_at(ring, channels, at, count, &whole);
        memcpy(frames, from, (size_t)whole * channels * sizeof *from);
        frames += (size_t)whole * channels;
        at += whole;
        count -= whole;
    }
}

static void begin(mp_insert *n, uint32_t delay) {
    n->began = n->at;
    n->delay = delay;
    n->shorter = 0;
    n->back = false;
    n->wet = n->held = n->blend = 0.0f;
}

/* What comes out is one block old, however long a block is. */
static void follow_period(mp_insert *n, uint32_t count) {
    n->shorter = count < n->delay ? n->shorter + 1 : 0;
    if (count > n->delay || n->shorter >= SHORTER_FOR) begin(n, count);
}

/* Whether the effects engine is done with `count` frames from `at` on; it cannot be further than
 * what it was given. */
static bool is_done(const mp_insert *n, uint64_t at, uint32_t count) {
    uint64_t beyond = atomic_load_explicit(&n->shared->done, memory_order_acquire) - (at + count);
    return beyond <= n->at - (at + count);
}

static float sane(float sample) {
    return sample >= -8.0f && sample <= 8.0f ? sample : 0.0f; /* also what is no number */
}

/* One frame of what came back; where nothing did (`there` is NULL), as it went in. */
static void lead_over(mp_insert *n, float *dry, const float *there) {
    if (there == NULL && n->wet > 0.0f) n->held = 1.0f;
    if (there == NULL) n->wet = 0.0f;
    if (there != NULL) n->wet = fminf(1.0f, n->wet + FADE);
    n->held = fmaxf(0.0f, n->held - FADE);
    for (uint32_t c = 0; c < n->channels; c++) {
        if (there != NULL) dry[c] += (sane(there[c]) - dry[c]) * n->wet;
        dry[c] += (n->last[c] - dry[c]) * n->held;
        if (n->held == 0.0f) n->last[c] = dry[c];
    }
}

static void take_back(mp_insert *n, float *frames, uint32_t count) {
    uint64_t at = n->at - count - n->delay;
    bool complete = n->at - n->began >= (uint64_t)n->delay + count;
    bool done = complete && is_done(n, at, count);
    if (n->mode == MP_INSERT_ON && done) n->back = true;
    if (n->back && n->mode == MP_INSERT_ON) {
        atomic_fetch_add_explicit(&n->blocks, 1, memory_order_relaxed);
        if (!done) atomic_fetch_add_explicit(&n->late, 1, memory_order_relaxed);
    }
    if (!n->back) return;
    float old[MP_MAX_CHANNELS];
    float *with = n->with, toward = n->mode == MP_INSERT_ON ? 1.0f : 0.0f;
    if (done) copy_out(n->shared->out, n->channels, at, with, count);
    for (uint32_t i = 0; i < count; i++) {
        float *frame = frames + (size_t)i * n->channels;
        copy_out(n->dry, n->channels, at + i, old, 1);
        lead_over(n, old, done ? with + (size_t)i * n->channels : NULL);
        if (n->blend < toward) n->blend = fminf(toward, n->blend + BLEND);
        if (n->blend > toward) n->blend = fmaxf(toward, n->blend - BLEND);
        for (uint32_t c = 0; c < n->channels; c++) frame[c] += (old[c] - frame[c]) * n->blend;
    }
    if (n->mode != MP_INSERT_ON && n->blend == 0.0f) n->back = false;
}

void mp_insert_process(mp_insert *n, float *frames, uint32_t count) {
    bool used = n->mode != MP_INSERT_OFF || n->blend > 0.0f;
    if (!used) {
        n->began = n->at; /* there is a gap from here on */
        n->back = false;
    } else {
        follow_period(n, count);
        copy_in(n->dry, n->channels, n->at, frames, count);
        copy_in(n->shared->in, n->channels, n->at, frames, count);
        n->at += count;
        atomic_store_explicit(&n->shared->written, n->at, memory_order_release);
        take_back(n, frames, count);
    }
    uint32_t latency = atomic_load_explicit(&n->shared->latency, memory_order_relaxed);
    uint32_t older = n->delay + (latency <= MP_MOST_LATENCY ? latency : 0);
    atomic_store_explicit(&n->older, n->back ? older : 0, memory_order_relaxed);
    atomic_store_explicit(&n->inserted, n->back, memory_order_relaxed);
}

void mp_inserts_publish(mp_inserts *inserts, int64_t cycle_ns, uint32_t frames) {
    mp_effects_memory *m = inserts->memory;
    /* The number is ours alone to write: whatever stands there, odd is in work, even is done. */
    uint32_t cycle = atomic_load_explicit(&m->cycle, memory_order_relaxed) | 1u;
    atomic_store(&m->cycle, cycle);
    atomic_store(&m->cycle_ns, cycle_ns);
    atomic_store(&m->cycle_frames, frames);
    atomic_store(&m->cycle, cycle + 1);
}
