#include "relay_table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "stun.h"

/* An address is good for so long after the last packet from it. */
static const int64_t FORGET_NS = 1000000000;
static const int64_t SECOND_NS = 1000000000;
/* Binding requests a source (all of a household, say) may send, and how many at once. */
enum { STUN_A_SECOND = 50, STUN_BURST = 100, STUN_SOURCES = 4096 };
/* What a hello may carry; it is repeated in the answer. */
enum { MAX_HELLO = 16 };
/* Whoever says its address's token again has got it there. Until then more than so many times what
 * came from an address never goes there: a member could say a hello in somebody else's name. */
enum { UNPROVEN_TIMES = 3 };
enum { NONE = UINT32_MAX };
enum { SEAT_WORDS = MP_RELAY_ROOM / 64 };

typedef struct {
    uint32_t sender; /* 0: free */
    uint32_t room;
    uint32_t seat; /* its own among those of the room */
    uint64_t unheard_at[SEAT_WORDS]; /* by seats: who gets no sound of it */
    uint32_t next_of_hash, next_of_room; /* or NONE; a free slot's next free one is next_of_hash */
    uint16_t key_id;
    uint8_t key[MP_MEDIA_KEY];
    uint64_t newest_hello;
    int muted;
    int known; /* a hello taught `address`, which is good while it is heard of */
    int64_t heard_ns;
    int64_t packets_due_ns, bytes_due_ns; /* when what came so far would have come evenly */
    mp_peer address;
    uint8_t token[MP_RELAY_TOKEN];
    int proven;
    int64_t unproven_bytes; /* may still go there */
    mp_relay_member counts;
} slot;

struct mp_relay_table {
    uint32_t capacity, mask;
    uint32_t used, free; /* slots from `used` on were never taken, `free` is one given back */
    slot *slots;
    uint32_t *of_hash, *of_room; /* first slot of each, or NONE */
    int64_t packet_ns, burst_ns;
    int64_t bits_a_second;
    uint64_t counter, seed; /* counter: of what the server seals, under any key */
    uint8_t secret[MP_MEDIA_KEY]; /* what tokens are made with */
    int64_t stun_due_ns[STUN_SOURCES];
    mp_relay_stats stats;
};

mp_relay_table *mp_relay_table_new(uint32_t capacity, const mp_relay_limits *limits,
                                   uint64_t seed) {
    mp_relay_table *t = calloc(1, sizeof *t);
    if (t == NULL) return NULL;
    t->capacity = capacity;
    for (t->mask = 1; t->mask < capacity; t->mask *= 2) {}
    t->slots = calloc(capacity, sizeof *t->slots);
    t->of_hash = malloc(t->mask * sizeof *t->of_hash);
    t->of_room = malloc(capacity * sizeof *t->of_room);
    if (t->slots == NULL || t->of_hash == NULL || t->of_room == NULL) {
        mp_relay_table_free(t);
        return NULL;
    }
    for (uint32_t i = 0; i < t->mask; i++) t->of_hash[i] = NONE;
    for (uint32_t i = 0; i < capacity; i++) t->of_room[i] = NONE;
    t->free = NONE;
    t->mask--;
    t->packet_ns = SECOND_NS / limits->packets_a_second;
    t->bits_a_second = limits->bits_a_second;
    t->burst_ns = (int64_t)limits->burst_ms * 1000000;
    t->seed = seed;
    memcpy(t->secret, &seed, sizeof seed);
    return t;
}

void mp_relay_table_free(mp_relay_table *t) {
    free(t->slots);
    free(t->of_hash);
    free(t->of_room);
    free(t);
}

/* Sender ids count up: their low bits are hash enough. */
static slot *find(mp_relay_table *t, uint32_t sender) {
    for (uint32_t i = t->of_hash[sender & t->mask]; i != NONE; i = t->slots[i].next_of_hash)
        if (t->slots[i].sender == sender) return &t->slots[i];
    return NULL;
}

static bool is_unheard(const slot *s, const slot *by) {
    return s->unheard_at[by->seat / 64] >> by->seat % 64 & 1;
}

static void set_unheard(slot *s, uint32_t seat, bool unheard) {
    uint64_t bit = UINT64_C(1) << seat % 64;
    if (unheard) s->unheard_at[seat / 64] |= bit;
    else s->unheard_at[seat / 64] &= ~bit;
}

