#include "../src/relay_table.h"

#include <arpa/inet.h>
#include <string.h>

#include "check.h"

static const int64_t MS = 1000000, SECOND = 1000000000;
static const mp_relay_limits LIMITS = {2000, 16000000, 200};
enum { ANNA = 1, BERT, CARL, DORA, EVE };

/* A table, and what became of the last datagram. */
typedef struct {
    mp_relay_table *table;
    int64_t now_ns;
    uint64_t counter;
    uint8_t keys[4][MP_MEDIA_KEY];
    mp_peer targets[MP_RELAY_ROOM];
    uint32_t target_count;
    uint8_t reply[MP_RELAY_REPLY];
    uint32_t reply_size;
} stage;

static stage begin(uint32_t capacity) {
    stage s = {.table = mp_relay_table_new(capacity, &LIMITS, 5), .now_ns = 100 * SECOND};
    CHECK(s.table != NULL);
    for (int i = 0; i < 4; i++) memset(s.keys[i], i + 1, MP_MEDIA_KEY);
    return s;
}

static void end(stage *s) { mp_relay_table_free(s->table); }

static mp_relay_stats *stats(stage *s) { return mp_relay_table_stats(s->table); }

static mp_relay_member member(stage *s, uint32_t sender) {
    mp_relay_member counts;
    CHECK(mp_relay_table_member(s->table, sender, s->now_ns, &counts));
    return counts;
}

/* A member's own address: 10.0.0.1:10000 and so on. */
static mp_peer at(uint32_t number) {
    mp_peer peer = {.v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(9999 + number))}};
    peer.v4.sin_addr.s_addr = htonl(0x0A000000 + number);
    return peer;
}

static void take(stage *s, const uint8_t *data, uint32_t size, mp_peer from) {
    s->target_count = mp_relay_table_take(s->table, s->now_ns, data, size, &from, s->targets,
                                          s->reply, &s->reply_size);
}

static uint32_t make(stage *s, uint8_t kind, uint32_t sender, const uint8_t *key, uint32_t size,
                     uint8_t *data) {
    uint8_t payload[MP_MEDIA_PAYLOAD];
    memset(payload, 0x55, size);
    mp_media_header header = {kind, 7, sender, ++s->counter, 42};
    uint32_t made = mp_media_seal(key, &header, payload, size, data);
    CHECK(made == size + 38);
    return made;
}

static void hello(stage *s, uint32_t sender, int key, mp_peer from) {
    uint8_t data[MP_MEDIA_DATAGRAM];
    take(s, data, make(s, MP_MEDIA_HELLO, sender, s->keys[key], 4, data), from);
}

static void media(stage *s, uint32_t sender, uint32_t size, mp_peer from) {
    uint8_t data[MP_MEDIA_DATAGRAM];
    take(s, data, make(s, MP_MEDIA_SOURCE, sender, s->keys[3], size, data), from);
    CHECK_EQUAL(s->reply_size, 0);
}

static int reached(stage *s, uint32_t number) {
    mp_peer wanted = at(number);
    int count = 0;
    for (uint32_t i = 0; i < s->target_count; i++) count += mp_peer_same(&s->targets[i], &wanted);
    return count;
}

/* The token in the answer to a hello. */
static void token_of(stage *s, int key, uint8_t *token) {
    mp_media_header header;
    uint8_t payload[MP_MEDIA_PAYLOAD];
    CHECK(mp_media_open(s->keys[key], s->reply, s->reply_size, &header, payload) >= 16);
    memcpy(token, payload + 8, MP_RELAY_TOKEN);
}

static void prove(stage *s, uint32_t sender, int key, mp_peer from, const uint8_t *token) {
    uint8_t data[MP_MEDIA_DATAGRAM];
    mp_media_header header = {MP_MEDIA_HELLO, 7, sender, ++s->counter, 42};
    take(s, data, mp_media_seal(s->keys[key], &header, token, MP_RELAY_TOKEN, data), from);
}

