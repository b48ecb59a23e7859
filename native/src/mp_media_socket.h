/* The media socket: one UDP socket for all that a member hears and says. Both an #include and
 * cffi's cdef: no directives in here.
 *
 * Four threads meet here. The *receive thread* is the socket's own. The *codec thread* sends, takes
 * in what has come in place of the receive thread as long as it looks often, and takes packets out.
 * The *control thread*, one of Python's, calls all the rest. The sink is called on the thread that
 * receives. None of them waits for another, but the control thread for the others,
 * for as long as one batch or one sending takes.
 */

enum {
    MP_MEDIA_SENDERS = 64,        /* slots: who is heard */
    MP_MEDIA_DESTINATIONS = 64,
    MP_MEDIA_QUEUE = 128,         /* packets of one sender that wait to be taken */
    MP_MEDIA_RARE_QUEUE = 64,
    MP_KEEPALIVE_SIZE = 8,
    MP_MEDIA_FLOOD = 4000,        /* a second, of one sender on one way: no more are opened */
    MP_MEDIA_SPREAD_S = 10        /* the window of delays that mp_media_sender_stats tells of */
};

/* An IPv4 address has family 4 and lies in the first four bytes, also on a dual-stack socket. */
typedef struct {
    uint8_t family; /* 4 or 6; 0 is no address */
    uint8_t ip[16];
    uint16_t port;
    uint32_t scope; /* of a link-local IPv6 address */
} mp_address;

/* What Python has to see: STUN's messages as they came, and what the relay answers, opened. */
typedef enum { MP_RARE_STUN = 0, MP_RARE_HELLO_OK } mp_rare_kind;

typedef struct {
    uint8_t kind;
    uint16_t size;
    mp_address from;
    int64_t received_ns;
    uint8_t bytes[1472];
} mp_rare;

typedef struct {
    mp_address address;
    int64_t until_ns; /* host time up to which it is used, or 0: a way that is about to change */
} mp_destination;

typedef struct {
    uint64_t datagrams, bytes;   /* all that came */
    uint64_t media, stun, hello_ok;
    uint64_t rubbish;            /* neither STUN nor ours */
    uint64_t too_long;
    uint64_t unknown_sender, unknown_key;
    uint64_t flooded;            /* more than MP_MEDIA_FLOOD a second of one sender, or STUN's */
    uint64_t forged;             /* not sealed with its key, or what its sender cannot send */
    uint64_t replayed;           /* came before, or too late to know */
    uint64_t stale;              /* of these, so late that no second way explains it */
    uint64_t queue_full;         /* nobody took them out, or the sink refused */
    uint64_t rare_full;
    uint64_t receive_errors;
    uint64_t sealed;             /* datagrams that were made, and for all destinations: */
    uint64_t sent, sent_bytes;
    uint64_t send_busy;          /* the system's queue was full */
    uint64_t send_refused;       /* nobody listens there, or no way there */
    uint64_t send_failed;        /* any other reason: */
    uint64_t send_errno;         /* the last of these */
    uint64_t no_key;             /* not sent, for lack of a key */
    uint64_t standby;            /* sent to the relay too, as somebody may not get through */
    uint64_t asked;              /* times that others were asked for the same */
    uint64_t counter;            /* the last one used under the present key */
    uint64_t realtime;           /* 1: the receive thread has its priority */
    uint64_t dscp;               /* 1: the system marks what is sent as voice (EF) */
} mp_media_socket_stats;

/* What is known of a slot, all in nanoseconds. -1 is "not known". */
typedef struct {
    int64_t packets, bytes;      /* each datagram once, with its header */
    int64_t source, repair, control, keepalive;
    int64_t lost;                /* counters that did not come */
    int64_t out_of_order;        /* came behind a later one */
    int64_t duplicates;          /* came once more, or too late to know */
    int64_t stale;               /* of these, so late that no second way explains it */
    int64_t flooded;
    int64_t queue_full;
    int64_t jitter_ns;           /* RFC 3550, of source packets, as the next four */
    int64_t spread_p50_ns, spread_p95_ns, spread_max_ns; /* later than the quickest of the window */
    int64_t delay_ns;            /* capture to arrival, of the window's p50; needs a map */
    int64_t silence_ns;          /* since the last one */
    int64_t direct_silence_ns;   /* since the last one that did not come by the relay */
    int64_t via_relay;           /* the last one: 1 by the relay, 0 directly */
    int64_t relayed;             /* how many came by the relay */
    mp_address from;             /* the last one's */
} mp_media_sender_stats;

/* How a sender is heard just now; a silence of -1 is none yet. */
typedef struct {
    int64_t dropped; /* stale, flooded, and those that the queue was full for */
    int64_t reordered, duplicates; /* behind a later one; once more, and not stale */
    int64_t silence_ns, direct_silence_ns;
    int via_relay;
} mp_media_sender_look;

/* Takes a packet of slot `slot`; 0 if it did. It has the shape of mp_audio_receive. */
typedef int (*mp_media_sink)(void *arg, uint32_t slot, const mp_media_packet *packet);

typedef struct mp_media_socket mp_media_socket;

