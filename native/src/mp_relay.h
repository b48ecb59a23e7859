/* The relay: passes sealed media datagrams on to a room's other members, and answers STUN. Both an
 * #include and cffi's cdef: no directives in here. */

enum {
    MP_RELAY_ROOM = 256,         /* members of one room */
    MP_RELAY_CAPACITY = 16777216, /* and of all */
    MP_RELAY_TOKEN = 8           /* in a HELLO_OK behind the address; a HELLO begins with it */
};

typedef struct {
    uint32_t packets_a_second; /* of one member, at least 1 */
    uint32_t bits_a_second;    /* of one member, at least 1 */
    uint32_t burst_ms;         /* so much of both may come at once */
} mp_relay_limits;

/* Of all that arrived, each datagram counts once as forwarded, alone, hello, stun or one of the
 * reasons to drop it. */
typedef struct {
    uint64_t forwarded;      /* passed on to somebody */
    uint64_t alone;          /* in order, but nobody else is heard of who is to hear it */
    uint64_t hellos;         /* taught or refreshed an address */
    uint64_t stun;           /* Binding requests that were answered */
    uint64_t rubbish;        /* neither STUN nor a media datagram of this version */
    uint64_t too_long;
    uint64_t unknown_sender; /* no member has this sender id */
    uint64_t wrong_address;  /* not from where the sender's last hello came, or it was forgotten */
    uint64_t forged;         /* a hello that was not sealed with the room's key */
    uint64_t replayed;       /* a hello that is not newer than the one before */
    uint64_t too_fast;       /* above a member's limits */
    uint64_t muted;          /* of a member that nobody is to hear */
    uint64_t stun_too_fast;  /* above a source's limit */
    uint64_t copies;         /* sent out */
    uint64_t unsent;         /* copies and replies that the system did not take */
} mp_relay_stats;

/* One member's share of the same. `to` are copies and replies meant for it. */
typedef struct {
    int heard; /* its address is known now */
    uint64_t packets, bytes;
    uint64_t to_packets, to_bytes;
    uint64_t hellos;
    uint64_t wrong_address, forged, replayed, too_fast, muted;
} mp_relay_member;

typedef struct mp_relay mp_relay;

/* Serve the bound UDP socket `fd` from a thread of its own, for up to `capacity` members in rooms
 * numbered below `capacity`. `stun_fd` (or -1) is another one, at which STUN alone is answered: two
 * ports show what a NAT does. NULL with `*status` set on failure. Ownership: the caller keeps both
 * open until mp_relay_stop has returned. */
mp_relay *mp_relay_start(int fd, int stun_fd, uint32_t capacity, const mp_relay_limits *limits,
                         mp_status *status);
/* All below are thread-safe, and wait for the thread for less than a millisecond. */

/* A member that may be relayed once its hello has come. `sender` is neither 0 nor one that is there
 * already: MP_OUT_OF_RANGE. MP_FULL: the relay or the room takes no more. */
mp_status mp_relay_add(mp_relay *relay, uint32_t sender, uint32_t room, uint16_t key_id,
                       const uint8_t *key);
/* Hellos of a room's members are sealed with another key from now on. Addresses stay known. */
mp_status mp_relay_set_key(mp_relay *relay, uint32_t room, uint16_t key_id, const uint8_t *key);
void mp_relay_remove(mp_relay *relay, uint32_t sender);
/* Whether nothing that a member says is passed on. It still gets what others say. MP_OUT_OF_RANGE if
 * there is no such member. */
mp_status mp_relay_mute(mp_relay *relay, uint32_t sender, int muted);
/* Whether `listener` gets the sound of `sender`: at first everybody of the room does. Who has joined
 * anew has another id, and gets all. MP_OUT_OF_RANGE unless both are members of one room. */
mp_status mp_relay_link(mp_relay *relay, uint32_t sender, uint32_t listener, int linked);
void mp_relay_get_stats(mp_relay *relay, mp_relay_stats *stats);
/* 1, or 0 if there is no such member. */
int mp_relay_get_member(mp_relay *relay, uint32_t sender, mp_relay_member *member);
void mp_relay_stop(mp_relay *relay);
