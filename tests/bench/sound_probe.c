/* A program on JACK that plays sounds again and again, records, and notes when each of its cycles
 * was. In C: a callback in Python takes up a good part of a period of 128 frames.
 *
 *   sound_probe NAME SECONDS FILE PLAYS [SOUND PORT]... [PORT]...
 *
 * PLAYS sounds (files of 32-bit floats) go to a port each; the ports after them are recorded. It
 * prints "ready", and at the end of its standard input writes FILE: four int64 (frames recorded,
 * ports, cycles, xruns), three for each cycle (own frame, JACK's frame, CLOCK_MONOTONIC in ns), the
 * ns of each xrun, and the recorded frames. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "jack_api.h"

enum { MOST_PORTS = 8, MOST_XRUNS = 1 << 16, LEAST_PERIOD = 16 };

typedef struct {
    float *samples;
    size_t frames;
} sound;

typedef struct {
    int64_t own, jack, ns;
} cycle;

static const mp_jack_api *jack;
static jack_client_t *client;
static jack_port_t *outputs[MOST_PORTS], *inputs[MOST_PORTS];
static sound sounds[MOST_PORTS];
static int plays, hears;
static float *heard;
static cycle *cycles;
static size_t most_frames, most_cycles, counted;
static int64_t at, jack_frame, xruns[MOST_XRUNS];
static _Atomic int xrun_count;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "sound_probe: %s\n", what);
    exit(1);
}

static int process(jack_nframes_t frames, void *arg) {
    (void)arg;
    if (counted < most_cycles) {
        int64_t ns = now_ns(), frame = mp_extend_frames(&jack_frame, jack->last_frame_time(client));
        cycles[counted++] = (cycle){at, frame, ns};
    }
    for (int p = 0; p < plays; p++) {
        float *out = jack->port_get_buffer(outputs[p], frames);
        for (jack_nframes_t i = 0; i < frames; i++) {
            out[i] = sounds[p].samples[((size_t)at + i) % sounds[p].frames];
        }
    }
    if ((size_t)at + frames <= most_frames) {
        for (int p = 0; p < hears; p++) {
            const float *in = jack->port_get_buffer(inputs[p], frames);
            for (jack_nframes_t i = 0; i < frames; i++) heard[((size_t)at + i) * hears + p] = in[i];
        }
    }
    at += frames;
    return 0;
}

static int on_xrun(void *arg) {
    (void)arg;
    int index = atomic_load(&xrun_count);
    if (index >= MOST_XRUNS) return 0;
    xruns[index] = now_ns();
    atomic_store(&xrun_count, index + 1);
    return 0;
}

static mp_status set_up(jack_client_t *opened, void *arg) {
    (void)arg;
    client = opened;
    char name[16];
    for (int p = 0; p < plays + hears; p++) {
        bool is_output = p < plays;
        snprintf(name, sizeof name, is_output ? "out_%d" : "in_%d", is_output ? p + 1 : p - plays + 1);
        unsigned long flags = is_output ? JACK_PORT_IS_OUTPUT : JACK_PORT_IS_INPUT;
        jack_port_t *port = jack->port_register(client, name, JACK_AUDIO_TYPE, flags, 0);
        if (port == NULL) return MP_JACK_FAILED;
        if (is_output) outputs[p] = port;
        else inputs[p - plays] = port;
    }
    jack->set_process_callback(client, process, NULL);
    jack->set_xrun_callback(client, on_xrun, NULL);
    return jack->activate(client) == 0 ? MP_OK : MP_JACK_FAILED;
}

static sound read_sound(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) fail("a sound cannot be read");
    size_t frames = (size_t)ftell(file) / sizeof(float);
    rewind(file);
    sound s = {malloc(frames * sizeof(float)), frames};
    if (s.samples == NULL || frames == 0 || fread(s.samples, sizeof(float), frames, file) != frames) {
        fail("a sound cannot be read");
    }
    fclose(file);
    return s;
}

/* Zeroed, and touched now, so that no page is new to the callback. */
static void *room_for(size_t count, size_t size) {
    void *room = malloc(count * size + 1);
    if (room == NULL) fail("no memory");
    memset(room, 0, count * size + 1);
    return room;
}

static void write_all(FILE *file, const void *data, size_t size, size_t count) {
    if (fwrite(data, size, count, file) != count) fail("the record cannot be written");
}

static void write_record(const char *path) {
    FILE *file = fopen(path, "wb");
    if (file == NULL) fail("the record cannot be written");
    size_t frames = (size_t)at < most_frames ? (size_t)at : most_frames;
    int64_t head[4] = {(int64_t)frames, hears, (int64_t)counted, atomic_load(&xrun_count)};
    write_all(file, head, sizeof *head, 4);
    write_all(file, cycles, sizeof *cycles, counted);
    write_all(file, xruns, sizeof *xruns, (size_t)head[3]);
    write_all(file, heard, sizeof *heard, frames * (size_t)hears);
    if (fclose(file) != 0) fail("the record cannot be written");
}

int main(int count, char **arguments) {
    if (count < 5) fail("NAME SECONDS FILE PLAYS [SOUND PORT]... [PORT]...");
    plays = atoi(arguments[4]);
    hears = count - 5 - 2 * plays;
    if (plays < 0 || plays > MOST_PORTS || hears < 0 || hears > MOST_PORTS) fail("too many ports");
    jack = mp_jack();
    if (jack == NULL) fail("no libjack");
    for (int p = 0; p < plays; p++) sounds[p] = read_sound(arguments[5 + 2 * p]);
    most_frames = (size_t)(atof(arguments[2]) * 48000.0);
    most_cycles = most_frames / LEAST_PERIOD;
    heard = room_for(most_frames, (size_t)hears * sizeof *heard);
    cycles = room_for(most_cycles, sizeof *cycles);
    mp_status status;
    if (mp_jack_open(jack, arguments[1], set_up, NULL, &status) == NULL) fail("JACK refuses it");
    for (int p = 0; p < plays; p++) {
        if (jack->connect(client, jack->port_name(outputs[p]), arguments[6 + 2 * p]) != 0)
            fail("a port cannot be connected");
    }
    for (int p = 0; p < hears; p++) {
        const char *port = arguments[5 + 2 * plays + p];
        if (jack->connect(client, port, jack->port_name(inputs[p])) != 0)
            fail("a port cannot be connected");
    }
    puts("ready");
    fflush(stdout);
    char ignored[64];
    while (read(0, ignored, sizeof ignored) > 0) continue;
    jack->deactivate(client);
    jack->client_close(client);
    write_record(arguments[3]);
    return 0;
}
