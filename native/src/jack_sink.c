/* Puts each event at its exact frame offset, from JACK's process callback, and writes down what
 * arrives at the inputs with the host time of its frame. */
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jack_api.h"
#include "ring.h"
#include "spooler.h"

enum { HEARD_RING = 1 << 11 };
/* The callback wakes nobody, because that would be a system call. So the reader looks when the next
 * one is nearly always done; where none comes, or many, so often. */
static const int64_t LOOK_AGAIN_NS = 1000000, DONE_AFTER_NS = 100000;
static const int64_t IDLE_AFTER_NS = 2000000000, IDLE_LOOK_NS = 4000000;

struct mp_jack_sink {
    const mp_jack_api *jack;
    jack_client_t *client;
    const char *names[3]; /* by mp_jack_port; only while it is opened */
    jack_port_t *ports[3]; /* the control input may be NULL */
    mp_spooler *spooler;
    mp_frame_clock *clock;
    int64_t frame; /* at the start of the cycle */
    bool begun;
    uint32_t xruns_seen;
    mp_ring heard;
    _Atomic uint32_t xruns, period_frames, lost;
    _Atomic int64_t done_ns; /* the last callback */
    int64_t heard_ns;        /* the hearing thread's: when something was there last */
    _Atomic int alive;
};

/* The offset in this cycle of what is due at `due_ns`; negative when the cycle is past it. Halves
 * go up on both sides of 0, so that the last half frame of a cycle is the next cycle's frame 0. */
static int64_t offset_of(const mp_jack_sink *sink, int64_t due_ns) {
    double offset = mp_frame_clock_frame_at(sink->clock, due_ns) - (double)sink->frame;
    return (int64_t)floor(offset + 0.5);
}

static void emit(mp_jack_sink *sink, void *buffer, jack_nframes_t frames, int64_t now_ns) {
    const mp_midi_event *event;
    int64_t due_ns;
    jack_nframes_t last = 0;
    while ((event = mp_spooler_peek(sink->spooler, &due_ns)) != NULL) {
        int64_t offset = offset_of(sink, due_ns);
        if (offset >= (int64_t)frames) break;
        jack_nframes_t at = offset > (int64_t)last ? (jack_nframes_t)offset : last;
        uint8_t *data = sink->jack->midi_event_reserve(buffer, at, event->size);
        if (data == NULL) break; /* No room in this cycle: the next one takes it. */
        memcpy(data, event->bytes, event->size);
        mp_spooler_sent(sink->spooler, offset < 0 ? now_ns - due_ns : 0, offset < 0);
        last = at;
    }
}

static void hear(mp_jack_sink *sink, void *buffer, uint8_t control) {
    jack_midi_event_t event;
    uint32_t count = sink->jack->midi_get_event_count(buffer);
    for (uint32_t i = 0; i < count && sink->jack->midi_event_get(&event, buffer, i) == 0; i++) {
        mp_heard heard = {.host_ns = mp_frame_clock_local_at(sink->clock, sink->frame + event.time),
                          .control = control};
        for (size_t done = 0; done < event.size; done += heard.size) {
            size_t left = event.size - done;
            heard.size = (uint16_t)(left < sizeof heard.bytes ? left : sizeof heard.bytes);
            memcpy(heard.bytes, event.buffer + done, heard.size);
            if (mp_ring_stage(&sink->heard, &heard)) continue;
            atomic_fetch_add_explicit(&sink->lost, 1, memory_order_relaxed);
        }
    }
}

static void hear_all(mp_jack_sink *sink, jack_nframes_t frames) {
    for (int which = MP_JACK_IN; which <= MP_JACK_CONTROL; which += MP_JACK_CONTROL) {
        jack_port_t *port = sink->ports[which];
        if (port == NULL) continue;
        hear(sink, sink->jack->port_get_buffer(port, frames), which == MP_JACK_CONTROL);
    }
    mp_ring_publish(&sink->heard);
}

static int process(jack_nframes_t frames, void *arg) {
    mp_jack_sink *sink = arg;
    int64_t now_ns = mp_host_now_ns();
    mp_extend_frames(&sink->frame, sink->jack->last_frame_time(sink->client));
    uint32_t xruns = atomic_load_explicit(&sink->xruns, memory_order_relaxed);
    if (xruns != sink->xruns_seen) mp_frame_clock_restart(sink->clock);
    sink->xruns_seen = xruns;
    mp_frame_clock_see(sink->clock, sink->frame, now_ns);
    void *buffer = sink->jack->port_get_buffer(sink->ports[MP_JACK_OUT], frames);
    sink->jack->midi_clear_buffer(buffer);
    bool all_in = mp_spooler_take_in(sink->spooler);
    if (!sink->begun) {
        mp_spooler_drop_before(sink->spooler, now_ns);
        sink->begun = all_in;
    }
    if (sink->begun) emit(sink, buffer, frames, now_ns);
    hear_all(sink, frames);
    atomic_store_explicit(&sink->period_frames, frames, memory_order_relaxed);
    atomic_store_explicit(&sink->done_ns, mp_host_now_ns(), memory_order_relaxed);
    return 0;
}

static int on_xrun(void *arg) {
    atomic_fetch_add(&((mp_jack_sink *)arg)->xruns, 1);
    return 0;
}

static void on_shutdown(void *arg) { atomic_store(&((mp_jack_sink *)arg)->alive, 0); }

