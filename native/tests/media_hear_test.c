/* What single datagrams do, without a network: they are handed over as the kernel would.
 *
 * Arguments: how many made-up datagrams (200,000), and which numbers they are made of (a seed). */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../src/media_socket.h"
#include "check.h"

enum { KEY_ID = 7, NEXT_KEY_ID = 8, SENDER = 1001, SLOT = 5 };
static const int64_t SECOND_NS = 1000000000;
static const uint8_t KEY[MP_MEDIA_KEY] = {1, 2, 3}, NEXT_KEY[MP_MEDIA_KEY] = {9, 9, 9};
static const mp_address HOME = {.family = 4, .ip = {10, 0, 0, 1}, .port = 5000};
static const mp_address ELSEWHERE = {.family = 4, .ip = {10, 0, 0, 2}, .port = 5000};
static const mp_address RELAY = {.family = 4, .ip = {10, 0, 0, 9}, .port = 9};

static mp_media_socket *s;
static int fd;
static int64_t now_ns;

static void begin(void) {
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    mp_status status;
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof any) == 0);
    s = mp_media_socket_start(fd, -1, 0, &status);
    CHECK(s != NULL && status == MP_OK);
    CHECK(mp_media_socket_add_key(s, KEY_ID, KEY) == MP_OK);
    CHECK(mp_media_socket_hear(s, SLOT, SENDER, KEY_ID) == MP_OK);
    CHECK(mp_media_socket_set_relay(s, &RELAY) == MP_OK);
    now_ns = mp_host_now_ns();
}

static void end(void) {
    mp_media_socket_stop(s);
    close(fd);
}

/* Nothing arrives at the socket, so its thread never looks at the view. */
static void hand_in(const uint8_t *bytes, uint32_t size, mp_address from) {
    mp_media_hear(s, mp_view_own(&s->hearing), bytes, size, &from, now_ns);
}

typedef struct {
    uint8_t bytes[MP_MEDIA_DATAGRAM];
    uint32_t size;
} sealed;

static sealed seal(const uint8_t *key, uint16_t key_id, mp_media_kind kind, uint32_t sender,
                   uint64_t counter) {
    mp_media_header header = {(uint8_t)kind, key_id, sender, counter, now_ns / 1000};
    uint8_t payload[8] = "payload";
    sealed made;
    made.size = mp_media_seal(key, &header, payload, sizeof payload, made.bytes);
    CHECK_EQUAL(made.size, MP_MEDIA_HEADER + sizeof payload + MP_MEDIA_TAG);
    return made;
}

static void hand_in_sealed(mp_media_kind kind, uint64_t counter, mp_address from) {
    sealed made = seal(KEY, KEY_ID, kind, SENDER, counter);
    hand_in(made.bytes, made.size, from);
}

static uint32_t taken(void) {
    mp_media_packet packet;
    uint32_t count = 0;
    while (mp_media_socket_take(s, SLOT, &packet)) count++;
    return count;
}

static mp_media_socket_stats stats(void) {
    mp_media_socket_stats got;
    mp_media_socket_get_stats(s, &got);
    return got;
}

static mp_media_sender_stats sender_stats(void) {
    mp_media_sender_stats got;
    CHECK(mp_media_socket_get_sender(s, SLOT, &got) == MP_OK);
    return got;
}

static void each_kind_goes_where_it_belongs(void) {
    begin();
    for (int kind = MP_MEDIA_SOURCE; kind <= MP_MEDIA_CONTROL; kind++) {
        hand_in_sealed((mp_media_kind)kind, (uint64_t)kind + 1, HOME);
        mp_media_packet packet;
        CHECK(mp_media_socket_take(s, SLOT, &packet));
        CHECK_EQUAL(packet.kind, kind);
        CHECK_EQUAL(packet.size, 8);
        CHECK_EQUAL(packet.capture_us, now_ns / 1000);
        CHECK_EQUAL(packet.received_ns, now_ns);
        CHECK(memcmp(packet.bytes, "payload", 8) == 0);
    }
    hand_in_sealed(MP_MEDIA_KEEPALIVE, 10, RELAY);
    CHECK_EQUAL(taken(), 0);
    mp_media_sender_stats heard = sender_stats();
    CHECK_EQUAL(heard.packets, 4);
    CHECK_EQUAL(heard.keepalive, 1);
    CHECK_EQUAL(heard.via_relay, 1);
    CHECK_EQUAL(heard.relayed, 1);
    CHECK(mp_address_same(&heard.from, &RELAY));
    CHECK_EQUAL(stats().media, 4);
    end();
}

