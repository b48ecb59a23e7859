/* The codec thread, and what ties the audio engine together. */
#include <stdlib.h>
#include <string.h>

#include "audio.h"

/* The callback wakes nobody. So look when it is nearly always done, and then again until it is. How
 * long that takes is learned: a look that was too early weighs as much as 15 that were not. */
static const int64_t LEAST_AFTER_NS = 20000, SOONER_NS = 1000, LATER_NS = 15000;
static const int64_t LEAST_POLL_NS = 40000, IDLE_POLL_NS = 5000000;
static const int64_t IDLE_AFTER_NS = 100000000;
enum { CYCLE_STEPS = 2 /* of `cycle`, one of the devices' cycles: it is odd while the callback works */ };

static void hand_back(mp_audio *a, const mp_order *order) {
    mp_ring_stage(&a->from_codec, order);
    mp_ring_publish(&a->from_codec);
}

static void let_go(mp_audio *a, mp_order *order, mp_player **place) {
    order->player = *place;
    *place = NULL;
    hand_back(a, order);
}

/* What is kept already goes along. */
static void keep(mp_audio *a, mp_order *order, mp_player *p) {
    if (p != NULL && p->bars == NULL) {
        p->bars = order->bars;
        return;
    }
    if (p != NULL) mp_history_move(&p->bars->history, &order->bars->history);
    hand_back(a, order);
}

static void use_pieces(mp_audio *a, mp_order *order) {
    mp_pieces *old = a->pieces;
    a->pieces = order->pieces;
    order->pieces = old;
    hand_back(a, order);
}

static void obey(mp_audio *a, mp_order *order) {
    mp_player **place = &a->decoded[order->slot % MP_MAX_PLAYERS];
    switch (order->kind) {
    case MP_ORDER_ADD: *place = order->player; return;
    case MP_ORDER_REMOVE: let_go(a, order, place); return;
    case MP_ORDER_KEEP: keep(a, order, *place); return;
    case MP_ORDER_PIECES: use_pieces(a, order); return;
    case MP_ORDER_ENCODER: mp_sender_set(&a->sender, &order->encoder); return;
    case MP_ORDER_REPAIRS: a->sender.repairs = order->repairs; return;
    case MP_ORDER_ARRIVE: a->arrivals = order->arrivals; return;
    case MP_ORDER_MAP:
        a->map = order->map;
        a->mapped = true;
        return;
    default: break;
    }
    if (*place == NULL) return;
    if (order->kind == MP_ORDER_DECODER) mp_player_set_decoder(*place, order->decoder);
    if (order->kind == MP_ORDER_TARGET) {
        (*place)->settings.wait = order->target.wait;
        (*place)->target = order->target.frames;
        (*place)->cover = order->target.cover;
    }
}

static void note_rings(mp_audio *a) {
    for (uint32_t slot = 0; slot < MP_MAX_PLAYERS; slot++) {
        mp_player *p = a->decoded[slot];
        if (p != NULL) p->read_at = atomic_load_explicit(&p->ring.read, memory_order_acquire);
    }
}

/* When the last cycle began, of how many frames it was, and what it left in the rings. False while
 * the callback is at work. */
static bool read_cycle(mp_audio *a, uint32_t *cycle, int64_t *ns, uint32_t *frames,
                       uint32_t *input) {
    for (int tries = 0; tries < 4; tries++) {
        *cycle = atomic_load(&a->cycle);
        if (*cycle % 2 != 0) continue;
        *ns = atomic_load(&a->cycle_ns);
        *frames = atomic_load(&a->cycle_frames);
        *input = a->settings.in_channels > 0 ? mp_frame_ring_fill(&a->input) : 0;
        note_rings(a);
        if (atomic_load(&a->cycle) == *cycle) return true;
    }
    return false;
}

/* Cycles that should have begun, and did not: what was to be heard in them is decoded all the same,
 * so that what follows is there when the device goes on. */
static uint32_t missed_cycles(const mp_audio *a, int64_t next_ns, int64_t period_ns,
                              int64_t now_ns) {
    int64_t over_ns = now_ns + mp_decode_lead_ns(&a->lead) - next_ns;
    if (over_ns < period_ns || over_ns > IDLE_AFTER_NS) return 0;
    return (uint32_t)(over_ns / period_ns);
}

static int64_t next_look(const mp_audio *a, int64_t next_ns, int64_t lead_ns, int64_t now_ns) {
    int64_t period_ns = INT64_C(1000000000) * a->settings.period / a->settings.rate;
    int64_t poll_ns = period_ns / 16 > LEAST_POLL_NS ? period_ns / 16 : LEAST_POLL_NS;
    int64_t look_ns = now_ns + poll_ns;
    if (now_ns - next_ns > IDLE_AFTER_NS) look_ns = now_ns + IDLE_POLL_NS;
    if (now_ns < next_ns + a->after_ns) look_ns = next_ns + a->after_ns;
    if (now_ns < next_ns - lead_ns) look_ns = next_ns - lead_ns;
    int64_t due_ns = mp_sender_next_ns(&a->sender);
    return due_ns < look_ns ? due_ns : look_ns;
}

/* The end of what a cycle brought. */
static int64_t captured_until_ns(mp_audio *a, int64_t cycle_ns, uint32_t frames) {
    uint32_t latency = atomic_load(&a->input_latency);
    int64_t later = latency == UINT32_MAX ? 0 : (int64_t)frames - latency;
    later -= atomic_load(&a->input_older);
    return cycle_ns + later * INT64_C(1000000000) / a->settings.rate;
}

