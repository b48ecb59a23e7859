#include "../src/roc_gate.h"

#include <string.h>

#include "check.h"

enum { K = 4, FRAMES = 220, SIZE = 12 + 4 * FRAMES + 6, RATE = 44100, PT = 10 };
static const int64_t MS = 1000000, SECOND = 1000000000;

static const mp_address ANNA = {.family = 4, .ip = {10, 0, 0, 1}, .port = 5000};
static const mp_address BERT = {.family = 4, .ip = {10, 0, 0, 2}, .port = 5000};

/* A gate, and a sender in front of it. */
typedef struct {
    mp_gate *gate;
    int64_t now_ns;
    uint8_t bytes[MP_GATE_PACKET];
} stage;

static stage begin(void) {
    stage s = {.gate = calloc(1, sizeof(mp_gate)), .now_ns = 100 * SECOND};
    CHECK(s.gate != NULL);
    s.gate->rate = RATE;
    s.gate->frame_bytes = 4;
    s.gate->payload_type = PT;
    s.gate->fec = true;
    s.gate->ends_ns = 500 * MS;
    mp_gate_open(s.gate);
    return s;
}

static void end(stage *s) { free(s->gate); }

static void put(uint8_t *at, uint32_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; i--, value >>= 8) at[i] = (uint8_t)value;
}

static void put_place(uint8_t *at, uint32_t block, uint32_t symbol, uint32_t length) {
    put(at, block, 3);
    at[3] = (uint8_t)symbol;
    put(at + 4, length, 2);
}

/* Packet `number` of a stream of blocks of K. */
static void make(stage *s, uint32_t number, uint32_t ssrc) {
    memset(s->bytes, 0x55, sizeof s->bytes);
    s->bytes[0] = 0x80;
    s->bytes[1] = PT;
    put(s->bytes + 2, number, 2);
    put(s->bytes + 4, number * FRAMES, 4);
    put(s->bytes + 8, ssrc, 4);
    put_place(s->bytes + SIZE - 6, number / K, number % K, K);
}

static mp_gate_verdict give(stage *s, int interface, const mp_address *from, uint32_t size) {
    /* As long as it says, so that AddressSanitizer sees a look past the end. */
    uint8_t *exact = malloc(size > 0 ? size : 1);
    CHECK(exact != NULL);
    memcpy(exact, s->bytes, size);
    mp_gate_verdict verdict = mp_gate_take(s->gate, interface, from, exact, size, s->now_ns);
    free(exact);
    return verdict;
}

static mp_gate_verdict source(stage *s, uint32_t number) {
    make(s, number, 7);
    return give(s, MP_ROC_SOURCE, &ANNA, SIZE);
}

static mp_gate_verdict repair(stage *s, uint32_t block, uint32_t symbol) {
    memset(s->bytes, 0x66, sizeof s->bytes);
    put_place(s->bytes, block, symbol, K);
    return give(s, MP_ROC_REPAIR, &ANNA, SIZE);
}

static uint32_t released(stage *s) {
    uint32_t count = 0, size;
    while (mp_gate_repair(s->gate, &size) != NULL) {
        CHECK_EQUAL(size, SIZE);
        count++;
    }
    return count;
}

static void a_stream_passes(void) {
    stage s = begin();
    for (uint32_t i = 0; i < 400; i++) {
        CHECK_EQUAL(source(&s, i), MP_GATE_PASSED);
        s.now_ns += 5 * MS;
        CHECK(!mp_gate_ended(s.gate, s.now_ns));
    }
    CHECK_EQUAL(s.gate->streams, 1);
    end(&s);
}

/* libroc's reader stands one repair of a block, not two. */
static void repair_goes_in_once_and_only_when_it_is_enough(void) {
    stage s = begin();
    for (uint32_t i = 0; i < K; i++) CHECK_EQUAL(source(&s, i), MP_GATE_PASSED);
    CHECK_EQUAL(repair(&s, 0, K), MP_GATE_NOT_NEEDED);
    CHECK_EQUAL(source(&s, 4), MP_GATE_PASSED);
    CHECK_EQUAL(source(&s, 6), MP_GATE_PASSED);
    CHECK_EQUAL(repair(&s, 1, K), MP_GATE_PASSED);
    CHECK_EQUAL(repair(&s, 1, K), MP_GATE_NOT_NEEDED);
    CHECK_EQUAL(released(&s), 0);
    CHECK_EQUAL(repair(&s, 1, K + 1), MP_GATE_PASSED);
    CHECK_EQUAL(released(&s), 2);
    /* And nothing else of that block after that. */
    CHECK_EQUAL(source(&s, 5), MP_GATE_NOT_NEEDED);
    CHECK_EQUAL(repair(&s, 1, K + 2), MP_GATE_NOT_NEEDED);
    CHECK_EQUAL(released(&s), 0);
    end(&s);
}

