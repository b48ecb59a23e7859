/* The callback: input to the codec thread, players' rings to the mix and to their own outputs. */
#define _GNU_SOURCE
#include <math.h>
#include <string.h>

#include "audio.h"

enum { DRY_FADE = 64 };
/* Gains go to what is wanted within some ms: this part of the way each frame. */
static const float GLIDE = 0.01f;
/* The mix is left alone up to here, and bent above, so that it never passes 1. */
static const float KNEE = 0.8f;

static float limited(float sample) {
    float size = fabsf(sample);
    if (size <= KNEE) return sample;
    if (!(size < 1e6f)) return 0.0f; /* also what is no number */
    float over = (size - KNEE) / (1.0f - KNEE);
    return copysignf(KNEE + (1.0f - KNEE) * (over / (1.0f + over)), sample);
}

/* A number that a device can play. */
static float clamped(float sample) {
    if (sample >= -1.0f && sample <= 1.0f) return sample;
    return sample > 1.0f ? 1.0f : sample < -1.0f ? -1.0f : 0.0f;
}

static void take_orders(mp_audio *a) {
    mp_order order;
    while (mp_ring_take(&a->to_callback, &order)) {
        mp_player **place = &a->heard[order.slot % MP_MAX_PLAYERS];
        switch (order.kind) {
        case MP_ORDER_ADD: *place = order.player; break;
        case MP_ORDER_REMOVE:
            order.player = *place;
            *place = NULL;
            mp_ring_stage(&a->from_callback, &order);
            mp_ring_publish(&a->from_callback);
            break;
        case MP_ORDER_MIX:
            if (*place == NULL) break;
            (*place)->place.gain = order.mix.gain;
            (*place)->place.pan = order.mix.pan;
            (*place)->place.mute = order.mix.mute != 0;
            (*place)->place.solo = order.mix.solo != 0;
            break;
        case MP_ORDER_MASTER: a->master = order.gain; break;
        case MP_ORDER_MONITOR: a->monitor = order.gain; break;
        case MP_ORDER_SEND: a->send = order.gain; break;
        case MP_ORDER_INSERTS: a->inserts = order.inserts; break;
        case MP_ORDER_INSERT: a->inserts->lanes[order.slot].mode = order.insert; break;
        default: break;
        }
    }
    a->silenced = false;
    for (int i = 0; i < MP_MAX_PLAYERS; i++) {
        if (a->heard[i] != NULL && a->heard[i]->place.solo) a->silenced = true;
    }
}

/* Read a player's frames, of its own channel count; what lacks is faded out from the last. */
static void read_player(mp_player *p, float *frames, uint32_t count) {
    mp_mix_place *place = &p->place;
    uint32_t channels = p->ring.channels;
    uint32_t got = mp_frame_ring_read(&p->ring, frames, count);
    for (uint32_t i = 0; i < count; i++) {
        bool there = i < got;
        float toward = there ? 1.0f : 0.0f;
        if (place->fade != toward) place->fade += there ? 1.0f / DRY_FADE : -1.0f / DRY_FADE;
        place->fade = place->fade < 0.0f ? 0.0f : place->fade > 1.0f ? 1.0f : place->fade;
        for (uint32_t c = 0; c < channels; c++) {
            float *sample = &frames[(size_t)i * channels + c];
            if (there) place->last[c] = *sample;
            *sample = clamped(place->last[c] * place->fade);
        }
    }
    if (got < count && atomic_load_explicit(&p->playing, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&p->underruns, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&p->dry, count - got, memory_order_relaxed);
    }
}

/* Which part of channel `in` goes to output `out`: mono to all, all to mono, else each to its own
 * and what is left over to those below. */
static float route(uint32_t in, uint32_t ins, uint32_t out, uint32_t outs) {
    if (outs == 1) return 1.0f / (float)ins;
    return ins == 1 || in % outs == out ? 1.0f : 0.0f;
}