static void what_the_relay_answers_goes_up_once(void) {
    begin();
    sealed answer = seal(KEY, KEY_ID, MP_MEDIA_HELLO_OK, 0, 1);
    hand_in(answer.bytes, answer.size, RELAY);
    hand_in(answer.bytes, answer.size, RELAY);
    mp_rare rare;
    CHECK(mp_media_socket_take_rare(s, &rare));
    CHECK_EQUAL(rare.kind, MP_RARE_HELLO_OK);
    CHECK_EQUAL(rare.size, 8);
    CHECK(memcmp(rare.bytes, "payload", 8) == 0);
    CHECK(mp_address_same(&rare.from, &RELAY));
    CHECK(!mp_media_socket_take_rare(s, &rare));
    CHECK_EQUAL(stats().hello_ok, 1);
    CHECK_EQUAL(stats().replayed, 1);
    end();
}

/* STUN goes up as it came; the queue is bounded; what is no STUN stays down. */
static void stun_goes_up(void) {
    uint8_t stun[28] = {0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42, 5};
    mp_rare rare;
    begin();
    for (int i = 0; i < MP_MEDIA_RARE_QUEUE + 3; i++) hand_in(stun, sizeof stun, ELSEWHERE);
    CHECK_EQUAL(stats().rare_full, 3);
    for (int i = 0; i < MP_MEDIA_RARE_QUEUE; i++) {
        CHECK(mp_media_socket_take_rare(s, &rare));
        CHECK_EQUAL(rare.kind, MP_RARE_STUN);
        CHECK_EQUAL(rare.size, sizeof stun);
        CHECK(memcmp(rare.bytes, stun, sizeof stun) == 0);
        CHECK(mp_address_same(&rare.from, &ELSEWHERE));
    }
    hand_in(stun, 19, ELSEWHERE);
    stun[4] = 0;
    hand_in(stun, sizeof stun, ELSEWHERE);
    CHECK_EQUAL(stats().rubbish, 2);
    CHECK(!mp_media_socket_take_rare(s, &rare));
    end();
}

static void doubles_and_yesterdays_packets_are_dropped(void) {
    begin();
    sealed first = seal(KEY, KEY_ID, MP_MEDIA_SOURCE, SENDER, 1);
    hand_in(first.bytes, first.size, HOME);
    hand_in(first.bytes, first.size, RELAY); /* The other way of an overlap. */
    for (uint64_t c = 2; c <= 2000; c++) {
        now_ns += SECOND_NS / 3000;
        hand_in_sealed(MP_MEDIA_SOURCE, c, HOME);
        taken();
    }
    hand_in(first.bytes, first.size, HOME); /* Yesterday's. */
    hand_in_sealed(MP_MEDIA_SOURCE, 2000 - MP_REPLAY_WINDOW, HOME);
    CHECK_EQUAL(taken(), 0);
    CHECK_EQUAL(sender_stats().packets, 2000);
    CHECK_EQUAL(sender_stats().duplicates, 3);
    CHECK_EQUAL(sender_stats().lost, 0);
    CHECK_EQUAL(sender_stats().via_relay, 0);
    CHECK_EQUAL(stats().replayed, 3);
    CHECK_EQUAL(sender_stats().stale, 2); /* not what the other way brought */
    end();
}

