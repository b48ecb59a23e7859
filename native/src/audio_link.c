/* Links of the room's graph in the callback: gains glide, filters are faded in and out. */
#define _GNU_SOURCE
#include "audio_link.h"

#include <math.h>

#include "audio.h"

/* Butterworth's damping. */
static const float DAMPING = 1.41421356f;
/* Nearer to half of the rate than this no corner is. */
static const float HIGHEST = 0.49f;
/* What is left of a sound in a filter; less would cost more to reckon with than all the rest. */
static const float NOTHING = 1e-15f;

static bool is_corner(float hz) {
    return hz == 0.0f || (hz >= MP_LEAST_FILTER_HZ && hz <= MP_MOST_FILTER_HZ);
}

static float corner_of(float hz, uint32_t rate) {
    return hz == 0.0f ? 0.0f : (float)tan(M_PI * fmin((double)hz / rate, HIGHEST));
}

bool mp_link_order_of(const mp_link_settings *settings, uint32_t rate, mp_link_order *order) {
    if (!(settings->gain >= 0.0f && settings->gain <= 8.0f)) return false;
    if (!is_corner(settings->high_pass_hz) || !is_corner(settings->low_pass_hz)) return false;
    order->gain = settings->gain;
    order->channels = settings->channels;
    order->high = corner_of(settings->high_pass_hz, rate);
    order->low = corner_of(settings->low_pass_hz, rate);
    return true;
}

void mp_link_begin(mp_audio_link *link) {
    *link = (mp_audio_link){0};
    for (uint32_t c = 0; c < MP_MAX_CHANNELS; c++) link->gain[c] = link->now[c] = 1.0f;
}

static void set_pass(mp_pass *pass, float corner, bool at_once) {
    pass->wet_wanted = corner > 0.0f ? 1.0f : 0.0f;
    if (corner > 0.0f) pass->corner_wanted = corner;
    if (pass->wet == 0.0f) pass->corner = pass->corner_wanted;
    if (at_once) {
        pass->wet = pass->wet_wanted;
        pass->corner = pass->corner_wanted;
    }
}

void mp_link_set(mp_audio_link *link, const mp_link_order *order) {
    for (uint32_t c = 0; c < MP_MAX_CHANNELS; c++) {
        link->gain[c] = order->channels >> c & 1 ? order->gain : 0.0f;
        if (!link->used) link->now[c] = link->gain[c];
    }
    set_pass(&link->high, order->high, !link->used);
    set_pass(&link->low, order->low, !link->used);
}

static bool is_off(const mp_pass *pass) { return pass->wet == 0.0f && pass->wet_wanted == 0.0f; }

bool mp_link_is_plain(const mp_audio_link *link, uint32_t channels) {
    for (uint32_t c = 0; c < channels; c++) {
        if (link->now[c] != 1.0f || link->gain[c] != 1.0f) return false;
    }
    return is_off(&link->high) && is_off(&link->low);
}

static void glide(float *now, float wanted) { *now += (wanted - *now) * MP_GLIDE; }

/* Nearer than this a float would never come. */
static float arrived(float now, float wanted) { return fabsf(wanted - now) < 1e-5f ? wanted : now; }

/* By the same part of itself each frame, so that no octave is passed sooner than another. */
static void slide(float *corner, float wanted) {
    float step = *corner * MP_GLIDE;
    *corner += fmaxf(-step, fminf(step, wanted - *corner));
}

/* A state variable filter, integrated by the trapezoidal rule: it stands being moved, and is exact
 * at low corners also in floats. */
static float passed(mp_pass_memory *m, float corner, float share, bool is_high, float in) {
    float high = (in - m->two - (corner + DAMPING) * m->one) * share;
    float band = m->one + corner * high, low = m->two + corner * band;
    m->one = band + corner * high;
    m->two = low + corner * band;
    return is_high ? high : low;
}

static float share_of(float corner) { return 1.0f / (1.0f + corner * (corner + DAMPING)); }

static void pass_through(mp_pass *p, bool is_high, uint32_t channels, float *frames,
                         uint32_t count) {
    bool moves = p->corner != p->corner_wanted;
    float share = share_of(p->corner);
    for (uint32_t i = 0; i < count; i++) {
        glide(&p->wet, p->wet_wanted);
        if (moves) {
            slide(&p->corner, p->corner_wanted);
            share = share_of(p->corner);
        }
        for (uint32_t c = 0; c < channels; c++) {
            float *sample = &frames[(size_t)i * channels + c];
            float with = passed(&p->memory[c], p->corner, share, is_high, *sample);
            *sample += (with - *sample) * p->wet;
        }
    }
    p->wet = arrived(p->wet, p->wet_wanted);
    for (uint32_t c = 0; c < channels; c++) {
        mp_pass_memory *m = &p->memory[c];
        bool rests = fabsf(m->one) < NOTHING && fabsf(m->two) < NOTHING;
        if (rests || p->wet == 0.0f) *m = (mp_pass_memory){0};
    }
}

void mp_link_pass(mp_audio_link *link, uint32_t channels, float *frames, uint32_t count) {
    link->used = link->used || count > 0;
    if (!is_off(&link->high)) pass_through(&link->high, true, channels, frames, count);
    if (!is_off(&link->low)) pass_through(&link->low, false, channels, frames, count);
    for (uint32_t c = 0; c < channels; c++) {
        float now = link->now[c], wanted = link->gain[c];
        if (now == 1.0f && wanted == 1.0f) continue;
        for (uint32_t i = 0; i < count; i++) {
            glide(&now, wanted);
            frames[(size_t)i * channels + c] *= now;
        }
        link->now[c] = arrived(now, wanted);
    }
}
