/* Whom the socket hears: the control thread makes a new view each time, and swaps it in. */
#include <stdlib.h>
#include <string.h>

#include "media_socket.h"
#include "packet_ring.h"

static mp_hearing *own(mp_media_socket *s) { return mp_view_own(&s->hearing); }

/* Put a copy of `next` in the place of the view. Afterwards nobody looks at the old one. */
static mp_status put(mp_media_socket *s, const mp_hearing *next) {
    mp_hearing *made = malloc(sizeof *made);
    if (made == NULL) return MP_NO_MEMORY;
    *made = *next;
    free(mp_view_replace(&s->hearing, made));
    return MP_OK;
}

/* ---- keys ---- */

mp_status mp_media_socket_add_key(mp_media_socket *socket, uint16_t key_id, const uint8_t *key) {
    mp_hearing next = *own(socket);
    bool newest_is_it = next.keys[0] != NULL && next.keys[0]->id == key_id;
    if (newest_is_it && memcmp(next.keys[0]->bytes, key, MP_MEDIA_KEY) == 0) return MP_OK;
    mp_hearing_key *made = calloc(1, sizeof *made);
    if (made == NULL) return MP_NO_MEMORY;
    made->id = key_id;
    memcpy(made->bytes, key, MP_MEDIA_KEY);
    /* An id that comes again with other bytes is another key. */
    int goes = newest_is_it ? 0 : 1;
    mp_hearing_key *old = next.keys[goes];
    if (goes == 1) next.keys[1] = next.keys[0];
    next.keys[0] = made;
    mp_status status = put(socket, &next);
    free(status == MP_OK ? old : made);
    return status;
}

mp_status mp_media_socket_remove_key(mp_media_socket *socket, uint16_t key_id) {
    mp_hearing next = *own(socket);
    for (int i = 0; i < MP_KEYS; i++) {
        mp_hearing_key *old = next.keys[i];
        if (old == NULL || old->id != key_id) continue;
        if (i == 0) next.keys[0] = next.keys[1];
        next.keys[1] = NULL;
        mp_status status = put(socket, &next);
        if (status == MP_OK) free(old);
        return status;
    }
    return MP_OK;
}

/* ---- slots ---- */

/* The server gave the id anew, as one does that was started again: who had it has another one. */
static void take_from_others(mp_hearing *hearing, uint32_t slot, uint32_t sender,
                             uint16_t key_id) {
    for (uint32_t other = 0; other < MP_MEDIA_SENDERS; other++) {
        mp_sender_id **ids = hearing->slots[other].ids;
        for (int i = 0; other != slot && i < MP_IDS; i++) {
            if (ids[i] == NULL || ids[i]->sender != sender || ids[i]->key_id != key_id) continue;
            if (i == 0) ids[0] = ids[1];
            ids[1] = NULL;
            break;
        }
    }
}

static bool knows(const mp_hearing_slot *slot, uint32_t sender, uint16_t key_id) {
    for (int i = 0; i < MP_IDS; i++) {
        const mp_sender_id *id = slot->ids[i];
        if (id != NULL && id->sender == sender && id->key_id == key_id) return true;
    }
    return false;
}

static mp_heard_sender *new_sender(void) {
    mp_heard_sender *made = calloc(1, sizeof *made);
    if (made == NULL || mp_ring_init(&made->queue, sizeof(mp_media_packet), MP_MEDIA_QUEUE))
        return made;
    free(made);
    return NULL;
}

static void free_sender(mp_heard_sender *sender) {
    if (sender == NULL) return;
    mp_ring_free(&sender->queue);
    free(sender);
}

