/* Sockets of loopback that talk to each other: nothing that was sent may be lost or come twice. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../src/media_socket.h"
#include "check.h"

enum { KEY_ID = 7, SENDER = 1001, SLOT = 3, MANY = 2000, AHEAD = 32, SWAPS = 300 };
static const int64_t SECOND_NS = 1000000000;
static const struct timespec A_PACKET = {.tv_nsec = 600000};
static uint8_t key[MP_MEDIA_KEY] = {42};

typedef struct {
    int fd, wake_from, wake_to;
    mp_address address;
    mp_media_socket *socket;
} member;

static member joined(int family) {
    struct sockaddr_storage address = {.ss_family = (sa_family_t)family};
    socklen_t size = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    int wake[2];
    mp_status status;
    member m = {.fd = socket(family, SOCK_DGRAM, 0)};
    if (family == AF_INET)
        ((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(m.fd >= 0 && bind(m.fd, (struct sockaddr *)&address, size) == 0 && pipe(wake) == 0);
    m.wake_from = wake[0];
    m.wake_to = wake[1];
    CHECK(fcntl(m.wake_to, F_SETFL, O_NONBLOCK) == 0);
    CHECK(fcntl(m.wake_from, F_SETFL, O_NONBLOCK) == 0);
    CHECK(getsockname(m.fd, (struct sockaddr *)&address, &size) == 0);
    m.address = mp_address_from_socket(&address);
    if (m.address.family == 6) m.address = (mp_address){4, {127, 0, 0, 1}, m.address.port, 0};
    m.socket = mp_media_socket_start(m.fd, m.wake_to, 0, &status);
    CHECK(m.socket != NULL && status == MP_OK);
    CHECK(mp_media_socket_add_key(m.socket, KEY_ID, key) == MP_OK);
    return m;
}

static void leave(member *m) {
    int64_t before_ns = mp_host_now_ns();
    mp_media_socket_stop(m->socket);
    CHECK(mp_host_now_ns() - before_ns < 2 * SECOND_NS);
    close(m->fd);
    close(m->wake_from);
    close(m->wake_to);
}

static void sends_to(member *m, const member *to) {
    mp_destination destination = {.address = to->address};
    CHECK(mp_media_socket_set_destinations(m->socket, &destination, 1) == MP_OK);
}

static int64_t in_a_while_ns(void) { return mp_host_now_ns() + 20 * SECOND_NS; }

static void take(member *m, mp_media_packet *packet) {
    for (int64_t end_ns = in_a_while_ns(); !mp_media_socket_take(m->socket, SLOT, packet);) {
        CHECK(mp_host_now_ns() < end_ns);
        sched_yield();
    }
}

static void wait_rare(member *m, mp_rare *rare) {
    struct pollfd waiting = {.fd = m->wake_from, .events = POLLIN};
    char byte;
    CHECK(poll(&waiting, 1, 20000) == 1);
    CHECK(read(m->wake_from, &byte, 1) == 1);
    CHECK(mp_media_socket_take_rare(m->socket, rare));
    mp_rare more;
    CHECK(!mp_media_socket_take_rare(m->socket, &more));
}

static mp_media_socket_stats stats(member *m) {
    mp_media_socket_stats got;
    mp_media_socket_get_stats(m->socket, &got);
    return got;
}

/* ---- one at a time ---- */

static void packets_cross(int family) {
    member a = joined(AF_INET), b = joined(family);
    uint8_t bytes[MP_MEDIA_PAYLOAD];
    mp_media_packet packet;
    CHECK(mp_media_socket_send_as(a.socket, KEY_ID, key, SENDER, 0) == MP_OK);
    CHECK(mp_media_socket_hear(b.socket, SLOT, SENDER, KEY_ID) == MP_OK);
    sends_to(&a, &b);
    for (int i = 0; i < 100; i++) {
        int64_t before_ns = mp_host_now_ns();
        uint32_t size = i == 99 ? MP_MEDIA_PAYLOAD : (uint32_t)i;
        memset(bytes, i, sizeof bytes);
        CHECK(mp_media_socket_send(a.socket, i % 3, 1000 + i, bytes, size) == MP_OK);
        take(&b, &packet);
        CHECK_EQUAL(packet.kind, i % 3);
        CHECK_EQUAL(packet.size, size);
        CHECK_EQUAL(packet.capture_us, 1000 + i);
        CHECK(memcmp(packet.bytes, bytes, size) == 0);
        /* CLOCK_REALTIME, which stamps arrivals, may be slewed. */
        CHECK(packet.received_ns > before_ns - SECOND_NS / 1000);
        CHECK(packet.received_ns <= mp_host_now_ns());
    }
    mp_media_sender_stats heard;
    CHECK(mp_media_socket_get_sender(b.socket, SLOT, &heard) == MP_OK);
    CHECK_EQUAL(heard.packets, 100);
    CHECK_EQUAL(heard.lost + heard.duplicates + heard.out_of_order, 0);
    CHECK(mp_address_same(&heard.from, &a.address));
    CHECK_EQUAL(stats(&a).sealed, 100);
    CHECK_EQUAL(stats(&a).sent, 100);
    CHECK_EQUAL(stats(&a).counter, 100);
    leave(&a);
    leave(&b);
}

