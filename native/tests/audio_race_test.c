/* The callback runs in the middle of a step of the codec thread, as it does where that is late: what
 * is decoded then is not for another time by a period. One thread only. */
#define _GNU_SOURCE
#include "audio_pair.h"

enum { RATE = 48000, PERIOD = 512, SECONDS = 9 };
static float heard[RATE * (SECONDS + 2)];
static bool armed;

static float tone(int64_t frame, uint32_t channel) {
    (void)channel;
    return 0.5f * (float)sin(2.0 * M_PI * 200.0 / RATE * (double)(frame % RATE));
}

static void listen(pair *p, int64_t frame, const float *const *out, uint32_t frames) {
    (void)p;
    memcpy(heard + frame, out[0], frames * sizeof(float));
}

/* Called once a step knows when the next cycle is, and before anything is decoded for it. */
static void in_the_middle(void *arg) {
    pair *p = arg;
    if (!armed || p->now_ns < cycle_ns(&p->to, p->to_cycles) - 2000) return;
    armed = false;
    hearer_cycle(p);
}

int main(void) {
    static pair p;
    p.from = p.to = (device){RATE, PERIOD, 0.0, 1};
    p.source = tone, p.listen = listen, p.delay_ns = 20000000;
    pair_begin(&p, 128, 1600.0);
    mp_audio_set_input_latency(p.sender, 0);
    pair_hear_bars_later(&p, SECONDS);
    mp_audio_set_arrive(p.hearer, in_the_middle, &p);
    pair_run(&p, 6.0);
    int64_t from = p.to_cycles * PERIOD;
    for (int i = 0; i < 20; i++) {
        armed = true;
        p.hearer_step_ns = cycle_ns(&p.to, p.to_cycles) - 1000; /* it is that late */
        pair_run(&p, 0.1);
        CHECK(!armed);
    }
    double worst = 0.0;
    for (int64_t i = from; i < p.to_cycles * PERIOD; i++) {
        worst = fmax(worst, fabs((double)(heard[i] - tone(i, 0))));
    }
    printf("off by %.3f at most\n", worst);
    CHECK_EQUAL(pair_stats(&p).concealed_frames, 0);
    CHECK(worst < 0.02);
    pair_end(&p);
    return 0;
}
