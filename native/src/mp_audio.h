/* The audio engine's core, as Python sees it. Both an #include and cffi's cdef: no directives.
 *
 * Three threads: the device's callback (mp_audio_process), the codec thread (mp_audio_step), and
 * any one other thread, which calls everything else. Streams on the wire have MP_STREAM_RATE;
 * a device of another rate is resampled at its own end, both ways. Samples are floats.
 */

enum {
    MP_STREAM_RATE = 48000,
    MP_MAX_PLAYERS = 64,
    MP_MAX_CHANNELS = 4,
    MP_MAX_PERIOD = 4096,
    MP_MAX_PIECES = 1024,
    MP_MOST_KEPT = 4194304, /* frames of the stream, 87 s */
    MP_MAX_PACKET_FRAMES = 1024, /* of the stream */
    MP_LEAST_FILTER_HZ = 20,
    MP_MOST_FILTER_HZ = 20000
};

/* Takes a packet of the encoder's; `kind` as in mp_media_packet. Called on the codec thread. */
typedef int (*mp_audio_send)(void *arg, int kind, int64_t capture_us, const uint8_t *bytes,
                             uint32_t size);

/* Takes in what has arrived, before packets are taken out. Codec thread. */
typedef void (*mp_audio_arrive)(void *arg);

/* Gives the next packet that arrived for `index`, 1, or 0 when there is none. Codec thread. */
typedef int (*mp_audio_take)(void *arg, uint32_t index, mp_media_packet *packet);

typedef struct {
    uint32_t rate;         /* of the device, 44,100 to 96,000 */
    uint32_t period;       /* frames that one callback usually has; more are taken too */
    uint32_t in_channels;  /* 1 to MP_MAX_CHANNELS, as sent; 0 hears only */
    uint32_t out_channels; /* 1 to MP_MAX_CHANNELS */
    uint32_t decode_lead_us; /* so long before the next callback the codec thread decodes at least */
} mp_audio_settings;

/* What is sent. `encoder` belongs to the caller, and is no more used once mp_audio_set_encoder
 * has put another (or NULL) in its place and mp_audio_encoder_in_use no more says it. */
typedef struct {
    mp_roc_calls calls;
    void *encoder;
    uint32_t packet_frames;  /* of the stream, 1 to MP_MAX_PACKET_FRAMES */
    uint32_t source_packets; /* of an FEC block, or 0 without FEC */
    uint32_t repair_packets; /* spread over the next block, while they are wanted */
    mp_audio_send send;
    void *send_arg;
} mp_audio_encoder;

/* What the target says. */
typedef enum {
    MP_WAIT_TO_PLAY = 0, /* how long the quickest packets wait until they are played */
    MP_WAIT_FOR_BARS     /* how long until they are decoded; mp_piece says when they are played */
} mp_wait;

/* `bar` mode: what is heard from one room time to another. */
typedef enum {
    MP_PIECE_BARS = 0, /* what was captured in this stretch of time */
    MP_PIECE_SILENCE,
    MP_PIECE_AT_ONCE /* the newest that was decoded */
} mp_piece_kind;

typedef struct {
    mp_piece_kind kind;
    int64_t play_us, play_end_us, capture_us, capture_end_us;
} mp_piece;

typedef struct {
    mp_roc_calls calls;
    void *decoder;           /* opened with a target latency of one packet, tuner intact */
    uint32_t packet_frames;  /* of the stream; what comes may begin anew with others */
    uint32_t source_packets; /* of an FEC block, or 0 without FEC */
    uint32_t channels;       /* that the decoder gives */
    uint32_t queue_packets;  /* a power of two: how many wait at most */
    mp_wait wait;
    double target_frames; /* of the stream; the floor is used where that is more */
    double cover_frames;  /* so many lie decoded, for the case that the system stands still: of these
                           * where packets wait to be played, sooner where they wait for bars */
    mp_audio_take take; /* where packets come from; NULL: mp_audio_receive */
    void *take_arg;
    uint32_t take_index;
} mp_player_settings;

