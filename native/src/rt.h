/* mp_rt.h holds no directives, because cffi reads it too: this is its include guard. */
#pragma once

#include <stdint.h>

#include "mp_rt.h"
