/* A device that goes on without us, as JACK does with a client that it leaves out of a cycle, takes
 * the sound of that time and nothing else: what comes before and behind it is where it was, at once,
 * whoever's device it was. One thread only. */
#define _GNU_SOURCE
#include "audio_pair.h"

enum { RATE = 48000, PERIOD = 512, EVERY = 12000, WIDTH = 24, SECONDS = 10 };
static float heard[RATE * (SECONDS + 2)];

static float click(int64_t frame, uint32_t channel) {
    (void)channel;
    double off = (double)(frame % EVERY) - EVERY / 2;
    return fabs(off) < WIDTH ? 0.4f * (float)(1.0 + cos(M_PI * off / WIDTH)) : 0.0f;
}

static void listen(pair *p, int64_t frame, const float *const *out, uint32_t frames) {
    (void)p;
    CHECK(frame + frames <= RATE * (SECONDS + 2));
    memcpy(heard + frame, out[0], frames * sizeof(float));
}

/* By how many frames the click that begins so many half beats after the start is late. */
static double late(int64_t number) {
    double sum = 0.0, moment = 0.0;
    for (int64_t i = number * EVERY; i < (number + 1) * EVERY; i++) {
        double x = heard[i] > 0.05f ? heard[i] : 0.0;
        sum += x, moment += x * (double)(i - number * EVERY);
    }
    return sum < 1.0 ? 1e9 : moment / sum;
}

static void lose_at_sender(pair *p, uint32_t cycles) {
    p->from_cycles += cycles;
    mp_audio_lost(p->sender, cycles * PERIOD);
}

static void lose_at_hearer(pair *p, uint32_t cycles) {
    p->to_cycles += cycles;
    mp_audio_lost(p->hearer, cycles * PERIOD);
}

/* At 6, 7, 8, ... s cycles are lost; nothing may stay moved behind them. */
static void nothing_moves(bool bars, void (*lose)(pair *, uint32_t), uint32_t cycles) {
    static pair p;
    memset(&p, 0, sizeof p);
    memset(heard, 0, sizeof heard);
    p.from = p.to = (device){RATE, PERIOD, 0.0, 1};
    p.source = click, p.listen = listen, p.delay_ns = 20000000;
    pair_begin(&p, 128, 1600.0);
    mp_audio_set_input_latency(p.sender, 0);
    if (bars) pair_hear_bars_later(&p, SECONDS);
    pair_run(&p, 6.01);
    double before = late(22), worst = 0.0;
    CHECK(before < EVERY);
    for (int second = 6; second < SECONDS - 1; second++) {
        /* The first click behind it comes a tenth of a second later. */
        lose(&p, cycles);
        pair_run(&p, 1.0);
        for (int64_t beat = 1; beat < 3; beat++) {
            worst = fmax(worst, fabs(late(second * (RATE / EVERY) + beat) - before));
        }
    }
    mp_player_stats stats = pair_stats(&p);
    printf("%s, %u cycles at a time: %.1f frames off, %llu made up\n", bars ? "bars later" : "at once",
           cycles, worst, (unsigned long long)stats.concealed_frames);
    CHECK(worst < 6.0);
    pair_end(&p);
}

int main(void) {
    for (uint32_t cycles = 1; cycles <= 3; cycles += 2) {
        nothing_moves(false, lose_at_hearer, cycles);
        nothing_moves(false, lose_at_sender, cycles);
        nothing_moves(true, lose_at_hearer, cycles);
        nothing_moves(true, lose_at_sender, cycles);
    }
    return 0;
}
