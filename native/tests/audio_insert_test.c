/* Effects between callback and effects engine: one block later, or as it was; whatever the other
 * end does. */
#include <pthread.h>
#include <string.h>

#include "../src/audio.h"
#include "check.h"

enum { RATE = 48000, PERIOD = 128, CHANNELS = 2, MOST = 1024, MOST_CYCLES = 8000 };

typedef struct {
    mp_effects_memory *memory;
    mp_insert *insert;
    mp_effects_worker *worker;
    int64_t frame;
    _Atomic bool over;
    float in[MOST * CHANNELS], out[MOST * CHANNELS], work[MOST * CHANNELS];
} stage;

static stage *begin(mp_insert_mode mode) {
    stage *s = calloc(1, sizeof *s);
    s->memory = calloc(1, mp_effects_bytes());
    s->insert = calloc(1, sizeof *s->insert);
    s->insert->shared = &s->memory->lanes[MP_PLACE_INPUT];
    s->insert->channels = CHANNELS;
    s->insert->mode = mode;
    s->worker = mp_effects_worker_new(s->memory, RATE, CHANNELS, CHANNELS);
    return s;
}

static void end(stage *s) {
    mp_effects_worker_free(s->worker);
    free(s->insert);
    free(s->memory);
    free(s);
}

/* A sound of which each frame is known, without steps. */
static float sound(int64_t frame, int channel) {
    return frame < 0 ? 0.0f : (float)(0.5 * sin((double)frame * (channel ? 0.0103 : 0.0201)));
}

static void cycle(stage *s, uint32_t frames) {
    for (uint32_t i = 0; i < frames; i++) {
        for (int c = 0; c < CHANNELS; c++) s->in[i * CHANNELS + c] = sound(s->frame + i, c);
    }
    memcpy(s->out, s->in, sizeof s->in);
    mp_insert_process(s->insert, s->out, frames);
    mp_inserts inserts = {.memory = s->memory};
    mp_inserts_publish(&inserts, mp_host_now_ns(), frames);
    s->frame += frames;
}

/* The effect halves. */
static void work(stage *s) {
    if (mp_effects_wait(s->worker, 0) == 0) {
        CHECK(s->insert->mode == MP_INSERT_OFF);
        return;
    }
    uint32_t got = mp_effects_take(s->worker, MP_PLACE_INPUT, s->work, MOST);
    for (uint32_t i = 0; i < got * CHANNELS; i++) s->work[i] *= 0.5f;
    mp_effects_give(s->worker, MP_PLACE_INPUT, s->work, got);
}

static void check_out(const stage *s, uint32_t frames, int64_t older, float gain) {
    for (uint32_t i = 0; i < frames; i++) {
        for (int c = 0; c < CHANNELS; c++) {
            float wanted = gain * sound(s->frame - frames + i - older, c);
            CHECK(fabsf(s->out[i * CHANNELS + c] - wanted) < 1e-5f);
        }
    }
}

/* The same, by the worker alone. */
static void is_worked_without_the_interpreter(void) {
    stage *s = begin(MP_INSERT_ON);
    mp_fx *half = mp_fx_new(MP_FX_GAIN, CHANNELS, RATE), *first = mp_fx_new(MP_FX_GAIN, 1, RATE);
    mp_fx_set(half, (float[MP_FX_VALUES]){20.0f * log10f(0.5f)});
    mp_fx_set(first, (float[MP_FX_VALUES]){0.0f});
    const mp_effects_step steps[] = {{half, 0}, {first, 1}};
    CHECK(mp_effects_set_steps(s->worker, MP_PLACES, steps, 2) == MP_OUT_OF_RANGE);
    CHECK(mp_effects_set_steps(s->worker, MP_PLACE_INPUT, steps, 9999) == MP_OUT_OF_RANGE);
    CHECK(mp_effects_set_steps(s->worker, MP_PLACE_INPUT, steps, 2) == MP_OK);
    for (int i = 0; i < 100; i++) {
        cycle(s, 128);
        CHECK(mp_effects_wait(s->worker, 0) == 0);
        if (i > 10) check_out(s, 128, 128, 0.5f);
    }
    mp_effects_load load;
    mp_effects_get_load(s->worker, &load);
    CHECK(load.mean > 0.0f && load.most >= load.mean);
    mp_effects_recall(s->worker);
    cycle(s, 128);
    CHECK(mp_effects_wait(s->worker, 0) == 1 << MP_PLACE_INPUT);
    mp_fx_free(half);
    mp_fx_free(first);
    end(s);
}

