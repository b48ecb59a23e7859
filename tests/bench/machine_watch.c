/* Whether the machine itself stands still: a thread on each processor, before all others, which is
 * to wake each ms. Prints "ready"; at the end of its standard input a line for each wake-up that was
 * over 1 ms late: CLOCK_MONOTONIC in ns, and by how many ns. Ends with 2 where it is not permitted. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { MOST_STALLS = 1 << 14, MOST_PROCESSORS = 64, PRIORITY = 99 };
static const int64_t EVERY_NS = 1000000, LATE_NS = 1000000;

typedef struct {
    int64_t ns, late_ns;
} stall;

static stall stalls[MOST_STALLS];
static _Atomic int count, unable;
static atomic_bool ending;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void note(int64_t ns, int64_t late_ns) {
    int index = atomic_fetch_add(&count, 1);
    if (index < MOST_STALLS) stalls[index] = (stall){ns, late_ns};
}

static void *watch(void *arg) {
    cpu_set_t own;
    const struct sched_param before_all = {PRIORITY};
    CPU_ZERO(&own);
    CPU_SET((int)(intptr_t)arg, &own);
    if (pthread_setaffinity_np(pthread_self(), sizeof own, &own) != 0 ||
        pthread_setschedparam(pthread_self(), SCHED_FIFO, &before_all) != 0) {
        atomic_store(&unable, 1);
        return NULL;
    }
    for (int64_t due_ns = now_ns(); !atomic_load(&ending);) {
        due_ns += EVERY_NS;
        const struct timespec due = {due_ns / 1000000000, due_ns % 1000000000};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        int64_t ns = now_ns();
        if (ns - due_ns <= LATE_NS) continue;
        note(ns, ns - due_ns);
        due_ns = ns;
    }
    return NULL;
}

int main(void) {
    pthread_t threads[MOST_PROCESSORS];
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (processors > MOST_PROCESSORS) processors = MOST_PROCESSORS;
    mlockall(MCL_CURRENT | MCL_FUTURE);
    for (long i = 0; i < processors; i++) {
        if (pthread_create(&threads[i], NULL, watch, (void *)(intptr_t)i) != 0) return 1;
    }
    puts("ready");
    fflush(stdout);
    char ignored[64];
    while (read(0, ignored, sizeof ignored) > 0) continue;
    atomic_store(&ending, true);
    for (long i = 0; i < processors; i++) pthread_join(threads[i], NULL);
    if (atomic_load(&unable)) return 2;
    int noted = atomic_load(&count) < MOST_STALLS ? atomic_load(&count) : MOST_STALLS;
    for (int i = 0; i < noted; i++) printf("%" PRId64 " %" PRId64 "\n", stalls[i].ns, stalls[i].late_ns);
    return 0;
}