/* A seat of the room that nobody has; MP_RELAY_ROOM when all are taken. */
static uint32_t free_seat(const mp_relay_table *t, uint32_t room) {
    uint64_t taken[SEAT_WORDS] = {0};
    for (uint32_t i = t->of_room[room]; i != NONE; i = t->slots[i].next_of_room)
        taken[t->slots[i].seat / 64] |= UINT64_C(1) << t->slots[i].seat % 64;
    uint32_t seat = 0;
    while (seat < MP_RELAY_ROOM && taken[seat / 64] >> seat % 64 & 1) seat++;
    return seat;
}

mp_status mp_relay_table_add(mp_relay_table *t, uint32_t sender, uint32_t room, uint16_t key_id,
                             const uint8_t *key) {
    if (sender == 0 || room >= t->capacity || find(t, sender) != NULL) return MP_OUT_OF_RANGE;
    if (t->free == NONE && t->used == t->capacity) return MP_FULL;
    uint32_t seat = free_seat(t, room);
    if (seat == MP_RELAY_ROOM) return MP_FULL;
    for (uint32_t i = t->of_room[room]; i != NONE; i = t->slots[i].next_of_room)
        set_unheard(&t->slots[i], seat, false); /* what was said of who sat there before */
    uint32_t index = t->free != NONE ? t->free : t->used++;
    slot *s = &t->slots[index];
    if (index == t->free) t->free = s->next_of_hash;
    memset(s, 0, sizeof *s);
    s->sender = sender;
    s->room = room;
    s->seat = seat;
    s->key_id = key_id;
    memcpy(s->key, key, sizeof s->key);
    s->next_of_hash = t->of_hash[sender & t->mask];
    t->of_hash[sender & t->mask] = index;
    s->next_of_room = t->of_room[room];
    t->of_room[room] = index;
    return MP_OK;
}

mp_status mp_relay_table_set_key(mp_relay_table *t, uint32_t room, uint16_t key_id,
                                 const uint8_t *key) {
    if (room >= t->capacity) return MP_OUT_OF_RANGE;
    for (uint32_t i = t->of_room[room]; i != NONE; i = t->slots[i].next_of_room) {
        t->slots[i].key_id = key_id;
        t->slots[i].newest_hello = 0;
        memcpy(t->slots[i].key, key, sizeof t->slots[i].key);
    }
    return MP_OK;
}

void mp_relay_table_remove(mp_relay_table *t, uint32_t sender) {
    slot *s = find(t, sender);
    if (s == NULL) return;
    uint32_t index = (uint32_t)(s - t->slots), *link = &t->of_hash[sender & t->mask];
    while (*link != index) link = &t->slots[*link].next_of_hash;
    *link = s->next_of_hash;
    for (link = &t->of_room[s->room]; *link != index;) link = &t->slots[*link].next_of_room;
    *link = s->next_of_room;
    memset(s, 0, sizeof *s); /* the key too */
    s->next_of_hash = t->free;
    t->free = index;
}

mp_status mp_relay_table_mute(mp_relay_table *t, uint32_t sender, int muted) {
    slot *s = find(t, sender);
    if (s == NULL) return MP_OUT_OF_RANGE;
    s->muted = muted;
    return MP_OK;
}

mp_status mp_relay_table_link(mp_relay_table *t, uint32_t sender, uint32_t listener, int linked) {
    slot *from = find(t, sender);
    const slot *to = find(t, listener);
    if (from == NULL || to == NULL || from->room != to->room) return MP_OUT_OF_RANGE;
    set_unheard(from, to->seat, !linked);
    return MP_OK;
}

static int is_heard(const slot *s, int64_t now_ns) {
    return s->known && now_ns - s->heard_ns <= FORGET_NS;
}

int mp_relay_table_member(mp_relay_table *t, uint32_t sender, int64_t now_ns,
                          mp_relay_member *member) {
    const slot *s = find(t, sender);
    if (s == NULL) return 0;
    *member = s->counts;
    member->heard = is_heard(s, now_ns);
    return 1;
}

mp_relay_stats *mp_relay_table_stats(mp_relay_table *t) { return &t->stats; }

/* ---- what becomes of a datagram ---- */

