/* The relay's thread: reads what has arrived, decides under a lock that is held for one batch at
 * most, and sends without it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "relay_table.h"
#include "stun.h"
#include "udp_batch.h"

enum { BATCH = 64, OUTGOING = 1024, POLL_MS = 100, SEND_PATIENCE_MS = 1 };
enum { SOCKET_BUFFER = 4 << 20 };

struct mp_relay {
    int fd, stun_fd;
    pthread_t thread;
    pthread_mutex_t lock; /* of the table */
    mp_relay_table *table;
    _Atomic int stopping;
    /* The thread's own: */
    uint8_t data[BATCH][MP_MEDIA_DATAGRAM + 1], replies[BATCH][MP_RELAY_REPLY];
    struct iovec in_parts[BATCH], out_parts[OUTGOING];
    mp_peer from[BATCH], to[OUTGOING];
    struct mmsghdr in[BATCH], out[OUTGOING];
    uint32_t outgoing;
};

static void queue(mp_relay *r, uint8_t *data, size_t size) {
    uint32_t i = r->outgoing++;
    r->out_parts[i] = (struct iovec){data, size};
    r->out[i].msg_hdr = (struct msghdr){.msg_name = &r->to[i],
                                        .msg_namelen = mp_peer_size(&r->to[i]),
                                        .msg_iov = &r->out_parts[i],
                                        .msg_iovlen = 1};
}

/* Send what is queued. What the system has no room for within a moment is late anyway. */
static void send_queued(mp_relay *r) {
    uint32_t at = 0, sent = 0, unsent = 0;
    int patient = 1;
    while (at < r->outgoing) {
        int done = mp_send_batch(r->fd, r->out + at, r->outgoing - at);
        if (done > 0) {
            at += (uint32_t)done;
            sent += (uint32_t)done;
        } else if (errno == EINTR) {
            continue;
        } else if ((errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) && patient) {
            struct pollfd room = {.fd = r->fd, .events = POLLOUT};
            patient = 0;
            poll(&room, 1, SEND_PATIENCE_MS);
        } else { /* nobody can be reached there */
            at++;
            unsent++;
        }
    }
    r->outgoing = 0;
    pthread_mutex_lock(&r->lock);
    mp_relay_table_stats(r->table)->copies += sent;
    mp_relay_table_stats(r->table)->unsent += unsent;
    pthread_mutex_unlock(&r->lock);
}

static int is_stun(const uint8_t *data, uint32_t size) {
    return size > 0 && size <= MP_MEDIA_DATAGRAM && data[0] < MP_STUN_KINDS;
}

/* Decide about datagrams `first` to `count`; returns up to where there was room to queue. */
static int take(mp_relay *r, int first, int count, int64_t now_ns) {
    int i = first;
    pthread_mutex_lock(&r->lock);
    for (; i < count && r->outgoing + MP_RELAY_ROOM <= OUTGOING; i++) {
        uint32_t size = r->in[i].msg_len, reply_size, begin = r->outgoing;
        if (is_stun(r->data[i], size)) continue;
        uint32_t targets = mp_relay_table_take(r->table, now_ns, r->data[i], size, &r->from[i],
                                               r->to + begin, r->replies[i], &reply_size);
        for (uint32_t k = 0; k < targets; k++) queue(r, r->data[i], size);
        if (reply_size) {
            r->to[r->outgoing] = r->from[i];
            queue(r, r->replies[i], reply_size);
        }
    }
    pthread_mutex_unlock(&r->lock);
    return i;
}

/* Asked at one of the two sockets; the answer may leave by the other. */
static void answer_stun(mp_relay *r, int fd, const uint8_t *data, uint32_t size,
                        const mp_peer *from) {
    uint8_t reply[MP_RELAY_REPLY];
    int other_port = r->stun_fd >= 0;
    pthread_mutex_lock(&r->lock);
    uint32_t made = mp_relay_table_stun(r->table, mp_host_now_ns(), data, size, from, &other_port,
                                        reply);
    pthread_mutex_unlock(&r->lock);
    if (made == 0) return;
    if (other_port) fd = fd == r->fd ? r->stun_fd : r->fd;
    int sent = sendto(fd, reply, made, MSG_DONTWAIT, &from->any, mp_peer_size(from)) >= 0;
    pthread_mutex_lock(&r->lock);
    mp_relay_table_stats(r->table)->copies += (uint64_t)sent;
    mp_relay_table_stats(r->table)->unsent += (uint64_t)!sent;
    pthread_mutex_unlock(&r->lock);
}

static void serve_stun(mp_relay *r) {
    uint8_t data[MP_MEDIA_DATAGRAM + 1];
    for (int i = 0; i < BATCH; i++) {
        mp_peer from;
        socklen_t from_size = sizeof from;
        ssize_t size = recvfrom(r->stun_fd, data, sizeof data, MSG_DONTWAIT, &from.any, &from_size);
        if (size < 0) return;
        answer_stun(r, r->stun_fd, data, (uint32_t)size, &from);
    }
}

