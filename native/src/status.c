#include <stdint.h>

#include "rt.h"

const char *mp_status_text(mp_status status) {
    switch (status) {
    case MP_OK: return "fine";
    case MP_NO_MEMORY: return "out of memory";
    case MP_NO_LIBJACK: return "no JACK library (libjack.so.0) is installed";
    case MP_NO_JACK_SERVER: return "no JACK server is running";
    case MP_NAME_TAKEN: return "another JACK client has this name";
    case MP_JACK_FAILED: return "JACK refused";
    case MP_FULL: return "the queue is full";
    case MP_NOT_PERMITTED: return "the system does not permit it";
    case MP_SYSTEM_FAILED: return "a system call failed";
    case MP_OUT_OF_RANGE: return "a value is out of range";
    case MP_NO_LIBSODIUM: return "libsodium is not installed (Debian: libsodium23)";
    case MP_NO_MEDIA_KEY: return "there is no key of the room yet to seal audio with";
    }
    return "unknown status";
}
