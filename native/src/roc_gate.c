#include "roc_gate.h"

#include <string.h>

#include "media_socket.h"
#include "rtp.h"

enum { MOST_STEP = 90, MOST_BLOCK_STEP = 4, MOST_BLOCK_LENGTH = 254, SYMBOLS = 255 };
enum { BLOCK_NUMBERS = 1 << 24 };
/* After so much silence another address may begin. */
static const int64_t FREE_NS = 3000000000;
/* A stream may be so much ahead of the time that passed, and its clock so much faster. */
static const int64_t AHEAD_S = 2;
static const double FASTEST = 1.002;

typedef struct {
    uint32_t number, symbol, length;
} place; /* in an FEC block */

static place place_at(const uint8_t *id) {
    return (place){(uint32_t)id[0] << 16 | (uint32_t)id[1] << 8 | id[2], id[3],
                   (uint32_t)id[4] << 8 | id[5]};
}

static int32_t block_step(const mp_gate *g, uint32_t number) {
    int32_t step = (int32_t)((number - g->newest_block) & (BLOCK_NUMBERS - 1));
    return step < BLOCK_NUMBERS / 2 ? step : step - BLOCK_NUMBERS;
}

static bool same_ip(const mp_address *a, const mp_address *b) {
    mp_address other = *b;
    other.port = a->port;
    return mp_address_same(a, &other);
}

void mp_gate_open(mp_gate *g) {
    g->open = true;
    g->heard = (mp_address){0};
    g->reporter = (mp_address){0};
    memset(&g->guard, 0, sizeof g->guard);
    for (int i = 0; i < MP_GATE_BLOCKS; i++) g->blocks[i].there = false;
}

void mp_gate_end(mp_gate *g) {
    g->last = g->heard;
    g->ended_ns = g->heard_ns;
    g->heard = (mp_address){0};
    g->open = false;
}

bool mp_gate_ended(mp_gate *g, int64_t now_ns) {
    bool silent = g->open && g->heard.family != 0 && now_ns - g->heard_ns > g->ends_ns;
    if (silent) mp_gate_end(g);
    return !g->open;
}

static bool may_begin(const mp_gate *g, const mp_address *from, int64_t now_ns) {
    if (g->last.family == 0 || same_ip(&g->last, from)) return true;
    return now_ns - g->ended_ns > FREE_NS;
}

/* ---- blocks ---- */

static mp_gate_block *block_of(mp_gate *g, uint32_t number) {
    mp_gate_block *block = &g->blocks[number % MP_GATE_BLOCKS];
    int32_t step = block_step(g, number);
    if (step <= -MP_GATE_BLOCKS) return NULL;
    if (block->there && block->number == number) return block;
    if (step <= 0 && block->there && block_step(g, block->number) > step) return NULL;
    block->there = true;
    block->done = false;
    block->number = number;
    block->source_count = block->repair_count = block->released = 0;
    memset(block->seen, 0, sizeof block->seen);
    return block;
}

static bool see(mp_gate_block *block, uint32_t symbol) {
    uint64_t bit = UINT64_C(1) << (symbol % 64);
    bool is_new = (block->seen[symbol / 64] & bit) == 0;
    block->seen[symbol / 64] |= bit;
    return is_new;
}

/* Repair packets that are of use are released all together; then the block is done. */
static void complete(const mp_gate *g, mp_gate_block *block) {
    if (block->source_count + block->repair_count < g->block_length) return;
    block->done = true;
    block->repair_count = g->block_length - block->source_count;
}

const uint8_t *mp_gate_repair(mp_gate *g, uint32_t *size) {
    for (int i = 0; i < MP_GATE_BLOCKS; i++) {
        mp_gate_block *block = &g->blocks[i];
        if (!block->there || !block->done || block->released == block->repair_count) continue;
        uint32_t at = block->released++;
        *size = block->repairs[at].size;
        return block->repairs[at].bytes;
    }
    return NULL;
}

static mp_gate_verdict in_block(mp_gate *g, const place *at) {
    int32_t step = block_step(g, at->number);
    if (step > MOST_BLOCK_STEP + MOST_STEP / (int32_t)g->block_length) return MP_GATE_JUMPED;
    mp_gate_block *block = block_of(g, at->number);
    if (block == NULL || block->done) return MP_GATE_NOT_NEEDED;
    if (step > 0) g->newest_block = at->number;
    if (!see(block, at->symbol)) return MP_GATE_NOT_NEEDED;
    block->source_count++;
    complete(g, block);
    return MP_GATE_PASSED;
}

/* ---- packets ---- */

/* No list of sources, no extension, no padding; what is left are whole frames. */
static mp_gate_verdict read_source(const mp_gate *g, const uint8_t *bytes, uint32_t size,
                                   mp_rtp *rtp, place *at) {
    const uint32_t around = MP_RTP_HEAD + (g->fec ? MP_RTP_FEC : 0);
    if (size <= around || size > MP_GATE_PACKET || bytes[0] != 0x80) return MP_GATE_MALFORMED;
    if ((size - around) % g->frame_bytes != 0) return MP_GATE_MALFORMED;
    rtp->timestamp = mp_u32_at(bytes + 4);
    rtp->ssrc = mp_u32_at(bytes + 8);
    if ((bytes[1] & 0x7F) != g->payload_type) return MP_GATE_FORMAT;
    if (!g->fec) return MP_GATE_PASSED;
    *at = place_at(bytes + size - MP_RTP_FEC);
    bool whole = at->length >= 1 && at->length <= MOST_BLOCK_LENGTH && at->symbol < at->length;
    return whole ? MP_GATE_PASSED : MP_GATE_MALFORMED;
}

