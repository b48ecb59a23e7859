/* The audio engine's third thread: makes, asks, and frees what the other two hand back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audio.h"

enum { LEAST_RATE = 44100, MOST_RATE = 96000, LEAST_PERIOD = 16 };
enum { INPUT_FRAMES = 1 << 14, PLAYER_FRAMES = 1 << 14, MOST_QUEUE = 1 << 15 };
static const int64_t MOST_TIME_US = INT64_C(1) << 50;
static const double MOST_TARGET = 120.0 * MP_STREAM_RATE;

static bool is_usable(const mp_audio_settings *s) {
    return s->rate >= LEAST_RATE && s->rate <= MOST_RATE && s->period >= LEAST_PERIOD &&
           s->period <= MP_MAX_PERIOD && s->in_channels <= MP_MAX_CHANNELS &&
           s->out_channels >= 1 && s->out_channels <= MP_MAX_CHANNELS &&
           s->decode_lead_us <= 1000000;
}

static bool prepare(mp_audio *a) {
    const mp_audio_settings *s = &a->settings;
    uint32_t ins = s->in_channels > 0 ? s->in_channels : 1;
    a->master = a->master_now = a->send = 1.0f;
    mp_own_places_init(a);
    atomic_store(&a->input_latency, UINT32_MAX);
    a->clock = mp_frame_clock_new(s->rate);
    return a->clock != NULL && mp_ring_init(&a->to_callback, sizeof(mp_order), MP_ORDERS) &&
           mp_ring_init(&a->from_callback, sizeof(mp_order), MP_ORDERS) &&
           mp_ring_init(&a->to_codec, sizeof(mp_order), MP_ORDERS) &&
           mp_ring_init(&a->from_codec, sizeof(mp_order), MP_ORDERS) &&
           mp_frame_ring_init(&a->input, ins, INPUT_FRAMES) &&
           mp_sender_init(&a->sender, s->rate, ins);
}

mp_audio *mp_audio_new(const mp_audio_settings *settings, mp_status *status) {
    *status = MP_OUT_OF_RANGE;
    if (!is_usable(settings)) return NULL;
    mp_audio *a = calloc(1, sizeof *a);
    *status = MP_NO_MEMORY;
    if (a == NULL) return NULL;
    a->settings = *settings;
    int64_t period_ns = INT64_C(1000000000) * settings->period / settings->rate;
    mp_decode_lead_init(&a->lead, (int64_t)settings->decode_lead_us * 1000, period_ns);
    if (prepare(a)) {
        *status = MP_OK;
        return a;
    }
    mp_audio_free(a);
    return NULL;
}

static void free_player(mp_player *p) {
    if (p == NULL) return;
    mp_ring_free(&p->queue);
    mp_frame_ring_free(&p->ring);
    mp_capture_marks_free(&p->captured);
    mp_resampler_free(&p->resampler);
    mp_bars_free(p->bars);
    free(p);
}

/* What the codec thread got, and what it gave back. */
static void free_order(mp_order *o) {
    if (o->kind == MP_ORDER_KEEP) mp_bars_free(o->bars);
    if (o->kind == MP_ORDER_PIECES) free(o->pieces);
}

static void free_what_came_back(mp_audio *a) {
    mp_order o;
    while (a->to_codec.items != NULL && mp_ring_take(&a->to_codec, &o)) free_order(&o);
    while (a->from_codec.items != NULL && mp_ring_take(&a->from_codec, &o)) free_order(&o);
}

void mp_audio_free(mp_audio *a) {
    if (a == NULL) return;
    mp_audio_stop(a);
    free_what_came_back(a);
    for (int i = 0; i < MP_MAX_PLAYERS; i++) free_player(a->slots[i]);
    mp_sender_free(&a->sender);
    free(a->own_inserts);
    free(a->pieces);
    mp_frame_ring_free(&a->input);
    mp_ring_free(&a->to_callback);
    mp_ring_free(&a->from_callback);
    mp_ring_free(&a->to_codec);
    mp_ring_free(&a->from_codec);
    mp_frame_clock_free(a->clock);
    free(a);
}

static mp_status order(mp_ring *ring, const mp_order *order) {
    if (!mp_ring_stage(ring, order)) return MP_FULL;
    mp_ring_publish(ring);
    return MP_OK;
}

void mp_audio_set_input_latency(mp_audio *a, uint32_t frames) {
    atomic_store(&a->input_latency, frames);
}

void mp_audio_xrun(mp_audio *a) { atomic_fetch_add(&a->xruns, 1); }

