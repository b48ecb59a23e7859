/* The bridge with real sockets and a fake libroc: what comes in is heard, what is played goes out. */
#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../src/audio.h"
#include "../src/media_socket.h"
#include "fake_roc.h"

enum { RATE = 44100, FRAMES = 220, PT = 10, SIZE = MP_RTP_HEAD + 4 * FRAMES + MP_RTP_FEC };
static const int64_t CYCLE_NS = INT64_C(1000000000) * FRAMES / RATE;

/* What a fake has not, but a bridge needs. */
static _Atomic int feedback_pushed, control_pushed;

static int push_feedback(void *encoder, int interface, const mp_roc_packet *packet) {
    (void)encoder;
    CHECK(interface == MP_ROC_CONTROL && mp_rtcp_is_safe(packet->bytes, (uint32_t)packet->bytes_size));
    atomic_fetch_add(&feedback_pushed, 1);
    return 0;
}

static int pop_feedback(void *decoder, int interface, mp_roc_packet *packet) {
    (void)decoder, (void)interface, (void)packet;
    return -1;
}

static int push_packet(void *decoder, int interface, const mp_roc_packet *packet) {
    if (interface != MP_ROC_CONTROL) return fake_push_packet(decoder, interface, packet);
    CHECK(mp_rtcp_is_safe(packet->bytes, (uint32_t)packet->bytes_size));
    atomic_fetch_add(&control_pushed, 1);
    return 0;
}

static mp_address bound(int *fd) {
    struct sockaddr_storage storage = {0};
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(*fd >= 0 && bind(*fd, (struct sockaddr *)&address, size) == 0);
    CHECK(getsockname(*fd, (struct sockaddr *)&address, &size) == 0);
    memcpy(&storage, &address, sizeof address);
    return mp_address_from_socket(&storage);
}

typedef struct {
    mp_roc_bridge *bridge;
    mp_address listen[3], receiver[3], sender;
    int listen_fd[3], receiver_fd[3], send_fd, sender_fd;
    fake_encoder encoder;
    fake_decoder decoders[2];
    int decoder;
    uint32_t sent, ssrc;
    int64_t now_ns;
} stage;

static stage *begin(void) {
    stage *s = calloc(1, sizeof *s);
    CHECK(s != NULL);
    s->ssrc = 7;
    s->now_ns = INT64_C(1000000000000);
    s->encoder = (fake_encoder){.channels = 2, .frames = FRAMES, .ssrc = 77};
    for (int i = 0; i < 2; i++) s->decoders[i] = (fake_decoder){.channels = 2, .frames = FRAMES};
    mp_roc_bridge_settings settings = {.rate = RATE, .period = FRAMES, .channels = 2,
                                       .payload_type = PT, .fec = 1, .ends_us = 500000,
                                       .encoder = &s->encoder};
    settings.calls = fake_roc;
    settings.calls.decoder_push_packet = push_packet;
    settings.calls.encoder_push_feedback = push_feedback;
    settings.calls.decoder_pop_feedback = pop_feedback;
    for (int i = 0; i < 3; i++) {
        s->listen[i] = bound(&s->listen_fd[i]);
        settings.send_to[i] = s->receiver[i] = bound(&s->receiver_fd[i]);
        settings.listen_fd[i] = s->listen_fd[i];
    }
    bound(&s->send_fd);
    s->sender = bound(&s->sender_fd);
    settings.send_fd = s->send_fd;
    mp_status status;
    s->bridge = mp_roc_bridge_new(&settings, &status);
    CHECK(s->bridge != NULL && status == MP_OK);
    CHECK_EQUAL(mp_audio_set_monitor(mp_roc_bridge_engine(s->bridge), 1.0f), MP_OK);
    mp_roc_bridge_set_decoder(s->bridge, &s->decoders[0]);
    return s;
}

static void end(stage *s) {
    mp_roc_bridge_free(s->bridge);
    for (int i = 0; i < 3; i++) {
        close(s->listen_fd[i]);
        close(s->receiver_fd[i]);
    }
    close(s->send_fd);
    close(s->sender_fd);
    free(s);
}

static void give(int fd, const mp_address *to, const void *bytes, size_t size) {
    struct sockaddr_storage address;
    socklen_t length;
    CHECK(mp_address_to_socket(to, AF_INET, &address, &length));
    CHECK(sendto(fd, bytes, size, 0, (struct sockaddr *)&address, length) == (ssize_t)size);
}

/* The next packet of a stream; each sample is the packet's number. */
static void give_source(stage *s) {
    uint8_t bytes[SIZE] = {0x80, PT};
    uint32_t n = s->sent++;
    bytes[2] = (uint8_t)(n >> 8);
    bytes[3] = (uint8_t)n;
    fake_put_u32(bytes + 4, n * FRAMES);
    fake_put_u32(bytes + 8, s->ssrc);
    for (int i = 0; i < 2 * FRAMES; i++) bytes[MP_RTP_HEAD + 2 * i + 1] = (uint8_t)(n + 1);
    fake_put_u32(bytes + SIZE - 6, n / 8 << 8 | n % 8);
    bytes[SIZE - 1] = 8;
    give(s->sender_fd, &s->listen[0], bytes, SIZE);
}

static mp_roc_bridge_stats stats_of(stage *s) {
    mp_roc_bridge_stats stats;
    mp_roc_bridge_get_stats(s->bridge, &stats);
    return stats;
}

static void cycle(stage *s) {
    mp_roc_bridge_cycle(s->bridge, s->now_ns);
    s->now_ns += CYCLE_NS;
}