static void comes_back_exactly_one_block_later(void) {
    const uint32_t periods[] = {16, 128, 1024};
    for (int p = 0; p < 3; p++) {
        stage *s = begin(MP_INSERT_ON);
        for (int i = 0; i < 200; i++) {
            cycle(s, periods[p]);
            work(s);
        }
        check_out(s, periods[p], periods[p], 0.5f);
        CHECK_EQUAL(s->insert->late, 0);
        CHECK_EQUAL(s->insert->older, periods[p]);
        end(s);
    }
}

static void nothing_is_later_before_anything_came_back(void) {
    stage *s = begin(MP_INSERT_ON);
    for (int i = 0; i < 50; i++) {
        cycle(s, PERIOD);
        check_out(s, PERIOD, 0, 1.0f);
    }
    CHECK_EQUAL(s->insert->blocks, 0);
    CHECK_EQUAL(s->insert->inserted, 0);
    end(s);
}

static float biggest_step(const float *frames, uint32_t count, float *last) {
    float step = 0.0f;
    for (uint32_t i = 0; i < count; i++) {
        step = fmaxf(step, fabsf(frames[i * CHANNELS] - *last));
        *last = frames[i * CHANNELS];
    }
    return step;
}

static void a_late_block_is_played_as_it_was_without_a_click(void) {
    stage *s = begin(MP_INSERT_ON);
    float last = 0.0f;
    for (int i = 0; i < 200; i++) {
        cycle(s, PERIOD);
        bool late = i == 100 || i == 140 || i == 141;
        CHECK(biggest_step(s->out, PERIOD, &last) < 0.03f);
        if (i == 101) { /* what is due now was not worked on; its end is as it went in */
            float wanted = sound(s->frame - PERIOD - 1, 0);
            CHECK(fabsf(s->out[(PERIOD - 1) * CHANNELS] - wanted) < 1e-5f);
        }
        if (!late) work(s);
    }
    check_out(s, PERIOD, PERIOD, 0.5f);
    CHECK_EQUAL(s->insert->late, 3);
    end(s);
}

static void goes_in_and_out_while_playing_without_a_click(void) {
    stage *s = begin(MP_INSERT_OFF);
    float last = 0.0f;
    for (int i = 0; i < 400; i++) {
        if (i % 40 == 10) s->insert->mode = MP_INSERT_ON;
        if (i % 40 == 25) s->insert->mode = i > 200 ? MP_INSERT_OFF : MP_INSERT_FEED;
        cycle(s, PERIOD);
        work(s);
        CHECK(biggest_step(s->out, PERIOD, &last) < 0.03f);
        if (i % 40 == 24) check_out(s, PERIOD, PERIOD, 0.5f);
        if (i % 40 == 39) check_out(s, PERIOD, 0, 1.0f);
    }
    CHECK_EQUAL(s->insert->late, 0);
    CHECK_EQUAL(s->insert->older, 0);
    end(s);
}

static void a_dead_partner_leaves_the_sound_as_it_was_and_another_goes_on(void) {
    stage *s = begin(MP_INSERT_ON);
    for (int i = 0; i < 100; i++) {
        cycle(s, PERIOD);
        work(s);
    }
    for (int i = 0; i < 375; i++) cycle(s, PERIOD);
    check_out(s, PERIOD, PERIOD, 1.0f);
    CHECK_EQUAL(s->insert->late, 374);
    mp_effects_worker_free(s->worker);
    s->worker = mp_effects_worker_new(s->memory, RATE, CHANNELS, CHANNELS);
    for (int i = 0; i < 20; i++) {
        cycle(s, PERIOD);
        work(s);
    }
    check_out(s, PERIOD, PERIOD, 0.5f);
    end(s);
}

static void another_period_is_followed(void) {
    stage *s = begin(MP_INSERT_ON);
    const uint32_t periods[] = {128, 256, 64, 1024};
    for (int p = 0; p < 4; p++) {
        for (int i = 0; i < 200; i++) {
            cycle(s, periods[p]);
            work(s);
        }
        check_out(s, periods[p], periods[p], 0.5f);
    }
    end(s);
}

