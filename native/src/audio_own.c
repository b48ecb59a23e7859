/* The callback's part that one's own input takes: to the codec thread, and to one's own ears. */
#include <math.h>

#include "audio.h"

/* As it lies: one to both outputs, several to left and right in turn. */
static float usual_pan(uint32_t channel, uint32_t channels) {
    return channels == 1 ? 0.0f : channel % 2 == 0 ? -1.0f : 1.0f;
}

void mp_own_places_init(mp_audio *a) {
    uint32_t ins = a->settings.in_channels;
    for (uint32_t c = 0; c < ins; c++) {
        a->own[c] = (mp_own_place){.gain = 1.0f, .pan = usual_pan(c, ins), .send_now = 1.0f};
    }
    for (int i = 0; i < 2; i++) mp_link_begin(&a->own_tape[i]);
}

void mp_own_obey(mp_audio *a, const mp_order *order) {
    mp_own_place *place = &a->own[order->slot % MP_MAX_CHANNELS];
    place->gain = order->mix.gain;
    place->pan = order->mix.pan;
    place->mute = order->mix.mute != 0;
    place->solo = order->mix.solo != 0;
}

bool mp_own_is_soloed(const mp_audio *a) {
    for (uint32_t c = 0; a->monitor > 0.0f && c < a->settings.in_channels; c++) {
        if (a->own[c].solo) return true;
    }
    return false;
}

static float wanted_gain(const mp_audio *a, uint32_t channel, uint32_t out) {
    const mp_own_place *place = &a->own[channel];
    if (a->silenced && !place->solo) return 0.0f;
    float gain = a->monitor * place->gain;
    if (a->settings.out_channels == 2) return gain * mp_pan(place->pan, out, true);
    return out % a->settings.in_channels == channel ? gain : 0.0f;
}

static void monitor(mp_audio *a, uint32_t channel, uint32_t frames) {
    uint32_t ins = a->settings.in_channels, outs = a->settings.out_channels;
    for (uint32_t out = 0; out < outs; out++) {
        float now = a->own[channel].now[out], wanted = wanted_gain(a, channel, out);
        if (now == 0.0f && wanted == 0.0f) continue;
        for (uint32_t i = 0; i < frames; i++) {
            now += (wanted - now) * MP_GLIDE;
            a->mixed[(size_t)i * outs + out] += now * a->scratch[(size_t)i * ins + channel];
        }
        a->own[channel].now[out] = fabsf(now) < 1e-9f ? 0.0f : now;
    }
}

/* What the codec thread gets, which is no more the scratch's after it. */
static void send(mp_audio *a, uint32_t channel, uint32_t frames) {
    mp_own_place *place = &a->own[channel];
    uint32_t ins = a->settings.in_channels;
    float now = place->send_now, wanted = place->mute ? 0.0f : a->send * place->gain;
    for (uint32_t i = 0; i < frames; i++) {
        now += (wanted - now) * MP_GLIDE;
        if (fabsf(wanted - now) < 1e-6f) now = wanted;
        float *sample = &a->scratch[(size_t)i * ins + channel];
        *sample = mp_clamped(*sample * now);
    }
    place->send_now = now;
}

static void tap(mp_audio *a, uint32_t source, uint32_t frames, uint32_t older) {
    uint32_t latency = atomic_load_explicit(&a->input_latency, memory_order_relaxed);
    uint32_t before = latency == UINT32_MAX ? frames : latency;
    int64_t captured_ns = a->began_ns - mp_frames_ns(a, before + older);
    mp_audio_link *link = &a->own_tape[source == MP_TAP_INPUT ? 0 : 1];
    mp_audio_tap(a, source, link, a->settings.in_channels, a->scratch, frames, captured_ns);
}

void mp_own_take(mp_audio *a, const float *const *in, uint32_t frames) {
    uint32_t ins = a->settings.in_channels;
    for (uint32_t c = 0; c < ins; c++) {
        for (uint32_t i = 0; i < frames; i++) {
            a->scratch[(size_t)i * ins + c] = mp_clamped(in[c][i]);
        }
    }
    mp_level_see(a->in_meters, ins, a->scratch, frames);
    tap(a, MP_TAP_INPUT, frames, 0);
    uint32_t older = mp_audio_insert(a, MP_PLACE_INPUT, a->scratch, frames);
    atomic_store_explicit(&a->input_older, older, memory_order_relaxed);
    tap(a, MP_TAP_PLAYED, frames, older);
    for (uint32_t c = 0; c < ins; c++) monitor(a, c, frames);
    for (uint32_t c = 0; c < ins; c++) send(a, c, frames);
    mp_lost_input(a, frames);
    uint32_t wrote = mp_frame_ring_write(&a->input, a->scratch, frames);
    if (wrote < frames) {
        atomic_fetch_add_explicit(&a->input_dropped, frames - wrote, memory_order_relaxed);
    }
}
