#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../src/rt.h"
#include "check.h"

enum { ANNA = 1, BERT = 2, ROUNDS = 200 };
static const uint8_t KEY[MP_MEDIA_KEY] = {1, 2, 3};
static const mp_relay_limits LIMITS = {1000000, 4000000000u, 1000};

static int udp_socket(struct sockaddr_in *address) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t size = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(fd >= 0 && bind(fd, (struct sockaddr *)address, size) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)address, &size) == 0);
    return fd;
}

typedef struct {
    int fd, stun_fd;
    struct sockaddr_in stun_address;
    mp_relay *relay;
    int client[3]; /* by sender id */
    uint64_t counter[3];
} stage;

static stage started(void) {
    struct sockaddr_in there, here;
    mp_status status;
    stage s = {.fd = udp_socket(&there)};
    s.stun_fd = udp_socket(&s.stun_address);
    s.relay = mp_relay_start(s.fd, s.stun_fd, 4, &LIMITS, &status);
    CHECK(s.relay != NULL && status == MP_OK);
    for (uint32_t m = ANNA; m <= BERT; m++) {
        s.client[m] = udp_socket(&here);
        CHECK(connect(s.client[m], (struct sockaddr *)&there, sizeof there) == 0);
        CHECK_EQUAL(mp_relay_add(s.relay, m, 0, 7, KEY), MP_OK);
    }
    return s;
}

static void stop(stage *s) {
    mp_relay_stop(s->relay);
    close(s->fd);
    close(s->stun_fd);
    close(s->client[ANNA]);
    close(s->client[BERT]);
}

static uint32_t send_as(stage *s, uint32_t sender, uint8_t kind, uint8_t *data) {
    mp_media_header header = {kind, 7, sender, ++s->counter[sender], 0};
    uint32_t size = mp_media_seal(KEY, &header, KEY, 5, data);
    CHECK(size > 0 && send(s->client[sender], data, size, 0) == (ssize_t)size);
    return size;
}

static ssize_t receive(int fd, uint8_t *data, size_t size) {
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    CHECK(poll(&waiting, 1, 20000) == 1);
    return recv(fd, data, size, 0);
}

static void say_hello(stage *s, uint32_t sender) {
    uint8_t data[MP_MEDIA_DATAGRAM], payload[MP_MEDIA_PAYLOAD];
    mp_media_header header;
    struct sockaddr_in here;
    socklen_t here_size = sizeof here;
    send_as(s, sender, MP_MEDIA_HELLO, data);
    ssize_t size = receive(s->client[sender], data, sizeof data);
    CHECK_EQUAL(mp_media_open(KEY, data, (uint32_t)size, &header, payload), 16 + 5);
    CHECK_EQUAL(header.kind, MP_MEDIA_HELLO_OK);
    CHECK(getsockname(s->client[sender], (struct sockaddr *)&here, &here_size) == 0);
    CHECK(memcmp(payload + 2, &here.sin_port, 2) == 0);
    CHECK(memcmp(payload + 4, &here.sin_addr, 4) == 0);
    /* Its token shows that we are where it came to. */
    mp_media_header again = {MP_MEDIA_HELLO, 7, sender, ++s->counter[sender], 0};
    uint32_t made = mp_media_seal(KEY, &again, payload + 8, MP_RELAY_TOKEN, data);
    CHECK(send(s->client[sender], data, made, 0) == (ssize_t)made);
    CHECK(receive(s->client[sender], data, sizeof data) > 0);
}

static void what_one_sends_the_other_gets_as_it_was(void) {
    stage s = started();
    uint8_t sent[MP_MEDIA_DATAGRAM], got[MP_MEDIA_DATAGRAM];
    for (int i = 0; i < ROUNDS; i++) {
        if (i % 50 == 0) say_hello(&s, ANNA);
        if (i % 50 == 0) say_hello(&s, BERT);
        uint32_t size = send_as(&s, ANNA, i % 3, sent);
        CHECK_EQUAL(receive(s.client[BERT], got, sizeof got), size);
        CHECK(memcmp(sent, got, size) == 0);
    }
    CHECK(recv(s.client[ANNA], got, sizeof got, MSG_DONTWAIT) < 0); /* never to its sender */
    mp_relay_stats stats;
    mp_relay_get_stats(s.relay, &stats);
    CHECK_EQUAL(stats.forwarded, ROUNDS);
    CHECK_EQUAL(stats.unsent, 0);
    stop(&s);
}

