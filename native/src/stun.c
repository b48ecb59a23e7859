#include "stun.h"

#include <string.h>

enum { HEADER = 20, AT_COOKIE = 4, COOKIE_AND_ID = 16, ATTRIBUTE = 4 };
enum { REQUEST = 0x0001, SUCCESS = 0x0101, FAILURE = 0x0111 };
enum { CHANGE_REQUEST = 0x0003, CHANGE_PORT = 2 };
enum { ERROR_CODE = 0x0009, UNKNOWN_ATTRIBUTES = 0x000A, XOR_MAPPED_ADDRESS = 0x0020 };
enum { OPTIONAL = 0x8000, FINGERPRINT = 0x8028, FINGERPRINT_SIZE = 8, MAX_UNKNOWN = 8 };
static const uint8_t COOKIE[4] = {0x21, 0x12, 0xA4, 0x42};
static const uint32_t FINGERPRINT_XOR = 0x5354554E;

static uint32_t get_16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }

static void put_16(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_32(uint8_t *at, uint32_t value) {
    put_16(at, value >> 16);
    put_16(at + 2, value);
}

static void put_attribute(uint8_t *at, uint32_t type, uint32_t size) {
    put_16(at, type);
    put_16(at + 2, size);
}

/* The CRC-32 of ITU V.42 over what comes before the attribute, bit by bit: requests are short. */
static uint32_t fingerprint(const uint8_t *message, uint32_t size) {
    uint32_t crc = 0xFFFFFFFF;
    for (uint32_t i = 0; i < size; i++) {
        crc ^= message[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    return ~crc ^ FINGERPRINT_XOR;
}

/* What a server that knows no users can pass over: credentials (RFC 8489, 18.3). */
static int is_known(uint32_t type) {
    switch (type) {
    case 0x0006: /* USERNAME */
    case 0x0008: /* MESSAGE-INTEGRITY */
    case 0x0014: /* REALM */
    case 0x0015: /* NONCE */
    case 0x001C: /* MESSAGE-INTEGRITY-SHA256 */
    case 0x001D: /* PASSWORD-ALGORITHM */
    case 0x001E: /* USERHASH */ return 1;
    default: return type >= OPTIONAL;
    }
}

typedef struct {
    int fingerprint, has_other_port, change_port;
    uint32_t unknown_count;
    uint16_t unknown[MAX_UNKNOWN];
} asked;

/* Another port can be answered from if there is one; another address never. */
static int can_change(const uint8_t *value, uint32_t length, asked *found) {
    static const uint8_t TO_PORT[4] = {0, 0, 0, CHANGE_PORT}, TO_NOTHING[4] = {0};
    if (length != 4) return 0;
    if (memcmp(value, TO_NOTHING, 4) == 0) return 1;
    if (!found->has_other_port || memcmp(value, TO_PORT, 4) != 0) return 0;
    found->change_port = 1;
    return 1;
}

/* 1 if the attributes are whole and the fingerprint, which is the last, is right. */
static int read_attributes(const uint8_t *request, uint32_t size, asked *found) {
    uint32_t at = HEADER;
    while (at < size) {
        if (size - at < ATTRIBUTE || found->fingerprint) return 0;
        uint32_t type = get_16(request + at), length = get_16(request + at + 2);
        uint32_t whole = ATTRIBUTE + (length + 3) / 4 * 4;
        if (size - at < whole) return 0;
        if (type == FINGERPRINT) {
            uint8_t right[4];
            put_32(right, fingerprint(request, at));
            if (length != 4 || memcmp(right, request + at + ATTRIBUTE, 4) != 0) return 0;
            found->fingerprint = 1;
        } else if (type == CHANGE_REQUEST && can_change(request + at + ATTRIBUTE, length, found)) {
            /* noted */
        } else if (!is_known(type) && found->unknown_count < MAX_UNKNOWN) {
            found->unknown[found->unknown_count++] = (uint16_t)type;
        }
        at += whole;
    }
    return 1;
}

static uint32_t put_address(uint8_t *at, const mp_peer *from, const uint8_t *mask) {
    uint32_t size = mp_peer_write(from, at + ATTRIBUTE);
    put_attribute(at, XOR_MAPPED_ADDRESS, size);
    for (int i = 0; i < 2; i++) at[ATTRIBUTE + 2 + i] ^= mask[i];
    for (uint32_t i = 0; i < size - 4; i++) at[ATTRIBUTE + 4 + i] ^= mask[i];
    return ATTRIBUTE + size;
}

static uint32_t put_unknown(uint8_t *at, const asked *found) {
    uint32_t size = found->unknown_count * 2, whole = (size + 3) / 4 * 4;
    put_attribute(at, ERROR_CODE, 4);
    put_32(at + ATTRIBUTE, 4 << 8 | 20); /* 420 Unknown Attribute */
    put_attribute(at + 8, UNKNOWN_ATTRIBUTES, size);
    memset(at + 8 + ATTRIBUTE, 0, whole);
    for (uint32_t i = 0; i < found->unknown_count; i++)
        put_16(at + 8 + ATTRIBUTE + 2 * i, found->unknown[i]);
    return 8 + ATTRIBUTE + whole;
}

uint32_t mp_stun_answer(const uint8_t *request, uint32_t size, const mp_peer *from,
                        int *other_port, uint8_t *reply) {
    asked found = {.has_other_port = *other_port};
    *other_port = 0;
    if (size < HEADER || get_16(request) != REQUEST) return 0;
    if (get_16(request + 2) != size - HEADER) return 0;
    if (memcmp(request + AT_COOKIE, COOKIE, sizeof COOKIE) != 0) return 0;
    if (!read_attributes(request, size, &found)) return 0;
    uint32_t end = HEADER;
    *other_port = found.change_port && !found.unknown_count;
    put_16(reply, found.unknown_count ? FAILURE : SUCCESS);
    memcpy(reply + AT_COOKIE, request + AT_COOKIE, COOKIE_AND_ID);
    if (found.unknown_count) end += put_unknown(reply + end, &found);
    else end += put_address(reply + end, from, request + AT_COOKIE);
    put_16(reply + 2, end - HEADER + (found.fingerprint ? FINGERPRINT_SIZE : 0));
    if (found.fingerprint) {
        put_attribute(reply + end, FINGERPRINT, 4);
        put_32(reply + end + ATTRIBUTE, fingerprint(reply, end));
        end += FINGERPRINT_SIZE;
    }
    return end;
}
