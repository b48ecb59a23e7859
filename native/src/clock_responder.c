/* Answers clock probes from a thread that nothing else can hold up; midipool/datagram.py has the
 * layout. The reply is as long as the probe, so nobody can be flooded through us. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "arrival.h"
#include "rt.h"

enum { PROBE = 0xF0, REPLY = 0xF1, VERSION = 1, SIZE = 44 };
enum { AT_T2 = 20, AT_T3 = 28, AT_CLOCK_ID = 36, CLOCK_ID_SIZE = 8 };
enum { POLL_MS = 100 };

struct mp_responder {
    int fd;
    uint8_t clock_id[CLOCK_ID_SIZE];
    pthread_t thread;
    _Atomic int stopping;
    _Atomic uint64_t answered, rubbish;
};

static void put_i64(uint8_t *at, int64_t value) {
    uint64_t bits = (uint64_t)value;
    for (int i = 7; i >= 0; i--, bits >>= 8) at[i] = (uint8_t)bits;
}

static void answer_one(mp_responder *r) {
    uint8_t data[SIZE + 1];
    union {
        char bytes[256];
        struct cmsghdr align;
    } control;
    struct sockaddr_storage from;
    struct iovec part = {data, sizeof data};
    struct msghdr header = {.msg_name = &from,
                            .msg_namelen = sizeof from,
                            .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof control.bytes};
    ssize_t size = recvmsg(r->fd, &header, MSG_DONTWAIT);
    if (size < 0) return;
    if (size != SIZE || data[0] != PROBE || data[1] != VERSION) {
        atomic_fetch_add(&r->rubbish, 1);
        return;
    }
    data[0] = REPLY;
    memcpy(data + AT_CLOCK_ID, r->clock_id, CLOCK_ID_SIZE);
    put_i64(data + AT_T2, mp_arrival_ns(&header));
    put_i64(data + AT_T3, mp_host_now_ns());
    size = sendto(r->fd, data, SIZE, MSG_DONTWAIT, (struct sockaddr *)&from, header.msg_namelen);
    if (size == SIZE) atomic_fetch_add(&r->answered, 1);
}

static void *run(void *arg) {
    mp_responder *r = arg;
    struct pollfd waiting = {.fd = r->fd, .events = POLLIN};
    while (!atomic_load(&r->stopping)) {
        if (poll(&waiting, 1, POLL_MS) > 0) answer_one(r);
    }
    return NULL;
}

mp_responder *mp_responder_start(int fd, const uint8_t *clock_id, mp_status *status) {
    mp_responder *r = calloc(1, sizeof *r);
    *status = r == NULL ? MP_NO_MEMORY : MP_OK;
    if (r == NULL) return NULL;
    r->fd = fd;
    memcpy(r->clock_id, clock_id, CLOCK_ID_SIZE);
#ifdef SO_TIMESTAMPNS
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
#endif
    if (pthread_create(&r->thread, NULL, run, r) != 0) {
        *status = MP_SYSTEM_FAILED;
        free(r);
        return NULL;
    }
    return r;
}

void mp_responder_get_stats(mp_responder *r, mp_responder_stats *stats) {
    stats->answered = atomic_load(&r->answered);
    stats->rubbish = atomic_load(&r->rubbish);
}

void mp_responder_stop(mp_responder *r) {
    atomic_store(&r->stopping, 1);
    pthread_join(r->thread, NULL);
    free(r);
}