static void join(stage *s, uint32_t sender, uint32_t room) {
    uint8_t token[MP_RELAY_TOKEN];
    CHECK_EQUAL(mp_relay_table_add(s->table, sender, room, 7, s->keys[room]), MP_OK);
    hello(s, sender, (int)room, at(sender));
    CHECK(s->reply_size > 0);
    token_of(s, (int)room, token);
    prove(s, sender, (int)room, at(sender), token);
    CHECK(s->reply_size > 0);
}

static void media_reaches_the_others_of_the_room_and_nobody_else(void) {
    stage s = begin(8);
    for (uint32_t m = ANNA; m <= CARL; m++) join(&s, m, 0);
    join(&s, DORA, 1);
    join(&s, EVE, 1);
    media(&s, ANNA, 100, at(ANNA));
    CHECK(s.target_count == 2 && reached(&s, BERT) && reached(&s, CARL));
    media(&s, EVE, 100, at(EVE));
    CHECK(s.target_count == 1 && reached(&s, DORA));
    mp_relay_table_remove(s.table, BERT);
    media(&s, CARL, 100, at(CARL));
    CHECK(s.target_count == 1 && reached(&s, ANNA));
    mp_relay_table_remove(s.table, DORA);
    media(&s, EVE, 100, at(EVE));
    CHECK_EQUAL(s.target_count, 0);
    CHECK_EQUAL(stats(&s)->forwarded, 3);
    CHECK_EQUAL(stats(&s)->alone, 1);
    CHECK_EQUAL(member(&s, ANNA).to_packets, 3); /* the answers to its hellos, and Carl's */
    CHECK_EQUAL(member(&s, ANNA).bytes, 42 + 46 + 138);
    end(&s);
}

static void who_is_not_linked_gets_no_sound_but_is_asked(void) {
    stage s = begin(8);
    uint8_t data[MP_MEDIA_DATAGRAM];
    for (uint32_t m = ANNA; m <= CARL; m++) join(&s, m, 0);
    join(&s, DORA, 1);
    CHECK_EQUAL(mp_relay_table_link(s.table, ANNA, BERT, 0), MP_OK);
    media(&s, ANNA, 100, at(ANNA));
    CHECK(s.target_count == 1 && reached(&s, CARL));
    media(&s, BERT, 100, at(BERT));
    CHECK(s.target_count == 2 && reached(&s, ANNA));
    take(&s, data, make(&s, MP_MEDIA_KEEPALIVE, ANNA, s.keys[3], 12, data), at(ANNA));
    CHECK(s.target_count == 2 && reached(&s, BERT));
    CHECK_EQUAL(mp_relay_table_link(s.table, ANNA, CARL, 0), MP_OK);
    media(&s, ANNA, 100, at(ANNA));
    CHECK_EQUAL(s.target_count, 0);
    CHECK_EQUAL(stats(&s)->alone, 1);
    CHECK_EQUAL(mp_relay_table_link(s.table, ANNA, BERT, 1), MP_OK);
    media(&s, ANNA, 100, at(ANNA));
    CHECK(s.target_count == 1 && reached(&s, BERT));
    CHECK_EQUAL(mp_relay_table_link(s.table, ANNA, DORA, 0), MP_OUT_OF_RANGE);
    CHECK_EQUAL(mp_relay_table_link(s.table, ANNA, 99, 0), MP_OUT_OF_RANGE);
    end(&s);
}

static void who_sits_where_somebody_sat_hears_all(void) {
    stage s = begin(MP_RELAY_ROOM);
    enum { LAST = MP_RELAY_ROOM, NEW };
    for (uint32_t m = 1; m <= LAST; m++) join(&s, m, 0);
    CHECK_EQUAL(mp_relay_table_add(s.table, NEW, 0, 7, s.keys[0]), MP_FULL);
    for (uint32_t m = 2; m <= LAST; m++)
        CHECK_EQUAL(mp_relay_table_link(s.table, ANNA, m, 0), MP_OK);
    media(&s, ANNA, 100, at(ANNA));
    CHECK_EQUAL(s.target_count, 0);
    mp_relay_table_remove(s.table, 200);
    join(&s, NEW, 0);
    media(&s, ANNA, 100, at(ANNA));
    CHECK(s.target_count == 1 && reached(&s, NEW));
    end(&s);
}

