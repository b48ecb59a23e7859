#include "jack_api.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#ifdef __APPLE__
static const char *const NAMES[] = {"libjack.0.dylib", "/usr/local/lib/libjack.0.dylib",
                                    "/opt/homebrew/lib/libjack.0.dylib"};
#else
static const char *const NAMES[] = {"libjack.so.0"};
#endif

static mp_jack_api api;

static _Thread_local char complaint[160];

/* What JACK says of an error belongs into our message, not on the terminal. */
static void remember(const char *text) { snprintf(complaint, sizeof complaint, "%s", text); }

static void silent(const char *text) { (void)text; }

/* POSIX lets dlsym's result be copied into a function pointer; ISO C has no cast for it. */
static bool find(void *library, const char *name, void *function) {
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static bool load(void *l) {
    return find(l, "jack_client_open", &api.client_open) &&
           find(l, "jack_client_close", &api.client_close) &&
           find(l, "jack_activate", &api.activate) && find(l, "jack_deactivate", &api.deactivate) &&
           find(l, "jack_port_register", &api.port_register) &&
           find(l, "jack_port_get_buffer", &api.port_get_buffer) &&
           find(l, "jack_port_name", &api.port_name) &&
           find(l, "jack_port_get_all_connections", &api.port_get_all_connections) &&
           find(l, "jack_connect", &api.connect) && find(l, "jack_free", &api.free) &&
           find(l, "jack_set_process_callback", &api.set_process_callback) &&
           find(l, "jack_set_xrun_callback", &api.set_xrun_callback) &&
           find(l, "jack_on_shutdown", &api.on_shutdown) &&
           find(l, "jack_last_frame_time", &api.last_frame_time) &&
           find(l, "jack_get_sample_rate", &api.get_sample_rate) &&
           find(l, "jack_get_buffer_size", &api.get_buffer_size) &&
           find(l, "jack_is_realtime", &api.is_realtime) &&
           find(l, "jack_set_error_function", &api.set_error_function) &&
           find(l, "jack_set_info_function", &api.set_info_function) &&
           find(l, "jack_midi_clear_buffer", &api.midi_clear_buffer) &&
           find(l, "jack_midi_event_reserve", &api.midi_event_reserve) &&
           find(l, "jack_midi_get_event_count", &api.midi_get_event_count) &&
           find(l, "jack_midi_event_get", &api.midi_event_get) &&
           find(l, "jack_port_unregister", &api.port_unregister) &&
           find(l, "jack_set_latency_callback", &api.set_latency_callback) &&
           find(l, "jack_port_get_latency_range", &api.port_get_latency_range) &&
           find(l, "jack_port_set_latency_range", &api.port_set_latency_range) &&
           find(l, "jack_recompute_total_latencies", &api.recompute_total_latencies) &&
           find(l, "jack_set_buffer_size_callback", &api.set_buffer_size_callback) &&
           find(l, "jack_set_sample_rate_callback", &api.set_sample_rate_callback) &&
           find(l, "jack_client_real_time_priority", &api.client_real_time_priority);
}

const mp_jack_api *mp_jack(void) {
    static bool loaded = false;
    if (loaded) return &api;
    void *library = NULL;
    for (size_t i = 0; library == NULL && i < sizeof NAMES / sizeof *NAMES; i++) {
        library = dlopen(NAMES[i], RTLD_NOW | RTLD_GLOBAL);
    }
    if (library == NULL || !load(library)) return NULL;
    api.set_error_function(remember);
    api.set_info_function(silent);
    loaded = true;
    return &api;
}

mp_status mp_jack_available(void) { return mp_jack() ? MP_OK : MP_NO_LIBJACK; }

const char *mp_jack_complaint(void) { return complaint; }

int64_t mp_extend_frames(int64_t *last, jack_nframes_t now) {
    *last += (int32_t)(now - (jack_nframes_t)*last);
    return *last;
}

/* JACK2 refuses a client, its ports or its activation while another client is just opening or
 * closing; its server waits up to two seconds for a client that vanished. So try again, for longer
 * than that. Without a server the answer comes at once and hardly ever changes. */
static const int64_t PATIENCE_NS = 3000000000, NO_SERVER_PATIENCE_NS = 100000000;
static const int64_t OPEN_AGAIN_NS = 25000000;

/* Asking for the exact name would be the obvious way, but then JACK2 does not say that the name is
 * what is wrong. So let it choose another name, and take that for a no. */
static jack_client_t *open_once(const mp_jack_api *jack, const char *name, mp_status *status) {
    int flags = 0;
    jack_client_t *client = jack->client_open(name, JACK_NO_START_SERVER, &flags);
    if (client != NULL && !(flags & JACK_NAME_NOT_UNIQUE)) {
        *status = MP_OK;
        return client;
    }
    *status = flags & JACK_SERVER_FAILED ? MP_NO_JACK_SERVER : MP_JACK_FAILED;
    if (client != NULL) {
        jack->client_close(client);
        *status = MP_NAME_TAKEN;
    }
    return NULL;
}

static bool worth_another_try(mp_status status, int64_t tried_ns) {
    if (status == MP_NO_JACK_SERVER) return tried_ns < NO_SERVER_PATIENCE_NS;
    return status == MP_JACK_FAILED && tried_ns < PATIENCE_NS;
}

jack_client_t *mp_jack_open(const mp_jack_api *jack, const char *name, mp_jack_set_up set_up,
                            void *arg, mp_status *status) {
    const int64_t begin_ns = mp_host_now_ns();
    for (;;) {
        jack_client_t *client = open_once(jack, name, status);
        if (client != NULL) *status = set_up(client, arg);
        if (*status == MP_OK) return client;
        if (client != NULL) jack->client_close(client);
        if (!worth_another_try(*status, mp_host_now_ns() - begin_ns)) return NULL;
        mp_host_sleep_until_ns(mp_host_now_ns() + OPEN_AGAIN_NS);
    }
}