/* `done`: the cycle that was expected has left its input. */
static void learn_when_to_look(mp_audio *a, bool done, int64_t now_ns) {
    const int64_t most_ns = INT64_C(250000000) * a->settings.period / a->settings.rate;
    bool missed = !done && now_ns >= a->expected_ns + a->after_ns;
    if (missed && !a->missed) a->after_ns += LATER_NS;
    if (done && !a->missed) a->after_ns -= SOONER_NS;
    a->missed = !done && (a->missed || missed);
    if (a->after_ns > most_ns) a->after_ns = most_ns;
    if (a->after_ns < LEAST_AFTER_NS) a->after_ns = LEAST_AFTER_NS;
}

/* A cycle has gone by that nothing was decoded for, because we came too late for it. Whoever waits
 * for the next one's time is as late again, and for all that follow. */
static bool came_too_late(const mp_audio *a, uint32_t cycle) {
    return cycle - a->cycle_decoded > CYCLE_STEPS;
}

/* Each cycle's frames are decoded once; while the device stands, what comes is taken in all the same. */
static bool is_to_decode(const mp_audio *a, uint32_t cycle, uint32_t missed, int64_t next_ns,
                         int64_t now_ns) {
    if (now_ns < next_ns - mp_decode_lead_ns(&a->lead) && !came_too_late(a, cycle)) return false;
    return cycle != a->cycle_decoded || missed > a->missed_decoded || now_ns - next_ns > IDLE_AFTER_NS;
}

static void let_arrive(const mp_audio *a) {
    if (a->arrivals.arrive != NULL) a->arrivals.arrive(a->arrivals.arg);
}

static void decode(mp_audio *a, const mp_device_time *device, const mp_clock_map *map,
                   int64_t now_ns) {
    for (uint32_t slot = 0; slot < MP_MAX_PLAYERS; slot++) {
        if (a->decoded[slot] == NULL) continue;
        mp_player_step(a->decoded[slot], device, map, a->pieces, device->period, now_ns);
    }
}

int64_t mp_audio_step(mp_audio *a, int64_t now_ns) {
    mp_order order;
    uint32_t cycle, frames, available;
    int64_t cycle_ns;
    const mp_clock_map *map = a->mapped ? &a->map : NULL;
    while (mp_ring_take(&a->to_codec, &order)) obey(a, &order);
    mp_sender_send_due(&a->sender, now_ns);
    if (!read_cycle(a, &cycle, &cycle_ns, &frames, &available)) return now_ns + LEAST_POLL_NS;
    if (frames == 0) return now_ns + LEAST_POLL_NS * 25; /* no callback yet */
    int64_t period_ns = INT64_C(1000000000) * frames / a->settings.rate;
    int64_t next_ns = cycle_ns + period_ns;
    int64_t lead_ns = mp_decode_lead_ns(&a->lead);
    learn_when_to_look(a, cycle != a->cycle_seen, now_ns);
    if (cycle != a->cycle_seen) {
        a->cycle_seen = cycle;
        a->expected_ns = next_ns;
        let_arrive(a); /* whom to send to depends on who is heard */
        if (a->settings.in_channels > 0) {
            int64_t end_ns = captured_until_ns(a, cycle_ns, frames);
            mp_sender_step(&a->sender, &a->input, available, end_ns, map, now_ns);
        }
    }
    uint32_t missed = missed_cycles(a, next_ns, period_ns, now_ns);
    if (is_to_decode(a, cycle, missed, next_ns, now_ns)) {
        uint32_t lead_us = (uint32_t)(lead_ns / 1000);
        mp_device_time device = {next_ns, frames, a->settings.rate, lead_us,
                                 atomic_load(&a->xruns), missed * frames};
        a->cycle_decoded = cycle;
        a->missed_decoded = missed;
        a->decodings++;
        let_arrive(a);
        decode(a, &device, map, now_ns);
    }
    return next_look(a, next_ns, lead_ns, now_ns);
}

static void *run(void *arg) {
    mp_audio *a = arg;
    mp_thread_name("midipool-codec");
    mp_status status = a->priority > 0 ? mp_thread_realtime(a->priority) : MP_OK;
    atomic_store(&a->started, status == MP_OK ? 1 : -1);
    while (!atomic_load(&a->stopping)) {
        int64_t before_ns = mp_thread_work_ns();
        uint64_t decoded = a->decodings;
        int64_t next_ns = mp_audio_step(a, mp_host_now_ns());
        if (a->decodings != decoded) {
            mp_decode_lead_see(&a->lead, mp_thread_work_ns() - before_ns);
        }
        mp_host_sleep_until_ns(next_ns);
    }
    return NULL;
}

mp_status mp_audio_start(mp_audio *a, int priority) {
    if (a->running || priority < 0 || priority > 99) return MP_OUT_OF_RANGE;
    a->priority = priority;
    atomic_store(&a->stopping, 0);
    atomic_store(&a->started, 0);
    if (pthread_create(&a->thread, NULL, run, a) != 0) return MP_SYSTEM_FAILED;
    a->running = true;
    while (atomic_load(&a->started) == 0) mp_host_sleep_until_ns(mp_host_now_ns() + LEAST_POLL_NS);
    return atomic_load(&a->started) > 0 ? MP_OK : MP_NOT_PERMITTED;
}

void mp_audio_stop(mp_audio *a) {
    if (!a->running) return;
    atomic_store(&a->stopping, 1);
    pthread_join(a->thread, NULL);
    a->running = false;
}