static void stun_and_hello_cross(void) {
    member a = joined(AF_INET), relay = joined(AF_INET6);
    uint8_t stun[20] = {0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42};
    mp_rare rare;
    for (int i = 0; i < 3; i++) { /* each of them wakes */
        CHECK(mp_media_socket_send_raw(a.socket, &relay.address, stun, sizeof stun) == MP_OK);
        wait_rare(&relay, &rare);
        CHECK_EQUAL(rare.kind, MP_RARE_STUN);
        CHECK_EQUAL(rare.size, sizeof stun);
        CHECK(mp_address_same(&rare.from, &a.address));
    }
    CHECK(mp_media_socket_send_raw(relay.socket, &rare.from, stun, sizeof stun) == MP_OK);
    wait_rare(&a, &rare);
    CHECK(mp_address_same(&rare.from, &relay.address));
    CHECK(mp_media_socket_hello(a.socket, &relay.address, 5) == MP_NO_MEDIA_KEY);
    CHECK(mp_media_socket_send_as(a.socket, KEY_ID, key, SENDER, 0) == MP_OK);
    CHECK(mp_media_socket_hear(relay.socket, SLOT, SENDER, KEY_ID) == MP_OK);
    CHECK(mp_media_socket_hello(a.socket, &relay.address, 5) == MP_OK);
    for (int64_t end_ns = in_a_while_ns(); stats(&relay).forged == 0;) {
        CHECK(mp_host_now_ns() < end_ns); /* To a member it is nothing. */
        sched_yield();
    }
    leave(&a);
    leave(&relay);
}

static void what_cannot_be_sent_is_refused(void) {
    member a = joined(AF_INET);
    uint8_t bytes[MP_MEDIA_DATAGRAM + 1] = {0};
    mp_destination places[MP_MEDIA_DESTINATIONS + 1] = {0};
    mp_address six = {.family = 6, .ip = {[15] = 1}, .port = 9}, no_port = {.family = 4};
    CHECK(mp_media_socket_send(a.socket, 0, 0, bytes, 1) == MP_NO_MEDIA_KEY);
    CHECK(mp_media_socket_keepalive(a.socket, 0) == MP_NO_MEDIA_KEY);
    CHECK_EQUAL(stats(&a).no_key, 2);
    CHECK(mp_media_socket_send_as(a.socket, KEY_ID, key, 0, 0) == MP_OUT_OF_RANGE);
    CHECK(mp_media_socket_send_as(a.socket, KEY_ID, key, 5, (uint64_t)1 << 48) == MP_OUT_OF_RANGE);
    CHECK(mp_media_socket_send_as(a.socket, KEY_ID, key, 5, 0) == MP_OK);
    CHECK(mp_media_socket_send(a.socket, 0, 0, bytes, 1) == MP_OK); /* to nobody */
    CHECK(mp_media_socket_send(a.socket, MP_MEDIA_HELLO, 0, bytes, 1) == MP_OUT_OF_RANGE);
    CHECK(mp_media_socket_send(a.socket, -1, 0, bytes, 1) == MP_OUT_OF_RANGE);
    CHECK(mp_media_socket_send(a.socket, 0, 0, bytes, MP_MEDIA_PAYLOAD + 1) == MP_OUT_OF_RANGE);
    CHECK(mp_media_socket_send_raw(a.socket, &six, bytes, 20) == MP_OUT_OF_RANGE);
    CHECK(mp_media_socket_send_raw(a.socket, &no_port, bytes, 20) == MP_OUT_OF_RANGE);
    CHECK(mp_media_socket_send_raw(a.socket, &a.address, bytes, sizeof bytes) == MP_OUT_OF_RANGE);
    places[0].address = six;
    CHECK(mp_media_socket_set_destinations(a.socket, places, 1) == MP_OUT_OF_RANGE);
    for (int i = 0; i <= MP_MEDIA_DESTINATIONS; i++) places[i].address = a.address;
    CHECK(mp_media_socket_set_destinations(a.socket, places, MP_MEDIA_DESTINATIONS + 1) ==
          MP_OUT_OF_RANGE);
    CHECK(mp_media_socket_send_nothing(a.socket) == MP_OK);
    CHECK(mp_media_socket_send(a.socket, 0, 0, bytes, 1) == MP_NO_MEDIA_KEY);
    leave(&a);
}

