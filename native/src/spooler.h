/* The sink's side of the spooler. One sink thread; all of it realtime-safe. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rt.h"

/* Take in what the producer has committed; false when there was more than fits into one look. */
bool mp_spooler_take_in(mp_spooler *spooler);
/* The next event of all lanes and when it is due on the host clock; NULL when there is none. It
 * stays where it is until the next call of any of these. */
const mp_midi_event *mp_spooler_peek(mp_spooler *spooler, int64_t *due_ns);
/* The event that was peeked was put on the port `late_ns` after it was due; `late` if that is too much. */
void mp_spooler_sent(mp_spooler *spooler, int64_t late_ns, bool late);
/* Forget what was due before `local_ns`: a sink that begins does not send the past. */
void mp_spooler_drop_before(mp_spooler *spooler, int64_t local_ns);
