/* How fast a stream is played, so that its packets wait as long as they should. Pure on given
 * times; one thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* All 0 is one that knows nothing yet. */
typedef struct {
    double wait_s, rate;    /* as they are likely to be; rate: how much faster the sender's quartz is */
    double ww, wr, rr;      /* their covariance */
    double noise_s2;        /* variance of what is measured */
    double target_s;
    double bent, faster;    /* it is played so much faster than the rate; and in all */
    int64_t seen_ns;        /* 0: the wait is not known */
    double lean;            /* to which side what is measured is off, in sigmas */
    bool jumped, hurries;
    bool moved; /* the last one showed that it jumped for good with the one before */
} mp_steering;

/* Something was left out or filled in: the next wait is another one, the quartzes are the same. */
void mp_steering_lost(mp_steering *steering);
/* So long packets wait now: returns how much faster to play from now on. */
double mp_steering_step(mp_steering *steering, double wait_s, double target_s, int64_t now_ns);
