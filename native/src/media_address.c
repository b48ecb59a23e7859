/* Addresses as Python says them, and as sockets do. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "media_socket.h"

enum { V4_AT = 12, V4_SIZE = 4 };
static const uint8_t V4_MAPPED[V4_AT] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

bool mp_address_to_socket(const mp_address *address, int family, struct sockaddr_storage *made,
                          socklen_t *size) {
    memset(made, 0, sizeof *made);
    if (address->port == 0 || (address->family != 4 && address->family != 6)) return false;
    if (family == AF_INET) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address->port)};
        if (address->family != 4) return false;
        memcpy(&in.sin_addr, address->ip, V4_SIZE);
        memcpy(made, &in, *size = sizeof in);
        return true;
    }
    struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
    if (address->family == 4) {
        memcpy(in.sin6_addr.s6_addr, V4_MAPPED, V4_AT);
        memcpy(in.sin6_addr.s6_addr + V4_AT, address->ip, V4_SIZE);
    } else {
        memcpy(in.sin6_addr.s6_addr, address->ip, sizeof in.sin6_addr);
        in.sin6_scope_id = address->scope;
    }
    memcpy(made, &in, *size = sizeof in);
    return true;
}

mp_address mp_address_from_socket(const struct sockaddr_storage *address) {
    mp_address made = {0};
    if (address->ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        made.family = 4;
        made.port = ntohs(in.sin_port);
        memcpy(made.ip, &in.sin_addr, V4_SIZE);
    } else if (address->ss_family == AF_INET6) {
        struct sockaddr_in6 in;
        memcpy(&in, address, sizeof in);
        bool mapped = memcmp(in.sin6_addr.s6_addr, V4_MAPPED, V4_AT) == 0;
        made.family = mapped ? 4 : 6;
        made.port = ntohs(in.sin6_port);
        made.scope = mapped ? 0 : in.sin6_scope_id;
        memcpy(made.ip, in.sin6_addr.s6_addr + (mapped ? V4_AT : 0), mapped ? V4_SIZE : 16);
    }
    return made;
}

bool mp_address_same(const mp_address *a, const mp_address *b) {
    return a->family == b->family && a->port == b->port && a->scope == b->scope &&
           memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}
