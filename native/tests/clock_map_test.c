#include "../src/rt.h"
#include "check.h"

static const int64_t SECOND_NS = 1000000000;

/* What midipool/clock_map.py says: local, room at local, and local at that room time. */
static const mp_clock_map MAPS[] = {
    {0, 0, 0.0, 0, 0.0},
    {1000000000000, -7000000000, 0.0, 0, 0.0001},
    {1000000000000, 2000000000000, 0.0005, 1001000000000, -3e-05},
    {86400000000000, 2592000123456789, -0.002, 86401000000000, 1e-06},
    {123456789123, 987654321987, 0.0025, 125456789123, 0.0002},
    {5000000000, 9000000000, 0.001, 5000000000, -0.001},
    {5000000000, 9000000000, 0.001, 4000000000, -0.001},
    {-3000000000, -8000000000, -0.0001, -1000000000, 0.0001},
    {0, 0, -0.1, 1000000000, 0.1},
};
static const struct {
    int map;
    int64_t local_ns, room_ns, back_ns;
} GOLDEN[] = {
    {0, -1000000000, -1000000000, -1000000000},
    {0, 0, 0, 0},
    {0, 1, 1, 1},
    {0, 999999937, 999999937, 999999937},
    {0, 1000000001, 1000000001, 1000000001},
    {0, 60000000007, 60000000007, 60000000007},
    {1, 999000000000, -8000100000, 999000000000},
    {1, 1000000000000, -7000000000, 1000000000000},
    {1, 1000000000001, -6999999999, 1000000000001},
    {1, 1000999999937, -5999900063, 1000999999937},
    {1, 1001000000001, -5999899999, 1001000000001},
    {1, 1060000000007, 53006000007, 1060000000007},
    {2, 999000000000, 1998999500000, 999000000000},
    {2, 1000000000000, 2000000000000, 1000000000000},
    {2, 1000000000001, 2000000000001, 1000000000001},
    {2, 1000999999937, 2001000499937, 1000999999937},
    {2, 1001000000001, 2001000500001, 1001000000001},
    {2, 1060000000007, 2059998730007, 1060000000007},
    {3, 86399000000000, 2591999125456789, 86399000000000},
    {3, 86400000000000, 2592000123456789, 86400000000000},
    {3, 86400000000001, 2592000123456790, 86400000000001},
    {3, 86400999999937, 2592001121456726, 86400999999937},
    {3, 86401000000001, 2592001121456790, 86401000000001},
    {3, 86460000000007, 2592060121515796, 86460000000007},
    {4, 122456789123, 986651821987, 122456789123},
    {4, 123456789123, 987654321987, 123456789123},
    {4, 123456789124, 987654321988, 123456789124},
    {4, 124456789060, 988656821924, 124456789060},
    {4, 124456789124, 988656821988, 124456789124},
    {4, 183456789130, 1047670921994, 183456789130},
    {5, 4000000000, 8001000000, 4000000000},
    {5, 5000000000, 9000000000, 5000000000},
    {5, 5000000001, 9000000001, 5000000001},
    {5, 5999999937, 9998999937, 5999999937},
    {5, 6000000001, 9999000001, 6000000001},
    {5, 65000000007, 68940000007, 65000000007},
    {6, 4000000000, 8001000000, 4000000000},
    {6, 5000000000, 9000000000, 5000000000},
    {6, 5000000001, 9000000001, 5000000001},
    {6, 5999999937, 9998999937, 5999999937},
    {6, 6000000001, 9999000001, 6000000001},
    {6, 65000000007, 68940000007, 65000000007},
    {7, -4000000000, -8999900000, -4000000000},
    {7, -3000000000, -8000000000, -3000000000},
    {7, -2999999999, -7999999999, -2999999999},
    {7, -2000000063, -7000100063, -2000000063},
    {7, -1999999999, -7000099999, -1999999999},
    {7, 57000000007, 52005600007, 57000000007},
    {8, -1000000000, -900000000, -1000000000},
    {8, 0, 0, 0},
    {8, 1, 1, 1},
    {8, 999999937, 899999943, 999999937},
    {8, 1000000001, 900000001, 1000000001},
    {8, 60000000007, 65800000008, 60000000007},
};
enum { MAP_COUNT = sizeof MAPS / sizeof *MAPS, GOLDEN_COUNT = sizeof GOLDEN / sizeof *GOLDEN };

static void it_says_what_its_twin_says(void) {
    for (int i = 0; i < GOLDEN_COUNT; i++) {
        const mp_clock_map *map = &MAPS[GOLDEN[i].map];
        CHECK_WITHIN(mp_room_at_ns(map, GOLDEN[i].local_ns), GOLDEN[i].room_ns, 1);
        CHECK_WITHIN(mp_local_at_ns(map, GOLDEN[i].room_ns), GOLDEN[i].back_ns, 1);
    }
}

static void there_and_back_is_the_same(const mp_clock_map *map, uint64_t *seed) {
    const int64_t earliest_ns = -10 * SECOND_NS;
    for (int i = 0; i < 100; i++) {
        int64_t local_ns = map->local_ns + random_between(seed, earliest_ns, 100 * SECOND_NS);
        CHECK_WITHIN(mp_local_at_ns(map, mp_room_at_ns(map, local_ns)), local_ns, 1);
        int64_t room_ns = map->room_ns + random_between(seed, earliest_ns, 100 * SECOND_NS);
        CHECK_WITHIN(mp_room_at_ns(map, mp_local_at_ns(map, room_ns)), room_ns, 1);
    }
}

/* Time never goes back, and the two lines meet. */
static void it_has_no_gap(const mp_clock_map *map) {
    int64_t bend_ns = map->slew_end_ns > map->local_ns ? map->slew_end_ns : map->local_ns;
    int64_t before = mp_room_at_ns(map, bend_ns - 20);
    for (int64_t local_ns = bend_ns - 19; local_ns < bend_ns + 20; local_ns++) {
        int64_t room_ns = mp_room_at_ns(map, local_ns);
        CHECK(room_ns >= before && room_ns <= before + 2);
        before = room_ns;
    }
    int64_t bend_room_ns = mp_room_at_ns(map, bend_ns);
    before = mp_local_at_ns(map, bend_room_ns - 20);
    for (int64_t room_ns = bend_room_ns - 19; room_ns < bend_room_ns + 20; room_ns++) {
        int64_t local_ns = mp_local_at_ns(map, room_ns);
        CHECK(local_ns >= before && local_ns <= before + 2);
        before = local_ns;
    }
}

static mp_clock_map random_map(uint64_t *seed) {
    mp_clock_map map = {
        .local_ns = random_between(seed, 0, 1000000 * SECOND_NS),
        .room_ns = random_between(seed, -1000000 * SECOND_NS, 1000000 * SECOND_NS),
        .slew = (random_unit(seed) - 0.5) * 5e-3,
        .drift = (random_unit(seed) - 0.5) * 1e-3,
    };
    map.slew_end_ns = map.local_ns + random_between(seed, -SECOND_NS, 5 * SECOND_NS);
    return map;
}

int main(void) {
    uint64_t seed = 9;
    it_says_what_its_twin_says();
    for (int i = 0; i < MAP_COUNT; i++) it_has_no_gap(&MAPS[i]);
    for (int i = 0; i < MAP_COUNT; i++) there_and_back_is_the_same(&MAPS[i], &seed);
    for (int i = 0; i < 1000; i++) {
        mp_clock_map map = random_map(&seed);
        it_has_no_gap(&map);
        there_and_back_is_the_same(&map, &seed);
    }
    return 0;
}