static void begin(mp_gate *g, const mp_address *from, const uint8_t *bytes, uint32_t size,
                  const mp_rtp *rtp, const place *at, int64_t now_ns) {
    g->heard = *from;
    g->ssrc = rtp->ssrc;
    g->size = size;
    g->block_length = at->length;
    g->newest_block = at->number;
    g->newest = (uint16_t)(bytes[2] << 8 | bytes[3]);
    g->newest_time = g->base_time = rtp->timestamp;
    g->base_ns = now_ns;
    g->streams++;
}

/* Where the stream is, or a little away from it; and no more sound than time. */
static mp_gate_verdict follows(mp_gate *g, uint16_t number, uint32_t timestamp, int64_t now_ns) {
    int32_t step = (int16_t)(uint16_t)(number - g->newest);
    int32_t frames = (int32_t)(timestamp - g->newest_time);
    int32_t most = (int32_t)(g->rate - g->rate / 10);
    if (step > MOST_STEP || step < -MOST_STEP || frames > most || frames < -most) {
        return MP_GATE_JUMPED;
    }
    if ((step < 0) != (frames < 0) || (step == 0) != (frames == 0)) return MP_GATE_JUMPED;
    if (step <= 0) return MP_GATE_PASSED;
    double passed = (double)(now_ns - g->base_ns) * 1e-9 * FASTEST * g->rate;
    double ahead = (double)(uint32_t)(timestamp - g->base_time) - passed;
    if (ahead > (double)(AHEAD_S * g->rate)) return MP_GATE_TOO_FAST;
    if (ahead <= 0.0 || timestamp - g->base_time > UINT32_MAX / 2) {
        double keep = ahead > 0.0 ? ahead : 0.0;
        g->base_ns = now_ns;
        g->base_time = timestamp - (uint32_t)keep;
    }
    return MP_GATE_PASSED;
}

static mp_gate_verdict take_source(mp_gate *g, const mp_address *from, const uint8_t *bytes,
                                   uint32_t size, int64_t now_ns) {
    mp_rtp rtp;
    place at = {0};
    mp_gate_verdict verdict = read_source(g, bytes, size, &rtp, &at);
    if (verdict != MP_GATE_PASSED) return verdict;
    if (g->heard.family == 0) {
        if (!may_begin(g, from, now_ns)) return MP_GATE_NOT_READY;
        begin(g, from, bytes, size, &rtp, &at, now_ns);
    }
    if (rtp.ssrc != g->ssrc) return MP_GATE_OTHER_STREAM;
    if (g->fec && (size != g->size || at.length != g->block_length)) return MP_GATE_MALFORMED;
    uint16_t number = (uint16_t)(bytes[2] << 8 | bytes[3]);
    verdict = follows(g, number, rtp.timestamp, now_ns);
    if (verdict == MP_GATE_PASSED && g->fec) verdict = in_block(g, &at);
    if (verdict != MP_GATE_PASSED) return verdict;
    if ((int16_t)(uint16_t)(number - g->newest) > 0) {
        g->newest = number;
        g->newest_time = rtp.timestamp;
    }
    g->heard_ns = now_ns;
    return MP_GATE_PASSED;
}

/* It repairs a whole packet: so it is as long. */
static mp_gate_verdict take_repair(mp_gate *g, const uint8_t *bytes, uint32_t size) {
    if (!g->fec || size != g->size || size > MP_GATE_PACKET) return MP_GATE_MALFORMED;
    place at = place_at(bytes);
    if (at.length != g->block_length || at.symbol < at.length || at.symbol >= SYMBOLS) {
        return MP_GATE_MALFORMED;
    }
    if (block_step(g, at.number) > MOST_BLOCK_STEP) return MP_GATE_JUMPED;
    mp_gate_block *block = block_of(g, at.number);
    if (block == NULL || block->done || block->repair_count == MP_GATE_REPAIRS ||
        !see(block, at.symbol)) {
        return MP_GATE_NOT_NEEDED;
    }
    block->repairs[block->repair_count].size = (uint16_t)size;
    memcpy(block->repairs[block->repair_count++].bytes, bytes, size);
    complete(g, block);
    return MP_GATE_PASSED;
}

static mp_gate_verdict take_control(mp_gate *g, const mp_address *from, const uint8_t *bytes,
                                    uint32_t size) {
    if (!mp_rtcp_is_safe(bytes, size)) return MP_GATE_RTCP;
    if (mp_rtcp_ssrc(bytes) != g->ssrc) return MP_GATE_OTHER_STREAM;
    if (!mp_rtcp_admit(&g->guard, bytes, size)) return MP_GATE_RTCP;
    g->reporter = *from;
    return MP_GATE_PASSED;
}

static mp_gate_verdict take(mp_gate *g, int interface, const mp_address *from,
                            const uint8_t *bytes, uint32_t size, int64_t now_ns) {
    if (g->only_from.family != 0 && !same_ip(&g->only_from, from)) return MP_GATE_STRANGER;
    if (!g->open) return MP_GATE_NOT_READY;
    if (g->heard.family == 0 && interface != MP_ROC_SOURCE) return MP_GATE_NOT_READY;
    if (g->heard.family != 0 && !same_ip(&g->heard, from)) return MP_GATE_STRANGER;
    switch (interface) {
    case MP_ROC_SOURCE: return take_source(g, from, bytes, size, now_ns);
    case MP_ROC_REPAIR: return take_repair(g, bytes, size);
    default: return take_control(g, from, bytes, size);
    }
}

mp_gate_verdict mp_gate_take(mp_gate *g, int interface, const mp_address *from,
                             const uint8_t *bytes, uint32_t size, int64_t now_ns) {
    mp_gate_verdict verdict = take(g, interface, from, bytes, size, now_ns);
    g->verdicts[verdict]++;
    return verdict;
}
