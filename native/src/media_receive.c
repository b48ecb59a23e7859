/* Datagrams from the kernel, as many at a time as there are, each with the time when it came. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <time.h>

#include "arrival.h"
#include "media_socket.h"

/* With room for one byte more than a datagram may have, so that one that is too long shows. */
enum { BATCH = 32, ROUNDS = 8, CONTROL = 256, ROOM = MP_MEDIA_DATAGRAM + 1 };

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

/* What the network answered to something that was sent, or a socket that is none any more. */
static void look_at_error(mp_media_socket *s) {
    static const struct timespec A_WHILE = {.tv_nsec = 1000000};
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return;
    MP_COUNT(s, receive_errors, 1);
    nanosleep(&A_WHILE, NULL);
}

void mp_media_receive(mp_media_socket *socket) {
    batch b;
    for (int round = 0; round < ROUNDS; round++) {
        prepare(&b);
        int count = receive(socket->fd, &b);
        if (count > 0) hear_all(socket, &b, count);
        if (count < 0) look_at_error(socket);
        if (count < BATCH) return;
    }
}
