#include "peer.h"

#include <string.h>

int mp_peer_same(const mp_peer *one, const mp_peer *other) {
    if (one->any.sa_family != other->any.sa_family) return 0;
    if (one->any.sa_family == AF_INET)
        return one->v4.sin_port == other->v4.sin_port &&
               one->v4.sin_addr.s_addr == other->v4.sin_addr.s_addr;
    return one->v6.sin6_port == other->v6.sin6_port &&
           one->v6.sin6_scope_id == other->v6.sin6_scope_id &&
           memcmp(&one->v6.sin6_addr, &other->v6.sin6_addr, sizeof one->v6.sin6_addr) == 0;
}

socklen_t mp_peer_size(const mp_peer *peer) {
    return peer->any.sa_family == AF_INET ? sizeof peer->v4 : sizeof peer->v6;
}

uint32_t mp_peer_write(const mp_peer *peer, uint8_t *at) {
    int v4 = peer->any.sa_family == AF_INET;
    const uint8_t *address = (const uint8_t *)&peer->v4.sin_addr;
    uint32_t size = 4;
    memcpy(at + 2, v4 ? &peer->v4.sin_port : &peer->v6.sin6_port, 2);
    if (!v4) {
        int mapped = IN6_IS_ADDR_V4MAPPED(&peer->v6.sin6_addr);
        address = peer->v6.sin6_addr.s6_addr + (mapped ? 12 : 0);
        size = mapped ? 4 : 16;
    }
    at[0] = 0;
    at[1] = size == 4 ? MP_PEER_V4 : MP_PEER_V6;
    memcpy(at + 4, address, size);
    return 4 + size;
}

uint64_t mp_peer_source(const mp_peer *peer, uint64_t seed) {
    uint8_t text[MP_PEER_TEXT];
    uint64_t host = 0;
    uint32_t size = mp_peer_write(peer, text);
    memcpy(&host, text + 4, size == 8 ? 4 : 8);
    host = (host ^ seed) * 0x9E3779B97F4A7C15u;
    return (host ^ host >> 32) * 0xBF58476D1CE4E5B9u >> 16;
}
