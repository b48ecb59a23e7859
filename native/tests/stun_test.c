#include "../src/stun.h"

#include <arpa/inet.h>
#include <string.h>

#include "check.h"

/* RFC 5769, 2.1: a request with SOFTWARE, PRIORITY, ICE-CONTROLLED, USERNAME, MESSAGE-INTEGRITY and
 * FINGERPRINT. PRIORITY must be understood, and is not. */
static const uint8_t FULL_REQUEST[] = {
    0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73,
    0x74, 0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff,
    0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09,
    0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76, 0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14,
    0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49,
    0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf};
static const uint8_t PLAIN[20] = {0,    1,    0,    0,    0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7,
                                  0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae};

static int get_16(const uint8_t *at) { return at[0] << 8 | at[1]; }

static mp_peer v4(const char *address, uint16_t port) {
    mp_peer peer = {.v4 = {.sin_family = AF_INET, .sin_port = htons(port)}};
    CHECK(inet_pton(AF_INET, address, &peer.v4.sin_addr) == 1);
    return peer;
}

static mp_peer v6(const char *address, uint16_t port) {
    mp_peer peer = {.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
    CHECK(inet_pton(AF_INET6, address, &peer.v6.sin6_addr) == 1);
    return peer;
}

static uint32_t answer(const uint8_t *request, uint32_t size, const mp_peer *from,
                       uint8_t *reply) {
    int other_port = 0;
    uint32_t made = mp_stun_answer(request, size, from, &other_port, reply);
    CHECK(!other_port);
    return made;
}

/* The XOR-MAPPED-ADDRESS values are those of RFC 5769, 2.2 and 2.3, for the same transaction. */
static void the_address_is_told(void) {
    static const uint8_t MAPPED_4[] = {0x00, 0x20, 0x00, 0x08, 0x00, 0x01,
                                       0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43};
    static const uint8_t MAPPED_6[] = {0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47,
                                       0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79,
                                       0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9};
    uint8_t reply[MP_STUN_REPLY];
    mp_peer from = v4("192.0.2.1", 32853);
    CHECK_EQUAL(answer(PLAIN, sizeof PLAIN, &from, reply), 32);
    CHECK(reply[0] == 1 && reply[1] == 1 && reply[2] == 0 && reply[3] == 12);
    CHECK(memcmp(reply + 4, PLAIN + 4, 16) == 0);
    CHECK(memcmp(reply + 20, MAPPED_4, sizeof MAPPED_4) == 0);
    from = v6("::ffff:192.0.2.1", 32853);
    CHECK_EQUAL(answer(PLAIN, sizeof PLAIN, &from, reply), 32);
    CHECK(memcmp(reply + 20, MAPPED_4, sizeof MAPPED_4) == 0);
    from = v6("2001:db8:1234:5678:11:2233:4455:6677", 32853);
    CHECK_EQUAL(answer(PLAIN, sizeof PLAIN, &from, reply), 44);
    CHECK(memcmp(reply + 20, MAPPED_6, sizeof MAPPED_6) == 0);
}

static void what_must_be_understood_and_is_not_is_named(void) {
    static const uint8_t WANTED[] = {0x01, 0x11, 0x00, 0x18, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7,
                                     0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae, 0x00, 0x09,
                                     0x00, 0x04, 0x00, 0x00, 0x04, 0x14, 0x00, 0x0a, 0x00, 0x02, 0x00,
                                     0x24, 0x00, 0x00, 0x80, 0x28, 0x00, 0x04};
    uint8_t reply[MP_STUN_REPLY];
    mp_peer from = v4("192.0.2.1", 1);
    CHECK_EQUAL(answer(FULL_REQUEST, sizeof FULL_REQUEST, &from, reply), 44);
    CHECK(memcmp(reply, WANTED, sizeof WANTED) == 0);
    /* Many of them: the reply is cut, and no longer than the request. */
    uint8_t many[20 + 4 * 40];
    memcpy(many, PLAIN, sizeof PLAIN);
    many[3] = 160;
    for (int i = 0; i < 40; i++) memcpy(many + 20 + 4 * i, (uint8_t[4]){0, 0x24, 0, 0}, 4);
    CHECK_EQUAL(answer(many, sizeof many, &from, reply), 20 + 8 + 4 + 16);
}

/* A request with a FINGERPRINT is answered with one: that of RFC 5769's reply has other attributes,
 * so ours is fed back as a request, and a bit of it changed. */
static void a_fingerprint_is_checked_and_given(void) {
    uint8_t reply[MP_STUN_REPLY], again[MP_STUN_REPLY], request[sizeof FULL_REQUEST];
    mp_peer from = v4("192.0.2.1", 1);
    CHECK_EQUAL(answer(FULL_REQUEST, sizeof FULL_REQUEST, &from, reply), 44);
    reply[0] = 0; /* It is a request now, and its fingerprint wrong. */
    reply[1] = 1;
    CHECK_EQUAL(answer(reply, 44, &from, again), 0);
    for (uint32_t bit = 0; bit < sizeof FULL_REQUEST * 8; bit++) {
        memcpy(request, FULL_REQUEST, sizeof request);
        request[bit / 8] ^= (uint8_t)(1 << bit % 8);
        uint32_t size = answer(request, sizeof request, &from, again);
        /* A bit can hide the FINGERPRINT among the attributes: then the answer has none. */
        CHECK(size == 0 || get_16(again + size - 8) != 0x8028);
    }
}

/* RFC 5780, 7.2; the address is the same one always. */
static void another_port_is_used_if_asked_for_and_there(void) {
    uint8_t request[28], reply[MP_STUN_REPLY];
    mp_peer from = v4("192.0.2.1", 1);
    memcpy(request, PLAIN, sizeof PLAIN);
    request[3] = 8;
    for (int flags = 0; flags < 8; flags += 2) {
        memcpy(request + 20, (uint8_t[8]){0, 3, 0, 4, 0, 0, 0, (uint8_t)flags}, 8);
        for (int there = 0; there < 2; there++) {
            int other_port = there, can = flags == 0 || (flags == 2 && there);
            CHECK_EQUAL(mp_stun_answer(request, 28, &from, &other_port, reply), can ? 32 : 36);
            CHECK_EQUAL(other_port, flags == 2 && there);
            CHECK_EQUAL(get_16(reply), can ? 0x0101 : 0x0111);
        }
    }
}

static void what_is_no_request_is_not_answered(void) {
    uint8_t reply[MP_STUN_REPLY], request[20];
    mp_peer from = v4("192.0.2.1", 1);
    for (uint32_t size = 0; size < sizeof FULL_REQUEST; size++)
        CHECK_EQUAL(answer(FULL_REQUEST, size, &from, reply), 0);
    const uint8_t types[][2] = {{0, 0x11}, {1, 1}, {1, 0x11}, {0, 3}, {0, 0}};
    for (int i = 0; i < 5; i++) {
        memcpy(request, PLAIN, sizeof request);
        memcpy(request, types[i], 2);
        CHECK_EQUAL(answer(request, sizeof request, &from, reply), 0);
    }
    memcpy(request, PLAIN, sizeof request);
    request[4] ^= 1; /* the cookie */
    CHECK_EQUAL(answer(request, sizeof request, &from, reply), 0);
}

static void rubbish_is_stood(void) {
    uint8_t request[200], reply[MP_STUN_REPLY];
    mp_peer from = v6("2001:db8::1", 7);
    uint64_t state = 9;
    for (int round = 0; round < 200000; round++) {
        uint32_t size = 20 + (uint32_t)random_bits(&state) % 180;
        for (uint32_t i = 0; i < size; i++) request[i] = (uint8_t)(random_bits(&state) % 12);
        memcpy(request, PLAIN, 20);
        request[3] = (uint8_t)(size - 20);
        uint32_t made = answer(request, size, &from, reply);
        CHECK(made <= MP_STUN_REPLY && made <= size + 28);
    }
}

int main(void) {
    the_address_is_told();
    what_must_be_understood_and_is_not_is_named();
    a_fingerprint_is_checked_and_given();
    another_port_is_used_if_asked_for_and_there();
    what_is_no_request_is_not_answered();
    rubbish_is_stood();
    return 0;
}