static void a_hello_is_answered_with_the_address(void) {
    stage s = begin(2);
    join(&s, ANNA, 0);
    hello(&s, ANNA, 0, at(ANNA));
    mp_media_header header;
    uint8_t payload[MP_MEDIA_PAYLOAD];
    const uint8_t wanted[] = {0, 1, 0x27, 0x10, 10, 0, 0, 1};
    const uint8_t said[] = {0x55, 0x55, 0x55, 0x55};
    CHECK_EQUAL(mp_media_open(s.keys[0], s.reply, s.reply_size, &header, payload),
                sizeof wanted + MP_RELAY_TOKEN + sizeof said);
    CHECK(memcmp(payload, wanted, sizeof wanted) == 0);
    CHECK(memcmp(payload + sizeof wanted + MP_RELAY_TOKEN, said, sizeof said) == 0);
    CHECK(header.kind == MP_MEDIA_HELLO_OK && header.sender == 0 && header.key_id == 7);
    CHECK_EQUAL(header.capture_us, s.now_ns / 1000);
    uint64_t counter = header.counter;
    hello(&s, ANNA, 0, at(ANNA));
    CHECK(mp_media_open(s.keys[0], s.reply, s.reply_size, &header, payload) > 0);
    CHECK(header.counter > counter); /* no nonce comes twice */
    end(&s);
}

static void only_a_new_hello_of_the_member_moves_its_address(void) {
    stage s = begin(4);
    uint8_t first[MP_MEDIA_DATAGRAM], second[MP_MEDIA_DATAGRAM];
    join(&s, ANNA, 0);
    join(&s, BERT, 0);
    uint32_t size = make(&s, MP_MEDIA_HELLO, ANNA, s.keys[0], 0, first);
    make(&s, MP_MEDIA_HELLO, ANNA, s.keys[0], 0, second);
    take(&s, second, size, at(30)); /* the network has changed */
    CHECK(s.reply_size > 0);
    take(&s, first, size, at(ANNA)); /* overtaken */
    CHECK_EQUAL(s.reply_size, 0);
    take(&s, second, size, at(40)); /* sent again by a stranger */
    CHECK_EQUAL(s.reply_size, 0);
    hello(&s, ANNA, 1, at(40)); /* with another room's key */
    CHECK_EQUAL(s.reply_size, 0);
    CHECK(stats(&s)->replayed == 2 && member(&s, ANNA).replayed == 2);
    CHECK(stats(&s)->forged == 1 && member(&s, ANNA).forged == 1);
    media(&s, BERT, 10, at(BERT));
    CHECK(s.target_count == 1 && reached(&s, 30));
    media(&s, ANNA, 10, at(30));
    CHECK(reached(&s, BERT));
    media(&s, ANNA, 10, at(ANNA)); /* from where it is no more */
    CHECK_EQUAL(s.target_count, 0);
    CHECK(stats(&s)->wrong_address == 1 && member(&s, ANNA).wrong_address == 1);
    end(&s);
}

/* A member who says that it is where somebody else is does not get that one flooded. */
static void an_address_gets_little_until_it_says_what_it_got(void) {
    stage s = begin(4);
    uint8_t token[MP_RELAY_TOKEN], old[MP_RELAY_TOKEN] = {1};
    join(&s, ANNA, 0);
    join(&s, BERT, 0);
    uint64_t sent = member(&s, BERT).to_bytes;
    hello(&s, BERT, 0, at(77));
    token_of(&s, 0, token);
    for (int i = 0; i < 50; i++) media(&s, ANNA, 100, at(ANNA));
    CHECK(member(&s, BERT).to_bytes - sent <= 3 * 42);
    prove(&s, BERT, 0, at(77), old);
    for (int i = 0; i < 50; i++) media(&s, ANNA, 100, at(ANNA));
    CHECK(member(&s, BERT).to_bytes - sent <= 3 * (42 + 46));
    /* Who sends as much as it gets loses nothing meanwhile. */
    for (int i = 0; i < 20; i++) {
        media(&s, BERT, 100, at(77));
        media(&s, ANNA, 100, at(ANNA));
        CHECK(reached(&s, 77));
    }
    prove(&s, BERT, 0, at(77), token);
    for (int i = 0; i < 50; i++) {
        media(&s, ANNA, 100, at(ANNA));
        CHECK(reached(&s, 77));
    }
    hello(&s, BERT, 0, at(BERT)); /* Another address, another token. */
    prove(&s, BERT, 0, at(BERT), token);
    media(&s, ANNA, 1000, at(ANNA));
    CHECK_EQUAL(s.target_count, 0);
    end(&s);
}

