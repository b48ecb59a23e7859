/* Effects, by the audio engine's third thread. */
#include <stdlib.h>

#include "audio.h"

static mp_status tell_callback(mp_audio *a, const mp_order *order) {
    if (!mp_ring_stage(&a->to_callback, order)) return MP_FULL;
    mp_ring_publish(&a->to_callback);
    return MP_OK;
}

mp_status mp_audio_set_effects(mp_audio *a, void *memory) {
    if (a->own_inserts != NULL || memory == NULL) return MP_OUT_OF_RANGE;
    mp_inserts *inserts = calloc(1, sizeof *inserts);
    if (inserts == NULL) return MP_NO_MEMORY;
    inserts->memory = memory;
    for (int i = 0; i < MP_PLACES; i++) inserts->lanes[i].shared = &inserts->memory->lanes[i];
    inserts->lanes[MP_PLACE_INPUT].channels = a->settings.in_channels;
    inserts->lanes[MP_PLACE_MIX].channels = a->settings.out_channels;
    mp_order order = {.kind = MP_ORDER_INSERTS, .inserts = inserts};
    mp_status status = tell_callback(a, &order);
    if (status == MP_OK) {
        a->own_inserts = inserts;
    } else {
        free(inserts);
    }
    return status;
}

mp_status mp_audio_set_insert(mp_audio *a, uint32_t lane, mp_insert_mode mode) {
    if (a->own_inserts == NULL || lane >= MP_PLACES || mode > MP_INSERT_ON) return MP_OUT_OF_RANGE;
    mp_order order = {.kind = MP_ORDER_INSERT, .slot = lane, .insert = mode};
    return tell_callback(a, &order);
}

mp_status mp_audio_insert_stats(mp_audio *a, uint32_t lane, mp_insert_stats *stats) {
    if (a->own_inserts == NULL || lane >= MP_PLACES) return MP_OUT_OF_RANGE;
    const mp_insert *n = &a->own_inserts->lanes[lane];
    stats->blocks = atomic_load(&n->blocks);
    stats->late = atomic_load(&n->late);
    stats->older_frames = atomic_load(&n->older);
    stats->inserted = atomic_load(&n->inserted);
    return MP_OK;
}