/* Whoever sends again with a key and an id goes on counting: no nonce comes twice. */
static void counters_never_come_again(void) {
    member a = joined(AF_INET);
    uint8_t other[MP_MEDIA_KEY] = {43};
    CHECK(mp_media_socket_send_as(a.socket, KEY_ID, key, SENDER, 0) == MP_OK);
    for (int i = 0; i < 5; i++) CHECK(mp_media_socket_keepalive(a.socket, 0) == MP_OK);
    CHECK_EQUAL(stats(&a).counter, 5);
    CHECK(mp_media_socket_send_as(a.socket, KEY_ID + 1, other, SENDER + 1, 0) == MP_OK);
    CHECK_EQUAL(stats(&a).counter, 0);
    CHECK(mp_media_socket_keepalive(a.socket, 0) == MP_OK);
    CHECK(mp_media_socket_send_as(a.socket, KEY_ID, key, SENDER, 0) == MP_OK);
    CHECK_EQUAL(stats(&a).counter, 5);
    CHECK(mp_media_socket_send_as(a.socket, KEY_ID + 2, key, SENDER, 0) == MP_OUT_OF_RANGE);
    CHECK(mp_media_socket_send_as(a.socket, KEY_ID, key, SENDER, 100) == MP_OK);
    CHECK_EQUAL(stats(&a).counter, 100);
    CHECK(mp_media_socket_keepalive(a.socket, 0) == MP_OK);
    CHECK_EQUAL(stats(&a).counter, 101);
    CHECK(mp_media_socket_send_as(a.socket, KEY_ID, key, SENDER, ((uint64_t)1 << 48) - 1) == MP_OK);
    CHECK(mp_media_socket_keepalive(a.socket, 0) == MP_NO_MEDIA_KEY); /* They are used up. */
    leave(&a);
}

/* A way that is over is not used; one that leads nowhere does not keep the others. */
static void ways_are_used_while_they_last(void) {
    member a = joined(AF_INET), b = joined(AF_INET), c = joined(AF_INET);
    mp_media_packet packet;
    /* The system refuses it, as nobody asked it for broadcasts. */
    mp_address nowhere = {.family = 4, .ip = {255, 255, 255, 255}, .port = 1};
    int64_t now_ns = mp_host_now_ns();
    mp_destination ways[] = {
        {nowhere, 0}, {c.address, now_ns}, {b.address, 0}, {b.address, INT64_MAX}};
    CHECK(mp_media_socket_send_as(a.socket, KEY_ID, key, SENDER, 0) == MP_OK);
    CHECK(mp_media_socket_hear(b.socket, SLOT, SENDER, KEY_ID) == MP_OK);
    CHECK(mp_media_socket_set_destinations(a.socket, ways, 4) == MP_OK);
    for (int i = 0; i < 50; i++) {
        CHECK(mp_media_socket_send(a.socket, 0, i, NULL, 0) == MP_OK);
        take(&b, &packet);
        CHECK_EQUAL(packet.capture_us, i);
    }
    for (int64_t end_ns = in_a_while_ns(); stats(&b).replayed < 50;) {
        CHECK(mp_host_now_ns() < end_ns);
        sched_yield();
    }
    CHECK_EQUAL(stats(&c).datagrams, 0);
    CHECK_EQUAL(stats(&a).sealed, 50);
    CHECK_EQUAL(stats(&a).sent, 100);
    CHECK_EQUAL(stats(&a).send_failed, 50);
    leave(&a);
    leave(&b);
    leave(&c);
}

static void what_is_sent_is_marked_as_voice(void) {
    member a = joined(AF_INET);
    int tos = 0;
    socklen_t size = sizeof tos;
    CHECK(getsockopt(a.fd, IPPROTO_IP, IP_TOS, &tos, &size) == 0);
    CHECK_EQUAL(stats(&a).dscp, tos == 46 << 2);
    leave(&a);
}

/* ---- two threads ---- */

