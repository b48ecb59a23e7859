/* A recording as a device: what is written for a room time is the input at that room time. */
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "../src/audio.h"
#include "../src/timed_ring.h"
#include "check.h"

enum { RATE = 48000, PERIOD = 240, HELD = 1 << 15, MOST = 8192, SECONDS = 30 };
static const int64_t BEGIN_NS = INT64_C(5000000000000), S_NS = 1000000000;

typedef struct {
    mp_take *take;
    mp_tap *tap;
    mp_clock_map map;
    int64_t now_ns, base_ns, written;
    float heard[RATE * SECONDS];
    uint32_t count;
} stage;

static stage *begin(double drift) {
    stage *s = calloc(1, sizeof *s);
    mp_status status;
    const mp_take_settings settings = {RATE, PERIOD, 1, HELD, 0};
    s->take = mp_take_new(&settings, &status);
    CHECK(s->take != NULL && status == MP_OK);
    s->tap = mp_tap_new(1, RATE, HELD);
    CHECK(mp_audio_set_tap(mp_take_engine(s->take), MP_TAP_INPUT, s->tap) == MP_OK);
    s->now_ns = BEGIN_NS;
    /* The room's clock shows quite another time. */
    s->map = (mp_clock_map){.local_ns = BEGIN_NS, .room_ns = 700 * S_NS, .drift = drift};
    s->base_ns = 701 * S_NS;
    return s;
}

static void end(stage *s) {
    mp_take_free(s->take);
    mp_tap_free(s->tap);
    free(s);
}

/* A click on each second of the room, written a quarter of a second ahead. */
static void write_ahead(stage *s) {
    mp_take_info info;
    mp_take_get_info(s->take, &info);
    if (!info.placed) return;
    if (s->written < info.next_frame) s->written = info.next_frame;
    while (s->written < info.next_frame + RATE / 4) {
        float sound[PERIOD];
        for (int i = 0; i < PERIOD; i++) sound[i] = (s->written + i) % RATE == 0 ? 1.0f : 0.0f;
        uint32_t took = mp_take_write(s->take, s->written, sound, PERIOD);
        if (took == 0) return;
        s->written += took;
    }
}

static void run(stage *s, double seconds, bool writes) {
    int64_t end_ns = s->now_ns + llround(seconds * 1e9);
    while (s->now_ns < end_ns) {
        s->now_ns = mp_take_step(s->take, s->now_ns);
        if (writes) write_ahead(s);
        uint32_t room = RATE * SECONDS - s->count;
        s->count += mp_tap_read(s->tap, &s->map, s->base_ns, s->heard + s->count,
                                room < MOST ? room : MOST);
    }
}

static int64_t click_near(const stage *s, int64_t second) {
    int64_t loudest = second * RATE - 400;
    for (int64_t i = loudest; i < second * RATE + 400; i++) {
        if (s->heard[i] > s->heard[loudest]) loudest = i;
    }
    return s->heard[loudest] > 0.2f ? loudest : -1;
}

static int64_t missing(const stage *s) {
    mp_take_info info;
    mp_take_get_info(s->take, &info);
    return (int64_t)info.missing;
}

/* A quartz that is 200 ppm off would be 2 ms off in the end. */
static void sounds_at_its_room_time_whatever_the_own_clock_does(void) {
    const double drifts[] = {200e-6, -200e-6};
    for (int d = 0; d < 2; d++) {
        stage *s = begin(drifts[d]);
        mp_take_set_map(s->take, &s->map);
        run(s, 12.0, true);
        for (int64_t second = 1; second < 10; second++) {
            CHECK_WITHIN(click_near(s, second), second * RATE, second < 8 ? 24 : 3);
        }
        CHECK(missing(s) < RATE / 10); /* at the begin alone */
        end(s);
    }
}

static void is_silent_until_the_rooms_clock_is_known(void) {
    stage *s = begin(0.0);
    mp_take_info info;
    run(s, 1.0, true);
    mp_take_get_info(s->take, &info);
    CHECK(!info.placed && s->written == 0 && info.missing == 0);
    end(s);
}

