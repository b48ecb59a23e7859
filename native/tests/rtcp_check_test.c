#include <string.h>

#include "../src/rt.h"
#include "check.h"

/* SR with one CNAME "ab", as short as they come. */
static const uint8_t REPORT[] = {
    0x80, 200, 0, 6, 1, 2, 3, 4, 0xEE, 0xAB, 0xF2, 0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 9,
    0x81, 202, 0, 3, 1, 2, 3, 4, 1, 2, 'a', 'b', 0, 0, 0, 0,
};
enum { SIZE = sizeof REPORT, REPORT_SIZE = 28 };

static void a_whole_compound_is_safe(void) {
    CHECK(mp_rtcp_is_safe(REPORT, SIZE));
    CHECK_EQUAL(mp_rtcp_ssrc(REPORT), 0x01020304);
}

static void a_report_without_a_name_is_not(void) {
    CHECK(!mp_rtcp_is_safe(REPORT, REPORT_SIZE));
}

/* On the heap and exactly as long, so that AddressSanitizer sees a look past the end. */
static int checked(const uint8_t *bytes, uint32_t size) {
    uint8_t *exact = malloc(size > 0 ? size : 1);
    CHECK(exact != NULL);
    memcpy(exact, bytes, size);
    int safe = mp_rtcp_is_safe(exact, size);
    free(exact);
    return safe;
}

static void what_is_cut_short_is_not(void) {
    for (uint32_t size = 0; size < SIZE; size++) CHECK(!checked(REPORT, size));
}

static void a_word_after_the_end_is_not(void) {
    uint8_t longer[SIZE + 4] = {0};
    memcpy(longer, REPORT, SIZE);
    CHECK(!checked(longer, sizeof longer));
}

static void nothing_makes_it_read_past_the_end(void) {
    uint64_t seed = 1;
    for (int round = 0; round < 100000; round++) {
        uint8_t bytes[SIZE + 64];
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)random_bits(&seed);
        memcpy(bytes, REPORT, (size_t)random_between(&seed, 0, SIZE));
        for (int flips = (int)random_between(&seed, 0, 4); flips > 0; flips--)
            bytes[random_between(&seed, 0, SIZE - 1)] = (uint8_t)random_bits(&seed);
        checked(bytes, (uint32_t)random_between(&seed, 0, sizeof bytes));
    }
}

static void a_source_keeps_its_name(void) {
    mp_rtcp_guard guard = {0};
    uint8_t other[SIZE];
    memcpy(other, REPORT, SIZE);
    other[REPORT_SIZE + 10] = 'c';
    CHECK(mp_rtcp_admit(&guard, REPORT, SIZE) && mp_rtcp_admit(&guard, REPORT, SIZE));
    CHECK(!mp_rtcp_admit(&guard, other, SIZE));
    CHECK_EQUAL(guard.count, 1);
}

static void our_own_number_is_not_admitted(void) {
    mp_rtcp_guard guard = {.own_ssrc = 0x01020304};
    CHECK(!mp_rtcp_admit(&guard, REPORT, SIZE));
}

int main(void) {
    a_source_keeps_its_name();
    our_own_number_is_not_admitted();
    a_whole_compound_is_safe();
    a_report_without_a_name_is_not();
    what_is_cut_short_is_not();
    a_word_after_the_end_is_not();
    nothing_makes_it_read_past_the_end();
    return 0;
}
