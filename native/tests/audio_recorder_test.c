/* Taps: what the callback writes is read where it belongs in time. */
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "../src/audio.h"
#include "check.h"

enum { RATE = 48000, PERIOD = 128, RING = 1 << 15, MOST = 8192 };
static const mp_clock_map SAME = {0, 0, 0.0, 0, 0.0};

static int64_t ns_of(int64_t frame) { return frame * INT64_C(1000000000) / RATE; }

/* A period of sound in which the frames that are a multiple of `every` are 1. */
static void write_clicks(mp_tap *tap, int64_t frame, int64_t captured_ns, int64_t every) {
    float sound[PERIOD];
    for (int i = 0; i < PERIOD; i++) sound[i] = (frame + i) % every == 0 ? 1.0f : 0.0f;
    mp_tap_write(tap, sound, PERIOD, captured_ns);
}

static uint32_t read_all(mp_tap *tap, const mp_clock_map *map, int64_t base_ns, float *to,
                         uint32_t room) {
    uint32_t got, all = 0;
    while ((got = mp_tap_read(tap, map, base_ns, to + all, room - all)) > 0) all += got;
    return all;
}

static void begins_in_the_very_frame_of_its_base(void) {
    static float heard[RATE];
    mp_tap *tap = mp_tap_new(1, RATE, RING);
    for (int64_t f = 0; f < 9600; f += PERIOD) write_clicks(tap, f, ns_of(f), 1000);
    uint32_t got = read_all(tap, &SAME, ns_of(3000), heard, RATE);
    CHECK_WITHIN(got, 9600 - 3000, 64);
    for (int i = 0; i < 6000; i += 1000) CHECK(heard[i] > 0.8f);
    CHECK(fabsf(heard[500]) < 0.01f);
    mp_tap_free(tap);
}

static void what_came_late_has_silence_in_front(void) {
    static float heard[RATE];
    mp_tap *tap = mp_tap_new(1, RATE, RING);
    for (int64_t f = 5120; f < 9600; f += PERIOD) write_clicks(tap, f, ns_of(f), 1000);
    read_all(tap, &SAME, 0, heard, RATE);
    for (int i = 0; i < 5000; i++) CHECK(fabsf(heard[i]) < 0.2f);
    CHECK(heard[6000] > 0.8f && heard[9000] > 0.8f);
    mp_tap_free(tap);
}

/* A reader that stalls for longer than the ring lasts loses sound, never its place. */
static void what_is_dropped_is_silence_of_the_same_length(void) {
    static float heard[4 * RATE];
    mp_tap *tap = mp_tap_new(1, RATE, RING);
    for (int64_t f = 0; f < 40960; f += PERIOD) write_clicks(tap, f, ns_of(f), 1000);
    CHECK_EQUAL(mp_tap_dropped(tap), 40960 - RING);
    uint32_t got = read_all(tap, &SAME, 0, heard, RATE);
    for (int64_t f = 40960; f < 61440; f += PERIOD) write_clicks(tap, f, ns_of(f), 1000);
    got += read_all(tap, &SAME, 0, heard + got, RATE);
    CHECK_WITHIN(got, 61440, 64);
    CHECK(heard[32000] > 0.8f && fabsf(heard[36000]) < 0.01f);
    CHECK(heard[41000] > 0.8f && heard[60000] > 0.8f);
    mp_tap_free(tap);
}

static void holes_are_told_once_with_their_places(void) {
    static float heard[RATE];
    mp_tap *tap = mp_tap_new(1, RATE, RING);
    mp_hole hole;
    for (int64_t f = 2560; f < 20480; f += PERIOD) {
        if (f < 6400 || f >= 12800) write_clicks(tap, f, ns_of(f), 1000);
    }
    read_all(tap, &SAME, 0, heard, RATE);
    CHECK(mp_tap_hole(tap, &hole) == 1); /* what was before it began is none */
    CHECK_WITHIN(hole.at, 6400, 2);
    CHECK_WITHIN(hole.frames, 6400, 2);
    CHECK(mp_tap_hole(tap, &hole) == 0);
    CHECK(heard[6000] > 0.8f && fabsf(heard[8000]) < 0.01f && heard[13000] > 0.8f);
    mp_tap_free(tap);
}

/* A device whose quartz is 200 ppm fast would be 12 ms off after a minute. */
static void keeps_to_the_rooms_clock(void) {
    const int64_t seconds = 60, every = RATE;
    const double fast = 1.0002;
    float *heard = calloc((size_t)RATE * (size_t)(seconds + 1), sizeof *heard);
    mp_tap *tap = mp_tap_new(1, RATE, RING);
    uint32_t all = 0;
    for (int64_t f = 0; f < seconds * RATE; f += PERIOD) {
        float sound[PERIOD];
        for (int i = 0; i < PERIOD; i++) {
            /* A click at each second of the room. */
            int64_t second = llround((double)(f + i) / (every * fast));
            sound[i] = llround((double)second * every * fast) == f + i ? 1.0f : 0.0f;
        }
        mp_tap_write(tap, sound, PERIOD, llround((double)ns_of(f) / fast));
        all += mp_tap_read(tap, &SAME, 0, heard + all, MOST);
    }
    for (int64_t s = 1; s < seconds - 1; s++) {
        int64_t loudest = s * RATE - 200;
        for (int64_t i = loudest; i < s * RATE + 200; i++) {
            if (heard[i] > heard[loudest]) loudest = i;
        }
        CHECK_WITHIN(loudest, s * RATE, s < 8 ? 24 : 3);
    }
    mp_tap_free(tap);
    free(heard);
}