static void stun_is_answered(void) {
    stage s = started();
    const uint8_t request[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 9, 9};
    uint8_t reply[100];
    CHECK(send(s.client[ANNA], request, sizeof request, 0) == sizeof request);
    CHECK_EQUAL(receive(s.client[ANNA], reply, sizeof reply), 32);
    CHECK(reply[0] == 1 && reply[1] == 1 && memcmp(reply + 4, request + 4, 16) == 0);
    stop(&s);
}

static uint16_t answered_from(int fd, uint8_t *reply) {
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    CHECK(poll(&waiting, 1, 20000) == 1);
    CHECK(recvfrom(fd, reply, 100, 0, (struct sockaddr *)&from, &size) > 0);
    return ntohs(from.sin_port);
}

static void stun_is_answered_at_two_ports_and_from_the_other_one_if_asked(void) {
    stage s = started();
    struct sockaddr_in here, there[2] = {[1] = s.stun_address};
    socklen_t size = sizeof here;
    CHECK(getsockname(s.fd, (struct sockaddr *)&there[0], &size) == 0);
    int fd = udp_socket(&here);
    for (int asked = 0; asked < 2; asked++) {
        for (int other = 0; other < 2; other++) {
            uint8_t request[28] = {0, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42, 9, 9}, reply[100];
            memcpy(request + 20, (uint8_t[8]){0, 3, 0, 4, 0, 0, 0, other ? 2 : 0}, 8);
            CHECK(sendto(fd, request, sizeof request, 0, (struct sockaddr *)&there[asked],
                         sizeof there[0]) == sizeof request);
            CHECK_EQUAL(answered_from(fd, reply), ntohs(there[asked ^ other].sin_port));
            CHECK(reply[0] == 1 && reply[1] == 1);
        }
    }
    /* Nothing but STUN is heard there. */
    mp_relay_stats stats;
    uint8_t hello[MP_MEDIA_DATAGRAM];
    mp_media_header header = {MP_MEDIA_HELLO, 7, ANNA, 1, 0};
    uint32_t made = mp_media_seal(KEY, &header, KEY, 5, hello);
    CHECK(sendto(fd, hello, made, 0, (struct sockaddr *)&there[1], sizeof there[1]) > 0);
    do mp_relay_get_stats(s.relay, &stats);
    while (stats.rubbish == 0);
    CHECK_EQUAL(stats.hellos, 0);
    CHECK_EQUAL(stats.stun, 4);
    close(fd);
    stop(&s);
}

static void *flood(void *arg) {
    stage *s = arg;
    uint8_t data[MP_MEDIA_DATAGRAM];
    for (int i = 0; i < 5000; i++) send_as(s, ANNA, MP_MEDIA_SOURCE, data);
    return NULL;
}

/* Members come, go and are asked about while datagrams pass. */
static void it_can_be_changed_while_it_works(void) {
    stage s = started();
    pthread_t thread;
    mp_relay_member member;
    mp_relay_stats stats;
    say_hello(&s, ANNA);
    say_hello(&s, BERT);
    CHECK(pthread_create(&thread, NULL, flood, &s) == 0);
    for (uint32_t sender = 10; sender < 2000; sender++) {
        CHECK_EQUAL(mp_relay_add(s.relay, sender, 0, 7, KEY), MP_OK);
        CHECK_EQUAL(mp_relay_set_key(s.relay, 0, (uint16_t)sender, KEY), MP_OK);
        CHECK(mp_relay_get_member(s.relay, ANNA, &member));
        mp_relay_get_stats(s.relay, &stats);
        mp_relay_remove(s.relay, sender);
    }
    CHECK(pthread_join(thread, NULL) == 0);
    stop(&s);
}

static void what_cannot_be_served_says_so(void) {
    mp_status status;
    mp_relay_limits none = {0, 1, 1};
    CHECK(mp_relay_start(0, -1, 0, &LIMITS, &status) == NULL && status == MP_OUT_OF_RANGE);
    CHECK(mp_relay_start(0, -1, 4, &none, &status) == NULL && status == MP_OUT_OF_RANGE);
}

int main(void) {
    mp_status status;
    if (mp_sodium_available() != MP_OK) {
        CHECK(mp_relay_start(0, -1, 4, &LIMITS, &status) == NULL && status == MP_NO_LIBSODIUM);
        return 0;
    }
    what_one_sends_the_other_gets_as_it_was();
    stun_is_answered();
    stun_is_answered_at_two_ports_and_from_the_other_one_if_asked();
    it_can_be_changed_while_it_works();
    what_cannot_be_served_says_so();
    return 0;
}