/* One bit anywhere, a cut anywhere: nothing comes out, and it is counted. */
static void broken_datagrams_have_no_effect(void) {
    begin();
    sealed whole = seal(KEY, KEY_ID, MP_MEDIA_SOURCE, SENDER, 77);
    for (uint32_t bit = 0; bit < whole.size * 8; bit++) {
        sealed broken = whole;
        broken.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        hand_in(broken.bytes, broken.size, HOME);
    }
    for (uint32_t size = 0; size < whole.size; size++) hand_in(whole.bytes, size, HOME);
    mp_media_socket_stats got = stats();
    CHECK_EQUAL(got.media, 0);
    CHECK_EQUAL(got.rubbish + got.unknown_key + got.unknown_sender + got.forged,
                whole.size * 8 + whole.size);
    CHECK_EQUAL(got.unknown_key, 16);
    CHECK_EQUAL(got.unknown_sender, 32);
    CHECK_EQUAL(sender_stats().packets, 0);
    CHECK_EQUAL(sender_stats().lost, 0);
    CHECK_EQUAL(sender_stats().via_relay, -1);
    hand_in(whole.bytes, whole.size, HOME); /* They did not use its counter up. */
    CHECK_EQUAL(taken(), 1);
    end();
}

static void strangers_are_told_apart_by_what_is_strange(void) {
    uint8_t long_one[MP_MEDIA_DATAGRAM + 1] = {0xF0, 1};
    begin();
    sealed made = seal(NEXT_KEY, KEY_ID, MP_MEDIA_SOURCE, SENDER, 1);
    hand_in(made.bytes, made.size, HOME);
    CHECK_EQUAL(stats().forged, 1);
    made = seal(KEY, NEXT_KEY_ID, MP_MEDIA_SOURCE, SENDER, 1);
    hand_in(made.bytes, made.size, HOME);
    CHECK_EQUAL(stats().unknown_key, 1);
    made = seal(KEY, KEY_ID, MP_MEDIA_SOURCE, SENDER + 1, 1);
    hand_in(made.bytes, made.size, HOME);
    CHECK_EQUAL(stats().unknown_sender, 1);
    hand_in_sealed(MP_MEDIA_HELLO, 1, HOME); /* Only the relay hears these, */
    hand_in_sealed(MP_MEDIA_HELLO_OK, 2, HOME); /* and only it says these, */
    made = seal(KEY, KEY_ID, MP_MEDIA_SOURCE, 0, 1);
    hand_in(made.bytes, made.size, HOME); /* and nothing else. */
    CHECK_EQUAL(stats().forged, 4);
    hand_in(long_one, sizeof long_one, HOME);
    CHECK_EQUAL(stats().too_long, 1);
    CHECK_EQUAL(stats().media + stats().hello_ok, 0);
    end();
}

static void a_full_queue_is_counted(void) {
    begin();
    for (uint64_t c = 1; c <= MP_MEDIA_QUEUE + 9; c++) hand_in_sealed(MP_MEDIA_SOURCE, c, HOME);
    CHECK_EQUAL(taken(), MP_MEDIA_QUEUE);
    CHECK_EQUAL(stats().queue_full, 9);
    CHECK_EQUAL(sender_stats().queue_full, 9);
    end();
}

/* Python has to look at STUN's messages: a flood of them does not keep it from the others'. */
static void a_flood_of_stun_is_cut(void) {
    uint8_t stun[28] = {0, 1, 0, 8, 0x21, 0x12, 0xA4, 0x42, 5};
    mp_rare rare;
    begin();
    for (int i = 0; i < 5000; i++) {
        now_ns += SECOND_NS / 5000;
        hand_in(stun, sizeof stun, ELSEWHERE);
        if (i % 100 == 0) hand_in(stun, sizeof stun, HOME);
        while (mp_media_socket_take_rare(s, &rare)) {}
    }
    CHECK_EQUAL(stats().rare_full, 0);
    CHECK_WITHIN(stats().stun, 1000 + 200 + 50, 20);
    uint64_t before = stats().stun;
    for (uint32_t i = 0; i < 5000; i++) { /* in as many names */
        mp_address invented = {.family = 4, .ip = {11, 0, (uint8_t)(i >> 8), (uint8_t)i}, .port = 9};
        now_ns += SECOND_NS / 5000;
        hand_in(stun, sizeof stun, invented);
        while (mp_media_socket_take_rare(s, &rare)) {}
    }
    CHECK_WITHIN(stats().stun - before, 3000 + 600, 20);
    end();
}