static void refuses_what_cannot_be(void) {
    CHECK(mp_tap_new(0, RATE, RING) == NULL);
    CHECK(mp_tap_new(MP_MAX_CHANNELS + 1, RATE, RING) == NULL);
    CHECK(mp_tap_new(1, RATE, 1000) == NULL);
    CHECK(mp_tap_new(1, RATE, 1u << 30) == NULL);
    mp_tap_free(NULL);
}

typedef struct {
    mp_audio *audio;
    _Atomic int stop;
} device;

static void *cycles(void *arg) {
    device *d = arg;
    float in[PERIOD] = {0.5f}, out[PERIOD];
    const float *ins[] = {in};
    float *outs[] = {out};
    for (int64_t f = 0; !atomic_load(&d->stop); f += PERIOD) {
        mp_audio_process(d->audio, ins, outs, NULL, PERIOD, ns_of(f));
        sched_yield();
    }
    return NULL;
}

/* Taps are put in, read and freed while the callback runs: the sanitizers look. */
static void a_tap_may_be_freed_once_it_was_taken_away(void) {
    static float heard[MOST];
    mp_status status;
    const mp_audio_settings settings = {RATE, PERIOD, 1, 1, 0};
    device d = {.audio = mp_audio_new(&settings, &status)};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, cycles, &d) == 0);
    CHECK(mp_audio_set_tap(d.audio, MP_TAPS, NULL) == MP_OUT_OF_RANGE);
    for (int i = 0; i < 50; i++) {
        const uint32_t source = i % 2 ? MP_TAP_INPUT : MP_TAP_MIX;
        mp_tap *tap = mp_tap_new(1, RATE, RING);
        CHECK(mp_audio_set_tap(d.audio, source, tap) == MP_OK);
        while (mp_tap_read(tap, &SAME, 0, heard, MOST) == 0) sched_yield();
        CHECK(mp_audio_set_tap(d.audio, source, NULL) == MP_OK);
        mp_tap_free(tap);
    }
    atomic_store(&d.stop, 1);
    pthread_join(thread, NULL);
    mp_audio_free(d.audio);
}

/* What own input is at the next cycle's taps: in a recording, and in one's own mix. */
static float recorded_level(mp_audio *a, mp_tap *tap, int64_t *frame, float *monitored) {
    static float heard[MOST];
    float in[PERIOD], out[PERIOD], last = 0.0f;
    const float *ins[] = {in};
    float *outs[] = {out};
    for (int i = 0; i < PERIOD; i++) in[i] = 0.5f;
    for (int i = 0; i < 40; i++, *frame += PERIOD) {
        mp_audio_process(a, ins, outs, NULL, PERIOD, ns_of(*frame));
        uint32_t got = mp_tap_read(tap, &SAME, 0, heard, MOST);
        if (got > 0) last = heard[got - 1];
    }
    *monitored = out[PERIOD - 1];
    return last;
}

static void what_is_recorded_of_own_input_is_its_links_to_say(void) {
    mp_status status;
    const mp_audio_settings settings = {RATE, PERIOD, 1, 1, 0};
    mp_audio *a = mp_audio_new(&settings, &status);
    mp_tap *tap = mp_tap_new(1, RATE, RING);
    int64_t frame = PERIOD;
    float monitored;
    CHECK(mp_audio_set_monitor(a, 1.0f) == MP_OK);
    CHECK(mp_audio_set_tap(a, MP_TAP_INPUT, tap) == MP_OK);
    CHECK(fabsf(recorded_level(a, tap, &frame, &monitored) - 0.5f) < 0.001f);
    mp_link_settings link = {0.5f, ~0u, 0.0f, 0.0f};
    CHECK(mp_audio_set_own_tape(a, &link) == MP_OK);
    CHECK(fabsf(recorded_level(a, tap, &frame, &monitored) - 0.25f) < 0.001f);
    CHECK(fabsf(monitored - 0.5f) < 0.001f);
    link = (mp_link_settings){1.0f, ~0u, 80.0f, 0.0f};
    CHECK(mp_audio_set_own_tape(a, &link) == MP_OK);
    CHECK(fabsf(recorded_level(a, tap, &frame, &monitored)) < 0.001f);
    CHECK(fabsf(monitored - 0.5f) < 0.001f);
    link.gain = 9.0f;
    CHECK(mp_audio_set_own_tape(a, &link) == MP_OUT_OF_RANGE);
    CHECK(mp_audio_set_player_tape(a, 0, &link) == MP_OUT_OF_RANGE);
    CHECK(mp_audio_set_tap(a, MP_TAP_INPUT, NULL) == MP_OK);
    mp_tap_free(tap);
    mp_audio_free(a);
}

int main(void) {
    what_is_recorded_of_own_input_is_its_links_to_say();
    begins_in_the_very_frame_of_its_base();
    what_came_late_has_silence_in_front();
    what_is_dropped_is_silence_of_the_same_length();
    holes_are_told_once_with_their_places();
    keeps_to_the_rooms_clock();
    refuses_what_cannot_be();
    a_tap_may_be_freed_once_it_was_taken_away();
    return 0;
}
