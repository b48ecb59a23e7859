/* A device's callback without a device: a thread that calls it at absolute times. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "rt.h"

/* `cycle_ns` is when the cycle is due, which is now or was a little before. */
typedef void (*mp_timer_cycle)(void *arg, int64_t cycle_ns);

typedef struct {
    mp_timer_cycle cycle;
    void *arg;
    uint32_t rate, period; /* a cycle takes period / rate seconds */
    /* The thread's. */
    double faster; /* than that; the cycle may set it */
    int64_t next_ns;
    double rest_ns; /* behind it, so that no error adds up */
    _Atomic uint64_t late, restarts;
    pthread_t thread;
    bool running;
    int priority;
    _Atomic int stopping, started; /* 1 with the priority, -1 without */
} mp_timer_audio;

void mp_timer_audio_init(mp_timer_audio *timer, uint32_t rate, uint32_t period,
                         mp_timer_cycle cycle, void *arg);
/* MP_NOT_PERMITTED: it runs, but without the priority; 0 is an ordinary thread. */
mp_status mp_timer_audio_start(mp_timer_audio *timer, int priority);
void mp_timer_audio_stop(mp_timer_audio *timer);
/* What the thread does, without it: run a cycle that is due at `now_ns`, and say when the next one
 * is. The first call begins. */
int64_t mp_timer_audio_step(mp_timer_audio *timer, int64_t now_ns);