static void who_writes_late_leaves_a_hole_and_moves_nothing(void) {
    stage *s = begin(0.0);
    mp_take_set_map(s->take, &s->map);
    run(s, 6.5, true);
    int64_t before = missing(s);
    run(s, 3.0, false);
    CHECK_WITHIN(missing(s) - before, 3 * RATE - RATE / 4, PERIOD * 2);
    run(s, 6.0, true);
    CHECK(click_near(s, 5) > 0 && click_near(s, 7) == -1 && click_near(s, 8) == -1);
    for (int64_t second = 9; second < 13; second++) {
        CHECK_WITHIN(click_near(s, second), second * RATE, 3);
    }
    end(s);
}

static void follows_a_clock_that_is_set(void) {
    const int64_t steps_ns[] = {250000000, -250000000};
    for (int i = 0; i < 2; i++) {
        stage *s = begin(0.0);
        mp_take_set_map(s->take, &s->map);
        run(s, 5.3, true);
        s->map.room_ns += steps_ns[i];
        mp_take_set_map(s->take, &s->map);
        run(s, 8.0, true);
        mp_take_info info;
        mp_take_get_info(s->take, &info);
        CHECK_EQUAL(info.jumps, 1);
        for (int64_t second = 8; second < 11; second++) {
            CHECK_WITHIN(click_near(s, second), second * RATE, 24);
        }
        end(s);
    }
}

/* Own input is in the mix here: it was captured in the period before the one in which it is heard. */
static void what_is_heard_has_its_room_time_and_nobody_has_to_hear(void) {
    enum { HEARD = 64 };
    mp_status status;
    mp_take_info info;
    const mp_take_settings settings = {RATE, PERIOD, 2, HELD, HEARD};
    mp_take *take = mp_take_new(&settings, &status);
    const mp_clock_map map = {.local_ns = BEGIN_NS, .room_ns = 700 * S_NS, .drift = 1e-4};
    float frames[2 * PERIOD], clicks[2 * PERIOD] = {0};
    int64_t now_ns = BEGIN_NS, at = 0, next = 0, first = 0;
    uint32_t heard = 0;
    mp_audio_set_monitor(mp_take_engine(take), 1.0f);
    CHECK(mp_take_hear(take, &at, frames) == 0);
    now_ns = mp_take_step(take, now_ns);
    CHECK(mp_take_hear(take, &at, frames) == 0); /* the room's clock is not known */
    mp_take_set_map(take, &map);
    for (int i = 0; i < 40; i++) {
        now_ns = mp_take_step(take, now_ns);
        mp_take_get_info(take, &info);
        if (i == 20) {
            clicks[8] = clicks[9] = 0.5f; /* frame 4 */
            first = info.next_frame + 2 * PERIOD;
            CHECK(mp_take_write(take, first, clicks, PERIOD) == PERIOD);
        }
        CHECK(mp_take_hear(take, &at, frames) == 1);
        CHECK(at == info.next_frame && (next == 0 || at == next));
        next = at + PERIOD;
        for (int f = 0; f < PERIOD; f++) {
            if (fabsf(frames[2 * f]) < 0.2f) continue;
            CHECK_EQUAL(at + f, first + PERIOD + 4);
            heard++;
        }
    }
    CHECK_EQUAL(heard, 1);
    for (int i = 0; i < HEARD + 10; i++) now_ns = mp_take_step(take, now_ns);
    mp_take_get_info(take, &info);
    CHECK_EQUAL(info.unheard, 10 * PERIOD);
    CHECK(mp_take_hear(take, &at, frames) == 1 && at == next); /* the oldest is kept */
    mp_take_free(take);
}

/* A room on another server, whose clock shows a time long ago. */
static void begins_anew_by_another_clock(void) {
    stage *s = begin(0.0);
    mp_take_set_map(s->take, &s->map);
    run(s, 2.0, true);
    s->map.room_ns -= 600 * S_NS;
    mp_take_set_map(s->take, &s->map);
    CHECK_EQUAL(mp_take_restart(s->take), MP_OK);
    s->written = 0;
    int64_t before = missing(s);
    run(s, 2.0, true);
    CHECK(s->written > 0 && missing(s) - before <= 2 * PERIOD);
    end(s);
}

