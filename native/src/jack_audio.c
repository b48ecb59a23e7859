/* The audio engine as a JACK client: its callback is mp_audio_process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio.h"
#include "jack_api.h"

enum { PORTS = MP_MAX_PLAYERS * MP_MAX_CHANNELS };
/* A port that is to go is not touched any more once a cycle has passed without it. */
static const int64_t CYCLE_PATIENCE_NS = 500000000, LOOK_AGAIN_NS = 1000000;

struct mp_jack_audio {
    const mp_jack_api *jack;
    jack_client_t *client;
    mp_audio *audio;
    mp_audio_settings settings;
    jack_port_t *sends[MP_MAX_CHANNELS], *receives[MP_MAX_CHANNELS];
    _Atomic(jack_port_t *) from[PORTS];
    float *from_buffers[PORTS]; /* the callback's */
    _Atomic uint32_t xruns, rate, period, cycles;
    _Atomic int alive;
    jack_nframes_t next_frame; /* the callback's: of JACK's own count */
    bool counts;
};

/* The cycles that JACK had without us, or an xrun: its frame count went on. */
static void look_for_lost(mp_jack_audio *j, jack_nframes_t frames) {
    jack_nframes_t now = j->jack->last_frame_time(j->client);
    int32_t lost = (int32_t)(now - j->next_frame);
    j->next_frame = now + frames;
    if (j->counts && lost > 0) mp_audio_lost(j->audio, (uint32_t)lost);
    if (j->counts && lost != 0 && lost % (int32_t)frames != 0) mp_audio_xrun(j->audio);
    j->counts = true;
}

static int process(jack_nframes_t frames, void *arg) {
    mp_jack_audio *j = arg;
    int64_t now_ns = mp_host_now_ns();
    const float *in[MP_MAX_CHANNELS];
    float *out[MP_MAX_CHANNELS];
    const uint32_t outs = j->settings.out_channels;
    if (frames > MP_MAX_PERIOD) return 0;
    for (uint32_t c = 0; c < j->settings.in_channels; c++) {
        in[c] = j->jack->port_get_buffer(j->sends[c], frames);
    }
    for (uint32_t c = 0; c < outs; c++) {
        out[c] = j->jack->port_get_buffer(j->receives[c], frames);
    }
    for (uint32_t i = 0; i < MP_MAX_PLAYERS * outs; i++) {
        jack_port_t *port = atomic_load_explicit(&j->from[i], memory_order_acquire);
        j->from_buffers[i] = port == NULL ? NULL : j->jack->port_get_buffer(port, frames);
    }
    look_for_lost(j, frames);
    mp_audio_process(j->audio, in, out, j->from_buffers, frames, now_ns);
    atomic_fetch_add(&j->cycles, 1);
    return 0;
}

static int on_xrun(void *arg) {
    mp_jack_audio *j = arg;
    atomic_fetch_add(&j->xruns, 1);
    mp_audio_xrun(j->audio);
    return 0;
}

static void on_shutdown(void *arg) { atomic_store(&((mp_jack_audio *)arg)->alive, 0); }

static int on_buffer_size(jack_nframes_t frames, void *arg) {
    mp_jack_audio *j = arg;
    if (atomic_exchange(&j->period, frames) != frames) mp_audio_xrun(j->audio);
    return 0;
}

static int on_sample_rate(jack_nframes_t rate, void *arg) {
    atomic_store(&((mp_jack_audio *)arg)->rate, rate);
    return 0;
}

/* What a sound card brings it recorded some time ago; what a program makes is of this cycle. */
static void note_input_latency(mp_jack_audio *j) {
    jack_latency_range_t range, most = {0, 0};
    for (uint32_t c = 0; c < j->settings.in_channels; c++) {
        j->jack->port_get_latency_range(j->sends[c], JACK_CAPTURE_LATENCY, &range);
        if (range.max > most.max && range.max != UINT32_MAX) most = range;
    }
    mp_audio_set_input_latency(j->audio, most.max);
}

/* What is sent does not come out here: without this JACK would add the two up. We hold a period of
 * what goes in; the way between belongs to the network. What comes out is of the cycle in which it
 * does: were it older, so would be all that a DAW sends that hears us. */
