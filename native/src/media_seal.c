/* Seals and opens media datagrams with libsodium's ChaCha20-Poly1305 (RFC 8439), the header as
 * associated data. libsodium is found when it is wanted: without it the clock works all the same. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "rt.h"

enum { FIRST_KIND = 0xF0, VERSION = 1 };
enum { AT_KEY_ID = 2, AT_SENDER = 4, AT_COUNTER = 8, AT_CAPTURE = 14 };
enum { NONCE = 12, SENDER_AND_COUNTER = 10 };
static const uint64_t COUNTER_END = (uint64_t)1 << 48;

#ifdef __APPLE__
static const char *const LIBRARIES[] = {"libsodium.23.dylib", "/opt/homebrew/lib/libsodium.dylib",
                                        "/usr/local/lib/libsodium.dylib"};
#else
static const char *const LIBRARIES[] = {"libsodium.so.23", "libsodium.so.26", "libsodium.so"};
#endif

typedef int (*encrypt_function)(uint8_t *, unsigned long long *, const uint8_t *,
                                unsigned long long, const uint8_t *, unsigned long long,
                                const uint8_t *, const uint8_t *, const uint8_t *);
typedef int (*decrypt_function)(uint8_t *, unsigned long long *, uint8_t *, const uint8_t *,
                                unsigned long long, const uint8_t *, unsigned long long,
                                const uint8_t *, const uint8_t *);

static struct {
    encrypt_function encrypt;
    decrypt_function decrypt;
} sodium;
static _Atomic int loaded;

/* ISO C has no cast from void * to a function, POSIX says that the bits are the same. */
static int find(void *library, const char *name, void *function) {
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static void load(void) {
    void *library = NULL;
    int (*init)(void);
    for (size_t i = 0; library == NULL && i < sizeof LIBRARIES / sizeof *LIBRARIES; i++)
        library = dlopen(LIBRARIES[i], RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) return;
    int there = find(library, "sodium_init", &init) &&
                find(library, "crypto_aead_chacha20poly1305_ietf_encrypt", &sodium.encrypt) &&
                find(library, "crypto_aead_chacha20poly1305_ietf_decrypt", &sodium.decrypt);
    if (there && init() >= 0) atomic_store(&loaded, 1);
}

mp_status mp_sodium_available(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return atomic_load(&loaded) ? MP_OK : MP_NO_LIBSODIUM;
}

static void put(uint8_t *at, uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; i--, value >>= 8) at[i] = (uint8_t)value;
}

static uint64_t get(const uint8_t *at, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value = value << 8 | at[i];
    return value;
}

/* Sender and counter as they stand in the header, then zeros: never the same twice under one key. */
static void make_nonce(uint8_t *nonce, const uint8_t *datagram) {
    memcpy(nonce, datagram + AT_SENDER, SENDER_AND_COUNTER);
    memset(nonce + SENDER_AND_COUNTER, 0, NONCE - SENDER_AND_COUNTER);
}

int mp_media_peek(const uint8_t *datagram, uint32_t size, mp_media_header *header) {
    if (size < MP_MEDIA_HEADER + MP_MEDIA_TAG || size > MP_MEDIA_DATAGRAM) return 0;
    if (datagram[0] < FIRST_KIND || datagram[0] >= FIRST_KIND + MP_MEDIA_KINDS) return 0;
    if (datagram[1] != VERSION) return 0;
    header->kind = datagram[0] - FIRST_KIND;
    header->key_id = (uint16_t)get(datagram + AT_KEY_ID, 2);
    header->sender = (uint32_t)get(datagram + AT_SENDER, 4);
    header->counter = get(datagram + AT_COUNTER, 6);
    header->capture_us = (int64_t)get(datagram + AT_CAPTURE, 8);
    return 1;
}

uint32_t mp_media_seal(const uint8_t *key, const mp_media_header *header, const uint8_t *payload,
                       uint32_t size, uint8_t *datagram) {
    if (size > MP_MEDIA_PAYLOAD || header->kind >= MP_MEDIA_KINDS) return 0;
    if (header->counter == 0 || header->counter >= COUNTER_END || !atomic_load(&loaded)) return 0;
    datagram[0] = (uint8_t)(FIRST_KIND + header->kind);
    datagram[1] = VERSION;
    put(datagram + AT_KEY_ID, header->key_id, 2);
    put(datagram + AT_SENDER, header->sender, 4);
    put(datagram + AT_COUNTER, header->counter, 6);
    put(datagram + AT_CAPTURE, (uint64_t)header->capture_us, 8);
    uint8_t nonce[NONCE];
    unsigned long long sealed;
    make_nonce(nonce, datagram);
    sodium.encrypt(datagram + MP_MEDIA_HEADER, &sealed, payload, size, datagram, MP_MEDIA_HEADER,
                   NULL, nonce, key);
    return MP_MEDIA_HEADER + (uint32_t)sealed;
}

int32_t mp_media_open(const uint8_t *key, const uint8_t *datagram, uint32_t size,
                      mp_media_header *header, uint8_t *payload) {
    if (!mp_media_peek(datagram, size, header) || !atomic_load(&loaded)) return -1;
    uint8_t nonce[NONCE];
    unsigned long long opened;
    make_nonce(nonce, datagram);
    if (sodium.decrypt(payload, &opened, NULL, datagram + MP_MEDIA_HEADER, size - MP_MEDIA_HEADER,
                       datagram, MP_MEDIA_HEADER, nonce, key) != 0)
        return -1;
    return (int32_t)opened;
}

static uint64_t *word_of(mp_replay *window, uint64_t counter) {
    return &window->seen[counter % MP_REPLAY_WINDOW / 64];
}

int mp_replay_accept(mp_replay *window, uint64_t counter) {
    uint64_t bit = (uint64_t)1 << counter % 64;
    if (counter == 0 || counter >= COUNTER_END) return 0;
    if (counter + MP_REPLAY_WINDOW <= window->newest) return 0;
    if (counter > window->newest + MP_REPLAY_WINDOW) memset(window->seen, 0, sizeof window->seen);
    else
        for (uint64_t c = window->newest + 1; c < counter; c++)
            *word_of(window, c) &= ~((uint64_t)1 << c % 64);
    if (counter > window->newest) {
        *word_of(window, counter) &= ~bit;
        window->newest = counter;
    }
    if (*word_of(window, counter) & bit) return 0;
    *word_of(window, counter) |= bit;
    return 1;
}
