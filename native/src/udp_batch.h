/* Many datagrams with one system call where there is one, else one by one. The includer defines
 * _GNU_SOURCE. */
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#ifndef __linux__
struct mmsghdr {
    struct msghdr msg_hdr;
    unsigned int msg_len;
};
#endif

/* Take up to `most` datagrams that have arrived; returns how many, -1 if there is none. */
int mp_receive_batch(int fd, struct mmsghdr *in, unsigned int most);
/* Send up to `count`; returns how many went, or -1 with errno when not even the first did. */
int mp_send_batch(int fd, struct mmsghdr *out, unsigned int count);