/* Whether something that takes `cost_ns` of its rate is not too early, as in a leaky bucket. */
static int is_in_time(int64_t due_ns, int64_t now_ns, int64_t cost_ns, int64_t burst_ns) {
    return due_ns + cost_ns - now_ns <= burst_ns;
}

static void spend(int64_t *due_ns, int64_t now_ns, int64_t cost_ns) {
    *due_ns = (*due_ns > now_ns ? *due_ns : now_ns) + cost_ns;
}

static int is_within_limits(const mp_relay_table *t, slot *s, int64_t now_ns, uint32_t size) {
    int64_t bytes_ns = (int64_t)size * 8 * SECOND_NS / t->bits_a_second;
    if (!is_in_time(s->packets_due_ns, now_ns, t->packet_ns, t->burst_ns)) return 0;
    if (!is_in_time(s->bytes_due_ns, now_ns, bytes_ns, t->burst_ns)) return 0;
    spend(&s->packets_due_ns, now_ns, t->packet_ns);
    spend(&s->bytes_due_ns, now_ns, bytes_ns);
    s->counts.packets++;
    s->counts.bytes += size;
    return 1;
}

static uint32_t dropped(uint64_t *total, uint64_t *of_member) {
    ++*total;
    if (of_member != NULL) ++*of_member;
    return 0;
}

/* Many sources share a few counters, so that nobody can fill a table with invented ones; the seed
 * keeps secret who shares with whom. */
uint32_t mp_relay_table_stun(mp_relay_table *t, int64_t now_ns, const uint8_t *request,
                             uint32_t size, const mp_peer *from, int *other_port, uint8_t *reply) {
    int64_t *due_ns = &t->stun_due_ns[mp_peer_source(from, t->seed) % STUN_SOURCES];
    int64_t cost_ns = SECOND_NS / STUN_A_SECOND;
    if (!is_in_time(*due_ns, now_ns, cost_ns, STUN_BURST * cost_ns))
        return dropped(&t->stats.stun_too_fast, NULL);
    spend(due_ns, now_ns, cost_ns);
    uint32_t answered = mp_stun_answer(request, size, from, other_port, reply);
    if (answered == 0) return dropped(&t->stats.rubbish, NULL);
    t->stats.stun++;
    return answered;
}

/* ---- whose address it is ---- */

/* Nobody can know a token who did not get it: it is a part of a seal that is given to nobody. */
static void draw_token(mp_relay_table *t, slot *s) {
    uint8_t sealed[MP_MEDIA_HEADER + MP_MEDIA_TAG];
    mp_media_header header = {MP_MEDIA_HELLO_OK, 0, 0, ++t->counter, 0};
    mp_media_seal(t->secret, &header, NULL, 0, sealed);
    memcpy(s->token, sealed + MP_MEDIA_HEADER, sizeof s->token);
}

static void learn_address(mp_relay_table *t, slot *s, const mp_peer *from, const uint8_t *said,
                          uint32_t said_size) {
    if (!s->known || !mp_peer_same(&s->address, from)) {
        s->address = *from;
        s->proven = 0;
        s->unproven_bytes = 0;
        draw_token(t, s);
    } else if (said_size >= MP_RELAY_TOKEN && memcmp(said, s->token, MP_RELAY_TOKEN) == 0) {
        s->proven = 1;
    }
    s->known = 1;
}

static void earn(slot *s, uint32_t size) {
    if (!s->proven) s->unproven_bytes += UNPROVEN_TIMES * (int64_t)size;
}

static int may_get(slot *s, uint32_t size) {
    if (s->proven) return 1;
    if (s->unproven_bytes < size) return 0;
    s->unproven_bytes -= size;
    return 1;
}

static uint32_t seal_answer(mp_relay_table *t, slot *s, int64_t now_ns, const mp_peer *from,
                            const uint8_t *said, uint32_t said_size, uint8_t *reply) {
    uint8_t text[MP_PEER_TEXT + MP_RELAY_TOKEN + MAX_HELLO];
    uint32_t size = mp_peer_write(from, text);
    memcpy(text + size, s->token, MP_RELAY_TOKEN);
    size += MP_RELAY_TOKEN;
    memcpy(text + size, said, said_size);
    mp_media_header header = {MP_MEDIA_HELLO_OK, s->key_id, 0, ++t->counter, now_ns / 1000};
    uint32_t sealed = mp_media_seal(s->key, &header, text, size + said_size, reply);
    if (!may_get(s, sealed)) return 0;
    s->counts.to_packets++;
    s->counts.to_bytes += sealed;
    return sealed;
}