uint64_t mp_audio_input_dropped(mp_audio *a) { return atomic_load(&a->input_dropped); }

mp_status mp_audio_set_encoder(mp_audio *a, const mp_audio_encoder *e) {
    bool whole = e->calls.encoder_push_frame != NULL && e->calls.encoder_pop_packet != NULL &&
                 e->send != NULL && e->packet_frames >= 1 &&
                 e->packet_frames <= MP_MAX_PACKET_FRAMES && a->settings.in_channels > 0;
    if (e->encoder != NULL && !whole) return MP_OUT_OF_RANGE;
    mp_order o = {.kind = MP_ORDER_ENCODER, .encoder = *e};
    return order(&a->to_codec, &o);
}

mp_status mp_audio_set_repairs(mp_audio *a, int wanted) {
    mp_order o = {.kind = MP_ORDER_REPAIRS, .repairs = wanted != 0};
    return order(&a->to_codec, &o);
}

mp_status mp_audio_set_arrive(mp_audio *a, mp_audio_arrive arrive, void *arg) {
    mp_order o = {.kind = MP_ORDER_ARRIVE, .arrivals = {arrive, arg}};
    return order(&a->to_codec, &o);
}

void *mp_audio_encoder_in_use(mp_audio *a) { return atomic_load(&a->sender.encoder); }

mp_status mp_audio_set_map(mp_audio *a, const mp_clock_map *map) {
    mp_order o = {.kind = MP_ORDER_MAP, .map = *map};
    return order(&a->to_codec, &o);
}

/* ---- players ---- */

static bool is_target(double frames) { return frames >= 0.0 && frames <= MOST_TARGET; }

static bool can_be(const mp_player_settings *s) {
    bool power_of_two = s->queue_packets > 0 && (s->queue_packets & (s->queue_packets - 1)) == 0;
    return s->calls.decoder_push_packet != NULL && s->calls.decoder_pop_frame != NULL &&
           s->packet_frames >= 1 && s->packet_frames <= MP_MAX_PACKET_FRAMES && s->channels >= 1 &&
           s->channels <= MP_MAX_CHANNELS && power_of_two && s->queue_packets <= MOST_QUEUE &&
           is_target(s->target_frames) && is_target(s->cover_frames);
}

static mp_player *new_player(const mp_audio *a, uint32_t slot, const mp_player_settings *s) {
    mp_player *p = calloc(1, sizeof *p);
    if (p == NULL) return NULL;
    p->settings = *s;
    p->slot = slot;
    p->target = s->target_frames;
    p->cover = s->cover_frames;
    p->place.gain = 1.0f;
    mp_link_begin(&p->place.link);
    mp_link_begin(&p->place.tape);
    atomic_store(&p->decoder, s->decoder);
    atomic_store(&p->needs_decoder, s->decoder == NULL);
    atomic_store(&p->latency_us, -1);
    mp_concealer_init(&p->concealer, s->channels);
    if (mp_ring_init(&p->queue, sizeof(mp_media_packet), s->queue_packets) &&
        mp_frame_ring_init(&p->ring, s->channels, PLAYER_FRAMES) &&
        mp_capture_marks_init(&p->captured) &&
        mp_resampler_init(&p->resampler, MP_STREAM_RATE, a->settings.rate, s->channels)) {
        return p;
    }
    free_player(p);
    return NULL;
}

static bool has(const mp_audio *a, uint32_t slot) {
    return slot < MP_MAX_PLAYERS && a->slots[slot] != NULL && !a->slots[slot]->leaving;
}

/* Both threads get an order, or none. */
static mp_status order_both(mp_audio *a, const mp_order *o) {
    if (!mp_ring_stage(&a->to_callback, o)) return MP_FULL;
    if (!mp_ring_stage(&a->to_codec, o)) {
        mp_ring_unstage(&a->to_callback);
        return MP_FULL;
    }
    mp_ring_publish(&a->to_callback);
    mp_ring_publish(&a->to_codec);
    return MP_OK;
}

mp_status mp_audio_add_player(mp_audio *a, uint32_t slot, const mp_player_settings *settings) {
    mp_audio_collect(a);
    if (slot >= MP_MAX_PLAYERS || a->slots[slot] != NULL || !can_be(settings)) {
        return MP_OUT_OF_RANGE;
    }
    mp_player *p = new_player(a, slot, settings);
    if (p == NULL) return MP_NO_MEMORY;
    mp_order o = {.kind = MP_ORDER_ADD, .slot = slot, .player = p};
    mp_status status = order_both(a, &o);
    if (status != MP_OK) {
        free_player(p);
        return status;
    }
    p->callback_has = p->codec_has = true;
    a->slots[slot] = p;
    return MP_OK;
}