static void a_late_packet_makes_waiting_repair_enough(void) {
    stage s = begin();
    CHECK_EQUAL(source(&s, 0), MP_GATE_PASSED);
    CHECK_EQUAL(repair(&s, 0, K), MP_GATE_PASSED);
    CHECK_EQUAL(repair(&s, 0, K + 1), MP_GATE_PASSED);
    CHECK_EQUAL(released(&s), 0);
    CHECK_EQUAL(source(&s, 2), MP_GATE_PASSED);
    CHECK_EQUAL(released(&s), 2);
    end(&s);
}

static void what_has_another_shape_is_refused(void) {
    stage s = begin();
    CHECK_EQUAL(repair(&s, 0, K), MP_GATE_NOT_READY);
    CHECK_EQUAL(source(&s, 0), MP_GATE_PASSED);
    for (uint32_t size = 0; size < SIZE; size += 1 + size / 50) {
        make(&s, 1, 7);
        CHECK(give(&s, MP_ROC_SOURCE, &ANNA, size) != MP_GATE_PASSED);
        CHECK(give(&s, MP_ROC_REPAIR, &ANNA, size) != MP_GATE_PASSED);
    }
    static const uint8_t HEADS[] = {0x00, 0x40, 0xC0, 0xA0, 0x90, 0x81};
    for (size_t i = 0; i < sizeof HEADS; i++) {
        make(&s, 1, 7);
        s.bytes[0] = HEADS[i];
        CHECK_EQUAL(give(&s, MP_ROC_SOURCE, &ANNA, SIZE), MP_GATE_MALFORMED);
    }
    make(&s, 1, 7);
    s.bytes[1] = 11;
    CHECK_EQUAL(give(&s, MP_ROC_SOURCE, &ANNA, SIZE), MP_GATE_FORMAT);
    static const uint32_t PLACES[][2] = {{K, K}, {1, 0}, {0, 255}, {1, K + 1}};
    for (int i = 0; i < 4; i++) {
        make(&s, 1, 7);
        put_place(s.bytes + SIZE - 6, 0, PLACES[i][0], PLACES[i][1]);
        CHECK_EQUAL(give(&s, MP_ROC_SOURCE, &ANNA, SIZE), MP_GATE_MALFORMED);
    }
    CHECK_EQUAL(repair(&s, 0, K - 1), MP_GATE_MALFORMED);
    CHECK_EQUAL(repair(&s, 0, 255), MP_GATE_MALFORMED);
    CHECK_EQUAL(repair(&s, 99, K), MP_GATE_JUMPED);
    CHECK_EQUAL(source(&s, 1), MP_GATE_PASSED);
    end(&s);
}

static void nobody_else_gets_in_between(void) {
    stage s = begin();
    CHECK_EQUAL(source(&s, 0), MP_GATE_PASSED);
    make(&s, 1, 7);
    CHECK_EQUAL(give(&s, MP_ROC_SOURCE, &BERT, SIZE), MP_GATE_STRANGER);
    make(&s, 1, 8);
    CHECK_EQUAL(give(&s, MP_ROC_SOURCE, &ANNA, SIZE), MP_GATE_OTHER_STREAM);
    CHECK_EQUAL(source(&s, 200), MP_GATE_JUMPED);
    CHECK_EQUAL(source(&s, 1), MP_GATE_PASSED);
    end(&s);
}

static void after_silence_a_stream_begins_anew(void) {
    stage s = begin();
    CHECK_EQUAL(source(&s, 0), MP_GATE_PASSED);
    s.now_ns += 501 * MS;
    CHECK(mp_gate_ended(s.gate, s.now_ns));
    CHECK_EQUAL(source(&s, 1), MP_GATE_NOT_READY);
    mp_gate_open(s.gate);
    make(&s, 5000, 9);
    CHECK_EQUAL(give(&s, MP_ROC_SOURCE, &BERT, SIZE), MP_GATE_NOT_READY);
    CHECK_EQUAL(give(&s, MP_ROC_SOURCE, &ANNA, SIZE), MP_GATE_PASSED);
    s.now_ns += 3001 * MS;
    CHECK(mp_gate_ended(s.gate, s.now_ns));
    mp_gate_open(s.gate);
    CHECK_EQUAL(give(&s, MP_ROC_SOURCE, &BERT, SIZE), MP_GATE_PASSED);
    CHECK_EQUAL(s.gate->streams, 3);
    end(&s);
}

