/* The C surface that Python sees. Both an #include and cffi's cdef: no directives in here.
 *
 * Each function says who may call it. "Realtime-safe" means: no lock, no allocation, no system
 * call, bounded time. Times: `_ns` are nanoseconds of the host clock unless they say room time.
 */

typedef enum {
    MP_OK = 0,
    MP_NO_MEMORY,
    MP_NO_LIBJACK,
    MP_NO_JACK_SERVER,
    MP_NAME_TAKEN,
    MP_JACK_FAILED,
    MP_FULL,
    MP_NOT_PERMITTED,
    MP_SYSTEM_FAILED,
    MP_OUT_OF_RANGE,
    MP_NO_LIBSODIUM,
    MP_NO_MEDIA_KEY
} mp_status;

/* What a status means. Thread-safe. */
const char *mp_status_text(mp_status status);

/* ---- the host clock: CLOCK_MONOTONIC, unless a test sets it off ---------------------------- */

/* Let the host clock differ from CLOCK_MONOTONIC, for tests. Call before anything else. */
void mp_host_clock_set(int64_t offset_ns, double skew);
/* Now. Thread-safe, realtime-safe. */
int64_t mp_host_now_ns(void);
/* Host time of a CLOCK_MONOTONIC time, and back. Thread-safe, realtime-safe. */
int64_t mp_host_from_monotonic_ns(int64_t monotonic_ns);
int64_t mp_host_to_monotonic_ns(int64_t host_ns);
/* Sleep until a host time. Any thread but a realtime callback. */
void mp_host_sleep_until_ns(int64_t host_ns);

/* Give the calling thread a real-time priority (1 to 99) and exact timers. */
mp_status mp_thread_realtime(int priority);
/* What process viewers call the calling thread and those that it starts: 15 letters at most. */
void mp_thread_name(const char *name);
/* How long the calling thread has had a processor. */
int64_t mp_thread_work_ns(void);
/* Keep the process's memory from being paged out. */
mp_status mp_lock_memory(void);

/* ---- clock map: host time <-> room time; twin of midipool/clock_map.py ---------------------- */

typedef struct {
    int64_t local_ns;
    int64_t room_ns;
    double slew;
    int64_t slew_end_ns;
    double drift;
} mp_clock_map;

/* Thread-safe, realtime-safe. */
int64_t mp_room_at_ns(const mp_clock_map *map, int64_t local_ns);
int64_t mp_local_at_ns(const mp_clock_map *map, int64_t room_ns);

/* ---- spooler: (room time, bytes) from one producer to one sink ------------------------------- */

/* Each lane is a queue of its own, so that one can be rewritten without the other. */
typedef enum { MP_LANE_CLOCK = 0, MP_LANE_NOTES, MP_LANE_CLICK, MP_LANES } mp_lane;

typedef struct {
    int64_t room_us;
    uint16_t size;
    uint8_t bytes[256];
} mp_midi_event;

typedef struct {
    uint64_t events;     /* put on the port */
    uint64_t ticks;      /* those that were F8 */
    uint64_t late;       /* of the clock lane: put on the port later than the sink allows */
    uint64_t dropped;    /* too old when a sink began, or no room */
    uint64_t overtaken;  /* batches that came when a start or stop that they take back was sent: the
                            device is somewhere else than the producer takes it for */
    int64_t max_late_ns; /* of the clock lane, since the last mp_spooler_get_stats call */
    uint32_t queued;
    int running; /* the device got FA or FB, and no FC since */
} mp_spooler_stats;

typedef struct mp_spooler mp_spooler;

/* Ownership: the caller frees, after every sink on it is closed. */
mp_spooler *mp_spooler_new(void);
void mp_spooler_free(mp_spooler *spooler);

/* The producer's side; one thread at a time. What is staged becomes visible to the sink all at
 * once, with mp_spooler_commit. MP_FULL, or MP_OUT_OF_RANGE for a time, a rate or a size that no
 * room has, means that nothing of the batch may be committed. */
mp_status mp_spooler_set_map(mp_spooler *spooler, const mp_clock_map *map);
mp_status mp_spooler_discard_from(mp_spooler *spooler, mp_lane lane, int64_t room_us);
mp_status mp_spooler_add(mp_spooler *spooler, mp_lane lane, const mp_midi_event *event);
void mp_spooler_commit(mp_spooler *spooler);
void mp_spooler_rollback(mp_spooler *spooler);
void mp_spooler_get_stats(mp_spooler *spooler, mp_spooler_stats *stats);

/* Wait until the next event is due, at most `patience_ns`, and take it: 1 with `event` filled, or
 * 0. One sink thread; the interpreter's lock must not be held. */
int mp_spooler_wait_next(mp_spooler *spooler, mp_midi_event *event, int64_t patience_ns);

/* ---- JACK sink ------------------------------------------------------------------------------ */

typedef struct {
    uint32_t sample_rate;
    uint32_t period_frames;
    uint32_t xruns;
    uint32_t clock_resets; /* JACK's frame clock jumped */
    int alive;             /* 0 once the JACK server has gone */
    int realtime;
    uint32_t lost;         /* messages at the input that nobody took out in time */
    double drift_ppm;      /* of the frame clock against the host clock */
} mp_jack_info;