typedef struct {
    uint64_t packets, repair_packets; /* taken out of the queue */
    uint64_t lost;             /* source packets that had not come when they were due, or ever */
    uint64_t repaired;         /* of these, healed by FEC */
    uint64_t late;             /* source packets that came after they were due */
    uint64_t concealed_frames; /* of the stream, made up or silent, also for lack of time */
    uint64_t overflow;         /* packets that were too far ahead, or unusable */
    uint64_t underruns;        /* callbacks that the codec thread was too late for */
    uint32_t used_frames;      /* of the device: so much of the cover was needed since the last look */
    uint64_t jumps;            /* changes of the wait that were cut, not bent */
    uint32_t fill_frames;      /* of the device, in the ring to the callback */
    double wait_frames;        /* of the stream: how long the quickest packets wait */
    double floor_frames;       /* less than this cannot be had */
    double drift_ppm;          /* how much faster than nominal the stream is played */
    double jitter_us;          /* RFC 3550 */
    double jitter_p95_us;      /* of how much slower than the quickest, over 8 s */
    int64_t latency_us;        /* from capture to being handed to the device; -1 unknown */
    int playing;               /* 0 until the first packet */
    int needs_decoder;         /* the stream began anew, and there was none for it */
} mp_player_stats;

typedef struct {
    float peak, rms; /* since the last call, 0 to 1 and more */
} mp_level;

/* Of a link in the room's graph. Filters are Butterworth's of second order, 12 dB an octave, 3 dB
 * down at their corner. */
typedef struct {
    float gain;         /* linear, 0 to 8 */
    uint32_t channels;  /* bits, the first channel is the lowest */
    float high_pass_hz; /* MP_LEAST_FILTER_HZ to MP_MOST_FILTER_HZ, 0 is off; both alike */
    float low_pass_hz;
} mp_link_settings;

typedef struct mp_audio mp_audio;

/* Ownership: the caller frees, once callback and codec thread are stopped. */
mp_audio *mp_audio_new(const mp_audio_settings *settings, mp_status *status);
void mp_audio_free(mp_audio *audio);

/* The callback. `in` has in_channels, `out` out_channels buffers; `from_players` has
 * MP_MAX_PLAYERS * out_channels, those of slot s at s * out_channels, NULL where nobody looks, or
 * is NULL itself. `host_ns` is when the cycle began. Realtime-safe. */
void mp_audio_process(mp_audio *audio, const float *const *in, float *const *out,
                      float *const *from_players, uint32_t frames, int64_t host_ns);
/* The callback's, before mp_audio_process: the device went on by so many frames without it. They
 * are silence for those who hear us, and what was to be heard in them is not heard later: what
 * follows keeps its place in time, on both ways. Realtime-safe. */
void mp_audio_lost(mp_audio *audio, uint32_t frames);
/* What comes in at a cycle's begin was captured so many frames before it. Without a call, and for
 * UINT32_MAX, that is a period. Any thread. */
void mp_audio_set_input_latency(mp_audio *audio, uint32_t frames);
/* The callback's time line is broken (an xrun). Any thread. */
void mp_audio_xrun(mp_audio *audio);
/* One look of the codec thread; returns when it wants the next one. */
int64_t mp_audio_step(mp_audio *audio, int64_t now_ns);
/* Have a thread do that; `priority` 0 is an ordinary thread. MP_NOT_PERMITTED: it runs, but
 * without the priority. */
mp_status mp_audio_start(mp_audio *audio, int priority);
void mp_audio_stop(mp_audio *audio);

mp_status mp_audio_set_encoder(mp_audio *audio, const mp_audio_encoder *encoder);
void *mp_audio_encoder_in_use(mp_audio *audio);
/* Whether anybody wants repair packets; at first nobody does, and none are sent. */
mp_status mp_audio_set_repairs(mp_audio *audio, int wanted);
/* What the codec thread calls before it decodes; NULL: nothing. */
mp_status mp_audio_set_arrive(mp_audio *audio, mp_audio_arrive arrive, void *arg);
mp_status mp_audio_set_map(mp_audio *audio, const mp_clock_map *map);