mp_status mp_audio_remove_player(mp_audio *a, uint32_t slot) {
    if (!has(a, slot)) return MP_OUT_OF_RANGE;
    mp_order o = {.kind = MP_ORDER_REMOVE, .slot = slot};
    mp_status status = order_both(a, &o);
    if (status == MP_OK) a->slots[slot]->leaving = true;
    return status;
}

uint32_t mp_audio_collect(mp_audio *a) {
    mp_order o;
    uint32_t leaving = 0;
    while (mp_ring_take(&a->from_callback, &o)) {
        if (o.player != NULL) o.player->callback_has = false;
    }
    while (mp_ring_take(&a->from_codec, &o)) {
        free_order(&o);
        if (o.kind == MP_ORDER_REMOVE && o.player != NULL) o.player->codec_has = false;
    }
    for (int i = 0; i < MP_MAX_PLAYERS; i++) {
        mp_player *p = a->slots[i];
        if (p == NULL || !p->leaving) continue;
        if (p->callback_has || p->codec_has) {
            leaving++;
        } else {
            a->slots[i] = NULL;
            free_player(p);
        }
    }
    return leaving;
}

int mp_audio_has_player(mp_audio *a, uint32_t slot) {
    return slot < MP_MAX_PLAYERS && a->slots[slot] != NULL;
}

mp_status mp_audio_set_decoder(mp_audio *a, uint32_t slot, void *decoder) {
    if (!has(a, slot)) return MP_OUT_OF_RANGE;
    mp_order o = {.kind = MP_ORDER_DECODER, .slot = slot, .decoder = decoder};
    return order(&a->to_codec, &o);
}

void *mp_audio_decoder_in_use(mp_audio *a, uint32_t slot) {
    bool there = slot < MP_MAX_PLAYERS && a->slots[slot] != NULL;
    return there ? atomic_load(&a->slots[slot]->decoder) : NULL;
}

mp_status mp_audio_set_target(mp_audio *a, uint32_t slot, mp_wait wait, double frames,
                              double cover) {
    if (!has(a, slot) || wait > MP_WAIT_FOR_BARS) return MP_OUT_OF_RANGE;
    if (!is_target(frames) || !is_target(cover)) return MP_OUT_OF_RANGE;
    mp_order o = {.kind = MP_ORDER_TARGET, .slot = slot, .target = {wait, frames, cover}};
    return order(&a->to_codec, &o);
}

/* ---- bars ---- */

/* Hand over what is freed here if it cannot be. */
static mp_status order_owned(mp_audio *a, mp_order *o) {
    mp_status status = order(&a->to_codec, o);
    if (status != MP_OK) free_order(o);
    return status;
}

mp_status mp_audio_keep(mp_audio *a, uint32_t slot, uint32_t frames) {
    bool power_of_two = frames > 0 && (frames & (frames - 1)) == 0;
    if (!has(a, slot) || !power_of_two || frames > MP_MOST_KEPT) return MP_OUT_OF_RANGE;
    mp_audio_collect(a);
    uint32_t channels = a->slots[slot]->settings.channels;
    mp_order o = {.kind = MP_ORDER_KEEP, .slot = slot};
    o.bars = mp_bars_new(channels, frames, a->settings.rate);
    return o.bars == NULL ? MP_NO_MEMORY : order_owned(a, &o);
}

static bool is_span(int64_t from_us, int64_t to_us) {
    return from_us >= -MOST_TIME_US && from_us < to_us && to_us <= MOST_TIME_US;
}

/* Times that can be reckoned with, and that go forwards. */
static bool are_pieces(const mp_piece *pieces, uint32_t count) {
    if (count > MP_MAX_PIECES) return false;
    for (uint32_t i = 0; i < count; i++) {
        const mp_piece *p = &pieces[i];
        if (p->kind > MP_PIECE_AT_ONCE || !is_span(p->play_us, p->play_end_us)) return false;
        if (i > 0 && p->play_us != pieces[i - 1].play_end_us) return false;
        if (p->kind == MP_PIECE_BARS && !is_span(p->capture_us, p->capture_end_us)) return false;
    }
    return true;
}

mp_status mp_audio_set_pieces(mp_audio *a, const mp_piece *pieces, uint32_t count) {
    if (!are_pieces(pieces, count)) return MP_OUT_OF_RANGE;
    mp_audio_collect(a);
    mp_order o = {.kind = MP_ORDER_PIECES};
    o.pieces = malloc(sizeof *o.pieces + count * sizeof *pieces);
    if (o.pieces == NULL) return MP_NO_MEMORY;
    o.pieces->count = count;
    if (count > 0) memcpy(o.pieces->pieces, pieces, count * sizeof *pieces);
    return order_owned(a, &o);
}