static void garbage_in_the_memory_does_no_harm(void) {
    stage *s = begin(MP_INSERT_ON);
    uint64_t seed = 7;
    for (int i = 0; i < 4000; i++) {
        mp_effects_lane *lane = s->insert->shared;
        if (i % 3 == 0) atomic_store(&lane->done, random_bits(&seed));
        if (i % 3 == 1) atomic_store(&lane->done, s->insert->at + random_bits(&seed) % 512 - 256);
        if (i % 7 == 0) atomic_store(&lane->written, random_bits(&seed));
        if (i % 5 == 0) atomic_store(&lane->latency, (uint32_t)random_bits(&seed));
        if (i % 11 == 0) atomic_store(&s->memory->cycle, (uint32_t)random_bits(&seed));
        for (int j = 0; j < 64; j++) {
            uint32_t bits = (uint32_t)random_bits(&seed);
            memcpy(&lane->out[random_bits(&seed) % (MP_LANE_FRAMES * CHANNELS)], &bits, 4);
        }
        cycle(s, PERIOD);
        for (int j = 0; j < PERIOD * CHANNELS; j++) CHECK(fabsf(s->out[j]) <= 8.0f);
        CHECK(s->insert->older <= MOST + MP_MOST_LATENCY);
        atomic_store(&s->memory->cycle_ns, (int64_t)random_bits(&seed));
        atomic_store(&s->memory->cycle_frames, (uint32_t)random_bits(&seed));
        mp_effects_wait(s->worker, 0);
        uint32_t got = mp_effects_take(s->worker, MP_PLACE_INPUT, s->work, MOST);
        CHECK(got <= MOST);
        mp_effects_give(s->worker, MP_PLACE_INPUT, s->work, got);
    }
    memset(s->insert->shared->out, 0, sizeof s->insert->shared->out);
    for (int i = 0; i < 200; i++) {
        cycle(s, PERIOD);
        work(s);
    }
    check_out(s, PERIOD, PERIOD, 0.5f);
    end(s);
}

/* ---- as parts of an engine ---- */

static void *run_worker(void *arg) {
    stage *s = arg;
    while (!atomic_load(&s->over)) {
        if (mp_effects_wait(s->worker, mp_host_now_ns() + 100000000)) {
            for (uint32_t place = 0; place < MP_PLACES; place++) {
                uint32_t got = mp_effects_take(s->worker, place, s->work, MOST);
                mp_effects_give(s->worker, place, s->work, got);
            }
        }
    }
    return NULL;
}

/* Whether at every place effects are heard, and were for a while. */
static bool all_met(mp_audio *audio) {
    mp_insert_stats stats;
    for (uint32_t place = 0; place < MP_PLACES; place++) {
        CHECK_EQUAL(mp_audio_insert_stats(audio, place, &stats), MP_OK);
        if (!stats.inserted || stats.blocks <= 100) return false;
        CHECK_EQUAL(stats.older_frames, PERIOD);
    }
    return true;
}

static void an_engine_and_its_worker_meet_in_memory(void) {
    mp_status status;
    mp_audio_settings settings = {RATE, PERIOD, CHANNELS, CHANNELS, 700};
    mp_audio *audio = mp_audio_new(&settings, &status);
    stage *s = begin(MP_INSERT_OFF);
    mp_insert_stats stats;
    CHECK_EQUAL(mp_audio_set_insert(audio, MP_PLACE_MIX, MP_INSERT_ON), MP_OUT_OF_RANGE);
    CHECK_EQUAL(mp_audio_insert_stats(audio, MP_PLACE_MIX, &stats), MP_OUT_OF_RANGE);
    CHECK_EQUAL(mp_audio_set_effects(audio, s->memory), MP_OK);
    CHECK_EQUAL(mp_audio_set_effects(audio, s->memory), MP_OUT_OF_RANGE);
    CHECK_EQUAL(mp_audio_set_insert(audio, MP_PLACES, MP_INSERT_ON), MP_OUT_OF_RANGE);
    for (uint32_t place = 0; place < MP_PLACES; place++) {
        CHECK_EQUAL(mp_audio_set_insert(audio, place, MP_INSERT_ON), MP_OK);
    }
    pthread_t thread;
    pthread_create(&thread, NULL, run_worker, s);
    static float left[PERIOD], right[PERIOD], out_left[PERIOD], out_right[PERIOD];
    const float *in[] = {left, right};
    float *out[] = {out_left, out_right};
    /* For longer where the two threads hardly met: on a busy machine. */
    for (int i = 0; i < MOST_CYCLES && (i < 300 || !all_met(audio)); i++) {
        int64_t now_ns = mp_host_now_ns();
        mp_audio_process(audio, in, out, NULL, PERIOD, now_ns);
        mp_host_sleep_until_ns(now_ns + INT64_C(1000000000) * PERIOD / RATE);
    }
    CHECK(all_met(audio));
    atomic_store(&s->over, true);
    pthread_join(thread, NULL);
    mp_audio_free(audio);
    end(s);
}

int main(void) {
    comes_back_exactly_one_block_later();
    is_worked_without_the_interpreter();
    nothing_is_later_before_anything_came_back();
    a_late_block_is_played_as_it_was_without_a_click();
    goes_in_and_out_while_playing_without_a_click();
    a_dead_partner_leaves_the_sound_as_it_was_and_another_goes_on();
    another_period_is_followed();
    garbage_in_the_memory_does_no_harm();
    an_engine_and_its_worker_meet_in_memory();
    return 0;
}
