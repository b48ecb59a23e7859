/* Copying frames into and out of a buffer that begins anew at its end. */
#pragma once

#include <stdint.h>
#include <string.h>

/* `count` interleaved frames from place `at` on, out of the buffer to `to`, or from `from` into it;
 * in two pieces at its end. The buffer has `mask` + 1 frames, a power of two; `count` is not more. */
static inline void mp_frames_around(float *samples, uint32_t channels, uint32_t mask, uint64_t at,
                                    float *to, const float *from, uint32_t count) {
    uint32_t start = (uint32_t)at & mask, whole = mask + 1;
    uint32_t first = count < whole - start ? count : whole - start;
    size_t n = channels, size = sizeof(float) * n;
    float *inside = samples + start * n;
    if (from != NULL) {
        memcpy(inside, from, first * size);
        memcpy(samples, from + first * n, (count - first) * size);
    } else if (to != NULL) {
        memcpy(to, inside, first * size);
        memcpy(to + first * n, samples, (count - first) * size);
    }
}
