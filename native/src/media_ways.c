/* As whom and to whom the socket sends: the control thread makes a new view, and swaps it in. */
#include <stdlib.h>
#include <string.h>

#include "media_socket.h"

static mp_sending *own(mp_media_socket *s) { return mp_view_own(&s->sending); }

static mp_status put(mp_media_socket *s, const mp_sending *next) {
    mp_sending *made = malloc(sizeof *made);
    if (made == NULL) return MP_NO_MEMORY;
    *made = *next;
    free(mp_view_replace(&s->sending, made));
    return MP_OK;
}

static mp_voice *known_voice(mp_media_socket *s, const uint8_t *key, uint32_t sender) {
    for (int i = 0; i < MP_VOICES; i++) {
        mp_voice *voice = &s->voices[i];
        if (voice->sender == sender && memcmp(voice->key, key, MP_MEDIA_KEY) == 0) return voice;
    }
    return NULL;
}

/* The one that was made first goes, but not the one in use. */
static mp_voice *room_for_a_voice(mp_media_socket *s) {
    mp_voice *voice = &s->voices[s->voices_made++ % MP_VOICES];
    if (voice == own(s)->voice) voice = &s->voices[s->voices_made++ % MP_VOICES];
    return voice;
}

static void raise_to(mp_voice *voice, uint64_t after) {
    uint64_t counter = atomic_load(&voice->counter);
    while (counter < after && !atomic_compare_exchange_weak(&voice->counter, &counter, after)) {
    }
}

mp_status mp_media_socket_send_as(mp_media_socket *socket, uint16_t key_id, const uint8_t *key,
                                  uint32_t sender, uint64_t after) {
    if (sender == 0 || after >> 48 != 0) return MP_OUT_OF_RANGE;
    mp_voice *voice = known_voice(socket, key, sender);
    if (voice != NULL && voice->key_id != key_id) return MP_OUT_OF_RANGE;
    if (voice == NULL) {
        voice = room_for_a_voice(socket);
        voice->key_id = key_id;
        voice->sender = sender;
        memcpy(voice->key, key, MP_MEDIA_KEY);
        atomic_store(&voice->counter, 0);
        atomic_store(&voice->hellos, 0);
    }
    raise_to(voice, after);
    mp_sending next = *own(socket);
    next.voice = voice;
    atomic_store(&socket->own_sender, sender);
    return put(socket, &next);
}

mp_status mp_media_socket_send_nothing(mp_media_socket *socket) {
    mp_sending next = *own(socket);
    next.voice = NULL;
    return put(socket, &next);
}

mp_status mp_media_send_by(mp_media_socket *socket, const mp_address *relay) {
    mp_sending next = *own(socket);
    next.relay = (mp_way){0};
    if (relay->family != 0 && !mp_address_to_socket(relay, socket->family, &next.relay.address,
                                                    &next.relay.address_size))
        return MP_OUT_OF_RANGE;
    return put(socket, &next);
}

mp_status mp_media_socket_set_destinations(mp_media_socket *socket,
                                           const mp_destination *destinations, uint32_t count) {
    mp_sending next = *own(socket);
    if (count > MP_MEDIA_DESTINATIONS) return MP_OUT_OF_RANGE;
    next.count = count;
    for (uint32_t i = 0; i < count; i++) {
        mp_way *way = &next.ways[i];
        way->until_ns = destinations[i].until_ns;
        if (!mp_address_to_socket(&destinations[i].address, socket->family, &way->address,
                                  &way->address_size))
            return MP_OUT_OF_RANGE;
    }
    return put(socket, &next);
}