static void refuses_what_cannot_be(void) {
    mp_status status;
    const mp_take_settings wrong[] = {
        {RATE, PERIOD, 0, HELD, 0},   {RATE, PERIOD, 5, HELD, 0},    {RATE, 0, 1, HELD, 0},
        {RATE, PERIOD, 1, 1000, 0},   {RATE, PERIOD, 1, 1u << 30, 0}, {8000, PERIOD, 1, HELD, 0},
        {RATE, PERIOD, 1, HELD, 100}, {RATE, PERIOD, 1, HELD, 1u << 13}};
    for (int i = 0; i < 8; i++) {
        CHECK(mp_take_new(&wrong[i], &status) == NULL && status == MP_OUT_OF_RANGE);
    }
}

typedef struct {
    mp_timed_ring ring;
    _Atomic int stop;
    _Atomic int64_t wrong, right;
} two_threads;

enum { MOST_ROUNDS = 5000000 };

static void *read_on(void *arg) {
    two_threads *t = arg;
    float frames[64];
    for (int64_t at = 0; !atomic_load(&t->stop); at += 64) {
        mp_timed_ring_read(&t->ring, at, frames, 64);
        for (int i = 0; i < 64; i++) {
            bool there = frames[i] != 0.0f;
            t->right += there && frames[i] == (float)((at + i) % 1000 + 1);
            t->wrong += there && frames[i] != (float)((at + i) % 1000 + 1);
        }
        sched_yield();
    }
    return NULL;
}

/* Writer and reader overtake one another: nothing is ever read in a wrong place. */
static void what_is_read_is_what_was_written_for_that_time(void) {
    two_threads t = {.wrong = 0};
    pthread_t thread;
    uint64_t seed = 1;
    int64_t at = 0;
    CHECK(mp_timed_ring_init(&t.ring, 1, 1024));
    CHECK(pthread_create(&thread, NULL, read_on, &t) == 0);
    /* For longer where the two threads hardly met: on a busy machine. */
    for (int round = 0; round < 8000 || (t.right <= 1000 && round < MOST_ROUNDS); round++) {
        float frames[200];
        for (int i = 0; i < 200; i++) frames[i] = (float)((at + i) % 1000 + 1);
        at += mp_timed_ring_write(&t.ring, at, frames, 200);
        if (random_unit(&seed) < 0.01) at += 500; /* a gap: possible once all was read */
        if (random_unit(&seed) < 0.2) sched_yield();
    }
    atomic_store(&t.stop, 1);
    pthread_join(thread, NULL);
    CHECK_EQUAL(t.wrong, 0);
    CHECK(t.right > 1000);
    mp_timed_ring_free(&t.ring);
}

static void is_played_by_its_own_thread(void) {
    mp_status status;
    mp_take_info info;
    const mp_take_settings settings = {44100, 220, 2, HELD, 0};
    mp_take *take = mp_take_new(&settings, &status);
    mp_clock_map map = {0};
    float sound[2 * 64] = {0.5f};
    mp_take_set_map(take, &map);
    CHECK(mp_take_start(take, 0) == MP_OK);
    do {
        sched_yield();
        mp_take_get_info(take, &info);
    } while (!info.placed);
    CHECK(mp_take_write(take, info.next_frame + 22050, sound, 64) == 64);
    CHECK(mp_take_write(take, info.next_frame, sound, 64) == 64); /* over, or there already */
    mp_take_free(take);
}

int main(void) {
    sounds_at_its_room_time_whatever_the_own_clock_does();
    is_silent_until_the_rooms_clock_is_known();
    who_writes_late_leaves_a_hole_and_moves_nothing();
    follows_a_clock_that_is_set();
    what_is_heard_has_its_room_time_and_nobody_has_to_hear();
    begins_anew_by_another_clock();
    refuses_what_cannot_be();
    what_is_read_is_what_was_written_for_that_time();
    is_played_by_its_own_thread();
    return 0;
}