mp_status mp_audio_receive(mp_audio *a, uint32_t slot, const mp_media_packet *packet) {
    if (!has(a, slot) || a->slots[slot]->settings.take != NULL) return MP_OUT_OF_RANGE;
    mp_ring *queue = &a->slots[slot]->queue;
    if (mp_ring_stage(queue, packet)) {
        mp_ring_publish(queue);
        return MP_OK;
    }
    atomic_fetch_add(&a->slots[slot]->overflow, 1);
    return MP_FULL;
}

/* ---- mix ---- */

static bool is_gain(float gain) { return gain >= 0.0f && gain <= 8.0f; }

mp_status mp_audio_set_player_mix(mp_audio *a, uint32_t slot, float gain, float pan, int mute,
                                  int solo) {
    if (!has(a, slot) || !is_gain(gain) || !(pan >= -1.0f && pan <= 1.0f)) return MP_OUT_OF_RANGE;
    mp_order o = {.kind = MP_ORDER_MIX, .slot = slot, .mix = {gain, pan, mute, solo}};
    return order(&a->to_callback, &o);
}

static mp_status set_link(mp_audio *a, mp_order_kind kind, uint32_t slot,
                          const mp_link_settings *settings) {
    mp_order o = {.kind = kind, .slot = slot};
    bool can_be = mp_link_order_of(settings, a->settings.rate, &o.link);
    return can_be ? order(&a->to_callback, &o) : MP_OUT_OF_RANGE;
}

mp_status mp_audio_set_player_link(mp_audio *a, uint32_t slot, const mp_link_settings *settings) {
    return has(a, slot) ? set_link(a, MP_ORDER_LINK, slot, settings) : MP_OUT_OF_RANGE;
}

mp_status mp_audio_set_player_tape(mp_audio *a, uint32_t slot, const mp_link_settings *settings) {
    return has(a, slot) ? set_link(a, MP_ORDER_TAPE, slot, settings) : MP_OUT_OF_RANGE;
}

mp_status mp_audio_set_own_tape(mp_audio *a, const mp_link_settings *settings) {
    return set_link(a, MP_ORDER_OWN_TAPE, 0, settings);
}

static mp_status set_gain(mp_audio *a, mp_order_kind kind, float gain) {
    mp_order o = {.kind = kind, .gain = gain};
    return is_gain(gain) ? order(&a->to_callback, &o) : MP_OUT_OF_RANGE;
}

mp_status mp_audio_set_master(mp_audio *a, float gain) {
    return set_gain(a, MP_ORDER_MASTER, gain);
}

mp_status mp_audio_set_monitor(mp_audio *a, float gain) {
    return set_gain(a, MP_ORDER_MONITOR, gain);
}

mp_status mp_audio_set_send(mp_audio *a, float gain) { return set_gain(a, MP_ORDER_SEND, gain); }

mp_status mp_audio_set_own(mp_audio *a, uint32_t channel, float gain, float pan, int mute,
                           int solo) {
    bool there = channel < a->settings.in_channels;
    if (!there || !is_gain(gain) || !(pan >= -1.0f && pan <= 1.0f)) return MP_OUT_OF_RANGE;
    mp_order o = {.kind = MP_ORDER_OWN, .slot = channel, .mix = {gain, pan, mute, solo}};
    return order(&a->to_callback, &o);
}

mp_status mp_audio_player_stats(mp_audio *a, uint32_t slot, mp_player_stats *stats) {
    if (!has(a, slot)) return MP_OUT_OF_RANGE;
    mp_player *player = a->slots[slot];
    mp_player_stats_of(player, stats);
    stats->concealed_frames += atomic_load(&player->dry) * MP_STREAM_RATE / a->settings.rate;
    return MP_OK;
}

void mp_audio_input_levels(mp_audio *a, mp_level *levels) {
    mp_level_take(a->in_meters, a->settings.in_channels, levels);
}

void mp_audio_mix_levels(mp_audio *a, mp_level *levels) {
    mp_level_take(a->out_meters, a->settings.out_channels, levels);
}

mp_status mp_audio_player_levels(mp_audio *a, uint32_t slot, mp_level *levels) {
    if (!has(a, slot)) return MP_OUT_OF_RANGE;
    mp_level_take(a->slots[slot]->meters, a->slots[slot]->ring.channels, levels);
    return MP_OK;
}
