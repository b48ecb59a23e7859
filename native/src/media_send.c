/* Sealed once, and sent to everybody in one go. Nothing here waits. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "media_socket.h"

#ifndef __linux__
struct mmsghdr {
    struct msghdr msg_hdr;
    unsigned msg_len;
};
#endif

/* ---- to the kernel ---- */

static int hand_over(int fd, struct mmsghdr *headers, uint32_t count) {
#ifdef __linux__
    return sendmmsg(fd, headers, count, MSG_DONTWAIT);
#else
    (void)count;
    return sendmsg(fd, &headers[0].msg_hdr, MSG_DONTWAIT) < 0 ? -1 : 1;
#endif
}

static void count_error(mp_media_socket *s, int error) {
    switch (error) {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
    case ENOBUFS: MP_COUNT(s, send_busy, 1); return;
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH: MP_COUNT(s, send_refused, 1); return;
    }
    MP_COUNT(s, send_failed, 1);
    atomic_store_explicit(
        &s->counts[offsetof(mp_media_socket_stats, send_errno) / sizeof(uint64_t)],
        (uint64_t)error, memory_order_relaxed);
}

/* One that does not go does not keep the others: it is counted, and the next one tried. */
static uint32_t send_all(mp_media_socket *s, struct mmsghdr *headers, uint32_t count,
                         uint32_t size) {
    uint32_t sent = 0;
    for (uint32_t at = 0; at < count;) {
        int done = hand_over(s->fd, headers + at, count - at);
        if (done > 0) {
            at += (uint32_t)done;
            sent += (uint32_t)done;
        } else if (errno != EINTR) {
            count_error(s, errno);
            at++;
        }
    }
    MP_COUNT(s, sent, sent);
    MP_COUNT(s, sent_bytes, (uint64_t)sent * size);
    return sent;
}

static struct mmsghdr header_for(mp_way *way, struct iovec *part) {
    return (struct mmsghdr){.msg_hdr = {.msg_name = &way->address,
                                        .msg_namelen = way->address_size,
                                        .msg_iov = part,
                                        .msg_iovlen = 1}};
}

static bool same_way(const mp_way *a, const mp_way *b) {
    return a->address_size == b->address_size &&
           memcmp(&a->address, &b->address, a->address_size) == 0;
}

/* `besides` is one more way, if it is not among the others, or NULL. */
static uint32_t send_to(mp_media_socket *s, mp_way *ways, uint32_t count, mp_way *besides,
                        uint8_t *bytes, uint32_t size) {
    struct mmsghdr headers[MP_MEDIA_DESTINATIONS + 1];
    struct iovec part = {bytes, size};
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (ways[i].until_ns != 0 && ways[i].until_ns <= mp_host_now_ns()) continue;
        if (besides != NULL && same_way(&ways[i], besides)) besides = NULL;
        headers[used++] = header_for(&ways[i], &part);
    }
    if (besides != NULL) {
        headers[used++] = header_for(besides, &part);
        MP_COUNT(s, standby, 1);
    }
    return send_all(s, headers, used, size);
}

/* ---- sealing ---- */

/* Its size, or 0 without a key. Each counter is drawn once, whichever thread draws it. */
static uint32_t seal(mp_media_socket *s, mp_voice *voice, uint8_t kind, int64_t capture_us,
                     const uint8_t *bytes, uint32_t size, uint8_t *datagram) {
    uint32_t made = 0;
    if (voice != NULL) {
        mp_media_header header = {.kind = kind,
                                  .key_id = voice->key_id,
                                  .sender = voice->sender,
                                  .counter = atomic_fetch_add(&voice->counter, 1) + 1,
                                  .capture_us = capture_us};
        made = mp_media_seal(voice->key, &header, bytes, size, datagram);
    }
    if (made == 0) MP_COUNT(s, no_key, 1);
    else MP_COUNT(s, sealed, 1);
    return made;
}

static mp_status seal_and_send(mp_media_socket *s, mp_sending *to, mp_way *besides, uint8_t kind,
                               int64_t capture_us, const uint8_t *bytes, uint32_t size) {
    uint8_t datagram[MP_MEDIA_DATAGRAM];
    uint32_t made = seal(s, to->voice, kind, capture_us, bytes, size, datagram);
    if (made == 0) return MP_NO_MEDIA_KEY;
    send_to(s, to->ways, to->count, besides, datagram, made);
    return MP_OK;
}