static void a_named_sender_is_the_only_one(void) {
    stage s = begin();
    s.gate->only_from = BERT;
    s.gate->only_from.port = 1;
    CHECK_EQUAL(source(&s, 0), MP_GATE_STRANGER);
    CHECK_EQUAL(give(&s, MP_ROC_SOURCE, &BERT, SIZE), MP_GATE_PASSED);
    end(&s);
}

/* libroc's queue has no bound. */
static void more_sound_than_time_is_refused(void) {
    stage s = begin();
    uint32_t passed = 0;
    for (uint32_t i = 0; i < 5000; i++) passed += source(&s, i) == MP_GATE_PASSED;
    CHECK_WITHIN(passed, 2 * RATE / FRAMES, 2);
    end(&s);
    s = begin();
    for (uint32_t i = 19400000; i < 19700000; i++) { /* at +500 ppm, and over the end of counters */
        CHECK_EQUAL(source(&s, i), MP_GATE_PASSED);
        s.now_ns += (int64_t)(1e9 * FRAMES / RATE / 1.0005);
    }
    end(&s);
}

static void only_rtcp_of_the_stream_that_libroc_stands(void) {
    static const uint8_t REPORT[] = {
        0x80, 200, 0,    6, 0,    0,    0,    7, 0xEE, 0xAB, 0xF2, 0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0,    1,   0,    0, 0,    9,    0x81, 202, 0,  3,    0,    0,    0, 7, 1, 2, 'a', 'b', 0, 0,
        0,    0,
    };
    stage s = begin();
    CHECK_EQUAL(source(&s, 0), MP_GATE_PASSED);
    memcpy(s.bytes, REPORT, sizeof REPORT);
    CHECK_EQUAL(give(&s, MP_ROC_CONTROL, &ANNA, 28), MP_GATE_RTCP);
    CHECK_EQUAL(give(&s, MP_ROC_CONTROL, &BERT, sizeof REPORT), MP_GATE_STRANGER);
    CHECK_EQUAL(give(&s, MP_ROC_CONTROL, &ANNA, sizeof REPORT), MP_GATE_PASSED);
    s.bytes[7] = s.bytes[35] = 8;
    CHECK_EQUAL(give(&s, MP_ROC_CONTROL, &ANNA, sizeof REPORT), MP_GATE_OTHER_STREAM);
    end(&s);
}

/* Bits flipped in a stream with losses: every block gets at most K packets into libroc. */
static void nothing_gets_more_of_a_block_in_than_it_has(void) {
    stage s = begin();
    uint64_t seed = 3;
    static uint32_t pushed[1 << 16];
    memset(pushed, 0, sizeof pushed);
    for (uint32_t i = 0; i < 200000; i++) {
        bool is_repair = i % 3 == 0;
        uint32_t number = i / 3 + (uint32_t)random_between(&seed, 0, 9);
        make(&s, number, 7);
        if (is_repair) put_place(s.bytes, number / K, K + (uint32_t)random_between(&seed, 0, 9), K);
        if (random_unit(&seed) < 0.3) {
            s.bytes[random_between(&seed, 0, 11)] ^= (uint8_t)random_bits(&seed);
            s.bytes[SIZE - random_between(&seed, 1, 6)] ^= (uint8_t)random_bits(&seed);
        }
        uint32_t block = s.bytes[SIZE - 5] << 8 | s.bytes[SIZE - 4], size;
        mp_gate_verdict verdict =
            give(&s, is_repair ? MP_ROC_REPAIR : MP_ROC_SOURCE, &ANNA, SIZE);
        if (!is_repair && verdict == MP_GATE_PASSED) pushed[block]++;
        const uint8_t *bytes;
        while ((bytes = mp_gate_repair(s.gate, &size)) != NULL) pushed[bytes[1] << 8 | bytes[2]]++;
        s.now_ns += 1700000;
        if (mp_gate_ended(s.gate, s.now_ns)) {
            mp_gate_open(s.gate); /* another decoder */
            memset(pushed, 0, sizeof pushed);
        }
        for (uint32_t b = block - 4; b != block + 4; b++) CHECK(pushed[b & 0xFFFF] <= K);
    }
    CHECK(s.gate->verdicts[MP_GATE_PASSED] > 10000);
    for (int i = 0; i < 1 << 16; i++) CHECK(pushed[i] <= K);
    end(&s);
}

int main(void) {
    a_stream_passes();
    repair_goes_in_once_and_only_when_it_is_enough();
    a_late_packet_makes_waiting_repair_enough();
    what_has_another_shape_is_refused();
    nobody_else_gets_in_between();
    after_silence_a_stream_begins_anew();
    a_named_sender_is_the_only_one();
    more_sound_than_time_is_refused();
    only_rtcp_of_the_stream_that_libroc_stands();
    nothing_gets_more_of_a_block_in_than_it_has();
    return 0;
}
