/* The device went on without the callback: JACK left its client out of a cycle, or had an xrun. It
 * says so by its frame count at once; the notice of an xrun comes by a thread that has no priority,
 * on a busy machine seconds later. Sound keeps its place in time on both ways. */
#include <string.h>

#include "audio.h"

enum { FADE = 64, PIECE = 256, MOST_LOST = 1 << 13 };

void mp_audio_lost(mp_audio *a, uint32_t frames) {
    a->frame += frames;
    a->lost = frames;
    if (frames <= MOST_LOST) return;
    a->lost = 0;
    mp_audio_xrun(a);
}

void mp_lost_outputs(mp_audio *a) {
    for (uint32_t slot = 0; a->lost > 0 && slot < MP_MAX_PLAYERS; slot++) {
        mp_player *p = a->heard[slot];
        if (p == NULL) continue;
        uint32_t dropped = mp_frame_ring_drop(&p->ring, a->lost);
        p->place.fade = 0.0f;
        if (dropped == a->lost || !atomic_load_explicit(&p->playing, memory_order_relaxed)) continue;
        atomic_fetch_add_explicit(&p->underruns, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&p->dry, a->lost - dropped, memory_order_relaxed);
    }
}

/* What was sent last fades out in them. */
static void fill_in(mp_audio *a) {
    float frames[PIECE * MP_MAX_CHANNELS];
    const uint32_t ins = a->settings.in_channels;
    for (uint32_t done = 0, count; done < a->lost; done += count) {
        count = a->lost - done < PIECE ? a->lost - done : PIECE;
        for (uint32_t i = 0; i < count; i++) {
            float part = done + i < FADE ? 1.0f - (float)(done + i + 1) / FADE : 0.0f;
            for (uint32_t c = 0; c < ins; c++) frames[(size_t)i * ins + c] = a->own_last[c] * part;
        }
        uint32_t wrote = mp_frame_ring_write(&a->input, frames, count);
        atomic_fetch_add_explicit(&a->input_dropped, count - wrote, memory_order_relaxed);
    }
}

void mp_lost_input(mp_audio *a, uint32_t frames) {
    const uint32_t ins = a->settings.in_channels;
    if (a->lost > 0) {
        fill_in(a);
        for (uint32_t i = 0; i < frames && i < FADE; i++) {
            for (uint32_t c = 0; c < ins; c++) a->scratch[(size_t)i * ins + c] *= (float)i / FADE;
        }
    }
    memcpy(a->own_last, a->scratch + (size_t)(frames - 1) * ins, ins * sizeof(float));
}