static void who_was_not_heard_for_a_second_is_forgotten(void) {
    stage s = begin(4);
    join(&s, ANNA, 0);
    join(&s, BERT, 0);
    s.now_ns += SECOND;
    media(&s, ANNA, 10, at(ANNA));
    CHECK(reached(&s, BERT)); /* Bert's second is just not over. */
    s.now_ns += 1;
    media(&s, ANNA, 10, at(ANNA));
    CHECK_EQUAL(s.target_count, 0);
    CHECK(member(&s, ANNA).heard && !member(&s, BERT).heard);
    media(&s, BERT, 10, at(BERT));
    CHECK_EQUAL(stats(&s)->wrong_address, 1);
    hello(&s, BERT, 0, at(BERT));
    media(&s, ANNA, 10, at(ANNA));
    CHECK(reached(&s, BERT));
    end(&s);
}

static void a_new_key_keeps_addresses_and_refuses_old_hellos(void) {
    stage s = begin(4);
    join(&s, ANNA, 0);
    join(&s, BERT, 0);
    CHECK_EQUAL(mp_relay_table_set_key(s.table, 0, 7, s.keys[2]), MP_OK);
    media(&s, ANNA, 10, at(ANNA));
    CHECK(reached(&s, BERT));
    hello(&s, ANNA, 0, at(ANNA));
    CHECK(s.reply_size == 0 && stats(&s)->forged == 1);
    s.counter = 0; /* Counters may begin anew with a key. */
    hello(&s, ANNA, 2, at(ANNA));
    CHECK(s.reply_size > 0);
    end(&s);
}

static void who_sends_too_much_is_cut_to_its_rate(void) {
    stage s = begin(4);
    join(&s, ANNA, 0);
    join(&s, BERT, 0);
    s.now_ns += 500 * MS;
    for (int i = 0; i < 1000; i++) media(&s, ANNA, 10, at(ANNA));
    CHECK_EQUAL(stats(&s)->forwarded, 400); /* 200 ms of 2,000 a second */
    CHECK_EQUAL(stats(&s)->too_fast, 600);
    CHECK_EQUAL(member(&s, ANNA).too_fast, 600);
    for (int i = 0; i < 2000; i++) { /* 10,000 a second for 200 ms */
        s.now_ns += 100000;
        media(&s, ANNA, 10, at(ANNA));
    }
    CHECK_EQUAL(stats(&s)->forwarded, 800);
    media(&s, BERT, 10, at(BERT)); /* Others are not held back. */
    CHECK(reached(&s, ANNA));
    s.now_ns += 900 * MS;
    hello(&s, ANNA, 0, at(ANNA));
    hello(&s, BERT, 0, at(BERT));
    uint64_t before = stats(&s)->forwarded;
    for (int i = 0; i < 1000; i++) media(&s, ANNA, MP_MEDIA_PAYLOAD, at(ANNA));
    /* 200 ms of 16 Mbit/s are 400,000 bytes, less the hello's. */
    CHECK_EQUAL(stats(&s)->forwarded - before, (400000 - 42) / MP_MEDIA_DATAGRAM);
    end(&s);
}

static void who_is_muted_hears_and_is_not_heard(void) {
    stage s = begin(4);
    join(&s, ANNA, 0);
    join(&s, BERT, 0);
    CHECK_EQUAL(mp_relay_table_mute(s.table, ANNA, 1), MP_OK);
    media(&s, ANNA, 10, at(ANNA));
    CHECK_EQUAL(s.target_count, 0);
    CHECK_EQUAL(stats(&s)->muted, 1);
    CHECK_EQUAL(member(&s, ANNA).muted, 1);
    uint8_t data[MP_MEDIA_DATAGRAM];
    take(&s, data, make(&s, MP_MEDIA_KEEPALIVE, ANNA, s.keys[0], 4, data), at(ANNA));
    CHECK(reached(&s, BERT));
    media(&s, BERT, 10, at(BERT));
    CHECK(reached(&s, ANNA));
    CHECK_EQUAL(mp_relay_table_mute(s.table, ANNA, 0), MP_OK);
    media(&s, ANNA, 10, at(ANNA));
    CHECK(reached(&s, BERT));
    CHECK_EQUAL(mp_relay_table_mute(s.table, 99, 1), MP_OUT_OF_RANGE);
    end(&s);
}