/* A HELLO for the relay alone; its size, or 0 without a key. */
static uint32_t seal_hello(mp_media_socket *s, mp_voice *voice, int64_t capture_us,
                           uint8_t *datagram) {
    uint64_t token = atomic_load(&s->relay_token);
    uint8_t text[MP_RELAY_TOKEN];
    memcpy(text, &token, sizeof text);
    uint32_t text_size = token == 0 ? 0 : sizeof text;
    uint32_t size = seal(s, voice, MP_MEDIA_HELLO, capture_us, text, text_size, datagram);
    if (size > 0) atomic_fetch_add(&voice->hellos, 1);
    return size;
}

/* A KEEPALIVE's payload; returns its size. */
static uint32_t keepalive_text(mp_voice *voice, const mp_watch_ask *ask, uint8_t *text) {
    uint64_t left = voice == NULL ? 0 : atomic_load(&voice->hellos);
    for (int i = MP_KEEPALIVE_SIZE - 1; i >= 0; i--, left >>= 8) text[i] = (uint8_t)left;
    if (ask == NULL) return MP_KEEPALIVE_SIZE;
    memcpy(text + MP_KEEPALIVE_SIZE, ask->senders, ask->size);
    return MP_KEEPALIVE_SIZE + ask->size;
}

/* Whoever is not heard may not get through to us because we have moved: so the relay comes to know
 * where we are before it passes anything on. */
static void ask_by_relay(mp_media_socket *s, mp_sending *to, const mp_watch_ask *ask,
                         int64_t capture_us) {
    uint8_t datagram[MP_MEDIA_DATAGRAM], text[MP_KEEPALIVE_SIZE + sizeof ask->senders];
    uint32_t made = seal_hello(s, to->voice, capture_us, datagram);
    if (made > 0) send_to(s, &to->relay, 1, NULL, datagram, made);
    uint32_t size = keepalive_text(to->voice, ask, text);
    made = seal(s, to->voice, MP_MEDIA_KEEPALIVE, capture_us, text, size, datagram);
    if (made == 0) return;
    send_to(s, &to->relay, 1, NULL, datagram, made);
    MP_COUNT(s, asked, 1);
}

int mp_media_socket_send(void *socket, int kind, int64_t capture_us, const uint8_t *bytes,
                         uint32_t size) {
    mp_media_socket *s = socket;
    if (kind < MP_MEDIA_SOURCE || kind > MP_MEDIA_CONTROL) return MP_OUT_OF_RANGE;
    if (size > MP_MEDIA_PAYLOAD) return MP_OUT_OF_RANGE;
    mp_sending *to = mp_view_hold(&s->sending, MP_CODEC);
    mp_watch_ask ask;
    bool stands_by = to->relay.address_size > 0 && mp_watch_stands_by(s, mp_host_now_ns(), &ask);
    if (stands_by && ask.size > 0) ask_by_relay(s, to, &ask, capture_us);
    mp_way *besides = stands_by && to->count > 0 ? &to->relay : NULL; /* else nobody hears us */
    mp_status status = seal_and_send(s, to, besides, (uint8_t)kind, capture_us, bytes, size);
    mp_view_release(&s->sending, MP_CODEC);
    return status;
}

/* ---- the control thread: it alone changes the view, so it need not hold it ---- */

mp_status mp_media_socket_keepalive(mp_media_socket *socket, int64_t capture_us) {
    mp_sending *to = mp_view_own(&socket->sending);
    uint8_t text[MP_KEEPALIVE_SIZE];
    uint32_t size = keepalive_text(to->voice, NULL, text);
    return seal_and_send(socket, to, NULL, MP_MEDIA_KEEPALIVE, capture_us, text, size);
}

mp_status mp_media_socket_send_raw(mp_media_socket *socket, const mp_address *to,
                                   const uint8_t *bytes, uint32_t size) {
    uint8_t copy[MP_MEDIA_DATAGRAM];
    mp_way way = {0};
    if (size > sizeof copy) return MP_OUT_OF_RANGE;
    if (!mp_address_to_socket(to, socket->family, &way.address, &way.address_size))
        return MP_OUT_OF_RANGE;
    memcpy(copy, bytes, size);
    if (send_to(socket, &way, 1, NULL, copy, size) == 1) return MP_OK;
    bool busy = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
    return busy ? MP_FULL : MP_SYSTEM_FAILED;
}

mp_status mp_media_socket_hello(mp_media_socket *socket, const mp_address *relay,
                                int64_t capture_us) {
    mp_sending *to = mp_view_own(&socket->sending);
    uint8_t datagram[MP_MEDIA_DATAGRAM];
    uint32_t size = seal_hello(socket, to->voice, capture_us, datagram);
    if (size == 0) return MP_NO_MEDIA_KEY;
    return mp_media_socket_send_raw(socket, relay, datagram, size);
}
