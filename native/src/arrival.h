#pragma once

#include <stdint.h>
#include <sys/socket.h>

/* When the kernel received a datagram (SO_TIMESTAMPNS), on the host clock; now if it does not say. */
int64_t mp_arrival_ns(struct msghdr *header);
