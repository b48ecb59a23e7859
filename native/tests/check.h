/* What the tests share: a check that ends the program, and numbers that look random. */
#pragma once

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition) \
    ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

/* Both are integers. */
#define CHECK_EQUAL(got, wanted) \
    check_within(__FILE__, __LINE__, #got, (int64_t)(got), (int64_t)(wanted), 0)
#define CHECK_WITHIN(got, wanted, most) \
    check_within(__FILE__, __LINE__, #got, (int64_t)(got), (int64_t)(wanted), (most))

static inline _Noreturn void check_failed(const char *file, int line, const char *text) {
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, text);
    exit(1);
}

static inline void check_within(const char *file, int line, const char *text, int64_t got,
                                int64_t wanted, int64_t most) {
    if (got >= wanted - most && got <= wanted + most) return;
    fprintf(stderr, "%s:%d: %s is %" PRId64 ", not %" PRId64 " ± %" PRId64 "\n", file, line, text,
            got, wanted, most);
    exit(1);
}

/* splitmix64: the same numbers in every run. */
static inline uint64_t random_bits(uint64_t *state) {
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* At least 0, less than 1. */
static inline double random_unit(uint64_t *state) {
    return (double)(random_bits(state) >> 11) * 0x1p-53;
}

static inline int64_t random_between(uint64_t *state, int64_t low, int64_t high) {
    return low + (int64_t)(random_bits(state) % (uint64_t)(high - low + 1));
}
