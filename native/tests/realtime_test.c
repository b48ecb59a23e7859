/* What is called realtime-safe allocates nothing, takes no lock and makes no system call.
 * wrap: mp_jack malloc calloc realloc free aligned_alloc posix_memalign pthread_mutex_lock
 * wrap: pthread_mutex_trylock pthread_cond_wait pthread_cond_signal pthread_create sched_yield
 * wrap: read write printf fprintf snprintf puts fputs poll sendto recvmsg nanosleep clock_nanosleep
 */
#define _GNU_SOURCE
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../src/ring.h"
#include "../src/spooler.h"
#include "check.h"
#include "fake_jack.h"
#include "fake_roc.h"

/* Volatile, or gcc moves what it does to them across malloc, which it knows. */
static volatile bool guarded;
static volatile int forbidden_calls;
static const char *forbidden_name = "";

static void forbidden(const char *name) {
    if (!guarded) return;
    forbidden_calls++;
    forbidden_name = name;
}

/* A function that goes on as usual, but is counted when it is called under guard. */
#define COUNTED(type, name, parameters, arguments) \
    type __real_##name parameters; \
    type __wrap_##name parameters; \
    type __wrap_##name parameters { \
        forbidden(#name); \
        return __real_##name arguments; \
    }

COUNTED(void *, malloc, (size_t a), (a))
COUNTED(void *, calloc, (size_t a, size_t b), (a, b))
COUNTED(void *, realloc, (void *a, size_t b), (a, b))
COUNTED(void, free, (void *a), (a))
COUNTED(void *, aligned_alloc, (size_t a, size_t b), (a, b))
COUNTED(int, posix_memalign, (void **a, size_t b, size_t c), (a, b, c))
COUNTED(int, pthread_mutex_lock, (pthread_mutex_t *a), (a))
COUNTED(int, pthread_mutex_trylock, (pthread_mutex_t *a), (a))
COUNTED(int, pthread_cond_wait, (pthread_cond_t *a, pthread_mutex_t *b), (a, b))
COUNTED(int, pthread_cond_signal, (pthread_cond_t *a), (a))
COUNTED(int, pthread_create, (pthread_t *a, const pthread_attr_t *b, void *(*c)(void *), void *d),
        (a, b, c, d))
COUNTED(int, sched_yield, (void), ())
COUNTED(ssize_t, read, (int a, void *b, size_t c), (a, b, c))
COUNTED(ssize_t, write, (int a, const void *b, size_t c), (a, b, c))
COUNTED(int, puts, (const char *a), (a))
COUNTED(int, fputs, (const char *a, FILE *b), (a, b))
COUNTED(int, poll, (struct pollfd *a, nfds_t b, int c), (a, b, c))
COUNTED(ssize_t, sendto,
        (int a, const void *b, size_t c, int d, const struct sockaddr *e, socklen_t f),
        (a, b, c, d, e, f))
COUNTED(ssize_t, recvmsg, (int a, struct msghdr *b, int c), (a, b, c))
COUNTED(int, nanosleep, (const struct timespec *a, struct timespec *b), (a, b))
COUNTED(int, clock_nanosleep, (clockid_t a, int b, const struct timespec *c, struct timespec *d),
        (a, b, c, d))

#define COUNTED_PRINT(name, parameters, print) \
    int __wrap_##name parameters; \
    int __wrap_##name parameters { \
        va_list list; \
        forbidden(#name); \
        va_start(list, format); \
        int wrote = print; \
        va_end(list); \
        return wrote; \
    }

COUNTED_PRINT(printf, (const char *format, ...), vprintf(format, list))
COUNTED_PRINT(fprintf, (FILE *to, const char *format, ...), vfprintf(to, format, list))
COUNTED_PRINT(snprintf, (char *to, size_t size, const char *format, ...),
              vsnprintf(to, size, format, list))

/* ---- everything that is said to be realtime-safe ---- */

