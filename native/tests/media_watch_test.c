/* When a member that is not heard directly any more has all sent by the relay too, and asks for the
 * same; on times that are made up. */
#include <stdlib.h>
#include <string.h>

#include "../src/media_socket.h"
#include "check.h"

enum { SLOT = 5, SENDER = 0x01020304, OTHER = 77, OWN = 99 };
static const int64_t MS = 1000000, STEP = 2700000;
static const uint8_t ASKED[4] = {1, 2, 3, 4};

static mp_media_socket *s;
static int64_t now_ns;
static mp_watch_ask ask;

static void begin(void) {
    s = calloc(1, sizeof *s);
    CHECK(s != NULL);
    atomic_store(&s->own_sender, OWN);
    now_ns = 1000 * MS;
}

static void hear(uint32_t slot, uint32_t sender, int64_t for_ns, int64_t step_ns) {
    for (int64_t end_ns = now_ns + for_ns; now_ns < end_ns; now_ns += step_ns)
        mp_watch_heard(s, slot, sender, now_ns);
    now_ns -= step_ns;
}

static bool stands_by(void) { return mp_watch_stands_by(s, now_ns, &ask); }

/* How long after the last packet it is noticed. */
static int64_t noticed_ns(void) {
    int64_t begin_ns = now_ns;
    while (!stands_by()) {
        now_ns += MS;
        CHECK(now_ns < begin_ns + 1000 * MS);
    }
    return now_ns - begin_ns;
}

static void silence_is_noticed_within_a_few_packets(void) {
    begin();
    CHECK(!stands_by());
    hear(SLOT, SENDER, 3000 * MS, STEP);
    CHECK(!stands_by());
    int64_t after_ns = noticed_ns();
    CHECK(after_ns > 2 * STEP && after_ns < 15 * MS);
    CHECK_EQUAL(ask.size, 4);
    CHECK(memcmp(ask.senders, ASKED, 4) == 0);
    now_ns += MS;
    CHECK(stands_by());
    CHECK_EQUAL(ask.size, 0); /* It was just asked. */
    now_ns += 20 * MS;
    CHECK(stands_by());
    CHECK_EQUAL(ask.size, 4);
    free(s);
}

static void whoever_pauses_often_is_waited_for(void) {
    begin();
    for (int i = 0; i < 100; i++) { /* JACK's periods are long: its packets come in bunches. */
        mp_watch_heard(s, SLOT, SENDER, now_ns);
        now_ns += 20 * MS;
        CHECK(i == 0 || !stands_by());
    }
    now_ns -= 20 * MS;
    int64_t after_ns = noticed_ns();
    CHECK(after_ns > 22 * MS && after_ns < 40 * MS);
    free(s);
}

/* Packets come, then none for a while, `times` times; how often that was an alarm. */
static int alarms_in(int times, int64_t heard_ns, int64_t silence_ns) {
    int alarms = 0;
    for (int i = 0; i < times; i++) {
        hear(SLOT, SENDER, heard_ns, STEP);
        CHECK(!stands_by());
        now_ns += silence_ns;
        alarms += stands_by();
        now_ns += MS;
    }
    return alarms;
}

static void some_false_alarms_change_nothing(void) {
    begin();
    hear(SLOT, SENDER, 3000 * MS, STEP);
    CHECK_EQUAL(alarms_in(30, 2000 * MS, 60 * MS), 30);
    hear(SLOT, SENDER, 1000 * MS, STEP);
    CHECK(noticed_ns() < 15 * MS);
    free(s);
}

/* On a machine that comes late all the time, all of it twice would make that worse. */
static void many_make_patient_and_calm_impatient(void) {
    begin();
    hear(SLOT, SENDER, 3000 * MS, STEP);
    int alarms = alarms_in(44, 400 * MS, 60 * MS); /* longer than it stands by */
    CHECK(alarms >= 10 && alarms <= 40);
    CHECK_EQUAL(alarms_in(10, 400 * MS, 60 * MS), 0);
    hear(SLOT, SENDER, 1000 * MS, STEP);
    CHECK(noticed_ns() < 120 * MS); /* But not for ever. */
    for (int i = 0; i < 80; i++) {
        hear(SLOT, SENDER, 1000 * MS, STEP);
        CHECK(!stands_by() || i == 0);
    }
    CHECK(noticed_ns() < 15 * MS);
    free(s);
}

static void it_ends_when_it_is_heard_again_or_gone_for_good(void) {
    begin();
    hear(SLOT, SENDER, 100 * MS, STEP);
    noticed_ns();
    hear(SLOT, SENDER, 290 * MS, STEP);
    CHECK(stands_by()); /* It might come and go. */
    hear(SLOT, SENDER, 30 * MS, STEP);
    CHECK(!stands_by());
    noticed_ns();
    int64_t begin_ns = now_ns;
    while (stands_by()) now_ns += 10 * MS;
    CHECK(now_ns - begin_ns > 1500 * MS && now_ns - begin_ns < 3000 * MS);
    free(s);
}

static void whoever_is_asked_stands_by_for_a_moment(void) {
    const uint8_t asked[12] = {0, 0, 0, OTHER, 0, 0, 0, OWN, 0, 0, 0};
    begin();
    mp_watch_asked(s, asked, 4, now_ns);
    CHECK(!stands_by());
    mp_watch_asked(s, asked, 11, now_ns);
    CHECK(stands_by());
    CHECK_EQUAL(ask.size, 0);
    now_ns += 400 * MS;
    CHECK(!stands_by());
    atomic_store(&s->own_sender, 0);
    mp_watch_asked(s, asked + 8, 3, now_ns);
    CHECK(!stands_by());
    free(s);
}

static void all_that_are_silent_are_asked_and_no_others(void) {
    begin();
    for (uint32_t slot = 0; slot < MP_MEDIA_SENDERS; slot++)
        mp_watch_heard(s, slot, slot + 1, now_ns);
    mp_watch_forget(s, 0);
    CHECK(mp_watch_silence_ns(s, 0, now_ns) == -1);
    now_ns += 100 * MS;
    CHECK(mp_watch_silence_ns(s, 1, now_ns) == 100 * MS);
    CHECK(stands_by());
    CHECK_EQUAL(ask.size, sizeof ask.senders);
    CHECK_EQUAL(ask.senders[3], 2);
    mp_watch_heard(s, SLOT, SENDER, now_ns - 50 * MS); /* Its time is the kernel's. */
    mp_watch_heard(s, SLOT, SENDER, now_ns - 60 * MS);
    CHECK(mp_watch_silence_ns(s, SLOT, now_ns) == 50 * MS);
    free(s);
}

int main(void) {
    silence_is_noticed_within_a_few_packets();
    whoever_pauses_often_is_waited_for();
    some_false_alarms_change_nothing();
    many_make_patient_and_calm_impatient();
    it_ends_when_it_is_heard_again_or_gone_for_good();
    whoever_is_asked_stands_by_for_a_moment();
    all_that_are_silent_are_asked_and_no_others();
    return 0;
}