/* 4,000 a second and a burst of 200 ms; then a second later again. */
static void a_flood_is_dropped_unopened(void) {
    enum { BURST = MP_MEDIA_FLOOD / 5 };
    begin();
    uint64_t counter = 1;
    hand_in_sealed(MP_MEDIA_SOURCE, counter++, HOME);
    sealed forged = seal(NEXT_KEY, KEY_ID, MP_MEDIA_SOURCE, SENDER, 1);
    for (int i = 0; i < 3 * BURST; i++) hand_in(forged.bytes, forged.size, ELSEWHERE);
    CHECK_WITHIN(stats().forged, BURST, 2);
    CHECK_EQUAL(stats().forged + stats().flooded, 3 * BURST);
    CHECK_EQUAL(sender_stats().flooded, stats().flooded);
    /* The sender itself is where it was, and is heard. */
    for (int i = 0; i < BURST; i++) hand_in_sealed(MP_MEDIA_SOURCE, counter++, HOME);
    CHECK_EQUAL(sender_stats().packets, BURST + 1);
    for (int i = 0; i < BURST; i++) hand_in_sealed(MP_MEDIA_SOURCE, counter++, HOME);
    CHECK_WITHIN(sender_stats().packets, BURST + 1, 2);
    now_ns += SECOND_NS;
    for (int i = 0; i < BURST; i++) hand_in_sealed(MP_MEDIA_SOURCE, counter++, HOME);
    CHECK_WITHIN(sender_stats().packets, 2 * BURST + 1, 2);
    end();
}

/* A member takes another id under the next key; what is under way under the old one counts too. */
static void a_key_changes_without_a_loss(void) {
    begin();
    for (uint64_t c = 1; c <= 10; c++) hand_in_sealed(MP_MEDIA_SOURCE, c, HOME);
    CHECK(mp_media_socket_add_key(s, NEXT_KEY_ID, NEXT_KEY) == MP_OK);
    CHECK(mp_media_socket_hear(s, SLOT, SENDER + 50, NEXT_KEY_ID) == MP_OK);
    for (uint64_t c = 1; c <= 10; c++) {
        sealed next = seal(NEXT_KEY, NEXT_KEY_ID, MP_MEDIA_SOURCE, SENDER + 50, c);
        hand_in(next.bytes, next.size, HOME);
        hand_in_sealed(MP_MEDIA_SOURCE, 10 + c, HOME);
    }
    CHECK_EQUAL(taken(), 30);
    CHECK_EQUAL(sender_stats().packets, 30);
    CHECK_EQUAL(sender_stats().lost, 0);
    sealed mixed = seal(NEXT_KEY, NEXT_KEY_ID, MP_MEDIA_SOURCE, SENDER, 40);
    hand_in(mixed.bytes, mixed.size, HOME);
    CHECK_EQUAL(stats().unknown_sender, 1);
    CHECK(mp_media_socket_remove_key(s, KEY_ID) == MP_OK);
    hand_in_sealed(MP_MEDIA_SOURCE, 40, HOME);
    CHECK_EQUAL(stats().unknown_key, 1);
    /* The same key again, and the same id, have seen what they have seen. */
    CHECK(mp_media_socket_add_key(s, NEXT_KEY_ID, NEXT_KEY) == MP_OK);
    CHECK(mp_media_socket_hear(s, SLOT, SENDER + 50, NEXT_KEY_ID) == MP_OK);
    sealed again = seal(NEXT_KEY, NEXT_KEY_ID, MP_MEDIA_SOURCE, SENDER + 50, 3);
    hand_in(again.bytes, again.size, HOME);
    CHECK_EQUAL(stats().replayed, 1);
    /* A third key pushes the oldest out, a third id too. */
    CHECK(mp_media_socket_add_key(s, 30, KEY) == MP_OK);
    CHECK(mp_media_socket_add_key(s, 31, KEY) == MP_OK);
    CHECK(mp_media_socket_hear(s, SLOT, 30, 30) == MP_OK);
    CHECK(mp_media_socket_hear(s, SLOT, 31, 31) == MP_OK);
    hand_in(again.bytes, again.size, HOME);
    CHECK_EQUAL(stats().unknown_key, 2);
    end();
}