/* Two outputs are panned with equal power; what is stereo already is 1 in the middle. */
static float wanted_gain(const mp_audio *a, const mp_player *p, uint32_t out) {
    const mp_mix_place *place = &p->place;
    if (place->mute || (a->silenced && !place->solo)) return 0.0f;
    if (a->settings.out_channels != 2) return place->gain;
    float angle = (place->pan + 1.0f) * (float)(M_PI / 4.0);
    float power = out == 0 ? cosf(angle) : sinf(angle);
    if (p->ring.channels > 1) power = fminf(1.0f, power * (float)M_SQRT2);
    return place->gain * power;
}

static void mix_player(mp_audio *a, mp_player *p, uint32_t frames) {
    uint32_t ins = p->ring.channels, outs = a->settings.out_channels;
    for (uint32_t out = 0; out < outs; out++) {
        float now = p->place.now[out], wanted = wanted_gain(a, p, out);
        for (uint32_t i = 0; i < frames; i++) {
            const float *frame = &a->scratch[(size_t)i * ins];
            float sum = 0.0f;
            now += (wanted - now) * GLIDE;
            for (uint32_t in = 0; in < ins; in++) sum += route(in, ins, out, outs) * frame[in];
            a->mixed[(size_t)i * outs + out] += now * sum;
        }
        p->place.now[out] = fabsf(now) < 1e-9f ? 0.0f : now;
    }
}

static void give_own_output(const mp_audio *a, const mp_player *p, float *const *from,
                            uint32_t frames) {
    uint32_t ins = p->ring.channels, outs = a->settings.out_channels;
    for (uint32_t out = 0; from != NULL && out < outs; out++) {
        float *to = from[(size_t)p->slot * outs + out];
        for (uint32_t i = 0; to != NULL && i < frames; i++) {
            to[i] = a->scratch[(size_t)i * ins + (out < ins ? out : out % ins)];
        }
    }
}

/* As it was captured: so much before it is heard here. */
static void tap_player(mp_audio *a, const mp_player *p, uint32_t frames) {
    int64_t latency_us = atomic_load_explicit(&p->latency_us, memory_order_relaxed);
    bool playing = atomic_load_explicit(&p->playing, memory_order_relaxed) != 0;
    if (!playing || latency_us < 0) return;
    mp_audio_tap(a, p->slot, p->ring.channels, a->scratch, frames, a->began_ns - latency_us * 1000);
}

/* Frames become those with effects, where there are any; returns how much older they are then. */
static uint32_t insert(mp_audio *a, mp_place lane, float *samples, uint32_t frames) {
    if (a->inserts == NULL) return 0;
    mp_insert_process(&a->inserts->lanes[lane], samples, frames);
    return atomic_load_explicit(&a->inserts->lanes[lane].older, memory_order_relaxed);
}

static int64_t frames_ns(const mp_audio *a, uint32_t frames) {
    return frames * INT64_C(1000000000) / a->settings.rate;
}

static void tap_input(mp_audio *a, uint32_t source, uint32_t frames, uint32_t older) {
    uint32_t latency = atomic_load_explicit(&a->input_latency, memory_order_relaxed);
    uint32_t before = latency == UINT32_MAX ? frames : latency;
    int64_t captured_ns = a->began_ns - frames_ns(a, before + older);
    mp_audio_tap(a, source, a->settings.in_channels, a->scratch, frames, captured_ns);
}

static void hear_players(mp_audio *a, float *const *from, uint32_t frames) {
    uint32_t outs = a->settings.out_channels;
    for (uint32_t slot = 0; slot < MP_MAX_PLAYERS; slot++) {
        mp_player *p = a->heard[slot];
        if (p == NULL) {
            for (uint32_t out = 0; from != NULL && out < outs; out++) {
                float *to = from[(size_t)slot * outs + out];
                if (to != NULL) memset(to, 0, frames * sizeof(float));
            }
            continue;
        }
        read_player(p, a->scratch, frames);
        tap_player(a, p, frames);
        mp_level_see(p->meters, p->ring.channels, a->scratch, frames);
        give_own_output(a, p, from, frames);
        mix_player(a, p, frames);
    }
}

