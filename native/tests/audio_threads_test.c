/* Callback, codec thread and a third that adds, removes and asks, all at once. */
#include <pthread.h>
#include <stdatomic.h>

#include "check.h"
#include "fake_roc.h"

enum { PERIOD = 64, PLAYERS = 8, ROUNDS = 150 };

static mp_audio *audio;
static fake_encoder encoder = {.channels = 2, .frames = 64, .ssrc = 3};
static fake_decoder decoders[PLAYERS];
static _Atomic int ended;
static _Atomic uint64_t cycles;
static mp_media_packet last;
static _Atomic uint32_t last_count;
static pthread_mutex_t last_lock = PTHREAD_MUTEX_INITIALIZER;

static int keep(void *arg, int kind, int64_t capture_us, const uint8_t *bytes, uint32_t size) {
    (void)arg;
    pthread_mutex_lock(&last_lock);
    last = (mp_media_packet){.kind = (uint8_t)kind, .size = (uint16_t)size,
                             .capture_us = capture_us, .received_ns = mp_host_now_ns()};
    memcpy(last.bytes, bytes, size);
    pthread_mutex_unlock(&last_lock);
    atomic_fetch_add(&last_count, 1);
    return 0;
}

static void *call_back(void *arg) {
    float in[2][PERIOD] = {{0.1f}}, out[2][PERIOD];
    const float *ins[] = {in[0], in[1]};
    float *outs[] = {out[0], out[1]};
    (void)arg;
    while (!atomic_load(&ended)) {
        int64_t now_ns = mp_host_now_ns();
        mp_audio_process(audio, ins, outs, NULL, PERIOD, now_ns);
        atomic_fetch_add(&cycles, 1);
        mp_host_sleep_until_ns(now_ns + 1333333);
    }
    return NULL;
}

static void wait_until_gone(void) {
    int64_t give_up_ns = mp_host_now_ns() + INT64_C(20000000000);
    while (mp_audio_collect(audio) > 0) {
        CHECK(mp_host_now_ns() < give_up_ns);
        mp_host_sleep_until_ns(mp_host_now_ns() + 500000);
    }
}

static void play_a_round(uint64_t *seed) {
    mp_player_stats stats;
    mp_level levels[MP_MAX_CHANNELS];
    uint32_t slot = (uint32_t)random_between(seed, 0, PLAYERS - 1);
    mp_player_settings settings = {.calls = fake_roc, .decoder = &decoders[slot],
                                   .packet_frames = 64, .channels = 2, .queue_packets = 64,
                                   .target_frames = 300.0};
    if (!mp_audio_has_player(audio, slot)) {
        decoders[slot] = (fake_decoder){.channels = 2, .frames = 64};
        CHECK(mp_audio_add_player(audio, slot, &settings) == MP_OK);
    } else if (random_between(seed, 0, 2) == 0) {
        CHECK(mp_audio_remove_player(audio, slot) == MP_OK);
        wait_until_gone();
    }
    pthread_mutex_lock(&last_lock);
    mp_media_packet packet = last;
    pthread_mutex_unlock(&last_lock);
    for (uint32_t s = 0; s < PLAYERS; s++) {
        if (!mp_audio_has_player(audio, s)) continue;
        if (packet.size > 0) mp_audio_receive(audio, s, &packet);
        CHECK(mp_audio_set_player_mix(audio, s, 0.5f, 0.1f, 0, s == 1) == MP_OK);
        CHECK(mp_audio_set_target(audio, s, MP_WAIT_TO_PLAY, 400.0, 0.0) == MP_OK);
        CHECK(mp_audio_player_stats(audio, s, &stats) == MP_OK);
        CHECK(mp_audio_player_levels(audio, s, levels) == MP_OK);
    }
    mp_audio_mix_levels(audio, levels);
    mp_audio_input_levels(audio, levels);
}

/* Orders wait in bounded rings: give the other threads the time to take them. */
static void wait_for_cycles(uint64_t more) {
    uint64_t until = atomic_load(&cycles) + more;
    int64_t give_up_ns = mp_host_now_ns() + INT64_C(20000000000);
    while (atomic_load(&cycles) < until) {
        CHECK(mp_host_now_ns() < give_up_ns);
        mp_host_sleep_until_ns(mp_host_now_ns() + 200000);
    }
}

int main(void) {
    mp_status status;
    mp_audio_settings settings = {48000, PERIOD, 2, 2, 500};
    mp_clock_map map = {0};
    mp_audio_encoder with = {fake_roc, &encoder, 64, 0, 0, keep, NULL};
    pthread_t callback;
    uint64_t seed = 5;
    CHECK((audio = mp_audio_new(&settings, &status)) != NULL);
    CHECK(mp_audio_set_map(audio, &map) == MP_OK);
    CHECK(mp_audio_set_encoder(audio, &with) == MP_OK);
    CHECK(pthread_create(&callback, NULL, call_back, NULL) == 0);
    CHECK(mp_audio_start(audio, 0) == MP_OK);
    CHECK(mp_audio_start(audio, 0) == MP_OUT_OF_RANGE);
    for (int round = 0; round < ROUNDS; round++) {
        play_a_round(&seed);
        wait_for_cycles(2);
    }
    CHECK(atomic_load(&last_count) > ROUNDS);
    CHECK(mp_audio_encoder_in_use(audio) == &encoder);
    with.encoder = NULL;
    CHECK(mp_audio_set_encoder(audio, &with) == MP_OK);
    for (uint32_t s = 0; s < PLAYERS; s++) {
        if (mp_audio_has_player(audio, s)) CHECK(mp_audio_remove_player(audio, s) == MP_OK);
    }
    wait_until_gone();
    CHECK(mp_audio_encoder_in_use(audio) == NULL);
    mp_audio_stop(audio);
    atomic_store(&ended, 1);
    pthread_join(callback, NULL);
    mp_audio_free(audio);
    return 0;
}
