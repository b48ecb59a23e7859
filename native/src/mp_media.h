/* Sealed media datagrams; midipool/media_datagram.py has the layout. Both an #include and cffi's
 * cdef: no directives in here. */

enum {
    MP_MEDIA_HEADER = 22,
    MP_MEDIA_TAG = 16,
    MP_MEDIA_KEY = 32,
    MP_MEDIA_DATAGRAM = 1472,
    MP_MEDIA_PAYLOAD = 1434,
    MP_REPLAY_WINDOW = 1024
};

typedef enum {
    MP_MEDIA_SOURCE = 0,
    MP_MEDIA_REPAIR,
    MP_MEDIA_CONTROL,
    MP_MEDIA_HELLO,
    MP_MEDIA_HELLO_OK,
    MP_MEDIA_KEEPALIVE,
    MP_MEDIA_KINDS
} mp_media_kind;

typedef struct {
    uint8_t kind;
    uint16_t key_id;
    uint32_t sender;    /* 0 is the server */
    uint64_t counter;   /* from 1, less than 2^48; rises with every datagram of a sender */
    int64_t capture_us; /* room time */
} mp_media_header;

/* Load libsodium: MP_OK or MP_NO_LIBSODIUM. Until it was called and found it, nothing can be sealed
 * or opened. Thread-safe; only the first call is not realtime-safe. */
mp_status mp_sodium_available(void);
/* Read the header of a datagram that may be ours, by its size, kind and version: 1, or 0. Nothing
 * is authenticated. Thread-safe, realtime-safe. */
int mp_media_peek(const uint8_t *datagram, uint32_t size, mp_media_header *header);
/* Seal `size` bytes into a datagram with room for MP_MEDIA_HEADER + size + MP_MEDIA_TAG bytes; the
 * payload may already be at its place in there. Returns the datagram's size; 0 for a header or a
 * size that cannot be. The caller never uses a counter twice under one key. Thread-safe,
 * realtime-safe. */
uint32_t mp_media_seal(const uint8_t *key, const mp_media_header *header, const uint8_t *payload,
                       uint32_t size, uint8_t *datagram);
/* Open a datagram into MP_MEDIA_PAYLOAD bytes of `payload`; returns how many there are, or -1 for
 * what is not ours or was not sealed with `key`. Thread-safe, realtime-safe. */
int32_t mp_media_open(const uint8_t *key, const uint8_t *datagram, uint32_t size,
                      mp_media_header *header, uint8_t *payload);

/* Which of a sender's counters have come. All zero is a window that has seen none. */
typedef struct {
    uint64_t newest;
    uint64_t seen[16]; /* a bit for each counter, modulo MP_REPLAY_WINDOW */
} mp_replay;

/* Note a counter: 1 if it is new, 0 if it came before, is too old to know, or cannot be. Call it
 * only after the datagram was authenticated. One thread at a time, realtime-safe. */
int mp_replay_accept(mp_replay *window, uint64_t counter);

/* A packet that was opened, on its way between threads. */
typedef struct {
    uint8_t kind;
    uint16_t size;
    int64_t capture_us;
    int64_t received_ns;
    uint8_t bytes[1434];
} mp_media_packet;