/* What the codec thread gets, which is no more the scratch's after it. */
static void send_input(mp_audio *a, uint32_t frames) {
    uint32_t ins = a->settings.in_channels;
    for (uint32_t i = 0; i < frames; i++) {
        a->send_now += (a->send - a->send_now) * GLIDE;
        if (fabsf(a->send - a->send_now) < 1e-6f) a->send_now = a->send;
        for (uint32_t c = 0; c < ins; c++) {
            float *sample = &a->scratch[(size_t)i * ins + c];
            *sample = clamped(*sample * a->send_now);
        }
    }
    uint32_t wrote = mp_frame_ring_write(&a->input, a->scratch, frames);
    if (wrote < frames) {
        atomic_fetch_add_explicit(&a->input_dropped, frames - wrote, memory_order_relaxed);
    }
}

/* The input as one's own ears and the codec thread get it. */
static void take_input(mp_audio *a, const float *const *in, uint32_t frames) {
    uint32_t ins = a->settings.in_channels, outs = a->settings.out_channels;
    for (uint32_t c = 0; c < ins; c++) {
        for (uint32_t i = 0; i < frames; i++) {
            a->scratch[(size_t)i * ins + c] = clamped(in[c][i]);
        }
    }
    mp_level_see(a->in_meters, ins, a->scratch, frames);
    tap_input(a, MP_TAP_INPUT, frames, 0);
    uint32_t older = insert(a, MP_PLACE_INPUT, a->scratch, frames);
    atomic_store_explicit(&a->input_older, older, memory_order_relaxed);
    tap_input(a, MP_TAP_PLAYED, frames, older);
    for (uint32_t i = 0; i < frames; i++) {
        a->monitor_now += (a->monitor - a->monitor_now) * GLIDE;
        for (uint32_t out = 0; out < outs; out++) {
            a->mixed[(size_t)i * outs + out] +=
                a->monitor_now * a->scratch[(size_t)i * ins + (out < ins ? out : out % ins)];
        }
    }
    send_input(a, frames);
}

static void give_mix(mp_audio *a, float *const *out, uint32_t frames) {
    uint32_t outs = a->settings.out_channels;
    uint32_t older = insert(a, MP_PLACE_MIX, a->mixed, frames);
    for (uint32_t i = 0; i < frames; i++) {
        a->master_now += (a->master - a->master_now) * GLIDE;
        for (uint32_t c = 0; c < outs; c++) {
            float *sample = &a->mixed[(size_t)i * outs + c];
            *sample = limited(*sample * a->master_now);
            out[c][i] = *sample;
        }
    }
    mp_level_see(a->out_meters, outs, a->mixed, frames);
    mp_audio_tap(a, MP_TAP_MIX, outs, a->mixed, frames, a->began_ns - frames_ns(a, older));
}

/* When the cycle began, by the frame clock, which wakes up late never early. */
static int64_t cycle_time(mp_audio *a, int64_t host_ns) {
    uint32_t xruns = atomic_load_explicit(&a->xruns, memory_order_relaxed);
    if (xruns != a->xruns_seen) mp_frame_clock_restart(a->clock);
    a->xruns_seen = xruns;
    mp_frame_clock_see(a->clock, a->frame, host_ns);
    return mp_frame_clock_local_at(a->clock, a->frame);
}

void mp_audio_process(mp_audio *a, const float *const *in, float *const *out,
                      float *const *from_players, uint32_t frames, int64_t host_ns) {
    if (frames > MP_MAX_PERIOD) frames = MP_MAX_PERIOD;
    int64_t cycle_ns = cycle_time(a, host_ns);
    a->began_ns = cycle_ns;
    atomic_fetch_add(&a->cycle, 1);
    take_orders(a);
    memset(a->mixed, 0, (size_t)frames * a->settings.out_channels * sizeof(float));
    hear_players(a, from_players, frames);
    if (a->settings.in_channels > 0) take_input(a, in, frames);
    give_mix(a, out, frames);
    if (a->inserts != NULL) mp_inserts_publish(a->inserts, cycle_ns, frames);
    a->frame += frames;
    atomic_store(&a->cycle_ns, cycle_ns);
    atomic_store(&a->cycle_frames, frames);
    atomic_fetch_add(&a->cycle, 1);
}
