/* A host clock that the test moves: a sleep ends at once, `oversleep_ns` late or early. For
 * programs linked with these two functions wrapped; one file of a program includes it. */
#pragma once

#include <stdint.h>

static int64_t clock_now_ns = 1000000000, oversleep_ns, sleeps;

int64_t __wrap_mp_host_now_ns(void);
int64_t __wrap_mp_host_now_ns(void) { return clock_now_ns; }

void __wrap_mp_host_sleep_until_ns(int64_t host_ns);
void __wrap_mp_host_sleep_until_ns(int64_t host_ns) {
    sleeps++;
    clock_now_ns++;
    if (host_ns + oversleep_ns > clock_now_ns) clock_now_ns = host_ns + oversleep_ns;
}
