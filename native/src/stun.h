/* The little of STUN (RFC 8489) that tells a client its own address. */
#pragma once

#include "peer.h"

enum { MP_STUN_REPLY = 64, MP_STUN_KINDS = 4 /* first bytes of STUN are below */ };

/* Answer a Binding request from `from` into MP_STUN_REPLY bytes; returns the reply's size, or 0
 * for what is no request. `*other_port` says whether there is another port to answer from, and then
 * whether that was asked for (RFC 5780, 7.2). Thread-safe, realtime-safe. */
uint32_t mp_stun_answer(const uint8_t *request, uint32_t size, const mp_peer *from,
                        int *other_port, uint8_t *reply);
