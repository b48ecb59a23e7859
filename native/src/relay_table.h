/* Who may be relayed to whom, and what becomes of each datagram. No socket, no thread, no clock:
 * `now_ns` is the host clock's, and one thread at a time calls. */
#pragma once

#include "peer.h"
#include "rt.h"

enum { MP_RELAY_REPLY = 128 };

typedef struct mp_relay_table mp_relay_table;

mp_relay_table *mp_relay_table_new(uint32_t capacity, const mp_relay_limits *limits, uint64_t seed);
void mp_relay_table_free(mp_relay_table *table);
mp_status mp_relay_table_add(mp_relay_table *table, uint32_t sender, uint32_t room, uint16_t key_id,
                             const uint8_t *key);
mp_status mp_relay_table_set_key(mp_relay_table *table, uint32_t room, uint16_t key_id,
                                 const uint8_t *key);
void mp_relay_table_remove(mp_relay_table *table, uint32_t sender);
mp_status mp_relay_table_mute(mp_relay_table *table, uint32_t sender, int muted);
mp_status mp_relay_table_link(mp_relay_table *table, uint32_t sender, uint32_t listener,
                              int linked);
int mp_relay_table_member(mp_relay_table *table, uint32_t sender, int64_t now_ns,
                          mp_relay_member *member);
mp_relay_stats *mp_relay_table_stats(mp_relay_table *table);

/* A STUN message came; `*other_port` as for mp_stun_answer. Returns the size of the reply, which goes
 * back to where it came from, or 0. Realtime-safe. */
uint32_t mp_relay_table_stun(mp_relay_table *table, int64_t now_ns, const uint8_t *request,
                             uint32_t size, const mp_peer *from, int *other_port, uint8_t *reply);
/* A datagram came (`size` may say that it was too long to hold). Returns how many `targets` (room
 * for MP_RELAY_ROOM) get it as it is; `*reply_size` bytes of `reply` (room for MP_RELAY_REPLY) go
 * back to where it came from, from this port. Realtime-safe. */
uint32_t mp_relay_table_take(mp_relay_table *table, int64_t now_ns, const uint8_t *datagram,
                             uint32_t size, const mp_peer *from, mp_peer *targets, uint8_t *reply,
                             uint32_t *reply_size);