static mp_ring ring;
static mp_spooler *spooler;
static mp_frame_clock *frame_clock;
static mp_jack_sink *sink;
static mp_meter *meter;
static int (*process_of_sink)(jack_nframes_t, void *), (*process_of_meter)(jack_nframes_t, void *);
static void *arg_of_sink, *arg_of_meter;
static int64_t now_ns = 1000000000;
static mp_audio *audio;
static mp_portaudio *portaudio;
static fake_decoder decoder = {.channels = 2, .frames = 120};

static void set_up(void) {
    mp_status status;
    CHECK(mp_ring_init(&ring, sizeof(int), 64));
    CHECK((spooler = mp_spooler_new()) != NULL);
    CHECK((frame_clock = mp_frame_clock_new(48000)) != NULL);
    fake_start(0);
    CHECK((sink = mp_jack_sink_open(spooler, "sink", "out", "in", "control", &status)) != NULL);
    mp_audio_settings audio_settings = {FAKE_RATE, FAKE_PERIOD, 2, 2, 500};
    mp_player_settings player = {.calls = fake_roc, .decoder = &decoder, .packet_frames = 120,
                                 .channels = 2, .queue_packets = 16, .target_frames = 300.0};
    CHECK((audio = mp_audio_new(&audio_settings, &status)) != NULL);
    CHECK(mp_audio_add_player(audio, 3, &player) == MP_OK);
    CHECK(mp_audio_set_monitor(audio, 1.0f) == MP_OK);
    mp_portaudio_settings stream = {FAKE_RATE, FAKE_PERIOD, 2, 1, 2, 500};
    CHECK((portaudio = mp_portaudio_new(&stream, &status)) != NULL);
    process_of_sink = fake.process;
    arg_of_sink = fake.arg;
    CHECK((meter = mp_meter_open("meter", 1, &status)) != NULL);
    process_of_meter = fake.process;
    arg_of_meter = fake.arg;
    fake.heard = (fake_event){.frame = 5, .size = 2, .bytes = {0x90, 0x40}};
}

static void tear_down(void) {
    mp_portaudio_free(portaudio);
    mp_audio_free(audio);
    mp_meter_close(meter);
    mp_jack_sink_close(sink);
    mp_frame_clock_free(frame_clock);
    mp_spooler_free(spooler);
    mp_ring_free(&ring);
}

static void produce(int64_t room_us) {
    mp_clock_map map = {.local_ns = now_ns, .room_ns = now_ns, .slew_end_ns = now_ns + 1000};
    CHECK(mp_spooler_set_map(spooler, &map) == MP_OK);
    CHECK(mp_spooler_discard_from(spooler, MP_LANE_CLOCK, room_us) == MP_OK);
    for (int i = 0; i < 20; i++) {
        mp_midi_event event = {.room_us = room_us + i * 100, .size = 1, .bytes = {0xF8}};
        CHECK(mp_spooler_add(spooler, MP_LANE_CLOCK, &event) == MP_OK);
    }
    mp_spooler_commit(spooler);
}

static void use_the_ring(void) {
    int item = 1;
    while (mp_ring_stage(&ring, &item)) item++;
    mp_ring_unstage(&ring);
    CHECK(mp_ring_stage(&ring, &item));
    mp_ring_publish(&ring);
    CHECK(mp_ring_take(&ring, &item));
    CHECK(!mp_ring_take(&ring, &item));
}

static void use_the_spooler(void) {
    int64_t due_ns;
    mp_spooler_take_in(spooler);
    mp_spooler_drop_before(spooler, now_ns + 500000);
    for (int i = 0; i < 5 && mp_spooler_peek(spooler, &due_ns) != NULL; i++) {
        mp_spooler_sent(spooler, i, i > 2);
    }
}