static void on_latency(int mode, void *arg) {
    mp_jack_audio *j = arg;
    if (mode == JACK_CAPTURE_LATENCY) note_input_latency(j);
    jack_nframes_t period = atomic_load(&j->period);
    jack_latency_range_t range = {period, period}, none = {0, 0};
    if (mode == JACK_PLAYBACK_LATENCY) {
        for (uint32_t c = 0; c < j->settings.in_channels; c++) {
            j->jack->port_set_latency_range(j->sends[c], mode, &range);
        }
        return;
    }
    for (uint32_t c = 0; c < j->settings.out_channels; c++) {
        j->jack->port_set_latency_range(j->receives[c], mode, &none);
    }
    for (uint32_t i = 0; i < MP_MAX_PLAYERS * j->settings.out_channels; i++) {
        jack_port_t *port = atomic_load(&j->from[i]);
        if (port != NULL) j->jack->port_set_latency_range(port, mode, &none);
    }
}

static bool register_ports(mp_jack_audio *j, jack_port_t **ports, uint32_t count,
                           const char *name, unsigned long flags) {
    char full[32];
    for (uint32_t c = 0; c < count; c++) {
        snprintf(full, sizeof full, "%s_%u", name, c + 1);
        ports[c] = j->jack->port_register(j->client, full, JACK_AUDIO_TYPE, flags, 0);
        if (ports[c] == NULL) return false;
    }
    return true;
}

static mp_status set_up(jack_client_t *client, void *arg) {
    mp_jack_audio *j = arg;
    const mp_jack_api *jack = j->jack;
    mp_status status;
    j->client = client;
    atomic_store(&j->rate, j->settings.rate = jack->get_sample_rate(client));
    atomic_store(&j->period, j->settings.period = jack->get_buffer_size(client));
    mp_audio_free(j->audio);
    j->audio = mp_audio_new(&j->settings, &status);
    if (j->audio == NULL) return status;
    if (!register_ports(j, j->sends, j->settings.in_channels, "audio_send", JACK_PORT_IS_INPUT) ||
        !register_ports(j, j->receives, j->settings.out_channels, "audio_receive",
                        JACK_PORT_IS_OUTPUT)) {
        return MP_JACK_FAILED;
    }
    jack->set_process_callback(client, process, j);
    jack->set_xrun_callback(client, on_xrun, j);
    jack->set_buffer_size_callback(client, on_buffer_size, j);
    jack->set_sample_rate_callback(client, on_sample_rate, j);
    jack->set_latency_callback(client, on_latency, j);
    jack->on_shutdown(client, on_shutdown, j);
    atomic_store(&j->alive, 1);
    return jack->activate(client) ? MP_JACK_FAILED : MP_OK;
}

mp_jack_audio *mp_jack_audio_open(const char *client_name, uint32_t in_channels,
                                  uint32_t out_channels, uint32_t decode_lead_us,
                                  mp_status *status) {
    const mp_jack_api *jack = mp_jack();
    *status = jack ? MP_OUT_OF_RANGE : MP_NO_LIBJACK;
    if (jack == NULL || in_channels > MP_MAX_CHANNELS || out_channels > MP_MAX_CHANNELS) return NULL;
    mp_jack_audio *j = calloc(1, sizeof *j);
    *status = MP_NO_MEMORY;
    if (j == NULL) return NULL;
    j->jack = jack;
    j->settings.in_channels = in_channels;
    j->settings.out_channels = out_channels;
    j->settings.decode_lead_us = decode_lead_us;
    j->client = mp_jack_open(jack, client_name, set_up, j, status);
    if (j->client != NULL) return j;
    mp_jack_audio_close(j);
    return NULL;
}

mp_audio *mp_jack_audio_engine(mp_jack_audio *j) { return j->audio; }

void mp_jack_audio_get_info(mp_jack_audio *j, mp_jack_audio_info *info) {
    info->rate = atomic_load(&j->rate);
    info->period = atomic_load(&j->period);
    info->xruns = atomic_load(&j->xruns);
    info->alive = atomic_load(&j->alive);
    info->realtime = j->jack->is_realtime(j->client);
    info->priority = j->jack->client_real_time_priority(j->client);
}

static _Atomic(jack_port_t *) *ports_of(mp_jack_audio *j, uint32_t slot) {
    return &j->from[slot * j->settings.out_channels];
}

static void unregister(mp_jack_audio *j, uint32_t slot) {
    _Atomic(jack_port_t *) *ports = ports_of(j, slot);
    jack_port_t *gone[MP_MAX_CHANNELS];
    for (uint32_t c = 0; c < j->settings.out_channels; c++) {
        gone[c] = atomic_exchange(&ports[c], NULL);
    }
    uint32_t cycle = atomic_load(&j->cycles);
    int64_t give_up_ns = mp_host_now_ns() + CYCLE_PATIENCE_NS;
    while (atomic_load(&j->alive) && atomic_load(&j->cycles) - cycle < 2 &&
           mp_host_now_ns() < give_up_ns) {
        mp_host_sleep_until_ns(mp_host_now_ns() + LOOK_AGAIN_NS);
    }
    for (uint32_t c = 0; c < j->settings.out_channels; c++) {
        if (gone[c] != NULL) j->jack->port_unregister(j->client, gone[c]);
    }
}