/* Receive from the bound UDP socket `fd` in a thread of `priority` (1 to 99; 0 is an ordinary
 * thread). A byte is written to `wake_fd` (or -1), which must not block, when there is something
 * rare to take. NULL with `*status` on failure: MP_NO_LIBSODIUM, MP_NO_MEMORY, MP_SYSTEM_FAILED.
 * Ownership: the caller keeps both open until mp_media_socket_stop has returned. */
mp_media_socket *mp_media_socket_start(int fd, int wake_fd, int priority, mp_status *status);
/* Ends the thread, within 100 ms, and frees all. No other thread may use the socket any more. */
void mp_media_socket_stop(mp_media_socket *socket);

/* ---- the control thread ---- */

/* From now on send with this key, as `sender`, with counters above `after` (0 for a new sender).
 * The same key and sender again go on counting. Whoever begins anew with a key that an earlier
 * process used must have a new sender id, or an `after` that it cannot have reached.
 * MP_OUT_OF_RANGE for sender 0, or for a key that was known by another id. */
mp_status mp_media_socket_send_as(mp_media_socket *socket, uint16_t key_id, const uint8_t *key,
                                  uint32_t sender, uint64_t after);
/* Send nothing but raw bytes until there is a key again. */
mp_status mp_media_socket_send_nothing(mp_media_socket *socket);
/* Open with this key too. Two are known at once: the older of two others goes. */
mp_status mp_media_socket_add_key(mp_media_socket *socket, uint16_t key_id, const uint8_t *key);
/* Forget a key; what is sealed with it is not opened any more. */
mp_status mp_media_socket_remove_key(mp_media_socket *socket, uint16_t key_id);
/* Hear `sender` under a key in a slot. A slot knows two such ids, of one player: the older of two
 * others goes; an id of another slot is this one's from now on. MP_OUT_OF_RANGE for sender 0 and a
 * slot that is none. */
mp_status mp_media_socket_hear(mp_media_socket *socket, uint32_t slot, uint32_t sender,
                               uint16_t key_id);
/* Empty a slot; its queue and its statistics go with it. */
mp_status mp_media_socket_unhear(mp_media_socket *socket, uint32_t slot);
/* Whom to send to, from the next datagram on. MP_OUT_OF_RANGE for too many, or for an address that
 * the socket cannot reach. */
mp_status mp_media_socket_set_destinations(mp_media_socket *socket,
                                           const mp_destination *destinations, uint32_t count);
/* What comes from there comes by the relay; family 0: there is none. */
mp_status mp_media_socket_set_relay(mp_media_socket *socket, const mp_address *relay);
/* NULL: delays are not known. */
mp_status mp_media_socket_set_map(mp_media_socket *socket, const mp_clock_map *map);
/* Packets go to `sink` in place of the slot's queue; NULL: into the queue again. Once it returns,
 * the former sink is not called any more. */
mp_status mp_media_socket_set_sink(mp_media_socket *socket, mp_media_sink sink, void *arg);
/* Send bytes as they are, for STUN. MP_FULL, MP_SYSTEM_FAILED or MP_OUT_OF_RANGE: it did not go. */
mp_status mp_media_socket_send_raw(mp_media_socket *socket, const mp_address *to,
                                   const uint8_t *bytes, uint32_t size);
/* Greet the relay: an empty HELLO, sealed. MP_NO_MEDIA_KEY, or as mp_media_socket_send_raw. */
mp_status mp_media_socket_hello(mp_media_socket *socket, const mp_address *relay,
                                int64_t capture_us);
/* Send a KEEPALIVE, sealed, to all destinations. MP_NO_MEDIA_KEY. Its payload says how many
 * counters went to HELLOs so far (u64, big-endian), so that nobody takes those for lost. Behind it
 * may stand sender ids (u32 each) that are to send by the relay too for some time. */
mp_status mp_media_socket_keepalive(mp_media_socket *socket, int64_t capture_us);
/* Take what is rare out: 1, or 0 when there is nothing more, and the next will write to wake_fd. */
int mp_media_socket_take_rare(mp_media_socket *socket, mp_rare *rare);
void mp_media_socket_get_stats(mp_media_socket *socket, mp_media_socket_stats *stats);
/* What is asked for many times a second: the rest takes sorting. MP_OUT_OF_RANGE for an empty slot. */
mp_status mp_media_socket_look_at(mp_media_socket *socket, uint32_t slot, mp_media_sender_look *look);
/* MP_OUT_OF_RANGE for an empty slot. */
mp_status mp_media_socket_get_sender(mp_media_socket *socket, uint32_t slot,
                                     mp_media_sender_stats *stats);

/* ---- the codec thread ---- */

/* Seal once, and send to all destinations; never waits. `socket` is an mp_media_socket; the shape
 * is that of mp_audio_send. MP_OK however far it came (that is counted), MP_NO_MEDIA_KEY, or
 * MP_OUT_OF_RANGE for another kind than source, repair and control, or too many bytes. */
int mp_media_socket_send(void *socket, int kind, int64_t capture_us, const uint8_t *bytes,
                         uint32_t size);
/* Take in what has come: has the shape of mp_audio_arrive. While it is called every few ms the
 * receive thread rests; it takes a batch at a time, and leaves a flood to that thread. Never waits. */
void mp_media_socket_arrive(void *socket);
/* Take a slot's next packet: 1, or 0. Realtime-safe. */
int mp_media_socket_take(mp_media_socket *socket, uint32_t slot, mp_media_packet *packet);
