#define _GNU_SOURCE
#include "udp_batch.h"

#ifdef __linux__

#include <stddef.h>

int mp_receive_batch(int fd, struct mmsghdr *in, unsigned int most) {
    return recvmmsg(fd, in, most, MSG_DONTWAIT, NULL);
}

int mp_send_batch(int fd, struct mmsghdr *out, unsigned int count) {
    return sendmmsg(fd, out, count, MSG_DONTWAIT);
}

#else

int mp_receive_batch(int fd, struct mmsghdr *in, unsigned int most) {
    unsigned int done = 0;
    for (; done < most; done++) {
        ssize_t size = recvmsg(fd, &in[done].msg_hdr, MSG_DONTWAIT);
        if (size < 0) break;
        in[done].msg_len = (unsigned int)size;
    }
    return done ? (int)done : -1;
}

int mp_send_batch(int fd, struct mmsghdr *out, unsigned int count) {
    unsigned int done = 0;
    while (done < count && sendmsg(fd, &out[done].msg_hdr, MSG_DONTWAIT) >= 0) done++;
    return done ? (int)done : -1;
}

#endif
