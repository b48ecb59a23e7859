/* An independent JACK client that writes down what arrives, and when by JACK's own frame count.
 * It shares no clock and no estimate with the sink that it measures. */
#define _GNU_SOURCE
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "jack_api.h"
#include "ring.h"

enum { MAX_PORTS = 8, EVENT_RING = 1 << 16, CYCLE_RING = 1 << 15 };

struct mp_meter {
    const mp_jack_api *jack;
    jack_client_t *client;
    jack_port_t *ports[MAX_PORTS];
    uint32_t port_count;
    int64_t frame;
    mp_ring events, cycles;
    _Atomic uint32_t xruns, lost;
};

static int64_t monotonic_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void write_down(mp_meter *m, uint32_t port, const jack_midi_event_t *heard) {
    mp_meter_event event = {.frame = m->frame + heard->time, .port = (uint8_t)port};
    event.size = heard->size > 255 ? 255 : (uint8_t)heard->size;
    for (size_t i = 0; i < heard->size && i < sizeof event.bytes; i++) {
        event.bytes[i] = heard->buffer[i];
    }
    if (!mp_ring_stage(&m->events, &event)) atomic_fetch_add(&m->lost, 1);
}

static int process(jack_nframes_t frames, void *arg) {
    mp_meter *m = arg;
    mp_meter_cycle cycle = {.monotonic_ns = monotonic_ns()};
    cycle.frame = mp_extend_frames(&m->frame, m->jack->last_frame_time(m->client));
    if (mp_ring_stage(&m->cycles, &cycle)) mp_ring_publish(&m->cycles);
    for (uint32_t port = 0; port < m->port_count; port++) {
        void *buffer = m->jack->port_get_buffer(m->ports[port], frames);
        uint32_t count = m->jack->midi_get_event_count(buffer);
        for (uint32_t i = 0; i < count; i++) {
            jack_midi_event_t heard;
            if (m->jack->midi_event_get(&heard, buffer, i) == 0) write_down(m, port, &heard);
        }
    }
    mp_ring_publish(&m->events);
    return 0;
}

static int on_xrun(void *arg) {
    atomic_fetch_add(&((mp_meter *)arg)->xruns, 1);
    return 0;
}

static mp_status set_up(jack_client_t *client, void *arg) {
    mp_meter *m = arg;
    m->client = client;
    for (uint32_t i = 0; i < m->port_count; i++) {
        char port[16];
        snprintf(port, sizeof port, "in_%u", i + 1);
        m->ports[i] = m->jack->port_register(client, port, JACK_MIDI_TYPE, JACK_PORT_IS_INPUT, 0);
        if (m->ports[i] == NULL) return MP_JACK_FAILED;
    }
    m->jack->set_process_callback(client, process, m);
    m->jack->set_xrun_callback(client, on_xrun, m);
    return m->jack->activate(client) ? MP_JACK_FAILED : MP_OK;
}

mp_meter *mp_meter_open(const char *client_name, uint32_t ports, mp_status *status) {
    const mp_jack_api *jack = mp_jack();
    mp_meter *m = jack ? calloc(1, sizeof *m) : NULL;
    if (m == NULL) {
        *status = jack ? MP_NO_MEMORY : MP_NO_LIBJACK;
        return NULL;
    }
    m->jack = jack;
    m->port_count = ports < MAX_PORTS ? ports : MAX_PORTS;
    *status = MP_NO_MEMORY;
    if (mp_ring_init(&m->events, sizeof(mp_meter_event), EVENT_RING) &&
        mp_ring_init(&m->cycles, sizeof(mp_meter_cycle), CYCLE_RING)) {
        m->client = mp_jack_open(jack, client_name, set_up, m, status);
    }
    if (m->client != NULL) return m;
    mp_meter_close(m);
    return NULL;
}

mp_status mp_meter_connect(mp_meter *m, const char *port, uint32_t index) {
    if (index >= m->port_count) return MP_JACK_FAILED;
    const char *own = m->jack->port_name(m->ports[index]);
    return m->jack->connect(m->client, port, own) ? MP_JACK_FAILED : MP_OK;
}

uint32_t mp_meter_events(mp_meter *m, mp_meter_event *events, uint32_t most) {
    uint32_t n = 0;
    while (n < most && mp_ring_take(&m->events, &events[n])) n++;
    return n;
}

uint32_t mp_meter_cycles(mp_meter *m, mp_meter_cycle *cycles, uint32_t most) {
    uint32_t n = 0;
    while (n < most && mp_ring_take(&m->cycles, &cycles[n])) n++;
    return n;
}

uint32_t mp_meter_xruns(mp_meter *m) { return atomic_load(&m->xruns); }

uint32_t mp_meter_lost(mp_meter *m) { return atomic_load(&m->lost); }

uint32_t mp_meter_sample_rate(mp_meter *m) { return m->jack->get_sample_rate(m->client); }

void mp_meter_close(mp_meter *m) {
    if (m->client != NULL) m->jack->client_close(m->client);
    mp_ring_free(&m->events);
    mp_ring_free(&m->cycles);
    free(m);
}