static mp_status set_up(jack_client_t *client, void *arg) {
    mp_jack_sink *sink = arg;
    const mp_jack_api *jack = sink->jack;
    sink->client = client;
    mp_frame_clock_free(sink->clock);
    sink->clock = mp_frame_clock_new(jack->get_sample_rate(client));
    if (sink->clock == NULL) return MP_NO_MEMORY;
    for (int which = MP_JACK_IN; which <= MP_JACK_CONTROL; which++) {
        sink->ports[which] = NULL;
        if (sink->names[which] == NULL) continue;
        unsigned long flags = which == MP_JACK_OUT ? JACK_PORT_IS_OUTPUT : JACK_PORT_IS_INPUT;
        sink->ports[which] =
            jack->port_register(client, sink->names[which], JACK_MIDI_TYPE, flags, 0);
        if (sink->ports[which] == NULL) return MP_JACK_FAILED;
    }
    jack->set_process_callback(client, process, sink);
    jack->set_xrun_callback(client, on_xrun, sink);
    jack->on_shutdown(client, on_shutdown, sink);
    sink->period_frames = jack->get_buffer_size(client);
    sink->alive = 1;
    return jack->activate(client) ? MP_JACK_FAILED : MP_OK;
}

mp_jack_sink *mp_jack_sink_open(mp_spooler *spooler, const char *client_name,
                                const char *out_name, const char *in_name,
                                const char *control_name, mp_status *status) {
    const mp_jack_api *jack = mp_jack();
    mp_jack_sink *sink = jack ? calloc(1, sizeof *sink) : NULL;
    if (sink == NULL) {
        *status = jack ? MP_NO_MEMORY : MP_NO_LIBJACK;
        return NULL;
    }
    sink->jack = jack;
    sink->spooler = spooler;
    sink->names[MP_JACK_OUT] = out_name;
    sink->names[MP_JACK_IN] = in_name;
    sink->names[MP_JACK_CONTROL] = control_name;
    *status = MP_NO_MEMORY;
    if (mp_ring_init(&sink->heard, sizeof(mp_heard), HEARD_RING)) {
        sink->client = mp_jack_open(jack, client_name, set_up, sink, status);
    }
    if (sink->client != NULL) return sink;
    mp_jack_sink_close(sink);
    return NULL;
}

void mp_jack_sink_info(mp_jack_sink *sink, mp_jack_info *info) {
    info->sample_rate = sink->jack->get_sample_rate(sink->client);
    info->period_frames = atomic_load(&sink->period_frames);
    info->xruns = atomic_load(&sink->xruns);
    info->clock_resets = mp_frame_clock_resets(sink->clock);
    info->alive = atomic_load(&sink->alive);
    info->lost = atomic_load(&sink->lost);
    info->realtime = sink->jack->is_realtime(sink->client);
    info->drift_ppm = mp_frame_clock_drift(sink->clock) * 1e6;
}

uint32_t mp_jack_sink_connections(mp_jack_sink *sink, mp_jack_port which, char *names,
                                  uint32_t size) {
    const jack_port_t *port = sink->ports[which];
    const char **all = port ? sink->jack->port_get_all_connections(sink->client, port) : NULL;
    uint32_t used = 0;
    names[0] = '\0';
    for (const char **name = all; name != NULL && *name != NULL; name++) {
        int wrote = snprintf(names + used, size - used, "%s\n", *name);
        if (wrote < 0 || (uint32_t)wrote >= size - used) break;
        used += (uint32_t)wrote;
    }
    names[used] = '\0';
    if (all != NULL) sink->jack->free(all);
    return used;
}

mp_status mp_jack_sink_connect(mp_jack_sink *sink, mp_jack_port which, const char *port) {
    if (sink->ports[which] == NULL) return MP_JACK_FAILED;
    const char *own = sink->jack->port_name(sink->ports[which]);
    int failed = which == MP_JACK_OUT ? sink->jack->connect(sink->client, own, port)
                                      : sink->jack->connect(sink->client, port, own);
    return failed ? MP_JACK_FAILED : MP_OK;
}

static int64_t next_look_ns(mp_jack_sink *sink, int64_t now_ns) {
    int64_t rate = sink->jack->get_sample_rate(sink->client);
    int64_t period_ns = atomic_load(&sink->period_frames) * INT64_C(1000000000) / rate;
    int64_t next_ns = atomic_load(&sink->done_ns) + period_ns + DONE_AFTER_NS;
    /* What comes after a pause has its time with it, and is looked for every few periods. */
    int64_t lacking_ns = now_ns + IDLE_LOOK_NS - next_ns;
    bool rests = now_ns - sink->heard_ns > IDLE_AFTER_NS && period_ns > 0;
    if (rests && lacking_ns > 0) next_ns += (lacking_ns / period_ns + 1) * period_ns;
    bool waits = next_ns > now_ns && (rests || period_ns > LOOK_AGAIN_NS);
    return waits ? next_ns : now_ns + LOOK_AGAIN_NS;
}

uint32_t mp_jack_sink_heard(mp_jack_sink *sink, mp_heard *heard, uint32_t most,
                            int64_t patience_ns) {
    const int64_t give_up_ns = mp_host_now_ns() + patience_ns;
    for (;;) {
        uint32_t count = 0;
        while (count < most && mp_ring_take(&sink->heard, &heard[count])) count++;
        int64_t now_ns = mp_host_now_ns();
        if (count > 0) sink->heard_ns = now_ns;
        if (count > 0 || now_ns >= give_up_ns) return count;
        int64_t look_ns = next_look_ns(sink, now_ns);
        mp_host_sleep_until_ns(look_ns < give_up_ns ? look_ns : give_up_ns);
    }
}

void mp_jack_sink_close(mp_jack_sink *sink) {
    if (sink->client != NULL) sink->jack->client_close(sink->client);
    mp_frame_clock_free(sink->clock);
    mp_ring_free(&sink->heard);
    free(sink);
}