static void what_is_wrong_is_counted_by_its_reason(void) {
    stage s = begin(4);
    uint8_t data[MP_MEDIA_DATAGRAM + 1] = {0};
    join(&s, ANNA, 0);
    take(&s, data, sizeof data, at(9));
    CHECK_EQUAL(stats(&s)->too_long, 1);
    take(&s, data, make(&s, MP_MEDIA_HELLO, ANNA, s.keys[0], 17, data), at(ANNA));
    CHECK_EQUAL(stats(&s)->too_long, 2);
    take(&s, data, make(&s, MP_MEDIA_SOURCE, 99, s.keys[0], 5, data), at(9));
    CHECK_EQUAL(stats(&s)->unknown_sender, 1);
    take(&s, data, make(&s, MP_MEDIA_HELLO_OK, ANNA, s.keys[0], 5, data), at(ANNA));
    take(&s, data, make(&s, MP_MEDIA_SOURCE, 0, s.keys[0], 5, data), at(ANNA));
    take(&s, data, 0, at(9));
    take(&s, (const uint8_t *)"\xf0\x02", 2, at(9));
    memset(data, 0, 50);
    take(&s, data, 50, at(9)); /* like STUN, and is not */
    memset(data, 0x80, 50);
    take(&s, data, 50, at(9));
    CHECK_EQUAL(stats(&s)->rubbish, 6);
    CHECK_EQUAL(stats(&s)->forwarded + stats(&s)->alone, 0);
    end(&s);
}

static void stun_is_answered_up_to_a_rate(void) {
    stage s = begin(1);
    const uint8_t request[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1};
    for (int i = 0; i < 300; i++) take(&s, request, sizeof request, at((uint32_t)1));
    CHECK_EQUAL(stats(&s)->stun, 100);
    CHECK_EQUAL(stats(&s)->stun_too_fast, 200);
    take(&s, request, sizeof request, at(2));
    CHECK_EQUAL(s.reply_size, 32);
    s.now_ns += SECOND;
    for (int i = 0; i < 300; i++) take(&s, request, sizeof request, at(1));
    CHECK_EQUAL(stats(&s)->stun, 151);
    end(&s);
}

static void members_come_and_go_within_the_capacity(void) {
    stage s = begin(3);
    CHECK_EQUAL(mp_relay_table_add(s.table, 0, 0, 1, s.keys[0]), MP_OUT_OF_RANGE);
    CHECK_EQUAL(mp_relay_table_add(s.table, 1, 3, 1, s.keys[0]), MP_OUT_OF_RANGE);
    CHECK_EQUAL(mp_relay_table_set_key(s.table, 3, 1, s.keys[0]), MP_OUT_OF_RANGE);
    for (uint32_t round = 0; round < 1000; round++) {
        uint32_t sender = 1 + round * 3;
        for (uint32_t i = 0; i < 3; i++) {
            CHECK_EQUAL(mp_relay_table_add(s.table, sender + i, i, 1, s.keys[0]), MP_OK);
            CHECK_EQUAL(mp_relay_table_add(s.table, sender + i, i, 1, s.keys[0]), MP_OUT_OF_RANGE);
        }
        CHECK_EQUAL(mp_relay_table_add(s.table, sender + 3, 0, 1, s.keys[0]), MP_FULL);
        for (uint32_t i = 0; i < 3; i++)
            mp_relay_table_remove(s.table, sender + (i + round) % 3);
        mp_relay_table_remove(s.table, sender);
        mp_relay_member counts;
        CHECK(!mp_relay_table_member(s.table, sender, s.now_ns, &counts));
    }
    end(&s);
    s = begin(MP_RELAY_ROOM + 1);
    for (uint32_t i = 1; i <= MP_RELAY_ROOM; i++)
        CHECK_EQUAL(mp_relay_table_add(s.table, i, 0, 1, s.keys[0]), MP_OK);
    CHECK_EQUAL(mp_relay_table_add(s.table, 1000, 0, 1, s.keys[0]), MP_FULL);
    end(&s);
}