/* The last sample of the next packet that goes out. */
static int received(stage *s) {
    uint8_t bytes[2048];
    struct pollfd waiting = {.fd = s->receiver_fd[0], .events = POLLIN};
    CHECK(poll(&waiting, 1, 20000) == 1);
    ssize_t size = recv(s->receiver_fd[0], bytes, sizeof bytes, 0);
    CHECK_EQUAL(size, SIZE);
    return (int16_t)(bytes[size - 8] << 8 | bytes[size - 7]);
}

static void what_comes_in_is_heard_and_what_is_played_goes_out(void) {
    stage *s = begin();
    cycle(s);
    received(s);
    for (int i = 0; i < 100; i++) {
        give_source(s);
        cycle(s);
        CHECK_WITHIN(received(s), i + 1, 1 + i / 50);
    }
    mp_roc_bridge_stats stats = stats_of(s);
    CHECK_EQUAL(stats.verdicts[MP_GATE_PASSED], 100);
    CHECK(mp_address_same(&stats.heard, &s->sender));
    CHECK_EQUAL(stats.sent, 101);
    CHECK(!stats.needs_decoder);
    end(s);
}

static void a_stream_that_ended_needs_another_decoder(void) {
    stage *s = begin();
    give_source(s);
    cycle(s);
    for (int i = 0; i < 120; i++) cycle(s);
    CHECK(stats_of(s).needs_decoder);
    mp_roc_bridge_set_decoder(s->bridge, &s->decoders[1]);
    CHECK(mp_roc_bridge_decoder_in_use(s->bridge) == &s->decoders[0]);
    cycle(s);
    CHECK(mp_roc_bridge_decoder_in_use(s->bridge) == &s->decoders[1]);
    s->ssrc = 8;
    give_source(s);
    cycle(s);
    CHECK_EQUAL(s->decoders[1].pushed, 1);
    CHECK_EQUAL(stats_of(s).streams, 2);
    end(s);
}

static const uint8_t REPORT[] = {
    0x80, 201, 0, 1, 0, 0, 0, 9, 0x81, 202, 0, 3, 0, 0, 0, 9, 1, 2, 'a', 'b', 0, 0, 0, 0,
};

static void reports_are_those_of_who_hears_us(void) {
    stage *s = begin();
    mp_address own = {.family = 0};
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    CHECK(getsockname(s->send_fd, (struct sockaddr *)&address, &size) == 0);
    own = mp_address_from_socket(&address);
    give(s->sender_fd, &own, REPORT, sizeof REPORT);
    give(s->receiver_fd[2], &own, REPORT, 8);
    give(s->receiver_fd[2], &own, REPORT, sizeof REPORT);
    cycle(s);
    CHECK_EQUAL(stats_of(s).reports, 1);
    CHECK_EQUAL(stats_of(s).reports_refused, 2);
    CHECK_EQUAL(atomic_load(&feedback_pushed), 1);
    end(s);
}

static void rubbish_is_counted_and_nothing_else(void) {
    stage *s = begin();
    uint64_t seed = 5;
    uint32_t rubbish = 0;
    for (int round = 0; round < 700; round++) { /* less than 4 s: arrivals are in real time */
        give_source(s);
        for (int i = 0; i < 20; i++, rubbish++) {
            uint8_t bytes[4096];
            size_t size = (size_t)random_between(&seed, 1, i == 0 ? 4096 : 200);
            for (size_t at = 0; at < size; at++) bytes[at] = (uint8_t)random_bits(&seed);
            give(s->sender_fd, &s->listen[random_between(&seed, 0, 2)], bytes, size);
        }
        cycle(s);
    }
    mp_roc_bridge_stats stats = stats_of(s);
    CHECK_EQUAL(stats.verdicts[MP_GATE_PASSED], 700);
    uint64_t refused = 0;
    for (int i = 1; i < MP_GATE_VERDICTS; i++) refused += stats.verdicts[i];
    CHECK_EQUAL(refused, rubbish);
    CHECK_EQUAL(atomic_load(&control_pushed), 0);
    end(s);
}

static void its_threads_run_beside_whoever_looks(void) {
    stage *s = begin();
    CHECK_EQUAL(mp_audio_start(mp_roc_bridge_engine(s->bridge), 0), MP_OK);
    CHECK_EQUAL(mp_roc_bridge_start(s->bridge, 0), MP_OK);
    for (int i = 0; i < 300; i++) {
        give_source(s);
        stats_of(s);
        if (i == 150) mp_roc_bridge_set_decoder(s->bridge, &s->decoders[1]);
        mp_host_sleep_until_ns(mp_host_now_ns() + 1000000);
    }
    while (stats_of(s).verdicts[MP_GATE_PASSED] < 100) {
        give_source(s);
        mp_host_sleep_until_ns(mp_host_now_ns() + 5000000);
    }
    received(s);
    end(s);
}

static void what_cannot_be_is_refused(void) {
    mp_status status;
    mp_roc_bridge_settings nothing = {.rate = RATE, .period = FRAMES, .channels = 2};
    CHECK(mp_roc_bridge_new(&nothing, &status) == NULL && status == MP_OUT_OF_RANGE);
    mp_roc_bridge_settings fast = {.rate = 1000000, .period = FRAMES, .channels = 2};
    fast.calls = fake_roc;
    fast.calls.decoder_pop_feedback = pop_feedback;
    CHECK(mp_roc_bridge_new(&fast, &status) == NULL && status == MP_OUT_OF_RANGE);
}

int main(void) {
    what_comes_in_is_heard_and_what_is_played_goes_out();
    a_stream_that_ended_needs_another_decoder();
    reports_are_those_of_who_hears_us();
    rubbish_is_counted_and_nothing_else();
    its_threads_run_beside_whoever_looks();
    what_cannot_be_is_refused();
    return 0;
}