/* Give a free slot a player. MP_OUT_OF_RANGE for a slot in use or settings that cannot be. */
mp_status mp_audio_add_player(mp_audio *audio, uint32_t slot, const mp_player_settings *settings);
/* The slot is free once mp_audio_collect says so. */
mp_status mp_audio_remove_player(mp_audio *audio, uint32_t slot);
/* Free what the other threads gave back; returns how many players are still on their way out. */
uint32_t mp_audio_collect(mp_audio *audio);
/* Whether a slot holds a player, also one on its way out. */
int mp_audio_has_player(mp_audio *audio, uint32_t slot);
/* A new decoder, for the next time that the player's stream begins anew; that may be now. Give
 * another one only when mp_audio_decoder_in_use says this one. */
mp_status mp_audio_set_decoder(mp_audio *audio, uint32_t slot, void *decoder);
void *mp_audio_decoder_in_use(mp_audio *audio, uint32_t slot);
/* For bars, mp_audio_keep must have been called before: else packets wait to be played. */
mp_status mp_audio_set_target(mp_audio *audio, uint32_t slot, mp_wait wait, double target_frames,
                              double cover_frames);
/* Keep the last `frames` of what is decoded, a power of two; what is kept already stays. Not
 * realtime-safe. */
mp_status mp_audio_keep(mp_audio *audio, uint32_t slot, uint32_t frames);
/* What players in bar mode are heard by from now on, in order and without gaps; the last one goes
 * on. MP_OUT_OF_RANGE: too many, out of order, or beyond reason. Not realtime-safe. */
mp_status mp_audio_set_pieces(mp_audio *audio, const mp_piece *pieces, uint32_t count);
/* A packet for a player without `take`, from the third thread: MP_FULL when too many wait. */
mp_status mp_audio_receive(mp_audio *audio, uint32_t slot, const mp_media_packet *packet);

/* Linear gain, 0 to 8; pan -1 (left) to 1; what is soloed silences the others in the mix. */
mp_status mp_audio_set_player_mix(mp_audio *audio, uint32_t slot, float gain, float pan, int mute,
                                  int solo);
/* What comes of a player at all, also at its own outputs. */
mp_status mp_audio_set_player_link(mp_audio *audio, uint32_t slot,
                                   const mp_link_settings *settings);
/* What recordings get of a player, whatever comes of it otherwise; and of one's own input. */
mp_status mp_audio_set_player_tape(mp_audio *audio, uint32_t slot,
                                   const mp_link_settings *settings);
mp_status mp_audio_set_own_tape(mp_audio *audio, const mp_link_settings *settings);
mp_status mp_audio_set_master(mp_audio *audio, float gain);
/* How loud one's own input is in one's own mix: 0 is off. */
mp_status mp_audio_set_monitor(mp_audio *audio, float gain);
/* How loud one's own input is sent: 0 mutes it for the others, not for the own monitor. */
mp_status mp_audio_set_send(mp_audio *audio, float gain);
/* One channel of one's own input: gain as it is sent and monitored, pan in one's own mix of two
 * outputs. `mute` silences it for the others alone. What is soloed and monitored silences all that
 * is not, players too, in one's own mix alone. */
mp_status mp_audio_set_own(mp_audio *audio, uint32_t channel, float gain, float pan, int mute,
                           int solo);

mp_status mp_audio_player_stats(mp_audio *audio, uint32_t slot, mp_player_stats *stats);
/* Levels since the last call; `levels` has a place for each channel. */
void mp_audio_input_levels(mp_audio *audio, mp_level *levels);
void mp_audio_mix_levels(mp_audio *audio, mp_level *levels);
mp_status mp_audio_player_levels(mp_audio *audio, uint32_t slot, mp_level *levels);
/* Frames of input that the codec thread was too late for. */
uint64_t mp_audio_input_dropped(mp_audio *audio);

/* ---- recording ------------------------------------------------------------------------------ */