typedef struct mp_jack_sink mp_jack_sink;

typedef enum { MP_JACK_IN = 0, MP_JACK_OUT, MP_JACK_CONTROL } mp_jack_port;

/* Open a JACK client with a MIDI output `out_name` (what the spooler sends), an input `in_name`,
 * and, unless it is NULL, another input `control_name`. NULL with `*status` set on failure.
 * Ownership: close it before the spooler is freed. */
mp_jack_sink *mp_jack_sink_open(mp_spooler *spooler, const char *client_name,
                                const char *out_name, const char *in_name,
                                const char *control_name, mp_status *status);
void mp_jack_sink_info(mp_jack_sink *sink, mp_jack_info *info);
/* Write the names of the ports that one of ours is connected to, one a line; returns the length,
 * cut to `size` - 1. Not realtime-safe. */
uint32_t mp_jack_sink_connections(mp_jack_sink *sink, mp_jack_port which, char *names,
                                  uint32_t size);
/* Connect one of ours with `port`. Not realtime-safe. */
mp_status mp_jack_sink_connect(mp_jack_sink *sink, mp_jack_port which, const char *port);
void mp_jack_sink_close(mp_jack_sink *sink);

/* A message, or a piece of a long one, that arrived at an input. */
typedef struct {
    int64_t host_ns; /* when its frame was */
    uint16_t size;
    uint8_t control; /* 1 at the control input */
    uint8_t bytes[256];
} mp_heard;

/* Wait until something arrived at an input, at most `patience_ns`, and take up to `most` of it out;
 * returns how many. One reader thread; the interpreter's lock must not be held. */
uint32_t mp_jack_sink_heard(mp_jack_sink *sink, mp_heard *heard, uint32_t most,
                            int64_t patience_ns);

/* Whether a JACK library can be loaded: MP_OK or MP_NO_LIBJACK. */
mp_status mp_jack_available(void);
/* The last error that JACK told the calling thread, or "". */
const char *mp_jack_complaint(void);

/* ---- frame clock: JACK frames <-> host time, with a long memory ------------------------------ */

typedef struct mp_frame_clock mp_frame_clock;

mp_frame_clock *mp_frame_clock_new(uint32_t sample_rate);
void mp_frame_clock_free(mp_frame_clock *clock);
/* A cycle that starts at `frame` was seen at `local_ns`, never earlier than it happened.
 * Realtime-safe. */
void mp_frame_clock_see(mp_frame_clock *clock, int64_t frame, int64_t local_ns);
/* The relation is broken (an xrun): begin anew with the next cycle, but keep the drift.
 * Realtime-safe. */
void mp_frame_clock_restart(mp_frame_clock *clock);
/* The frame, with its fraction, at host time `local_ns`. Realtime-safe. */
double mp_frame_clock_frame_at(const mp_frame_clock *clock, int64_t local_ns);
/* Host time of a frame. Realtime-safe. */
int64_t mp_frame_clock_local_at(const mp_frame_clock *clock, int64_t frame);
/* Thread-safe, realtime-safe. */
uint32_t mp_frame_clock_resets(const mp_frame_clock *clock);
double mp_frame_clock_drift(const mp_frame_clock *clock);

/* ---- clock responder: answers clock probes on a UDP socket ----------------------------------- */

typedef struct {
    uint64_t answered;
    uint64_t rubbish;
} mp_responder_stats;

typedef struct mp_responder mp_responder;

/* Answer probes that arrive at the bound socket `fd` from a thread of its own. Ownership: the
 * caller keeps `fd` open until mp_responder_stop has returned. */
mp_responder *mp_responder_start(int fd, const uint8_t *clock_id, mp_status *status);
void mp_responder_get_stats(mp_responder *responder, mp_responder_stats *stats);
void mp_responder_stop(mp_responder *responder);
/* CLOCK_MONOTONIC time of a CLOCK_REALTIME kernel timestamp taken just now, as host time. */
int64_t mp_host_from_realtime_ns(int64_t realtime_ns);

/* ---- meter: an independent JACK client that writes down what it hears ------------------------- */

typedef struct {
    int64_t frame;
    uint8_t port;
    uint8_t size;
    uint8_t bytes[3];
} mp_meter_event;

typedef struct {
    int64_t frame;
    int64_t monotonic_ns; /* read in the callback */
} mp_meter_cycle;

typedef struct mp_meter mp_meter;

mp_meter *mp_meter_open(const char *client_name, uint32_t ports, mp_status *status);
/* Connect another client's output to input `index` (from 0). Not realtime-safe. */
mp_status mp_meter_connect(mp_meter *meter, const char *port, uint32_t index);
/* Take up to `most` events or cycles out; returns how many. One reader thread. */
uint32_t mp_meter_events(mp_meter *meter, mp_meter_event *events, uint32_t most);
uint32_t mp_meter_cycles(mp_meter *meter, mp_meter_cycle *cycles, uint32_t most);
uint32_t mp_meter_xruns(mp_meter *meter);
uint32_t mp_meter_lost(mp_meter *meter);
uint32_t mp_meter_sample_rate(mp_meter *meter);
void mp_meter_close(mp_meter *meter);
