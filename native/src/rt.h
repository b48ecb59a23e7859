/* The mp_*.h hold no directives, because cffi reads them too: this is their include guard. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "mp_rt.h"

#include "mp_media.h"

#include "mp_relay.h"

#include "mp_media_socket.h"

#include "mp_roc.h"

#include "mp_audio.h"


#include "mp_fx.h"
#include "mp_effects.h"

#include "mp_portaudio.h"
#include "mp_roc_bridge.h"
#include "mp_take.h"
