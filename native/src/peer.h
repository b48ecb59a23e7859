/* Where a datagram came from: an IPv4 or IPv6 socket address. */
#pragma once

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} mp_peer;

/* An address as STUN writes it (RFC 8489, 14.1): zero, family (1 IPv4, 2 IPv6), port, address. */
enum { MP_PEER_V4 = 1, MP_PEER_V6 = 2, MP_PEER_TEXT = 20 };

/* 1 for the same address and port. */
int mp_peer_same(const mp_peer *one, const mp_peer *other);
/* The size of the socket address. */
socklen_t mp_peer_size(const mp_peer *peer);
/* Write the address as STUN does, IPv4 mapped into IPv6 as IPv4; returns 8 or 20 bytes. */
uint32_t mp_peer_write(const mp_peer *peer, uint8_t *at);
/* A number that is the same for all ports of a host, and of an IPv6 network of 64 bits. */
uint64_t mp_peer_source(const mp_peer *peer, uint64_t seed);
