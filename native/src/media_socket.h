/* What the parts of the media socket share; mp_media_socket.h says which thread may do what. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "held_view.h"
#include "media_health.h"
#include "ring.h"
#include "rt.h"

/* ---- hearing ---- */

/* Readers of `hearing`. */
enum { MP_RECEIVER = 0, MP_TAKER = 1 };
enum { MP_KEYS = 2, MP_IDS = 2, MP_BUCKETS = 3, MP_STUN_BUCKETS = 256 };

/* When the next datagram would be due if they came at the highest rate. */
typedef struct {
    int64_t due_ns;
} mp_bucket;

typedef struct {
    uint16_t id;
    uint8_t bytes[MP_MEDIA_KEY];
    mp_replay server; /* what the server sent under it */
} mp_hearing_key;

/* A sender id under a key: a player has another one under each key. */
typedef struct {
    uint32_t sender;
    uint16_t key_id;
    mp_replay replay;
    mp_counted counted;
} mp_sender_id;

/* What stays with a player. The receive thread's own, but the queue, and ids that it cannot see. */
typedef struct {
    mp_sender_id ids[MP_IDS + 1];
    uint32_t ids_made;
    mp_ring queue; /* of mp_media_packet */
    mp_health health;
    mp_address known[2]; /* where it was last heard from: directly, by the relay */
    mp_bucket buckets[MP_BUCKETS]; /* for each of these, and for all others */
} mp_heard_sender;

typedef struct {
    mp_heard_sender *sender;
    mp_sender_id *ids[MP_IDS]; /* the newer first */
} mp_hearing_slot;

typedef struct {
    mp_clock_map map;
    bool has_map;
    mp_address relay;
    mp_media_sink sink;
    void *sink_arg;
    mp_hearing_key *keys[MP_KEYS]; /* the newer first */
    mp_hearing_slot slots[MP_MEDIA_SENDERS];
} mp_hearing;

/* ---- sending ---- */

/* Reader of `sending`. */
enum { MP_CODEC = 0 };
enum { MP_VOICES = 16 };

/* What is sent under one key as one sender. */
typedef struct {
    uint16_t key_id;
    uint32_t sender; /* 0: free */
    uint8_t key[MP_MEDIA_KEY];
    _Atomic uint64_t counter; /* the last one used */
    _Atomic uint64_t hellos; /* counters that only the relay sees */
} mp_voice;

typedef struct {
    struct sockaddr_storage address;
    socklen_t address_size;
    int64_t until_ns;
} mp_way;

typedef struct {
    mp_voice *voice; /* NULL: none */
    mp_way relay; /* address_size 0: none */
    uint32_t count;
    mp_way ways[MP_MEDIA_DESTINATIONS];
} mp_sending;

/* ---- watching ---- */

/* How a slot is heard without the relay. */
typedef struct {
    _Atomic int64_t direct_ns; /* the last time; 0: never */
    _Atomic int64_t pause_ns;  /* the longest of late */
    _Atomic uint32_t sender;
    _Atomic bool alarmed; /* it was taken for cut off, and not heard directly since */
} mp_watched;

/* Senders that are to send by the relay too. */
typedef struct {
    uint8_t senders[64];
    uint32_t size; /* in bytes; 0: nobody is to be asked now */
} mp_watch_ask;

/* ---- the whole ---- */

enum { MP_STATS = sizeof(mp_media_socket_stats) / sizeof(uint64_t) };

struct mp_media_socket {
    int fd, wake_fd, priority;
    int family; /* AF_INET or AF_INET6 */
    pthread_t thread;
    _Atomic int stopping;
    _Atomic int receiving;      /* one thread at a time does */
    int64_t looked_ns; /* the codec thread, last */
    _Atomic int64_t rests_until_ns; /* the receive thread, because the codec thread looks */
    _Atomic int woken; /* a byte was written, and not everything rare was taken since */
    mp_held_view hearing, sending;
    mp_ring rare;
    mp_bucket server_bucket, stun_bucket, stun_buckets[MP_STUN_BUCKETS];
    _Atomic uint64_t counts[MP_STATS]; /* as in mp_media_socket_stats */
    mp_voice voices[MP_VOICES];
    uint32_t voices_made;
    mp_watched watched[MP_MEDIA_SENDERS];
    _Atomic uint32_t own_sender;
    _Atomic uint64_t relay_token; /* as the relay said it last, bytes as they are; 0: not yet */
    _Atomic int64_t standby_until_ns; /* up to then, everything goes by the relay too */
    _Atomic uint32_t false_alarms; /* who was taken for cut off was heard soon after */
    /* The codec thread's own. */
    uint32_t alarms_seen, alarms;
    int64_t asked_ns, patience_ns, alarm_ns, window_ns;
};

#define MP_COUNT(socket, field, more)                                                      \
    atomic_fetch_add_explicit(                                                             \
        &(socket)->counts[offsetof(mp_media_socket_stats, field) / sizeof(uint64_t)],      \
        (uint64_t)(more), memory_order_relaxed)

/* media_address.c. False for what a socket of this family cannot reach. */
bool mp_address_to_socket(const mp_address *address, int family, struct sockaddr_storage *made,
                          socklen_t *size);
mp_address mp_address_from_socket(const struct sockaddr_storage *address);
bool mp_address_same(const mp_address *a, const mp_address *b);

/* media_hear.c: what one datagram does. The receive thread, holding the view. */
void mp_media_hear(mp_media_socket *socket, mp_hearing *hearing, const uint8_t *datagram,
                   uint32_t size, const mp_address *from, int64_t received_ns);
/* media_watch.c. The receive thread: something of a slot's sender came directly; a member asks
 * these senders to send by the relay too. */
void mp_watch_heard(mp_media_socket *socket, uint32_t slot, uint32_t sender, int64_t received_ns);
void mp_watch_asked(mp_media_socket *socket, const uint8_t *senders, uint32_t size,
                    int64_t received_ns);
/* The codec thread: whether to send by the relay too, and whom to ask for the same. */
bool mp_watch_stands_by(mp_media_socket *socket, int64_t now_ns, mp_watch_ask *ask);
/* The control thread; -1: never heard directly. */
void mp_watch_forget(mp_media_socket *socket, uint32_t slot);
int64_t mp_watch_silence_ns(mp_media_socket *socket, uint32_t slot, int64_t now_ns);
/* media_receive.c: takes in what has come, so many batches at the most. */
typedef enum { MP_RECEIVED_ALL, MP_RECEIVED_SOME, MP_RECEIVED_ERROR } mp_received;
mp_received mp_media_receive(mp_media_socket *socket, int batches);
/* media_ways.c: the relay's address for what goes there beside the ways; family 0: none. */
mp_status mp_media_send_by(mp_media_socket *socket, const mp_address *relay);
/* media_settings.c */
void mp_media_free_hearing(mp_media_socket *socket);