static void use_the_clocks(int64_t frame) {
    mp_clock_map map = {.local_ns = 5, .room_ns = 10, .slew = 1e-4, .slew_end_ns = 1000};
    int64_t last = frame;
    if (frame % (1000 * FAKE_PERIOD) == 0) mp_frame_clock_restart(frame_clock);
    mp_frame_clock_see(frame_clock, frame, now_ns);
    CHECK(mp_frame_clock_frame_at(frame_clock, now_ns) > -1.0);
    CHECK(mp_frame_clock_drift(frame_clock) < 1.0);
    CHECK(mp_frame_clock_resets(frame_clock) < 100);
    CHECK_EQUAL(mp_extend_frames(&last, (jack_nframes_t)frame + 1), frame + 1);
    CHECK_WITHIN(mp_local_at_ns(&map, mp_room_at_ns(&map, now_ns)), now_ns, 1);
}

/* The callback, with a player who is removed on the way; nobody fills its ring. */
static void use_the_audio(int64_t cycle) {
    static float in[2][FAKE_PERIOD], out[2][FAKE_PERIOD], own[2][FAKE_PERIOD];
    const float *ins[] = {in[0], in[1]};
    float *outs[] = {out[0], out[1]}, *from[MP_MAX_PLAYERS * 2] = {NULL};
    from[6] = own[0], from[7] = own[1];
    in[0][0] = 2.0f;
    mp_audio_process(audio, ins, outs, from, FAKE_PERIOD, now_ns);
    if (cycle == 6000) mp_audio_remove_player(audio, 3);
    if (cycle % 1000 == 0) CHECK(mp_audio_set_master(audio, 0.5f) == MP_OK);
}

static void use_portaudio(int64_t cycle) {
    static float in[FAKE_PERIOD], out[2 * FAKE_PERIOD];
    const unsigned long underflow = cycle % 100 == 0 ? 4 : 0;
    CHECK(mp_portaudio_callback(in, out, FAKE_PERIOD, NULL, underflow, portaudio) == 0);
}

static void use_the_host_clock(void) {
    int64_t host_ns = mp_host_now_ns();
    CHECK_WITHIN(mp_host_from_monotonic_ns(mp_host_to_monotonic_ns(host_ns)), host_ns, 2);
}

/* Half a minute of cycles, with all that a real-time thread calls. The callbacks read the host
 * clock, which is no system call where the kernel has a vDSO for it. */
static void go_through_everything(bool host_clock_too) {
    for (int64_t cycle = 0; cycle < 12000; cycle++) {
        guarded = false;
        if (cycle % 100 == 0) produce(now_ns / 1000);
        guarded = true;
        use_the_ring();
        use_the_spooler();
        use_the_audio(cycle);
        use_the_clocks(cycle * FAKE_PERIOD);
        now_ns += INT64_C(1000000000) * FAKE_PERIOD / FAKE_RATE;
        if (!host_clock_too) continue;
        use_the_host_clock();
        use_portaudio(cycle);
        fake.sent_count = 0;
        fake.frame += FAKE_PERIOD;
        CHECK(process_of_sink(FAKE_PERIOD, arg_of_sink) == 0);
        CHECK(process_of_meter(FAKE_PERIOD, arg_of_meter) == 0);
    }
    guarded = false;
}

static void none_of_it_calls_what_is_forbidden(void) {
    go_through_everything(true);
    if (forbidden_calls == 0) return;
    fprintf(stderr, "%d forbidden calls, the last of %s\n", forbidden_calls, forbidden_name);
    exit(1);
}

/* The guard itself works. */
static void a_forbidden_call_is_seen(void) {
    void *volatile memory;
    guarded = true;
    memory = malloc(1);
    free(memory);
    guarded = false;
    CHECK_EQUAL(forbidden_calls, 2);
    forbidden_calls = 0;
}

/* The kernel kills a process in this mode at its first system call but read, write and exit, and
 * the guard sees these. ThreadSanitizer makes calls of its own. */
static void none_of_it_makes_a_system_call(void) {
#ifndef __SANITIZE_THREAD__
    int ended;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
        go_through_everything(false);
        syscall(SYS_exit, forbidden_calls != 0);
    }
    CHECK(waitpid(child, &ended, 0) == child);
    CHECK(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
#endif
}

int main(void) {
    a_forbidden_call_is_seen();
    set_up();
    none_of_it_calls_what_is_forbidden();
    none_of_it_makes_a_system_call();
    tear_down();
    return 0;
}