static void serve_batch(mp_relay *r) {
    for (int i = 0; i < BATCH; i++) r->in[i].msg_hdr.msg_namelen = sizeof r->from[i];
    int count = mp_receive_batch(r->fd, r->in, BATCH);
    int64_t now_ns = mp_host_now_ns();
    for (int i = 0; i < count;) {
        i = take(r, i, count, now_ns);
        if (r->outgoing) send_queued(r);
    }
    for (int i = 0; i < count; i++)
        if (is_stun(r->data[i], r->in[i].msg_len))
            answer_stun(r, r->fd, r->data[i], r->in[i].msg_len, &r->from[i]);
}

static void *run(void *arg) {
    mp_relay *r = arg;
    mp_thread_name("midipool-relay");
    struct pollfd waiting[2] = {{.fd = r->fd, .events = POLLIN},
                                {.fd = r->stun_fd, .events = POLLIN}}; /* -1 is passed over */
    while (!atomic_load(&r->stopping)) {
        if (poll(waiting, 2, POLL_MS) <= 0) continue;
        if (waiting[0].revents) serve_batch(r);
        if (waiting[1].revents) serve_stun(r);
    }
    return NULL;
}

static uint64_t random_seed(void) {
    uint64_t seed = (uint64_t)mp_host_now_ns();
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return seed;
    if (read(fd, &seed, sizeof seed) < 0) seed ^= (uint64_t)fd;
    close(fd);
    return seed;
}

static mp_status begin(mp_relay *r, uint32_t capacity, const mp_relay_limits *limits) {
    r->table = mp_relay_table_new(capacity, limits, random_seed());
    if (r->table == NULL) return MP_NO_MEMORY;
    for (int i = 0; i < BATCH; i++) {
        r->in_parts[i] = (struct iovec){r->data[i], sizeof r->data[i]};
        r->in[i].msg_hdr = (struct msghdr){
            .msg_name = &r->from[i], .msg_iov = &r->in_parts[i], .msg_iovlen = 1};
    }
    int size = SOCKET_BUFFER;
    setsockopt(r->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(r->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    pthread_mutex_init(&r->lock, NULL);
    if (pthread_create(&r->thread, NULL, run, r) == 0) return MP_OK;
    pthread_mutex_destroy(&r->lock);
    mp_relay_table_free(r->table);
    return MP_SYSTEM_FAILED;
}

mp_relay *mp_relay_start(int fd, int stun_fd, uint32_t capacity, const mp_relay_limits *limits,
                         mp_status *status) {
    *status = mp_sodium_available();
    if (capacity == 0 || capacity > MP_RELAY_CAPACITY) *status = MP_OUT_OF_RANGE;
    if (limits->packets_a_second == 0 || limits->bits_a_second == 0) *status = MP_OUT_OF_RANGE;
    if (*status != MP_OK) return NULL;
    mp_relay *r = calloc(1, sizeof *r);
    if (r == NULL) {
        *status = MP_NO_MEMORY;
        return NULL;
    }
    r->fd = fd;
    r->stun_fd = stun_fd;
    *status = begin(r, capacity, limits);
    if (*status == MP_OK) return r;
    free(r);
    return NULL;
}

mp_status mp_relay_add(mp_relay *r, uint32_t sender, uint32_t room, uint16_t key_id,
                       const uint8_t *key) {
    pthread_mutex_lock(&r->lock);
    mp_status status = mp_relay_table_add(r->table, sender, room, key_id, key);
    pthread_mutex_unlock(&r->lock);
    return status;
}

mp_status mp_relay_set_key(mp_relay *r, uint32_t room, uint16_t key_id, const uint8_t *key) {
    pthread_mutex_lock(&r->lock);
    mp_status status = mp_relay_table_set_key(r->table, room, key_id, key);
    pthread_mutex_unlock(&r->lock);
    return status;
}

void mp_relay_remove(mp_relay *r, uint32_t sender) {
    pthread_mutex_lock(&r->lock);
    mp_relay_table_remove(r->table, sender);
    pthread_mutex_unlock(&r->lock);
}

mp_status mp_relay_mute(mp_relay *r, uint32_t sender, int muted) {
    pthread_mutex_lock(&r->lock);
    mp_status status = mp_relay_table_mute(r->table, sender, muted);
    pthread_mutex_unlock(&r->lock);
    return status;
}

mp_status mp_relay_link(mp_relay *r, uint32_t sender, uint32_t listener, int linked) {
    pthread_mutex_lock(&r->lock);
    mp_status status = mp_relay_table_link(r->table, sender, listener, linked);
    pthread_mutex_unlock(&r->lock);
    return status;
}

void mp_relay_get_stats(mp_relay *r, mp_relay_stats *stats) {
    pthread_mutex_lock(&r->lock);
    *stats = *mp_relay_table_stats(r->table);
    pthread_mutex_unlock(&r->lock);
}

int mp_relay_get_member(mp_relay *r, uint32_t sender, mp_relay_member *member) {
    pthread_mutex_lock(&r->lock);
    int found = mp_relay_table_member(r->table, sender, mp_host_now_ns(), member);
    pthread_mutex_unlock(&r->lock);
    return found;
}

void mp_relay_stop(mp_relay *r) {
    atomic_store(&r->stopping, 1);
    pthread_join(r->thread, NULL);
    pthread_mutex_destroy(&r->lock);
    mp_relay_table_free(r->table);
    free(r);
}
