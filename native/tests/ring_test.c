#include <pthread.h>
#include <sched.h>

#include "../src/ring.h"
#include "../src/rt.h"
#include "check.h"

enum { COUNT = 16, SHARED_COUNT = 128, BATCHES = 60000, LARGEST = 7 };
static const int64_t LONGEST_NS = 2000000000; /* A busy machine need not do all BATCHES. */

typedef struct {
    uint32_t batch, index, size;
} item;

static mp_ring made(uint32_t item_size, uint32_t count) {
    mp_ring ring;
    CHECK(mp_ring_init(&ring, item_size, count));
    return ring;
}

static void staged_is_not_visible_until_published(void) {
    mp_ring ring = made(sizeof(int), COUNT);
    int got = -1;
    CHECK(!mp_ring_take(&ring, &got));
    for (int i = 0; i < 3; i++) CHECK(mp_ring_stage(&ring, &i));
    CHECK(!mp_ring_take(&ring, &got));
    mp_ring_publish(&ring);
    for (int i = 0; i < 3; i++) {
        CHECK(mp_ring_take(&ring, &got));
        CHECK_EQUAL(got, i);
    }
    CHECK(!mp_ring_take(&ring, &got));
    mp_ring_free(&ring);
}

static void unstaged_is_never_seen(void) {
    mp_ring ring = made(sizeof(int), COUNT);
    int got;
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < COUNT; i++) CHECK(mp_ring_stage(&ring, &(int){-1}));
        mp_ring_unstage(&ring);
        CHECK(mp_ring_stage(&ring, &round));
        mp_ring_publish(&ring);
        CHECK(mp_ring_take(&ring, &got));
        CHECK_EQUAL(got, round);
        CHECK(!mp_ring_take(&ring, &got));
    }
    mp_ring_free(&ring);
}

static void a_full_ring_refuses(void) {
    mp_ring ring = made(sizeof(int), COUNT);
    int got;
    for (int i = 0; i < COUNT; i++) CHECK(mp_ring_stage(&ring, &i));
    CHECK(!mp_ring_stage(&ring, &(int){99}));
    mp_ring_publish(&ring);
    CHECK(!mp_ring_stage(&ring, &(int){99}));
    CHECK(mp_ring_take(&ring, &got));
    CHECK(mp_ring_stage(&ring, &(int){COUNT}));
    CHECK(!mp_ring_stage(&ring, &(int){99}));
    mp_ring_publish(&ring);
    for (int i = 1; i <= COUNT; i++) {
        CHECK(mp_ring_take(&ring, &got));
        CHECK_EQUAL(got, i);
    }
    mp_ring_free(&ring);
}

static void counts_wrap(void) {
    mp_ring ring = made(sizeof(uint32_t), COUNT);
    ring.staged = UINT32_MAX - 5;
    atomic_store(&ring.written, ring.staged);
    atomic_store(&ring.read, ring.staged);
    uint32_t got;
    for (uint32_t i = 0; i < 100; i++) {
        for (uint32_t j = 0; j < COUNT; j++) CHECK(mp_ring_stage(&ring, &j));
        CHECK(!mp_ring_stage(&ring, &i));
        mp_ring_publish(&ring);
        for (uint32_t j = 0; j < COUNT; j++) CHECK(mp_ring_take(&ring, &got) && got == j);
        CHECK(!mp_ring_take(&ring, &got));
    }
    mp_ring_free(&ring);
}

static void *produce(void *arg) {
    mp_ring *ring = arg;
    uint64_t seed = 1;
    const int64_t end_ns = mp_host_now_ns() + LONGEST_NS;
    for (uint32_t batch = 0; batch < BATCHES && mp_host_now_ns() < end_ns;) {
        uint32_t size = (uint32_t)random_between(&seed, 1, LARGEST), staged = 0;
        while (staged < size && mp_ring_stage(ring, &(item){batch, staged, size})) staged++;
        if (staged < size || random_bits(&seed) % 8 == 0) {
            mp_ring_unstage(ring);
            sched_yield();
        } else {
            mp_ring_publish(ring);
            batch++;
        }
    }
    while (!mp_ring_stage(ring, &(item){.size = 0})) sched_yield(); /* It is the last. */
    mp_ring_publish(ring);
    return NULL;
}

static void batches_arrive_whole_and_in_order(void) {
    mp_ring ring = made(sizeof(item), SHARED_COUNT);
    pthread_t producer;
    CHECK(pthread_create(&producer, NULL, produce, &ring) == 0);
    for (uint32_t batch = 0;; batch++) {
        item got;
        while (!mp_ring_take(&ring, &got)) sched_yield();
        if (got.size == 0) break;
        for (uint32_t index = 0, size = got.size;; index++) {
            CHECK_EQUAL(got.batch, batch);
            CHECK_EQUAL(got.index, index);
            CHECK_EQUAL(got.size, size);
            if (index + 1 == size) break;
            CHECK(mp_ring_take(&ring, &got)); /* Already there: the batch came at once. */
        }
    }
    pthread_join(producer, NULL);
    mp_ring_free(&ring);
}

int main(void) {
    staged_is_not_visible_until_published();
    unstaged_is_never_seen();
    a_full_ring_refuses();
    counts_wrap();
    batches_arrive_whole_and_in_order();
    return 0;
}