static void slots_have_rules(void) {
    begin();
    mp_media_sender_stats none;
    CHECK(mp_media_socket_hear(s, MP_MEDIA_SENDERS, 5, KEY_ID) == MP_OUT_OF_RANGE);
    CHECK(mp_media_socket_hear(s, 0, 0, KEY_ID) == MP_OUT_OF_RANGE);
    CHECK(mp_media_socket_get_sender(s, 0, &none) == MP_OUT_OF_RANGE);
    CHECK(mp_media_socket_unhear(s, SLOT) == MP_OK);
    hand_in_sealed(MP_MEDIA_SOURCE, 1, HOME);
    CHECK_EQUAL(stats().unknown_sender, 1);
    CHECK(mp_media_socket_hear(s, 0, SENDER, KEY_ID) == MP_OK);
    end();
}

/* A server that was started again counts its members anew. */
static void an_id_is_the_slots_that_was_told_last(void) {
    mp_media_packet packet;
    begin();
    CHECK(mp_media_socket_hear(s, 0, SENDER + 1, KEY_ID) == MP_OK);
    CHECK(mp_media_socket_hear(s, 0, SENDER, KEY_ID) == MP_OK);
    CHECK(mp_media_socket_hear(s, SLOT, SENDER + 1, KEY_ID) == MP_OK);
    hand_in_sealed(MP_MEDIA_SOURCE, 1, HOME);
    CHECK(mp_media_socket_take(s, 0, &packet) == 1);
    CHECK(mp_media_socket_take(s, SLOT, &packet) == 0);
    sealed other = seal(KEY, KEY_ID, MP_MEDIA_SOURCE, SENDER + 1, 1);
    hand_in(other.bytes, other.size, HOME);
    CHECK(mp_media_socket_take(s, 0, &packet) == 0);
    CHECK(mp_media_socket_take(s, SLOT, &packet) == 1);
    end();
}

static int sunk;

static int sink(void *arg, uint32_t slot, const mp_media_packet *packet) {
    CHECK(arg == &sunk);
    CHECK_EQUAL(slot, SLOT);
    CHECK_EQUAL(packet->size, 8);
    return ++sunk == 3; /* the third is refused */
}

static void a_sink_stands_in_for_the_queue(void) {
    begin();
    CHECK(mp_media_socket_set_sink(s, sink, &sunk) == MP_OK);
    for (uint64_t c = 1; c <= 4; c++) hand_in_sealed(MP_MEDIA_SOURCE, c, HOME);
    CHECK_EQUAL(sunk, 4);
    CHECK_EQUAL(taken(), 0);
    CHECK_EQUAL(stats().queue_full, 1);
    CHECK(mp_media_socket_set_sink(s, NULL, NULL) == MP_OK);
    hand_in_sealed(MP_MEDIA_SOURCE, 5, HOME);
    CHECK_EQUAL(taken(), 1);
    end();
}

/* ---- the same numbers in every run ---- */

static uint64_t seed = 2026;

