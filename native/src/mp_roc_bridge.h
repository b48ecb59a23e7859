/* A device that is no sound card: plain ROC of a program on this network (roc-send, roc-recv, or
 * anything with libroc). Both an #include and cffi's cdef: no directives in here.
 *
 * What comes from there is the device's input, its output goes there. Nothing of it is
 * authenticated, and libroc ends the process at many things that somebody might send: so each
 * datagram passes a gate first. One sender is heard at a time.
 */

/* What became of a datagram. */
typedef enum {
    MP_GATE_PASSED = 0,   /* libroc gets it now, or, a repair packet, when there are enough */
    MP_GATE_NOT_NEEDED,   /* repair, or late, of a block that is complete, or long over */
    MP_GATE_STRANGER,     /* from elsewhere than who is heard, or may be */
    MP_GATE_MALFORMED,    /* no packet of that kind, or of another size than all before */
    MP_GATE_FORMAT,       /* another payload type: rate, channels or samples do not match */
    MP_GATE_OTHER_STREAM, /* of another source than is heard */
    MP_GATE_JUMPED,       /* its place is too far from where the stream is */
    MP_GATE_TOO_FAST,     /* more sound than the time that passed */
    MP_GATE_RTCP,         /* libroc would not survive it */
    MP_GATE_NOT_READY,    /* nobody is heard yet, or the last one only just fell silent */
    MP_GATE_VERDICTS
} mp_gate_verdict;

typedef struct {
    uint32_t rate;
    uint32_t period; /* frames; about 5 ms */
    uint32_t channels;
    uint8_t payload_type;
    int fec; /* RS8M on what comes */
    uint32_t ends_us; /* after so much silence a stream is over */
    mp_roc_calls calls;
    void *encoder;    /* NULL: nothing is sent */
    int listen_fd[3]; /* source, repair, control; UDP; -1: not there */
    int send_fd;      /* all that is sent goes from here, and reports come back to it */
    mp_address only_from; /* family 0: who speaks first; the port does not count */
    mp_address send_to[3];
} mp_roc_bridge_settings;

typedef struct {
    uint64_t verdicts[10]; /* of MP_GATE_VERDICTS: what came to the three ports */
    uint64_t streams;      /* that began */
    uint64_t sent, send_failed;
    uint64_t reports, reports_refused; /* RTCP of who hears us */
    uint64_t late_cycles;  /* begun more than a period after their time */
    uint64_t restarts;     /* the machine stood still for long: the time in between is left out */
    mp_address heard;      /* who is heard; family 0: nobody */
    int64_t report_age_ns; /* since the last good report; -1: there was none */
    double faster_ppm;     /* so much faster than ours is the clock of who is heard */
    int needs_decoder;     /* the stream ended: give it a new one */
    int realtime;          /* the thread has its priority */
} mp_roc_bridge_stats;

typedef struct mp_roc_bridge mp_roc_bridge;

/* The engine is made with the bridge; the sockets stay the caller's. */
mp_roc_bridge *mp_roc_bridge_new(const mp_roc_bridge_settings *settings, mp_status *status);
/* Ownership: the bridge's, until it is freed. */
mp_audio *mp_roc_bridge_engine(mp_roc_bridge *bridge);
/* A thread with absolute deadlines, and the engine's codec thread is the caller's to start.
 * `priority` 0 is an ordinary thread. MP_NOT_PERMITTED: it runs, but without the priority. */
mp_status mp_roc_bridge_start(mp_roc_bridge *bridge, int priority);
/* Stops the codec thread too, and frees the engine. */
void mp_roc_bridge_free(mp_roc_bridge *bridge);
/* One cycle of the thread, when it is not started: its time by the clock of mp_host_now_ns. */
void mp_roc_bridge_cycle(mp_roc_bridge *bridge, int64_t cycle_ns);
/* Decode with this from the next cycle on; the one before is the caller's again once
 * mp_roc_bridge_decoder_in_use says so. */
void mp_roc_bridge_set_decoder(mp_roc_bridge *bridge, void *decoder);
void *mp_roc_bridge_decoder_in_use(mp_roc_bridge *bridge);
void mp_roc_bridge_get_stats(mp_roc_bridge *bridge, mp_roc_bridge_stats *stats);