typedef struct {
    member *from, *to;
    _Atomic int taken;
    _Atomic int done;
} stream;

static void *send_many(void *arg) {
    stream *s = arg;
    for (int i = 0; i < MANY; i++) {
        while (i - atomic_load(&s->taken) > AHEAD) sched_yield();
        nanosleep(&A_PACKET, NULL); /* Twice of that is still no flood. */
        CHECK(mp_media_socket_send(s->from->socket, MP_MEDIA_SOURCE, i, (uint8_t *)&i, sizeof i) ==
              MP_OK);
    }
    atomic_store(&s->done, 1);
    return NULL;
}

static void *take_many(void *arg) {
    stream *s = arg;
    for (int i = 0; i < MANY; i++) {
        mp_media_packet packet;
        int number;
        /* In turns the receive thread does it, and the codec thread while that rests. */
        if (i / 200 % 2) mp_media_socket_arrive(s->to->socket);
        take(s->to, &packet);
        memcpy(&number, packet.bytes, sizeof number);
        CHECK_EQUAL(number, i);
        CHECK_EQUAL(packet.capture_us, i);
        atomic_store(&s->taken, i + 1);
    }
    return NULL;
}

/* While they play, ways come and go, keys change, others come and go: each packet comes once. */
static void changes_cost_no_packet(void) {
    member a = joined(AF_INET), b = joined(AF_INET);
    stream s = {.from = &a, .to = &b};
    pthread_t sender, taker;
    mp_clock_map map = {.room_ns = 5};
    CHECK(mp_media_socket_send_as(a.socket, KEY_ID, key, SENDER, 0) == MP_OK);
    CHECK(mp_media_socket_hear(b.socket, SLOT, SENDER, KEY_ID) == MP_OK);
    sends_to(&a, &b);
    CHECK(pthread_create(&sender, NULL, send_many, &s) == 0);
    CHECK(pthread_create(&taker, NULL, take_many, &s) == 0);
    uint16_t key_id = KEY_ID;
    for (uint32_t i = 1; !atomic_load(&s.done); i++) {
        mp_destination both[] = {{b.address, 0}, {b.address, 0}};
        mp_media_sender_stats heard;
        CHECK(mp_media_socket_set_destinations(a.socket, both, 1 + i % 2) == MP_OK);
        CHECK(mp_media_socket_set_map(b.socket, i % 2 ? &map : NULL) == MP_OK);
        CHECK(mp_media_socket_hear(b.socket, SLOT + 1, 5000 + i, KEY_ID) == MP_OK);
        if (i % 3 == 0) CHECK(mp_media_socket_unhear(b.socket, SLOT + 1) == MP_OK);
        CHECK(mp_media_socket_get_sender(b.socket, SLOT, &heard) == MP_OK);
        CHECK(heard.packets == heard.source);
        /* The next key, once nothing is under way with the one before the last. */
        if (i % 20 == 0 && key_id < KEY_ID + SWAPS) {
            int taken = atomic_load(&s.taken);
            uint8_t next[MP_MEDIA_KEY] = {(uint8_t)++key_id, (uint8_t)(key_id >> 8), 1};
            CHECK(mp_media_socket_add_key(b.socket, key_id, next) == MP_OK);
            CHECK(mp_media_socket_hear(b.socket, SLOT, key_id, key_id) == MP_OK);
            CHECK(mp_media_socket_send_as(a.socket, key_id, next, key_id, 0) == MP_OK);
            while (!atomic_load(&s.done) && atomic_load(&s.taken) < taken + 2 * AHEAD)
                sched_yield();
        }
        nanosleep(&A_PACKET, NULL);
    }
    pthread_join(sender, NULL);
    pthread_join(taker, NULL);
    mp_media_sender_stats heard;
    CHECK(mp_media_socket_get_sender(b.socket, SLOT, &heard) == MP_OK);
    CHECK_EQUAL(heard.packets, MANY);
    CHECK_EQUAL(heard.lost, 0);
    CHECK(key_id > KEY_ID);
    CHECK_EQUAL(stats(&b).forged + stats(&b).unknown_key + stats(&b).unknown_sender, 0);
    leave(&a);
    leave(&b);
}

int main(void) {
    if (mp_sodium_available() != MP_OK) return 0;
    packets_cross(AF_INET);
    packets_cross(AF_INET6);
    stun_and_hello_cross();
    what_cannot_be_sent_is_refused();
    counters_never_come_again();
    ways_are_used_while_they_last();
    what_is_sent_is_marked_as_voice();
    changes_cost_no_packet();
    return 0;
}
