#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../src/rt.h"
#include "check.h"

enum { SIZE = 44, ROUNDS = 500 };
static const int64_t SECOND_NS = 1000000000;
static const uint8_t CLOCK_ID[8] = {1, 2, 3, 4, 5, 6, 7, 8};

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
    int fd, client;
    mp_responder *responder;
} server;

static server started(void) {
    struct sockaddr_in there, here;
    mp_status status;
    server s = {.fd = udp_socket(&there), .client = udp_socket(&here)};
    CHECK(connect(s.client, (struct sockaddr *)&there, sizeof there) == 0);
    s.responder = mp_responder_start(s.fd, CLOCK_ID, &status);
    CHECK(s.responder != NULL && status == MP_OK);
    return s;
}

static void stop(server *s) {
    int64_t before = mp_host_now_ns();
    mp_responder_stop(s->responder);
    CHECK(mp_host_now_ns() - before < 2 * SECOND_NS);
    close(s->fd);
    close(s->client);
}

static void put_64(uint8_t *at, uint64_t value) {
    for (int i = 0; i < 8; i++) at[i] = (uint8_t)(value >> (56 - 8 * i));
}

static int64_t get_64(const uint8_t *at) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value = value << 8 | at[i];
    return (int64_t)value;
}

static void make_probe(uint8_t *probe, uint64_t nonce) {
    memset(probe, 0, SIZE);
    probe[0] = 0xF0;
    probe[1] = 1;
    put_64(probe + 4, nonce);
    put_64(probe + 12, (uint64_t)mp_host_now_ns());
}

static ssize_t receive(int fd, uint8_t *data, size_t size) {
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    CHECK(poll(&waiting, 1, 20000) == 1);
    return recv(fd, data, size, 0);
}

static void is_answered(int fd, uint64_t nonce) {
    uint8_t probe[SIZE], reply[2048];
    make_probe(probe, nonce);
    int64_t before = mp_host_now_ns();
    CHECK(send(fd, probe, SIZE, 0) == SIZE);
    CHECK_EQUAL(receive(fd, reply, sizeof reply), SIZE);
    int64_t after = mp_host_now_ns();
    CHECK_EQUAL(reply[0], 0xF1);
    CHECK(memcmp(reply + 1, probe + 1, 19) == 0); /* version, zero, nonce, t1 */
    CHECK(memcmp(reply + 36, CLOCK_ID, 8) == 0);
    int64_t t2 = get_64(reply + 20), t3 = get_64(reply + 28);
    CHECK(t2 <= t3);
    CHECK(t3 <= after);
    CHECK(t2 >= before - 1000000); /* CLOCK_REALTIME, which stamps arrivals, may be slewed. */
}

static void probes_are_answered(void) {
    server s = started();
    for (uint64_t i = 0; i < ROUNDS; i++) is_answered(s.client, i * 0x0123456789ABCDEFu);
    mp_responder_stats stats;
    mp_responder_get_stats(s.responder, &stats);
    CHECK(stats.answered >= ROUNDS - 1); /* The last may not be counted yet. */
    CHECK_EQUAL(stats.rubbish, 0);
    stop(&s);
}

/* Each datagram that is no probe is counted, and what comes back after all of them is one reply. */
static void rubbish_is_counted_and_not_answered(void) {
    server s = started();
    uint8_t good[SIZE], data[2048];
    make_probe(good, 1);
    const size_t sizes[] = {0, 1, SIZE - 1, SIZE + 1, 1400};
    for (int i = 0; i < 5; i++) {
        memset(data, 0, sizeof data);
        memcpy(data, good, SIZE);
        CHECK(send(s.client, data, sizes[i], 0) == (ssize_t)sizes[i]);
    }
    const uint8_t heads[][2] = {{0xF1, 1}, {0xF0, 0}, {0xF0, 2}, {0x00, 1}, {0xFF, 0xFF}};
    for (int i = 0; i < 5; i++) {
        memcpy(data, good, SIZE);
        memcpy(data, heads[i], 2);
        CHECK(send(s.client, data, SIZE, 0) == SIZE);
    }
    is_answered(s.client, 42);
    mp_responder_stats stats;
    mp_responder_get_stats(s.responder, &stats);
    CHECK_EQUAL(stats.rubbish, 10);
    CHECK(recv(s.client, data, sizeof data, MSG_DONTWAIT) < 0);
    stop(&s);
}

/* Two responders cannot be made to answer one another: a reply is no probe. */
static void a_reply_is_not_answered(void) {
    server s = started();
    uint8_t reply[SIZE];
    make_probe(reply, 5);
    CHECK(send(s.client, reply, SIZE, 0) == SIZE);
    CHECK_EQUAL(receive(s.client, reply, SIZE), SIZE);
    CHECK(send(s.client, reply, SIZE, 0) == SIZE);
    is_answered(s.client, 6);
    mp_responder_stats stats;
    mp_responder_get_stats(s.responder, &stats);
    CHECK_EQUAL(stats.rubbish, 1);
    stop(&s);
}

int main(void) {
    probes_are_answered();
    rubbish_is_counted_and_not_answered();
    a_reply_is_not_answered();
    mp_host_clock_set(-250000000, 1e-3);
    probes_are_answered();
    return 0;
}
