/* Datagrams from the kernel, as many at a time as there are, each with the time when it came. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "arrival.h"
#include "media_socket.h"

/* With room for one byte more than a datagram may have, so that one that is too long shows. */
enum { BATCH = 32, CONTROL = 256, ROOM = MP_MEDIA_DATAGRAM + 1 };

/* So long after a look of the codec thread's the receive thread takes over. */
static const int64_t REST_NS = 40000000;
/* It looks once a period, or twice; where those are long, nothing shall wait for it. */
static const int64_t OFTEN_NS = 6000000;

#ifndef __linux__
struct mmsghdr {
    struct msghdr msg_hdr;
    unsigned msg_len;
};
#endif

typedef struct {
    struct mmsghdr headers[BATCH];
    struct iovec parts[BATCH];
    struct sockaddr_storage from[BATCH];
    union {
        char bytes[CONTROL];
        struct cmsghdr align;
    } control[BATCH];
    uint8_t bytes[BATCH][ROOM];
} batch;

static void prepare(batch *b) {
    for (int i = 0; i < BATCH; i++) {
        b->parts[i] = (struct iovec){b->bytes[i], ROOM};
        b->headers[i].msg_hdr = (struct msghdr){.msg_name = &b->from[i],
                                                .msg_namelen = sizeof b->from[i],
                                                .msg_iov = &b->parts[i],
                                                .msg_iovlen = 1,
                                                .msg_control = b->control[i].bytes,
                                                .msg_controllen = CONTROL};
    }
}

static int receive(int fd, batch *b) {
#ifdef __linux__
    return recvmmsg(fd, b->headers, BATCH, MSG_DONTWAIT, NULL);
#else
    ssize_t size = recvmsg(fd, &b->headers[0].msg_hdr, MSG_DONTWAIT);
    if (size < 0) return -1;
    b->headers[0].msg_len = (unsigned)size;
    return 1;
#endif
}

static void hear_all(mp_media_socket *s, batch *b, int count) {
    mp_hearing *hearing = mp_view_hold(&s->hearing, MP_RECEIVER);
    for (int i = 0; i < count; i++) {
        mp_address from = mp_address_from_socket(&b->from[i]);
        mp_media_hear(s, hearing, b->bytes[i], b->headers[i].msg_len, &from,
                      mp_arrival_ns(&b->headers[i].msg_hdr));
    }
    mp_view_release(&s->hearing, MP_RECEIVER);
}

/* Whether there was just nothing; else the network answered to something that was sent, or the
 * socket is none any more. */
static bool was_empty(mp_media_socket *s) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return true;
    MP_COUNT(s, receive_errors, 1);
    return false;
}

static mp_received receive_batches(mp_media_socket *s, int batches) {
    batch b;
    for (int i = 0; i < batches; i++) {
        prepare(&b);
        int count = receive(s->fd, &b);
        if (count < 0) return was_empty(s) ? MP_RECEIVED_ALL : MP_RECEIVED_ERROR;
        hear_all(s, &b, count);
        if (count < BATCH) return MP_RECEIVED_ALL;
    }
    return MP_RECEIVED_SOME;
}

mp_received mp_media_receive(mp_media_socket *socket, int batches) {
    if (atomic_exchange(&socket->receiving, 1)) return MP_RECEIVED_ALL;
    mp_received received = receive_batches(socket, batches);
    atomic_store(&socket->receiving, 0);
    return received;
}

void mp_media_socket_arrive(void *socket) {
    mp_media_socket *s = socket;
    int64_t now_ns = mp_host_now_ns(), before_ns = s->looked_ns;
    s->looked_ns = now_ns;
    if (mp_media_receive(s, 1) != MP_RECEIVED_ALL || now_ns - before_ns > OFTEN_NS) return;
    atomic_store(&s->rests_until_ns, now_ns + REST_NS);
}