mp_status mp_media_socket_hear(mp_media_socket *socket, uint32_t slot, uint32_t sender,
                               uint16_t key_id) {
    mp_hearing next = *own(socket);
    if (slot >= MP_MEDIA_SENDERS || sender == 0) return MP_OUT_OF_RANGE;
    take_from_others(&next, slot, sender, key_id);
    mp_hearing_slot *here = &next.slots[slot];
    if (knows(here, sender, key_id)) return MP_OK;
    mp_heard_sender *made = NULL;
    if (here->sender == NULL) here->sender = made = new_sender();
    if (here->sender == NULL) return MP_NO_MEMORY;
    /* Of the three places the two last ones may be in use. */
    mp_sender_id *id = &here->sender->ids[here->sender->ids_made % (MP_IDS + 1)];
    *id = (mp_sender_id){.sender = sender, .key_id = key_id};
    here->ids[1] = here->ids[0];
    here->ids[0] = id;
    mp_status status = put(socket, &next);
    if (status == MP_OK) next.slots[slot].sender->ids_made++;
    else free_sender(made);
    return status;
}

mp_status mp_media_socket_unhear(mp_media_socket *socket, uint32_t slot) {
    mp_hearing next = *own(socket);
    if (slot >= MP_MEDIA_SENDERS) return MP_OUT_OF_RANGE;
    mp_heard_sender *old = next.slots[slot].sender;
    next.slots[slot] = (mp_hearing_slot){0};
    mp_status status = put(socket, &next);
    if (status == MP_OK) {
        free_sender(old);
        mp_watch_forget(socket, slot);
    }
    return status;
}

/* ---- the rest ---- */

mp_status mp_media_socket_set_relay(mp_media_socket *socket, const mp_address *relay) {
    mp_hearing next = *own(socket);
    next.relay = *relay;
    mp_status status = mp_media_send_by(socket, relay);
    return status == MP_OK ? put(socket, &next) : status;
}

mp_status mp_media_socket_set_map(mp_media_socket *socket, const mp_clock_map *map) {
    mp_hearing next = *own(socket);
    next.has_map = map != NULL;
    if (map != NULL) next.map = *map;
    return put(socket, &next);
}

mp_status mp_media_socket_set_sink(mp_media_socket *socket, mp_media_sink sink, void *arg) {
    mp_hearing next = *own(socket);
    next.sink = sink;
    next.sink_arg = arg;
    return put(socket, &next);
}

mp_status mp_media_socket_look_at(mp_media_socket *socket, uint32_t slot,
                                  mp_media_sender_look *look) {
    if (slot >= MP_MEDIA_SENDERS || own(socket)->slots[slot].sender == NULL)
        return MP_OUT_OF_RANGE;
    int64_t now_ns = mp_host_now_ns();
    mp_health_look(&own(socket)->slots[slot].sender->health, now_ns, look);
    look->direct_silence_ns = mp_watch_silence_ns(socket, slot, now_ns);
    return MP_OK;
}

mp_status mp_media_socket_get_sender(mp_media_socket *socket, uint32_t slot,
                                     mp_media_sender_stats *stats) {
    if (slot >= MP_MEDIA_SENDERS || own(socket)->slots[slot].sender == NULL)
        return MP_OUT_OF_RANGE;
    int64_t now_ns = mp_host_now_ns();
    mp_health_read(&own(socket)->slots[slot].sender->health, now_ns, stats);
    stats->direct_silence_ns = mp_watch_silence_ns(socket, slot, now_ns);
    return MP_OK;
}

int mp_media_socket_take(mp_media_socket *socket, uint32_t slot, mp_media_packet *packet) {
    if (slot >= MP_MEDIA_SENDERS) return 0;
    mp_hearing *hearing = mp_view_hold(&socket->hearing, MP_TAKER);
    mp_heard_sender *sender = hearing->slots[slot].sender;
    bool taken = sender != NULL && mp_packet_take(&sender->queue, packet);
    mp_view_release(&socket->hearing, MP_TAKER);
    return taken;
}

void mp_media_free_hearing(mp_media_socket *socket) {
    mp_hearing *hearing = own(socket);
    if (hearing == NULL) return;
    for (int i = 0; i < MP_KEYS; i++) free(hearing->keys[i]);
    for (int slot = 0; slot < MP_MEDIA_SENDERS; slot++)
        free_sender(hearing->slots[slot].sender);
    free(hearing);
}
