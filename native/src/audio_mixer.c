/* The callback: players' rings to the mix and to their own outputs. */
#define _GNU_SOURCE
#include <math.h>
#include <string.h>

#include "audio.h"

enum { DRY_FADE = 64 };
/* -120 dB: what a gain is off by then is not heard. */
static const float GAIN_THERE = 1e-6f;
/* The mix is left alone up to here, and bent above, so that it never passes 1. */
static const float KNEE = 0.8f;

static float limited(float sample) {
    float size = fabsf(sample);
    if (size <= KNEE) return sample;
    if (!(size < 1e6f)) return 0.0f; /* also what is no number */
    float over = (size - KNEE) / (1.0f - KNEE);
    return copysignf(KNEE + (1.0f - KNEE) * (over / (1.0f + over)), sample);
}

float mp_pan(float pan, uint32_t out, bool full) {
    float angle = (pan + 1.0f) * (float)(M_PI / 4.0);
    float power = out == 0 ? cosf(angle) : sinf(angle);
    return full ? fminf(1.0f, power * (float)M_SQRT2) : power;
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
        case MP_ORDER_LINK:
            if (*place != NULL) mp_link_set(&(*place)->place.link, &order.link);
            break;
        case MP_ORDER_TAPE:
            if (*place != NULL) mp_link_set(&(*place)->place.tape, &order.link);
            break;
        case MP_ORDER_OWN_TAPE:
            for (int i = 0; i < 2; i++) mp_link_set(&a->own_tape[i], &order.link);
            break;
        case MP_ORDER_MASTER: a->master = order.gain; break;
        case MP_ORDER_MONITOR: a->monitor = order.gain; break;
        case MP_ORDER_SEND: a->send = order.gain; break;
        case MP_ORDER_INSERTS: a->inserts = order.inserts; break;
        case MP_ORDER_INSERT: a->inserts->lanes[order.slot].mode = order.insert; break;
        case MP_ORDER_OWN: mp_own_obey(a, &order); break;
        default: break;
        }
    }
    a->silenced = mp_own_is_soloed(a);
    for (int i = 0; i < MP_MAX_PLAYERS; i++) {
        if (a->heard[i] != NULL && a->heard[i]->place.solo) a->silenced = true;
    }
}

/* How much of what lies decoded beyond a cycle was needed, because the codec thread was late or the
 * cycle early. */
static void note_cover(mp_player *p, uint32_t count, uint32_t got) {
    uint32_t left = mp_frame_ring_fill(&p->ring);
    uint32_t covered = atomic_load_explicit(&p->covered, memory_order_relaxed);
    uint32_t used = (covered > left ? covered - left : 0) + count - got;
    if (used > atomic_load_explicit(&p->used, memory_order_relaxed)) {
        atomic_store_explicit(&p->used, used, memory_order_relaxed);
    }
}

/* Nearly always: all is there, and was before. */
static void pass_whole(mp_mix_place *place, uint32_t channels, float *frames, uint32_t count) {
    if (count == 0) return;
    memcpy(place->last, frames + (size_t)(count - 1) * channels, channels * sizeof(float));
    for (uint32_t i = 0; i < count * channels; i++) frames[i] = mp_clamped(frames[i]);
}

static void fade_in_and_out(mp_mix_place *place, uint32_t channels, float *frames, uint32_t count,
                            uint32_t got) {
    for (uint32_t i = 0; i < count; i++) {
        bool there = i < got;
        place->fade += there ? 1.0f / DRY_FADE : -1.0f / DRY_FADE;
        place->fade = place->fade < 0.0f ? 0.0f : place->fade > 1.0f ? 1.0f : place->fade;
        for (uint32_t c = 0; c < channels; c++) {
            float *sample = &frames[(size_t)i * channels + c];
            if (there) place->last[c] = *sample;
            *sample = mp_clamped(place->last[c] * place->fade);
        }
    }
}

