/* Which compound RTCP packets may be pushed into libroc; midipool/rtcp.py says why, rule by rule. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "rt.h"

enum { SR = 200, RR = 201, SDES = 202, APP = 204, XR = 207 };
enum { END = 0, CNAME = 1 };
enum { LARGEST = 2048, HEADER = 4, SSRC = 4, BLOCK = 24, SR_HEAD = 28, RR_HEAD = 8, APP_HEAD = 12 };
enum { AT_NTP = 8 };
static const uint32_t ERA_1 = 0x80000000, SECOND_OF_1971 = 2240524800; /* NTP seconds */

typedef struct {
    uint32_t ssrc;        /* whose report it is */
    const uint8_t *cname; /* its item: kind, size, text */
} compound;

static uint32_t get_u16(const uint8_t *at) {
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get_u32(const uint8_t *at) {
    return get_u16(at) << 16 | get_u16(at + 2);
}

static bool reports_of(const compound *c, const uint8_t *packet, uint32_t size, uint32_t head) {
    const uint32_t count = packet[0] & 31;
    return size >= head + count * BLOCK && get_u32(packet + HEADER) == c->ssrc;
}

static bool sender_report(const compound *c, const uint8_t *packet, uint32_t size) {
    if (!reports_of(c, packet, size, SR_HEAD)) return false;
    const uint32_t seconds = get_u32(packet + AT_NTP);
    return seconds < ERA_1 || seconds >= SECOND_OF_1971;
}

/* The items end with a zero, and with the packet. */
static bool description(compound *c, const uint8_t *packet, uint32_t size) {
    if (c->cname != NULL || (packet[0] & 31) != 1 || size < HEADER + SSRC + 4) return false;
    if (get_u32(packet + HEADER) != c->ssrc) return false;
    uint32_t at = HEADER + SSRC;
    while (at < size && packet[at] != END) {
        if (at + 2 > size || at + 2 + packet[at + 1] > size) return false;
        const uint32_t length = packet[at + 1];
        if (packet[at] == CNAME) {
            if (c->cname != NULL || length == 0) return false;
            for (uint32_t i = 0; i < length; i++)
                if (packet[at + 2 + i] == 0) return false;
            c->cname = packet + at;
        }
        at += 2 + length;
    }
    return c->cname != NULL && at < size && size - at <= 4;
}

static bool extended(const compound *c, const uint8_t *packet, uint32_t size) {
    if (size < HEADER + SSRC || get_u32(packet + HEADER) != c->ssrc) return false;
    uint32_t at = HEADER + SSRC; /* a multiple of 4, like `size`: so each block's header fits */
    while (at < size) at += 4 + 4 * get_u16(packet + at + 2);
    return at == size;
}

static bool is_safe(compound *c, const uint8_t *packet, uint32_t size) {
    switch (packet[1]) {
    case SR: return sender_report(c, packet, size);
    case RR: return reports_of(c, packet, size, RR_HEAD);
    case SDES: return description(c, packet, size);
    case APP: return size >= APP_HEAD;
    case XR: return extended(c, packet, size);
    default: return false;
    }
}

uint32_t mp_rtcp_ssrc(const uint8_t *bytes) {
    return get_u32(bytes + HEADER);
}

static bool is_whole(compound *c, const uint8_t *bytes, uint32_t size) {
    if (size < HEADER + SSRC || size > LARGEST || size % 4 != 0) return false;
    if (bytes[1] != SR && bytes[1] != RR) return false;
    *c = (compound){.ssrc = mp_rtcp_ssrc(bytes)};
    for (uint32_t at = 0; at < size;) {
        const uint8_t *packet = bytes + at;
        const uint32_t length = HEADER + 4 * get_u16(packet + 2);
        if (packet[0] >> 5 != 4 || length > size - at) return false; /* version 2, no padding */
        if (!is_safe(c, packet, length)) return false;
        at += length;
    }
    return c->cname != NULL;
}

int mp_rtcp_is_safe(const uint8_t *bytes, uint32_t size) {
    compound c;
    return is_whole(&c, bytes, size);
}

int mp_rtcp_admit(mp_rtcp_guard *guard, const uint8_t *bytes, uint32_t size) {
    compound c;
    if (!is_whole(&c, bytes, size) || c.ssrc == guard->own_ssrc) return 0;
    const uint8_t cname_size = c.cname[1], *cname = c.cname + 2;
    for (uint32_t i = 0; i < guard->count; i++)
        if (guard->sources[i].ssrc == c.ssrc)
            return guard->sources[i].cname_size == cname_size &&
                   memcmp(guard->sources[i].cname, cname, cname_size) == 0;
    if (guard->count == sizeof guard->sources / sizeof *guard->sources) return 0;
    guard->sources[guard->count].ssrc = c.ssrc;
    guard->sources[guard->count].cname_size = cname_size;
    memcpy(guard->sources[guard->count++].cname, cname, cname_size);
    return 1;
}
