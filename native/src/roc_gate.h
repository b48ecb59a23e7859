/* Which datagrams of a plain ROC sender may be given to libroc: nothing of them is authenticated.
 *
 * One sender is heard at a time: whoever speaks first, or the address that was named. Its stream is
 * of one source, one payload type, packets of one size and blocks of one length, and goes on where
 * it was; what is otherwise is refused. After some silence another stream may begin.
 *
 * libroc's Reed-Solomon reader loses its footing (a null pointer) when it repairs a block twice, of
 * which a packet was made that is none. So repair packets are kept until there are exactly enough,
 * and once they went in, nothing of their block does any more. Pure on given time; one thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rt.h"

enum { MP_GATE_BLOCKS = 4, MP_GATE_REPAIRS = 64, MP_GATE_PACKET = 2048 };

typedef struct {
    bool there, done; /* nothing of it goes in any more */
    uint32_t number;
    uint32_t source_count, repair_count, released;
    uint64_t seen[4]; /* which symbols came */
    struct {
        uint16_t size;
        uint8_t bytes[MP_GATE_PACKET];
    } repairs[MP_GATE_REPAIRS];
} mp_gate_block;

typedef struct {
    /* Settings. */
    uint32_t rate, frame_bytes;
    uint8_t payload_type;
    bool fec;
    int64_t ends_ns; /* after so much silence a stream is over, and the same address may begin anew */
    mp_address only_from;
    /* Who is heard. */
    bool open; /* a decoder is there that has heard nobody, or the one who is heard */
    mp_address heard; /* family 0: nobody yet */
    mp_address last;  /* who was */
    int64_t heard_ns, ended_ns;
    uint32_t ssrc, size, block_length, newest_block;
    uint16_t newest;      /* sequence number */
    uint32_t newest_time; /* its timestamp */
    int64_t base_ns;      /* when base_time was due at the latest */
    uint32_t base_time;
    mp_address reporter; /* where its RTCP comes from; reports go back there */
    mp_rtcp_guard guard;
    mp_gate_block blocks[MP_GATE_BLOCKS];
    uint64_t verdicts[MP_GATE_VERDICTS];
    uint64_t streams;
} mp_gate;

/* A new decoder is there, which knows nothing. */
void mp_gate_open(mp_gate *gate);
/* The stream is over, whatever still comes of it. */
void mp_gate_end(mp_gate *gate);
/* Whether a stream has ended: then another decoder is needed. Call it often. */
bool mp_gate_ended(mp_gate *gate, int64_t now_ns);
/* A datagram; MP_GATE_PASSED: push it, unless it is repair. Then call mp_gate_repair until NULL. */
mp_gate_verdict mp_gate_take(mp_gate *gate, int interface, const mp_address *from,
                             const uint8_t *bytes, uint32_t size, int64_t now_ns);
/* A repair packet that is of use now, all of which must go in at once; NULL: there is none. */
const uint8_t *mp_gate_repair(mp_gate *gate, uint32_t *size);