/* Read a player's frames, of its own channel count; what lacks is faded out from the last. */
static void read_player(mp_player *p, float *frames, uint32_t count) {
    mp_mix_place *place = &p->place;
    uint32_t channels = p->ring.channels;
    uint32_t got = mp_frame_ring_read(&p->ring, frames, count);
    if (got == count && place->fade == 1.0f) pass_whole(place, channels, frames, count);
    else fade_in_and_out(place, channels, frames, count, got);
    if (!atomic_load_explicit(&p->playing, memory_order_relaxed)) return;
    note_cover(p, count, got);
    if (got < count) {
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

static float wanted_gain(const mp_audio *a, const mp_player *p, uint32_t out) {
    const mp_mix_place *place = &p->place;
    if (place->mute || (a->silenced && !place->solo)) return 0.0f;
    if (a->settings.out_channels != 2) return place->gain;
    return place->gain * mp_pan(place->pan, out, p->ring.channels > 1);
}

/* One input into one output. A gain that has come to its place is one number for all frames. */
static float mix_one(const float *in, uint32_t ins, float *out, uint32_t outs, uint32_t frames,
                     float part, float now, float wanted) {
    if (fabsf(wanted - now) < GAIN_THERE) {
        for (uint32_t i = 0; i < frames; i++) out[i * outs] += in[i * ins] * (part * wanted);
        return wanted;
    }
    for (uint32_t i = 0; i < frames; i++) {
        now += (wanted - now) * MP_GLIDE;
        out[i * outs] += in[i * ins] * (part * now);
    }
    return now;
}

static void mix_player(mp_audio *a, mp_player *p, uint32_t frames) {
    uint32_t ins = p->ring.channels, outs = a->settings.out_channels;
    for (uint32_t out = 0; out < outs; out++) {
        float before = p->place.now[out], wanted = wanted_gain(a, p, out);
        for (uint32_t in = 0; in < ins; in++) {
            float part = route(in, ins, out, outs);
            if (part == 0.0f) continue;
            p->place.now[out] = mix_one(a->scratch + in, ins, a->mixed + out, outs, frames, part,
                                        before, wanted);
        }
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

/* To where it was captured; what was read begins at frame `at` of the ring. */
static void tap_player(mp_audio *a, mp_player *p, uint64_t at, uint32_t frames) {
    const uint32_t channels = p->ring.channels, rate = a->settings.rate;
    bool playing = atomic_load_explicit(&p->playing, memory_order_relaxed) != 0;
    bool absent = atomic_load_explicit(&p->absent, memory_order_relaxed) != 0;
    for (uint32_t done = 0, part; done < frames; done += part) {
        int64_t captured_ns;
        part = mp_captured_at(&p->captured, at + done, frames - done, rate, &captured_ns);
        if (!playing || absent || captured_ns == MP_NOT_CAPTURED) continue;
        mp_audio_tap(a, p->slot, &p->place.tape, channels, a->scratch + (size_t)done * channels,
                     part, captured_ns);
    }
}

uint32_t mp_audio_insert(mp_audio *a, mp_place lane, float *samples, uint32_t frames) {
    if (a->inserts == NULL) return 0;
    mp_insert_process(&a->inserts->lanes[lane], samples, frames);
    return atomic_load_explicit(&a->inserts->lanes[lane].older, memory_order_relaxed);
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
        uint64_t at = atomic_load_explicit(&p->ring.read, memory_order_relaxed);
        read_player(p, a->scratch, frames);
        tap_player(a, p, at, frames);
        mp_link_pass(&p->place.link, p->ring.channels, a->scratch, frames);
        mp_level_see(p->meters, p->ring.channels, a->scratch, frames);
        give_own_output(a, p, from, frames);
        mix_player(a, p, frames);
    }
}

static void give_mix(mp_audio *a, float *const *out, uint32_t frames) {
    uint32_t outs = a->settings.out_channels;
    uint32_t older = mp_audio_insert(a, MP_PLACE_MIX, a->mixed, frames);
    for (uint32_t i = 0; i < frames; i++) {
        a->master_now += (a->master - a->master_now) * MP_GLIDE;
        for (uint32_t c = 0; c < outs; c++) {
            float *sample = &a->mixed[(size_t)i * outs + c];
            *sample = limited(*sample * a->master_now);
            out[c][i] = *sample;
        }
    }
    mp_level_see(a->out_meters, outs, a->mixed, frames);
    mp_audio_tap(a, MP_TAP_MIX, NULL, outs, a->mixed, frames, a->began_ns - mp_frames_ns(a, older));
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
    mp_lost_outputs(a);
    memset(a->mixed, 0, (size_t)frames * a->settings.out_channels * sizeof(float));
    hear_players(a, from_players, frames);
    if (a->settings.in_channels > 0) mp_own_take(a, in, frames);
    a->lost = 0;
    give_mix(a, out, frames);
    if (a->inserts != NULL) mp_inserts_publish(a->inserts, cycle_ns, frames);
    a->frame += frames;
    atomic_store(&a->cycle_ns, cycle_ns);
    atomic_store(&a->cycle_frames, frames);
    atomic_fetch_add(&a->cycle, 1);
}
