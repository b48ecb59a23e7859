/* The socket's life: its options, its receive thread, and what it counted. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "media_socket.h"

enum { POLL_MS = 50, BATCHES = 8, BUFFER_BYTES = 1 << 20, EF = 46 << 2 };
static const int64_t AFTER_ERROR_NS = 1000000;

static void set(int fd, int level, int name, int value) {
    setsockopt(fd, level, name, &value, sizeof value);
}

/* What a system does not know or permit, it does without. */
static void set_options(mp_media_socket *s) {
    int ef = EF;
    bool marked = setsockopt(s->fd, IPPROTO_IP, IP_TOS, &ef, sizeof ef) == 0;
    set(s->fd, SOL_SOCKET, SO_RCVBUF, BUFFER_BYTES);
    set(s->fd, SOL_SOCKET, SO_SNDBUF, BUFFER_BYTES);
#ifdef SO_TIMESTAMPNS
    set(s->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
#endif
    if (s->family == AF_INET6) {
        marked = setsockopt(s->fd, IPPROTO_IPV6, IPV6_TCLASS, &ef, sizeof ef) == 0;
#ifdef IPV6_AUTOFLOWLABEL
        set(s->fd, IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, 1);
#endif
    }
    MP_COUNT(s, dscp, marked);
}

/* As soon as something is there, unless the codec thread sees to it. */
static void receive_or_rest(mp_media_socket *s) {
    struct pollfd waiting = {.fd = s->fd, .events = POLLIN};
    int64_t now_ns = mp_host_now_ns(), rests_until_ns = atomic_load(&s->rests_until_ns);
    if (now_ns < rests_until_ns) {
        mp_host_sleep_until_ns(rests_until_ns);
    } else if (poll(&waiting, 1, POLL_MS) > 0) {
        if (mp_media_receive(s, BATCHES) == MP_RECEIVED_ERROR) {
            mp_host_sleep_until_ns(now_ns + AFTER_ERROR_NS);
        }
    }
}

static void *run(void *arg) {
    mp_media_socket *s = arg;
    mp_thread_name("midipool-socket");
    if (s->priority > 0 && mp_thread_realtime(s->priority) == MP_OK) MP_COUNT(s, realtime, 1);
    while (!atomic_load(&s->stopping)) receive_or_rest(s);
    return NULL;
}

static bool knows_family(mp_media_socket *s) {
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(s->fd, (struct sockaddr *)&address, &size) != 0) return false;
    s->family = address.ss_family;
    return s->family == AF_INET || s->family == AF_INET6;
}

static void free_all(mp_media_socket *s) {
    mp_media_free_hearing(s);
    free(mp_view_own(&s->sending));
    mp_ring_free(&s->rare);
    free(s);
}

static mp_status prepare(mp_media_socket *s) {
    atomic_store(&s->hearing.current, calloc(1, sizeof(mp_hearing)));
    atomic_store(&s->sending.current, calloc(1, sizeof(mp_sending)));
    if (mp_view_own(&s->hearing) == NULL || mp_view_own(&s->sending) == NULL)
        return MP_NO_MEMORY;
    if (!mp_ring_init(&s->rare, sizeof(mp_rare), MP_MEDIA_RARE_QUEUE)) return MP_NO_MEMORY;
    if (!knows_family(s)) return MP_SYSTEM_FAILED;
    set_options(s);
    return pthread_create(&s->thread, NULL, run, s) == 0 ? MP_OK : MP_SYSTEM_FAILED;
}

mp_media_socket *mp_media_socket_start(int fd, int wake_fd, int priority, mp_status *status) {
    *status = mp_sodium_available();
    if (*status != MP_OK) return NULL;
    mp_media_socket *s = calloc(1, sizeof *s);
    *status = MP_NO_MEMORY;
    if (s == NULL) return NULL;
    s->fd = fd;
    s->wake_fd = wake_fd;
    s->priority = priority;
    *status = prepare(s);
    if (*status == MP_OK) return s;
    free_all(s);
    return NULL;
}

void mp_media_socket_stop(mp_media_socket *socket) {
    atomic_store(&socket->stopping, 1);
    pthread_join(socket->thread, NULL);
    free_all(socket);
}

int mp_media_socket_take_rare(mp_media_socket *socket, mp_rare *rare) {
    if (mp_ring_take(&socket->rare, rare)) return 1;
    atomic_store(&socket->woken, 0);
    /* What came after the first look, but before that, has written nothing. */
    return mp_ring_take(&socket->rare, rare);
}

void mp_media_socket_get_stats(mp_media_socket *socket, mp_media_socket_stats *stats) {
    uint64_t counts[MP_STATS];
    for (int i = 0; i < MP_STATS; i++)
        counts[i] = atomic_load_explicit(&socket->counts[i], memory_order_relaxed);
    memcpy(stats, counts, sizeof counts);
    mp_sending *sending = mp_view_own(&socket->sending);
    stats->counter = sending->voice == NULL ? 0 : atomic_load(&sending->voice->counter);
}
