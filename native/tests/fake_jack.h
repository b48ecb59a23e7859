/* A JACK server that a test drives cycle by cycle. For programs linked with mp_jack wrapped; one
 * file of a program includes it. */
#pragma once

#include <string.h>

#include "../src/jack_api.h"
#include "check.h"

enum { FAKE_RATE = 48000, FAKE_PERIOD = 128, FAKE_EVENTS = 4096, FAKE_BYTES = 3 };

typedef struct {
    int64_t frame;
    size_t size;
    uint8_t bytes[FAKE_BYTES];
} fake_event;

static struct {
    int (*process)(jack_nframes_t, void *);
    int (*xrun)(void *);
    void (*shutdown)(void *);
    void *arg;
    int64_t frame;
    fake_event sent[FAKE_EVENTS]; /* since fake_forget */
    uint32_t sent_count, cleared, in_this_cycle, room_in_cycle;
    jack_nframes_t last_offset;
    fake_event heard; /* one event for the input in each cycle, if its size is not 0 */
    int open_flags;   /* what client_open says; with all but JACK_NAME_NOT_UNIQUE it fails */
    int opened, closed;
    int refused_opens, refused_activations; /* so many more */
} fake;

/* Ports are told apart by which byte they point at. */
static char fake_ports[2];

static jack_client_t *fake_client_open(const char *name, int options, int *flags, ...) {
    (void)name;
    CHECK(options & JACK_NO_START_SERVER);
    *flags = fake.open_flags;
    if (fake.refused_opens > 0) {
        fake.refused_opens--;
        *flags = 0x21; /* JackFailure, JackServerError */
        return NULL;
    }
    if (fake.open_flags & ~JACK_NAME_NOT_UNIQUE) return NULL;
    fake.opened++;
    return (jack_client_t *)&fake;
}

static int fake_client_close(jack_client_t *client) {
    (void)client;
    fake.closed++;
    return 0;
}

static int fake_activate(jack_client_t *client) {
    if (fake.refused_activations == 0) return client == NULL;
    fake.refused_activations--;
    return 1;
}

static jack_port_t *fake_port_register(jack_client_t *client, const char *name, const char *type,
                                       unsigned long flags, unsigned long size) {
    (void)client, (void)name, (void)size;
    CHECK(strcmp(type, JACK_MIDI_TYPE) == 0);
    return (jack_port_t *)&fake_ports[flags == JACK_PORT_IS_OUTPUT];
}

static void *fake_port_get_buffer(jack_port_t *port, jack_nframes_t frames) {
    CHECK_EQUAL(frames, FAKE_PERIOD);
    return port;
}

static int fake_set_process(jack_client_t *client, int (*process)(jack_nframes_t, void *),
                            void *arg) {
    (void)client;
    fake.process = process;
    fake.arg = arg;
    return 0;
}

static int fake_set_xrun(jack_client_t *client, int (*xrun)(void *), void *arg) {
    (void)client, (void)arg;
    fake.xrun = xrun;
    return 0;
}

static void fake_on_shutdown(jack_client_t *client, void (*shutdown)(void *), void *arg) {
    (void)client, (void)arg;
    fake.shutdown = shutdown;
}

static jack_nframes_t fake_last_frame_time(const jack_client_t *client) {
    (void)client;
    return (jack_nframes_t)fake.frame;
}

static jack_nframes_t fake_sample_rate(jack_client_t *client) { return client ? FAKE_RATE : 0; }

static jack_nframes_t fake_buffer_size(jack_client_t *client) { return client ? FAKE_PERIOD : 0; }

static int fake_is_realtime(jack_client_t *client) { return client != NULL; }

static void fake_midi_clear(void *buffer) {
    CHECK(buffer == &fake_ports[1]);
    fake.cleared++;
    fake.in_this_cycle = 0;
    fake.last_offset = 0;
}

/* As in JACK: offsets lie in the cycle and never go back. */
static uint8_t *fake_midi_reserve(void *buffer, jack_nframes_t offset, size_t size) {
    CHECK(buffer == &fake_ports[1]);
    CHECK(offset < FAKE_PERIOD && offset >= fake.last_offset);
    CHECK(size >= 1 && size <= FAKE_BYTES);
    if (fake.in_this_cycle == fake.room_in_cycle) return NULL;
    CHECK(fake.sent_count < FAKE_EVENTS);
    fake.in_this_cycle++;
    fake.last_offset = offset;
    fake_event *event = &fake.sent[fake.sent_count++];
    event->frame = fake.frame + offset;
    event->size = size;
    return event->bytes;
}

static uint32_t fake_midi_count(void *buffer) {
    CHECK(buffer == &fake_ports[0]);
    return fake.heard.size != 0;
}

static int fake_midi_get(jack_midi_event_t *event, void *buffer, uint32_t index) {
    (void)buffer, (void)index;
    event->time = (jack_nframes_t)fake.heard.frame;
    event->size = fake.heard.size;
    event->buffer = fake.heard.bytes;
    return 0;
}

static const mp_jack_api fake_api = {
    .client_open = fake_client_open,
    .client_close = fake_client_close,
    .activate = fake_activate,
    .port_register = fake_port_register,
    .port_get_buffer = fake_port_get_buffer,
    .set_process_callback = fake_set_process,
    .set_xrun_callback = fake_set_xrun,
    .on_shutdown = fake_on_shutdown,
    .last_frame_time = fake_last_frame_time,
    .get_sample_rate = fake_sample_rate,
    .get_buffer_size = fake_buffer_size,
    .is_realtime = fake_is_realtime,
    .midi_clear_buffer = fake_midi_clear,
    .midi_event_reserve = fake_midi_reserve,
    .midi_get_event_count = fake_midi_count,
    .midi_event_get = fake_midi_get,
};

const mp_jack_api *__wrap_mp_jack(void);
const mp_jack_api *__wrap_mp_jack(void) { return &fake_api; }

static void fake_start(int64_t frame) {
    memset(&fake, 0, sizeof fake);
    fake.frame = frame;
    fake.room_in_cycle = FAKE_EVENTS;
}

static inline void fake_cycle(void) { CHECK(fake.process(FAKE_PERIOD, fake.arg) == 0); }