/* Genuine datagrams with changes of every kind: whatever is passed on came from its sender's
 * address, everything is counted once, and the right ones still pass. */
static void hostile_datagrams_are_stood(uint64_t count, uint64_t state) {
    stage s = begin(8);
    uint8_t data[MP_MEDIA_DATAGRAM + 1];
    uint64_t taken = 6;
    for (uint32_t m = ANNA; m <= CARL; m++) join(&s, m, m == CARL);
    for (uint64_t round = 0; round < count; round++) {
        uint32_t sender = ANNA + (uint32_t)random_bits(&state) % 4;
        uint8_t kind = (uint8_t)(random_bits(&state) % MP_MEDIA_KINDS);
        /* Nobody out there has the key to what is not changed: the fourth is no room's. */
        int flips = random_bits(&state) % 4 ? 1 + 2 * (int)(random_bits(&state) % 2) : 0;
        const uint8_t *key = s.keys[flips ? random_bits(&state) % 4 : 3];
        uint32_t size = make(&s, kind, sender, key, (uint32_t)random_bits(&state) % 40, data);
        for (int n = 0; n < flips; n++)
            data[random_bits(&state) % size] ^= (uint8_t)(1 << random_bits(&state) % 8);
        if (random_bits(&state) % 4 == 0) size = (uint32_t)random_bits(&state) % size;
        take(&s, data, size, at(20));
        CHECK_EQUAL(s.target_count, 0);
        taken++;
        s.now_ns += MS;
        if (round % 100 == 0) {
            for (uint32_t m = ANNA; m <= BERT; m++) hello(&s, m, 0, at(m));
            media(&s, ANNA, 10, at(ANNA));
            CHECK(s.target_count == 1 && reached(&s, BERT));
            taken += 3;
        }
    }
    mp_relay_stats *c = stats(&s);
    CHECK_EQUAL(c->forwarded + c->alone + c->hellos + c->stun + c->rubbish + c->too_long +
                    c->unknown_sender + c->wrong_address + c->forged + c->replayed + c->too_fast +
                    c->muted + c->stun_too_fast,
                taken);
    printf("{\"forwarded\": %" PRIu64 ", \"alone\": %" PRIu64 ", \"hellos\": %" PRIu64
           ", \"rubbish\": %" PRIu64 ", \"unknown_sender\": %" PRIu64
           ", \"wrong_address\": %" PRIu64 ", \"forged\": %" PRIu64 ", \"replayed\": %" PRIu64
           ", \"too_fast\": %" PRIu64 "}\n",
           c->forwarded, c->alone, c->hellos, c->rubbish, c->unknown_sender, c->wrong_address,
           c->forged, c->replayed, c->too_fast);
    end(&s);
}

int main(int argc, char **argv) {
    if (mp_sodium_available() != MP_OK) return 0;
    media_reaches_the_others_of_the_room_and_nobody_else();
    who_is_not_linked_gets_no_sound_but_is_asked();
    who_sits_where_somebody_sat_hears_all();
    a_hello_is_answered_with_the_address();
    only_a_new_hello_of_the_member_moves_its_address();
    an_address_gets_little_until_it_says_what_it_got();
    who_was_not_heard_for_a_second_is_forgotten();
    a_new_key_keeps_addresses_and_refuses_old_hellos();
    who_sends_too_much_is_cut_to_its_rate();
    who_is_muted_hears_and_is_not_heard();
    what_is_wrong_is_counted_by_its_reason();
    stun_is_answered_up_to_a_rate();
    members_come_and_go_within_the_capacity();
    hostile_datagrams_are_stood(argc > 1 ? strtoull(argv[1], NULL, 10) : 100000,
                                argc > 2 ? strtoull(argv[2], NULL, 10) : 17);
    return 0;
}
