#define _GNU_SOURCE
#include "arrival.h"

#include <string.h>
#include <time.h>

#include "rt.h"

int64_t mp_arrival_ns(struct msghdr *header) {
#ifdef SO_TIMESTAMPNS
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS) {
            struct timespec t;
            memcpy(&t, CMSG_DATA(c), sizeof t);
            return mp_host_from_realtime_ns((int64_t)t.tv_sec * 1000000000 + t.tv_nsec);
        }
    }
#else
    (void)header;
#endif
    return mp_host_now_ns();
}
