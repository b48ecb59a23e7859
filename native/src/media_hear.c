/* What one datagram does. Everything that is cheap comes before it is opened. */
#include <string.h>
#include <unistd.h>

#include "media_socket.h"
#include "packet_ring.h"
#include "peer.h"

enum { FIRST_OF_OURS = 0xF0, LAST_OF_STUN = 3, STUN_HEADER = 20 };
enum { BURST_MS = 200 };
/* STUN's messages a second of one address, and of all. 64 members send some 10 each. */
enum { STUN_OF_ONE = 1000, STUN_OF_ALL = 3000 };
static const uint8_t STUN_COOKIE[4] = {0x21, 0x12, 0xA4, 0x42};
static const int64_t SECOND_NS = 1000000000;

/* Its parts, of which nothing is known to be true before it is opened. */
typedef struct {
    mp_media_socket *socket;
    mp_hearing *hearing;
    const uint8_t *bytes;
    mp_hearing_key *key;
    mp_arrival arrival;
} heard;

static bool fits_rate(mp_bucket *bucket, int64_t now_ns, int64_t a_second) {
    if (bucket->due_ns < now_ns) bucket->due_ns = now_ns;
    if (bucket->due_ns - now_ns > BURST_MS * (SECOND_NS / 1000)) return false;
    bucket->due_ns += SECOND_NS / a_second;
    return true;
}

/* ---- what goes up to Python ---- */

static void tell(heard *h, mp_rare_kind kind, const uint8_t *bytes, uint32_t size) {
    mp_rare rare = {.kind = (uint8_t)kind,
                    .size = (uint16_t)size,
                    .from = h->arrival.from,
                    .received_ns = h->arrival.received_ns};
    memcpy(rare.bytes, bytes, size);
    if (!mp_ring_stage(&h->socket->rare, &rare)) {
        MP_COUNT(h->socket, rare_full, 1);
        return;
    }
    mp_ring_publish(&h->socket->rare);
    if (h->socket->wake_fd < 0 || atomic_exchange(&h->socket->woken, 1)) return;
    /* A pipe that is full wakes as well. */
    if (write(h->socket->wake_fd, "", 1) < 0) return;
}

/* Python has to look at each. Sources share counters, so that invented ones fill no table. */
static bool stun_within_rate(heard *h) {
    const mp_address *from = &h->arrival.from;
    uint32_t hash = from->port;
    for (uint32_t i = 0; i < sizeof from->ip; i++) hash = hash * 31 + from->ip[i];
    mp_bucket *own = &h->socket->stun_buckets[hash % MP_STUN_BUCKETS];
    return fits_rate(own, h->arrival.received_ns, STUN_OF_ONE) &&
           fits_rate(&h->socket->stun_bucket, h->arrival.received_ns, STUN_OF_ALL);
}

static void hear_stun(heard *h) {
    bool whole = h->arrival.size >= STUN_HEADER && memcmp(h->bytes + 4, STUN_COOKIE, 4) == 0;
    if (!whole) {
        MP_COUNT(h->socket, rubbish, 1);
        return;
    }
    if (!stun_within_rate(h)) {
        MP_COUNT(h->socket, flooded, 1);
        return;
    }
    MP_COUNT(h->socket, stun, 1);
    tell(h, MP_RARE_STUN, h->bytes, h->arrival.size);
}

/* What the relay wants to hear with our next hello: that we are where we say. */
static void note_token(mp_media_socket *s, const uint8_t *payload, uint32_t size) {
    uint32_t at = size > 1 && payload[1] == MP_PEER_V6 ? 20 : 8;
    uint64_t token;
    if (size < at + MP_RELAY_TOKEN) return;
    memcpy(&token, payload + at, sizeof token);
    atomic_store(&s->relay_token, token);
}

static void hear_server(heard *h) {
    mp_media_header *header = &h->arrival.header;
    uint8_t payload[MP_MEDIA_PAYLOAD];
    if (!fits_rate(&h->socket->server_bucket, h->arrival.received_ns, MP_MEDIA_FLOOD)) {
        MP_COUNT(h->socket, flooded, 1);
        return;
    }
    int32_t size = mp_media_open(h->key->bytes, h->bytes, h->arrival.size, header, payload);
    if (size < 0 || header->kind != MP_MEDIA_HELLO_OK) {
        MP_COUNT(h->socket, forged, 1);
    } else if (!mp_replay_accept(&h->key->server, header->counter)) {
        MP_COUNT(h->socket, replayed, 1);
    } else {
        MP_COUNT(h->socket, hello_ok, 1);
        note_token(h->socket, payload, (uint32_t)size);
        tell(h, MP_RARE_HELLO_OK, payload, (uint32_t)size);
    }
}

/* ---- what the members say ---- */

static bool may_send(const mp_media_header *header) {
    return header->kind != MP_MEDIA_HELLO && header->kind != MP_MEDIA_HELLO_OK;
}

static void pass_on(heard *h, uint32_t slot, mp_heard_sender *sender, mp_media_packet *packet) {
    bool taken;
    if (h->hearing->sink != NULL) {
        taken = h->hearing->sink(h->hearing->sink_arg, slot, packet) == 0;
    } else {
        taken = mp_packet_stage(&sender->queue, packet);
        mp_ring_publish(&sender->queue);
    }
    if (taken) return;
    MP_COUNT(h->socket, queue_full, 1);
    mp_health_count(&sender->health, offsetof(mp_media_sender_stats, queue_full));
}