static sealed made_up(sealed *last, uint64_t about) {
    sealed made = seal(random_bits(&seed) % 4 ? KEY : NEXT_KEY, KEY_ID,
                       (mp_media_kind)(random_bits(&seed) % MP_MEDIA_KINDS),
                       random_bits(&seed) % 4 ? SENDER : 0, about + random_bits(&seed) % 2000);
    switch (random_bits(&seed) % 6) {
    case 0: made = *last; break; /* a replay */
    case 1: made.size = (uint32_t)random_between(&seed, 0, made.size); break;
    case 2: made.bytes[random_bits(&seed) % made.size] ^= (uint8_t)random_bits(&seed); break;
    case 3: made.bytes[random_bits(&seed) % MP_MEDIA_HEADER] = (uint8_t)random_bits(&seed); break;
    case 4:
        made.size = (uint32_t)random_between(&seed, 0, MP_MEDIA_DATAGRAM);
        for (uint32_t i = 0; i < made.size; i++) made.bytes[i] = (uint8_t)random_bits(&seed);
        if (made.size > 8 && random_bits(&seed) % 2) {
            static const uint8_t cookie[] = {0x21, 0x12, 0xA4, 0x42};
            made.bytes[0] &= 3;
            memcpy(made.bytes + 4, cookie, 4);
        }
        break;
    }
    return *last = made;
}

/* Each datagram is counted once, as what it is, and what comes out is what was put in. */
static void fuzzed_datagrams_are_all_accounted_for(int64_t count) {
    begin();
    sealed last = seal(KEY, KEY_ID, MP_MEDIA_SOURCE, SENDER, 1);
    mp_rare rare;
    for (int64_t i = 0; i < count; i++) {
        sealed made = made_up(&last, 1 + (uint64_t)i);
        now_ns += SECOND_NS / 3000;
        hand_in(made.bytes, made.size, random_bits(&seed) % 2 ? HOME : RELAY);
        mp_media_packet packet;
        while (mp_media_socket_take(s, SLOT, &packet)) {
            CHECK(packet.kind <= MP_MEDIA_CONTROL);
            CHECK(packet.size == 8 && memcmp(packet.bytes, "payload", 8) == 0);
        }
        while (mp_media_socket_take_rare(s, &rare)) CHECK(rare.size <= MP_MEDIA_DATAGRAM);
    }
    mp_media_socket_stats got = stats();
    CHECK_EQUAL(got.datagrams, count);
    CHECK_EQUAL(got.media + got.stun + got.hello_ok + got.rubbish + got.too_long + got.flooded +
                    got.unknown_sender + got.unknown_key + got.forged + got.replayed,
                count);
    CHECK((int64_t)got.media > count / 50 && (int64_t)got.stun > count / 50);
    CHECK((int64_t)got.hello_ok > count / 500 && (int64_t)got.forged > count / 50);
    printf("{\"media\": %" PRIu64 ", \"stun\": %" PRIu64 ", \"hello_ok\": %" PRIu64
           ", \"rubbish\": %" PRIu64 ", \"unknown\": %" PRIu64 ", \"forged\": %" PRIu64
           ", \"replayed\": %" PRIu64 ", \"flooded\": %" PRIu64 "}\n",
           got.media, got.stun, got.hello_ok, got.rubbish, got.unknown_sender + got.unknown_key,
           got.forged, got.replayed, got.flooded);
    CHECK_EQUAL(sender_stats().packets, got.media);
    CHECK_EQUAL(got.rare_full + got.queue_full, 0);
    end();
}

int main(int argc, char **argv) {
    if (mp_sodium_available() != MP_OK) return 0;
    each_kind_goes_where_it_belongs();
    what_the_relay_answers_goes_up_once();
    stun_goes_up();
    a_flood_of_stun_is_cut();
    doubles_and_yesterdays_packets_are_dropped();
    broken_datagrams_have_no_effect();
    strangers_are_told_apart_by_what_is_strange();
    a_full_queue_is_counted();
    a_flood_is_dropped_unopened();
    a_key_changes_without_a_loss();
    slots_have_rules();
    an_id_is_the_slots_that_was_told_last();
    a_sink_stands_in_for_the_queue();
    if (argc > 2) seed = strtoull(argv[2], NULL, 10);
    fuzzed_datagrams_are_all_accounted_for(argc > 1 ? strtoll(argv[1], NULL, 10) : 200000);
    return 0;
}