/* What a tap takes: a player's slot, or one of these. */
/* MP_TAP_INPUT is own input as it comes in, MP_TAP_PLAYED with effects, as the room may get it. */
enum { MP_TAP_INPUT = 64, MP_TAP_MIX = 65, MP_TAP_PLAYED = 66, MP_TAPS = 67 };

/* From the callback to one reading thread: frames, and when they were captured. */
typedef struct mp_tap mp_tap;

/* `frames`, a power of two, wait at most; what does not fit is dropped, and silent in what is
 * read. NULL: no memory, or values that cannot be. Not realtime-safe. */
mp_tap *mp_tap_new(uint32_t channels, uint32_t rate, uint32_t frames);
/* Ownership: the caller's, once no source has it any more. */
void mp_tap_free(mp_tap *tap);
/* Callback: frames of which the first was captured at `host_ns`. Realtime-safe. */
void mp_tap_write(mp_tap *tap, const float *frames, uint32_t count, int64_t host_ns);
/* Reader: the next frames, at most `most`, of a sound that begins at room time `base_ns` and keeps
 * to the room's clock. Returns how many. */
uint32_t mp_tap_read(mp_tap *tap, const mp_clock_map *map, int64_t base_ns, float *frames,
                     uint32_t most);
/* Frames that found no room. */
uint64_t mp_tap_dropped(const mp_tap *tap);
/* Silence in what was read, between sounds: its first frame, and how many. */
typedef struct {
    int64_t at, frames;
} mp_hole;
/* Reader: the next hole that was met, once; 0 when there is none. As many wait as one read can meet. */
int mp_tap_hole(mp_tap *tap, mp_hole *hole);
/* Let a source write into a tap from the next cycle on, or with NULL into none. When it returns the
 * callback has let go of the one before. A tap of another channel count stays without sound. */
mp_status mp_audio_set_tap(mp_audio *audio, uint32_t source, mp_tap *tap);

/* ---- JACK driver ---------------------------------------------------------------------------- */

typedef struct {
    uint32_t rate;    /* what the server has now; another one than the engine's: open anew */
    uint32_t period;  /* likewise; the engine follows a change by itself */
    uint32_t xruns;
    int alive;        /* 0 once the JACK server has gone */
    int realtime;
    int priority;     /* of JACK's own threads; -1 without */
} mp_jack_audio_info;

typedef struct mp_jack_audio mp_jack_audio;

/* Open a JACK client with inputs audio_send_1..., outputs audio_receive_1..., and an engine at the
 * server's rate and period; its codec thread is not started yet. NULL with `*status` on failure. */
mp_jack_audio *mp_jack_audio_open(const char *client_name, uint32_t in_channels,
                                  uint32_t out_channels, uint32_t decode_lead_us,
                                  mp_status *status);
/* Ownership: the driver's, until it is closed. */
mp_audio *mp_jack_audio_engine(mp_jack_audio *jack);
void mp_jack_audio_get_info(mp_jack_audio *jack, mp_jack_audio_info *info);
/* Give a slot outputs from_<name>_1... of its own; they stay, and silent, while nobody is in it.
 * MP_NAME_TAKEN when the slot has ports already, MP_JACK_FAILED. Not realtime-safe. */
mp_status mp_jack_audio_add_ports(mp_jack_audio *jack, uint32_t slot, const char *name);
mp_status mp_jack_audio_remove_ports(mp_jack_audio *jack, uint32_t slot);
/* Write "own<tab>other\n" for each connection, own without the client's name; returns the length,
 * of whole lines that fit. Not realtime-safe. */
uint32_t mp_jack_audio_connections(mp_jack_audio *jack, char *text, uint32_t size);
/* Connect a port of ours, named as there, with another client's. Not realtime-safe. */
mp_status mp_jack_audio_connect(mp_jack_audio *jack, const char *own, const char *other);
/* Stops the codec thread, takes the ports away and frees the engine. */
void mp_jack_audio_close(mp_jack_audio *jack);
