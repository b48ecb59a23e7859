/* The codec thread begins so early that what it decodes is there when the callback comes. */
#include "../src/decode_lead.h"

#include "check.h"

static const int64_t US = 1000;

static mp_decode_lead lead_of(int64_t least_us, int64_t period_us) {
    mp_decode_lead lead;
    mp_decode_lead_init(&lead, least_us * US, period_us * US);
    return lead;
}

static void see(mp_decode_lead *lead, int times, int64_t work_us) {
    for (int i = 0; i < times; i++) mp_decode_lead_see(lead, work_us * US);
}

static void long_work_is_begun_sooner(void) {
    mp_decode_lead lead = lead_of(350, 2666);
    CHECK(mp_decode_lead_ns(&lead) == 350 * US);
    see(&lead, 50, 40);
    CHECK(mp_decode_lead_ns(&lead) == 350 * US);
    see(&lead, 50, 700);
    CHECK(mp_decode_lead_ns(&lead) >= 900 * US && mp_decode_lead_ns(&lead) <= 1000 * US);
}

static void one_long_work_moves_little(void) {
    mp_decode_lead lead = lead_of(350, 2666);
    see(&lead, 50, 300);
    int64_t before = mp_decode_lead_ns(&lead);
    see(&lead, 1, 5000);
    CHECK(mp_decode_lead_ns(&lead) - before <= 20 * US);
}

static void the_longest_of_all_work_counts(void) {
    mp_decode_lead lead = lead_of(350, 2666);
    for (int i = 0; i < 500; i++) {
        see(&lead, 9, 300);
        see(&lead, 1, 600);
    }
    CHECK(mp_decode_lead_ns(&lead) >= 800 * US);
}

static void what_became_less_is_begun_later(void) {
    mp_decode_lead lead = lead_of(350, 2666);
    see(&lead, 100, 900);
    see(&lead, 5000, 40);
    CHECK(mp_decode_lead_ns(&lead) == 350 * US);
}

static void a_long_period_leaves_time_to_wake_up(void) {
    mp_decode_lead lead = lead_of(350, 21333);
    CHECK(mp_decode_lead_ns(&lead) == 2133 * US + 300);
    see(&lead, 500, 700);
    CHECK(mp_decode_lead_ns(&lead) == 2833 * US + 300);
}

static void it_stays_within_its_limits(void) {
    mp_decode_lead lead = lead_of(350, 2666);
    see(&lead, 1000, 5000);
    CHECK(mp_decode_lead_ns(&lead) == 1333 * US);
    lead = lead_of(350, 333); /* shorter than what waking up takes */
    see(&lead, 1000, 5000);
    CHECK(mp_decode_lead_ns(&lead) == 333 * US);
}

int main(void) {
    long_work_is_begun_sooner();
    one_long_work_moves_little();
    the_longest_of_all_work_counts();
    what_became_less_is_begun_later();
    a_long_period_leaves_time_to_wake_up();
    it_stays_within_its_limits();
    return 0;
}
