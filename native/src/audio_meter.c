/* Peak and RMS. The callback is the only writer; a reader asks it to begin anew, so that nothing
 * is lost between two looks but what came in one cycle. */
#include <math.h>

#include "audio.h"

static void see_channel(mp_audio_meter *m, const float *samples, uint32_t stride, uint32_t frames) {
    bool anew = atomic_load_explicit(&m->taken, memory_order_acquire) != 0;
    float peak = anew ? 0.0f : atomic_load_explicit(&m->peak, memory_order_relaxed);
    float squares = anew ? 0.0f : atomic_load_explicit(&m->squares, memory_order_relaxed);
    uint32_t count = anew ? 0 : atomic_load_explicit(&m->frames, memory_order_relaxed);
    for (uint32_t i = 0; i < frames; i++) {
        float sample = samples[(size_t)i * stride];
        if (fabsf(sample) > peak) peak = fabsf(sample);
        squares += sample * sample;
    }
    atomic_store_explicit(&m->peak, peak, memory_order_relaxed);
    atomic_store_explicit(&m->squares, squares, memory_order_relaxed);
    atomic_store_explicit(&m->frames, count + frames, memory_order_relaxed);
    if (anew) atomic_store_explicit(&m->taken, 0, memory_order_release);
}

void mp_level_see(mp_audio_meter *meters, uint32_t channels, const float *interleaved,
                  uint32_t frames) {
    for (uint32_t c = 0; c < channels; c++) {
        see_channel(&meters[c], interleaved + c, channels, frames);
    }
}

void mp_level_take(mp_audio_meter *meters, uint32_t channels, mp_level *levels) {
    for (uint32_t c = 0; c < channels; c++) {
        mp_audio_meter *m = &meters[c];
        bool nothing_new = atomic_load_explicit(&m->taken, memory_order_acquire) != 0;
        uint32_t count = atomic_load_explicit(&m->frames, memory_order_relaxed);
        float squares = atomic_load_explicit(&m->squares, memory_order_relaxed);
        float peak = atomic_load_explicit(&m->peak, memory_order_relaxed);
        bool any = !nothing_new && count > 0;
        levels[c].peak = any ? peak : 0.0f;
        levels[c].rms = any ? sqrtf(squares / (float)count) : 0.0f;
        atomic_store_explicit(&m->taken, 1, memory_order_release);
    }
}
