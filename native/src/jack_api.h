/* libjack, found at run time: no header and no link-time need. JACK's API is a stable C ABI. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "rt.h"

typedef uint32_t jack_nframes_t;
typedef struct jack_client jack_client_t;
typedef struct jack_port jack_port_t;

typedef struct {
    jack_nframes_t time;
    size_t size;
    uint8_t *buffer;
} jack_midi_event_t;

enum { JACK_NO_START_SERVER = 0x01 };
enum { JACK_NAME_NOT_UNIQUE = 0x04, JACK_SERVER_FAILED = 0x10 };
enum { JACK_PORT_IS_INPUT = 0x1, JACK_PORT_IS_OUTPUT = 0x2 };
#define JACK_MIDI_TYPE "8 bit raw midi"
#define JACK_AUDIO_TYPE "32 bit float mono audio"
enum { JACK_CAPTURE_LATENCY = 0, JACK_PLAYBACK_LATENCY = 1 };

typedef struct {
    jack_nframes_t min, max;
} jack_latency_range_t;

typedef struct {
    jack_client_t *(*client_open)(const char *, int, int *, ...);
    int (*client_close)(jack_client_t *);
    int (*activate)(jack_client_t *);
    int (*deactivate)(jack_client_t *);
    jack_port_t *(*port_register)(jack_client_t *, const char *, const char *, unsigned long,
                                  unsigned long);
    void *(*port_get_buffer)(jack_port_t *, jack_nframes_t);
    const char *(*port_name)(const jack_port_t *);
    const char **(*port_get_all_connections)(const jack_client_t *, const jack_port_t *);
    int (*connect)(jack_client_t *, const char *, const char *);
    void (*free)(void *);
    int (*set_process_callback)(jack_client_t *, int (*)(jack_nframes_t, void *), void *);
    int (*set_xrun_callback)(jack_client_t *, int (*)(void *), void *);
    void (*on_shutdown)(jack_client_t *, void (*)(void *), void *);
    jack_nframes_t (*last_frame_time)(const jack_client_t *);
    jack_nframes_t (*get_sample_rate)(jack_client_t *);
    jack_nframes_t (*get_buffer_size)(jack_client_t *);
    int (*is_realtime)(jack_client_t *);
    void (*set_error_function)(void (*)(const char *));
    void (*set_info_function)(void (*)(const char *));
    void (*midi_clear_buffer)(void *);
    uint8_t *(*midi_event_reserve)(void *, jack_nframes_t, size_t);
    uint32_t (*midi_get_event_count)(void *);
    int (*midi_event_get)(jack_midi_event_t *, void *, uint32_t);
    int (*port_unregister)(jack_client_t *, jack_port_t *);
    int (*set_latency_callback)(jack_client_t *, void (*)(int, void *), void *);
    void (*port_get_latency_range)(jack_port_t *, int, jack_latency_range_t *);
    void (*port_set_latency_range)(jack_port_t *, int, jack_latency_range_t *);
    int (*recompute_total_latencies)(jack_client_t *);
    int (*set_buffer_size_callback)(jack_client_t *, int (*)(jack_nframes_t, void *), void *);
    int (*set_sample_rate_callback)(jack_client_t *, int (*)(jack_nframes_t, void *), void *);
    int (*client_real_time_priority)(jack_client_t *);
} mp_jack_api;

/* The library's functions, loaded once; NULL when there is no libjack. Any thread but a callback;
 * the first call from one thread at a time. */
const mp_jack_api *mp_jack(void);

/* jack_nframes_t wraps after a day at 48 kHz: the same count as int64. Realtime-safe. */
int64_t mp_extend_frames(int64_t *last, jack_nframes_t now);

/* Give a client its ports and callbacks, and activate it; what is not MP_OK closes the client. May
 * be called again with another client. */
typedef mp_status (*mp_jack_set_up)(jack_client_t *client, void *arg);

/* Open a client of exactly this name, on the server that JACK_DEFAULT_SERVER names, and set it up;
 * for some seconds, while JACK refuses. */
jack_client_t *mp_jack_open(const mp_jack_api *jack, const char *name, mp_jack_set_up set_up,
                            void *arg, mp_status *status);