mp_status mp_jack_audio_add_ports(mp_jack_audio *j, uint32_t slot, const char *name) {
    char full[256];
    if (slot >= MP_MAX_PLAYERS) return MP_OUT_OF_RANGE;
    _Atomic(jack_port_t *) *ports = ports_of(j, slot);
    if (atomic_load(&ports[0]) != NULL) return MP_NAME_TAKEN;
    for (uint32_t c = 0; c < j->settings.out_channels; c++) {
        int length = snprintf(full, sizeof full, "from_%s_%u", name, c + 1);
        jack_port_t *port = NULL;
        if (length > 0 && (size_t)length < sizeof full) {
            port = j->jack->port_register(j->client, full, JACK_AUDIO_TYPE, JACK_PORT_IS_OUTPUT, 0);
        }
        if (port == NULL) {
            unregister(j, slot);
            return MP_JACK_FAILED;
        }
        atomic_store_explicit(&ports[c], port, memory_order_release);
    }
    j->jack->recompute_total_latencies(j->client);
    return MP_OK;
}

mp_status mp_jack_audio_remove_ports(mp_jack_audio *j, uint32_t slot) {
    if (slot >= MP_MAX_PLAYERS || atomic_load(ports_of(j, slot)) == NULL) return MP_OUT_OF_RANGE;
    unregister(j, slot);
    return MP_OK;
}

/* The name of a port of ours without the client's. */
static const char *short_name(const mp_jack_audio *j, const jack_port_t *port) {
    const char *colon = strchr(j->jack->port_name(port), ':');
    return colon == NULL ? "" : colon + 1;
}

static uint32_t list(const mp_jack_audio *j, const jack_port_t *port, char *text, uint32_t size) {
    if (port == NULL) return 0;
    const char **others = j->jack->port_get_all_connections(j->client, port);
    uint32_t used = 0;
    for (const char **other = others; other != NULL && *other != NULL; other++) {
        int wrote = snprintf(text + used, size - used, "%s\t%s\n", short_name(j, port), *other);
        if (wrote < 0 || (uint32_t)wrote >= size - used) break;
        used += (uint32_t)wrote;
    }
    if (others != NULL) j->jack->free(others);
    text[used] = '\0';
    return used;
}

uint32_t mp_jack_audio_connections(mp_jack_audio *j, char *text, uint32_t size) {
    uint32_t used = 0;
    text[0] = '\0';
    for (uint32_t c = 0; c < j->settings.in_channels; c++) {
        used += list(j, j->sends[c], text + used, size - used);
    }
    for (uint32_t c = 0; c < j->settings.out_channels; c++) {
        used += list(j, j->receives[c], text + used, size - used);
    }
    for (uint32_t i = 0; i < MP_MAX_PLAYERS * j->settings.out_channels; i++) {
        used += list(j, atomic_load(&j->from[i]), text + used, size - used);
    }
    return used;
}

static bool is_named(const mp_jack_audio *j, const jack_port_t *port, const char *own) {
    return port != NULL && strcmp(short_name(j, port), own) == 0;
}

mp_status mp_jack_audio_connect(mp_jack_audio *j, const char *own, const char *other) {
    const jack_port_t *found = NULL;
    for (uint32_t c = 0; c < j->settings.in_channels; c++) {
        if (!is_named(j, j->sends[c], own)) continue;
        const char *name = j->jack->port_name(j->sends[c]);
        return j->jack->connect(j->client, other, name) ? MP_JACK_FAILED : MP_OK;
    }
    for (uint32_t c = 0; c < j->settings.out_channels; c++) {
        if (is_named(j, j->receives[c], own)) found = j->receives[c];
    }
    for (uint32_t i = 0; i < MP_MAX_PLAYERS * j->settings.out_channels; i++) {
        const jack_port_t *port = atomic_load(&j->from[i]);
        if (is_named(j, port, own)) found = port;
    }
    if (found == NULL) return MP_OUT_OF_RANGE;
    return j->jack->connect(j->client, j->jack->port_name(found), other) ? MP_JACK_FAILED : MP_OK;
}

void mp_jack_audio_close(mp_jack_audio *j) {
    if (j->audio != NULL) mp_audio_stop(j->audio);
    if (j->client != NULL) j->jack->client_close(j->client);
    mp_audio_free(j->audio);
    free(j);
}
