#include "timer_audio.h"

/* Up to so many cycles are caught up with, one behind the other; what is more is left out. */
enum { MOST_BEHIND = 16 };

void mp_timer_audio_init(mp_timer_audio *t, uint32_t rate, uint32_t period, mp_timer_cycle cycle,
                         void *arg) {
    *t = (mp_timer_audio){.cycle = cycle, .arg = arg, .rate = rate, .period = period};
}

int64_t mp_timer_audio_step(mp_timer_audio *t, int64_t now_ns) {
    const double period_ns = 1e9 * t->period / t->rate;
    if (t->next_ns == 0) t->next_ns = now_ns;
    if (now_ns < t->next_ns) return t->next_ns;
    int64_t behind_ns = now_ns - t->next_ns;
    if (behind_ns > (int64_t)(MOST_BEHIND * period_ns)) {
        atomic_fetch_add(&t->restarts, 1);
        t->next_ns = now_ns;
    } else if (behind_ns > (int64_t)period_ns) {
        atomic_fetch_add(&t->late, 1);
    }
    t->cycle(t->arg, t->next_ns);
    double step_ns = period_ns / (1.0 + t->faster) + t->rest_ns;
    int64_t whole_ns = (int64_t)step_ns;
    t->rest_ns = step_ns - (double)whole_ns;
    return t->next_ns += whole_ns;
}

static void *run(void *arg) {
    mp_timer_audio *t = arg;
    mp_status status = t->priority > 0 ? mp_thread_realtime(t->priority) : MP_OK;
    atomic_store(&t->started, status == MP_OK ? 1 : -1);
    while (!atomic_load(&t->stopping)) {
        mp_host_sleep_until_ns(mp_timer_audio_step(t, mp_host_now_ns()));
    }
    return NULL;
}

mp_status mp_timer_audio_start(mp_timer_audio *t, int priority) {
    static const int64_t LOOK_NS = 100000;
    if (t->running || priority < 0 || priority > 99) return MP_OUT_OF_RANGE;
    t->priority = priority;
    atomic_store(&t->stopping, 0);
    atomic_store(&t->started, 0);
    if (pthread_create(&t->thread, NULL, run, t) != 0) return MP_SYSTEM_FAILED;
    t->running = true;
    while (atomic_load(&t->started) == 0) mp_host_sleep_until_ns(mp_host_now_ns() + LOOK_NS);
    return atomic_load(&t->started) > 0 ? MP_OK : MP_NOT_PERMITTED;
}

void mp_timer_audio_stop(mp_timer_audio *t) {
    if (!t->running) return;
    atomic_store(&t->stopping, 1);
    pthread_join(t->thread, NULL);
    t->running = false;
}