/* A hello moves the address, so an old one that is sent again must not. Only one that is genuine
 * counts towards the limits: nobody else can use them up. */
static uint32_t take_hello(mp_relay_table *t, slot *s, int64_t now_ns, const uint8_t *datagram,
                           uint32_t size, const mp_peer *from, uint8_t *reply) {
    mp_media_header header;
    uint8_t said[MP_MEDIA_PAYLOAD];
    if (size > MP_MEDIA_HEADER + MAX_HELLO + MP_MEDIA_TAG) return dropped(&t->stats.too_long, NULL);
    int32_t said_size = mp_media_open(s->key, datagram, size, &header, said);
    if (header.key_id != s->key_id || said_size < 0)
        return dropped(&t->stats.forged, &s->counts.forged);
    if (header.counter <= s->newest_hello) return dropped(&t->stats.replayed, &s->counts.replayed);
    s->newest_hello = header.counter;
    if (!is_within_limits(t, s, now_ns, size))
        return dropped(&t->stats.too_fast, &s->counts.too_fast);
    learn_address(t, s, from, said, (uint32_t)said_size);
    earn(s, size);
    s->heard_ns = now_ns;
    s->counts.hellos++;
    t->stats.hellos++;
    return seal_answer(t, s, now_ns, from, said, (uint32_t)said_size, reply);
}

static uint32_t forward(mp_relay_table *t, slot *s, int64_t now_ns, uint32_t size, uint8_t kind,
                        const mp_peer *from, mp_peer *targets) {
    if (!is_heard(s, now_ns) || !mp_peer_same(&s->address, from))
        return dropped(&t->stats.wrong_address, &s->counts.wrong_address);
    s->heard_ns = now_ns;
    if (!is_within_limits(t, s, now_ns, size))
        return dropped(&t->stats.too_fast, &s->counts.too_fast);
    earn(s, size);
    /* A KEEPALIVE says nothing that is heard, and keeps ways to it open. */
    if (s->muted && kind != MP_MEDIA_KEEPALIVE)
        return dropped(&t->stats.muted, &s->counts.muted);
    uint32_t count = 0;
    for (uint32_t i = t->of_room[s->room]; i != NONE; i = t->slots[i].next_of_room) {
        slot *other = &t->slots[i];
        /* Who does not hear it may still be asked by it for another way. */
        if (kind != MP_MEDIA_KEEPALIVE && is_unheard(s, other)) continue;
        if (other == s || !is_heard(other, now_ns) || !may_get(other, size)) continue;
        targets[count++] = other->address;
        other->counts.to_packets++;
        other->counts.to_bytes += size;
    }
    if (count) t->stats.forwarded++;
    else t->stats.alone++;
    return count;
}

uint32_t mp_relay_table_take(mp_relay_table *t, int64_t now_ns, const uint8_t *datagram,
                             uint32_t size, const mp_peer *from, mp_peer *targets, uint8_t *reply,
                             uint32_t *reply_size) {
    mp_media_header header;
    *reply_size = 0;
    if (size > MP_MEDIA_DATAGRAM) return dropped(&t->stats.too_long, NULL);
    if (size > 0 && datagram[0] < MP_STUN_KINDS) {
        int other_port = 0;
        *reply_size = mp_relay_table_stun(t, now_ns, datagram, size, from, &other_port, reply);
        return 0;
    }
    if (!mp_media_peek(datagram, size, &header) || header.kind == MP_MEDIA_HELLO_OK ||
        header.sender == 0 || header.counter == 0)
        return dropped(&t->stats.rubbish, NULL);
    slot *s = find(t, header.sender);
    if (s == NULL) return dropped(&t->stats.unknown_sender, NULL);
    if (header.kind != MP_MEDIA_HELLO)
        return forward(t, s, now_ns, size, header.kind, from, targets);
    *reply_size = take_hello(t, s, now_ns, datagram, size, from, reply);
    return 0;
}