static void read_keepalive(heard *h, const mp_media_packet *packet) {
    if (packet->kind != MP_MEDIA_KEEPALIVE || packet->size < MP_KEEPALIVE_SIZE) return;
    mp_watch_asked(h->socket, packet->bytes + MP_KEEPALIVE_SIZE, packet->size - MP_KEEPALIVE_SIZE,
                   h->arrival.received_ns);
    h->arrival.tells_hellos = 1;
    for (int i = 0; i < MP_KEEPALIVE_SIZE; i++)
        h->arrival.hellos = h->arrival.hellos << 8 | packet->bytes[i];
}

static void take_in(heard *h, uint32_t slot, mp_sender_id *id, mp_media_packet *packet) {
    mp_heard_sender *sender = h->hearing->slots[slot].sender;
    const mp_clock_map *map = h->hearing->has_map ? &h->hearing->map : NULL;
    MP_COUNT(h->socket, media, 1);
    read_keepalive(h, packet);
    mp_health_arrived(&sender->health, &id->counted, &h->arrival, map);
    sender->known[h->arrival.via_relay] = h->arrival.from;
    if (!h->arrival.via_relay)
        mp_watch_heard(h->socket, slot, id->sender, h->arrival.received_ns);
    if (h->arrival.header.kind != MP_MEDIA_KEEPALIVE) pass_on(h, slot, sender, packet);
}

/* What goes two ways comes twice within the window; what is older is somebody's record of it. */
static void count_replay(heard *h, mp_heard_sender *sender, const mp_sender_id *id) {
    MP_COUNT(h->socket, replayed, 1);
    mp_health_count(&sender->health, offsetof(mp_media_sender_stats, duplicates));
    if (h->arrival.header.counter + MP_REPLAY_WINDOW > id->replay.newest) return;
    MP_COUNT(h->socket, stale, 1);
    mp_health_count(&sender->health, offsetof(mp_media_sender_stats, stale));
}

/* Whoever pretends from elsewhere to be a sender uses up what strangers may send. */
static bool within_rate(const heard *h, mp_heard_sender *sender) {
    int bucket = 0;
    while (bucket < 2 && !mp_address_same(&h->arrival.from, &sender->known[bucket])) bucket++;
    return fits_rate(&sender->buckets[bucket], h->arrival.received_ns, MP_MEDIA_FLOOD);
}

static void hear_member(heard *h, uint32_t slot, mp_sender_id *id) {
    mp_media_packet packet;
    mp_heard_sender *sender = h->hearing->slots[slot].sender;
    mp_media_header *header = &h->arrival.header;
    if (!within_rate(h, sender)) {
        MP_COUNT(h->socket, flooded, 1);
        mp_health_count(&sender->health, offsetof(mp_media_sender_stats, flooded));
        return;
    }
    int32_t size = mp_media_open(h->key->bytes, h->bytes, h->arrival.size, header, packet.bytes);
    if (size < 0 || !may_send(header)) {
        MP_COUNT(h->socket, forged, 1);
    } else if (!mp_replay_accept(&id->replay, header->counter)) {
        count_replay(h, sender, id);
    } else {
        packet.kind = header->kind;
        packet.size = (uint16_t)size;
        packet.capture_us = header->capture_us;
        packet.received_ns = h->arrival.received_ns;
        take_in(h, slot, id, &packet);
    }
}

static void find_member(heard *h) {
    const mp_media_header *header = &h->arrival.header;
    for (uint32_t slot = 0; slot < MP_MEDIA_SENDERS; slot++) {
        for (int i = 0; i < MP_IDS; i++) {
            mp_sender_id *id = h->hearing->slots[slot].ids[i];
            if (id == NULL || id->sender != header->sender || id->key_id != header->key_id)
                continue;
            hear_member(h, slot, id);
            return;
        }
    }
    MP_COUNT(h->socket, unknown_sender, 1);
}

/* ---- which of them it is ---- */

static mp_hearing_key *key_of(const mp_hearing *hearing, uint16_t id) {
    for (int i = 0; i < MP_KEYS; i++)
        if (hearing->keys[i] != NULL && hearing->keys[i]->id == id) return hearing->keys[i];
    return NULL;
}

static void hear_ours(heard *h) {
    if (!mp_media_peek(h->bytes, h->arrival.size, &h->arrival.header)) {
        MP_COUNT(h->socket, rubbish, 1);
        return;
    }
    h->key = key_of(h->hearing, h->arrival.header.key_id);
    if (h->key == NULL) MP_COUNT(h->socket, unknown_key, 1);
    else if (h->arrival.header.sender == 0) hear_server(h);
    else find_member(h);
}

void mp_media_hear(mp_media_socket *socket, mp_hearing *hearing, const uint8_t *datagram,
                   uint32_t size, const mp_address *from, int64_t received_ns) {
    heard h = {.socket = socket,
               .hearing = hearing,
               .bytes = datagram,
               .arrival = {.size = size,
                           .received_ns = received_ns,
                           .from = *from,
                           .via_relay = mp_address_same(from, &hearing->relay)}};
    MP_COUNT(socket, datagrams, 1);
    MP_COUNT(socket, bytes, size);
    if (size > MP_MEDIA_DATAGRAM) MP_COUNT(socket, too_long, 1);
    else if (size > 0 && datagram[0] <= LAST_OF_STUN) hear_stun(&h);
    else if (size > 0 && datagram[0] >= FIRST_OF_OURS) hear_ours(&h);
    else MP_COUNT(socket, rubbish, 1);
}
