#include <string.h>

#include "../src/rt.h"
#include "check.h"

static const uint8_t KEY[MP_MEDIA_KEY] = {
    0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f,
    0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f};
static const mp_media_header HEADER = {MP_MEDIA_REPAIR, 0x1234, 0xA1B2C3D4, 0x010203040506, -2};

static uint32_t sealed_with(uint32_t size, uint8_t *datagram) {
    uint8_t payload[MP_MEDIA_PAYLOAD];
    for (uint32_t i = 0; i < size; i++) payload[i] = (uint8_t)(i * 7);
    uint32_t made = mp_media_seal(KEY, &HEADER, payload, size, datagram);
    CHECK_EQUAL(made, MP_MEDIA_HEADER + size + MP_MEDIA_TAG);
    return made;
}

static void what_was_sealed_opens(void) {
    uint8_t datagram[MP_MEDIA_DATAGRAM], payload[MP_MEDIA_PAYLOAD];
    const uint32_t sizes[] = {0, 1, 63, 64, 1000, MP_MEDIA_PAYLOAD};
    for (int i = 0; i < 6; i++) {
        mp_media_header header;
        uint32_t made = sealed_with(sizes[i], datagram);
        CHECK_EQUAL(mp_media_open(KEY, datagram, made, &header, payload), sizes[i]);
        CHECK(header.kind == HEADER.kind && header.key_id == HEADER.key_id);
        CHECK(header.sender == HEADER.sender && header.counter == HEADER.counter);
        CHECK_EQUAL(header.capture_us, HEADER.capture_us);
        for (uint32_t k = 0; k < sizes[i]; k++) CHECK_EQUAL(payload[k], (uint8_t)(k * 7));
    }
}

static void a_payload_may_be_sealed_in_its_place(void) {
    uint8_t one[MP_MEDIA_DATAGRAM], other[MP_MEDIA_DATAGRAM];
    uint32_t made = sealed_with(100, one);
    for (int i = 0; i < 100; i++) other[MP_MEDIA_HEADER + i] = (uint8_t)(i * 7);
    CHECK_EQUAL(mp_media_seal(KEY, &HEADER, other + MP_MEDIA_HEADER, 100, other), made);
    CHECK(memcmp(one, other, made) == 0);
}

/* Header, payload and tag are all protected: no bit of them can be changed unnoticed. */
static void no_bit_can_be_flipped(void) {
    uint8_t datagram[MP_MEDIA_DATAGRAM], payload[MP_MEDIA_PAYLOAD];
    mp_media_header header;
    uint32_t made = sealed_with(40, datagram);
    for (uint32_t bit = 0; bit < made * 8; bit++) {
        datagram[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK_EQUAL(mp_media_open(KEY, datagram, made, &header, payload), -1);
        datagram[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK_EQUAL(mp_media_open(KEY, datagram, made, &header, payload), 40);
    uint8_t another[MP_MEDIA_KEY] = {0};
    CHECK_EQUAL(mp_media_open(another, datagram, made, &header, payload), -1);
}

static void no_piece_opens(void) {
    uint8_t datagram[MP_MEDIA_DATAGRAM], payload[MP_MEDIA_PAYLOAD];
    mp_media_header header;
    uint32_t made = sealed_with(200, datagram);
    for (uint32_t size = 0; size < made; size++)
        CHECK_EQUAL(mp_media_open(KEY, datagram, size, &header, payload), -1);
    CHECK_EQUAL(mp_media_peek(datagram, MP_MEDIA_DATAGRAM + 1, &header), 0);
}

static void rubbish_does_not_open(void) {
    uint8_t datagram[MP_MEDIA_DATAGRAM + 1], payload[MP_MEDIA_PAYLOAD];
    uint64_t state = 1;
    mp_media_header header;
    for (int round = 0; round < 20000; round++) {
        uint32_t size = (uint32_t)random_between(&state, 0, sizeof datagram);
        for (uint32_t i = 0; i < size; i += 8) {
            uint64_t bits = random_bits(&state);
            memcpy(datagram + i, &bits, size - i < 8 ? size - i : 8);
        }
        if (size > 1 && round % 2) {
            datagram[0] = (uint8_t)(0xF0 + round % 8);
            datagram[1] = 1;
        }
        CHECK_EQUAL(mp_media_open(KEY, datagram, size, &header, payload), -1);
    }
}

static void what_cannot_be_is_not_sealed(void) {
    uint8_t datagram[MP_MEDIA_DATAGRAM], payload[MP_MEDIA_PAYLOAD + 1] = {0};
    mp_media_header header = HEADER;
    CHECK_EQUAL(mp_media_seal(KEY, &header, payload, MP_MEDIA_PAYLOAD + 1, datagram), 0);
    header.counter = 0;
    CHECK_EQUAL(mp_media_seal(KEY, &header, payload, 1, datagram), 0);
    header.counter = (uint64_t)1 << 48;
    CHECK_EQUAL(mp_media_seal(KEY, &header, payload, 1, datagram), 0);
    header = HEADER;
    header.kind = MP_MEDIA_KINDS;
    CHECK_EQUAL(mp_media_seal(KEY, &header, payload, 1, datagram), 0);
}

static void a_counter_is_accepted_once(void) {
    mp_replay window = {0};
    CHECK(!mp_replay_accept(&window, 0));
    CHECK(!mp_replay_accept(&window, (uint64_t)1 << 48));
    CHECK(mp_replay_accept(&window, 5));
    CHECK(!mp_replay_accept(&window, 5));
    CHECK(mp_replay_accept(&window, 1));
    CHECK(mp_replay_accept(&window, 5 + MP_REPLAY_WINDOW));
    CHECK(!mp_replay_accept(&window, 5)); /* too old, and it came before */
    CHECK(mp_replay_accept(&window, 6));  /* just not too old */
    CHECK(!mp_replay_accept(&window, 6));
    CHECK(mp_replay_accept(&window, ((uint64_t)1 << 48) - 1));
    CHECK(!mp_replay_accept(&window, 7));
}

/* Beside a memory of every counter: shuffled, doubled, with leaps of every size. */
static void the_window_agrees_with_a_full_memory(void) {
    enum { COUNTERS = 1 << 20 };
    static uint8_t came[COUNTERS];
    mp_replay window = {0};
    uint64_t state = 3;
    int64_t newest = 0;
    while (newest < COUNTERS - 5000) {
        int64_t leap = random_bits(&state) % 200 ? 3 : 4000;
        int64_t counter = newest + random_between(&state, -1500, leap);
        if (random_bits(&state) % 4) counter = newest + random_between(&state, -20, leap);
        if (counter < 1) counter = 1;
        int is_new = counter > newest - MP_REPLAY_WINDOW && !came[counter];
        CHECK_EQUAL(mp_replay_accept(&window, (uint64_t)counter), is_new);
        came[counter] = 1;
        if (counter > newest) newest = counter;
    }
}

int main(void) {
    uint8_t datagram[MP_MEDIA_DATAGRAM];
    CHECK_EQUAL(mp_media_seal(KEY, &HEADER, KEY, 1, datagram), 0); /* libsodium is not loaded */
    if (mp_sodium_available() != MP_OK) {
        a_counter_is_accepted_once();
        return 0;
    }
    what_was_sealed_opens();
    a_payload_may_be_sealed_in_its_place();
    no_bit_can_be_flipped();
    no_piece_opens();
    rubbish_does_not_open();
    what_cannot_be_is_not_sealed();
    a_counter_is_accepted_once();
    the_window_agrees_with_a_full_memory();
    return 0;
}
