/* For `./run bench relay`: what a machine can do at most, and the load.
 *
 *   udp_loop flood FD SECONDS HEX       send a datagram on a connected socket, as fast as it goes
 *   udp_loop bare FD SECONDS PORT...    pass on all that comes to ports of 127.0.0.1, and nothing else
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 64, SIZE = 1473, MAX_PORTS = 16, POLL_MS = 100 };
static uint8_t data[BATCH][SIZE];
static struct iovec parts[BATCH], out_parts[BATCH * MAX_PORTS];
static struct mmsghdr in[BATCH], out[BATCH * MAX_PORTS];
static struct sockaddr_in from[BATCH], to[MAX_PORTS];

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void flood(int fd, double end_s, const char *hex) {
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned int byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1) exit(2);
        data[0][i] = (uint8_t)byte;
    }
    parts[0] = (struct iovec){data[0], size};
    for (int i = 0; i < BATCH; i++)
        out[i].msg_hdr = (struct msghdr){.msg_iov = parts, .msg_iovlen = 1};
    /* On loopback a datagram counts here until it is read: with little room this would wait. */
    int room = 16 << 20;
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) != 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    while (now_s() < end_s) sendmmsg(fd, out, BATCH, 0);
}

static void bare(int fd, double end_s, int ports) {
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    for (int i = 0; i < BATCH; i++) parts[i] = (struct iovec){data[i], SIZE};
    while (now_s() < end_s) {
        if (poll(&waiting, 1, POLL_MS) <= 0) continue;
        for (int i = 0; i < BATCH; i++)
            in[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
                                            .msg_namelen = sizeof from[i],
                                            .msg_iov = &parts[i],
                                            .msg_iovlen = 1};
        int count = recvmmsg(fd, in, BATCH, MSG_DONTWAIT, NULL), outgoing = 0;
        for (int i = 0; i < count; i++) {
            for (int k = 0; k < ports; k++, outgoing++) {
                out_parts[outgoing] = (struct iovec){data[i], in[i].msg_len};
                out[outgoing].msg_hdr = (struct msghdr){.msg_name = &to[k],
                                                        .msg_namelen = sizeof to[k],
                                                        .msg_iov = &out_parts[outgoing],
                                                        .msg_iovlen = 1};
            }
        }
        if (outgoing) sendmmsg(fd, out, (unsigned int)outgoing, MSG_DONTWAIT);
    }
}

int main(int count, char **words) {
    if (count < 5 || count - 4 > MAX_PORTS) return 2;
    int fd = atoi(words[2]);
    double end_s = now_s() + atof(words[3]);
    for (int k = 0; k < count - 4; k++) {
        to[k] = (struct sockaddr_in){.sin_family = AF_INET,
                                     .sin_port = htons((uint16_t)atoi(words[4 + k]))};
        to[k].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    if (strcmp(words[1], "flood") == 0) flood(fd, end_s, words[4]);
    else bare(fd, end_s, count - 4);
    return 0;
}
