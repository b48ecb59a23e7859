/* How long before the device's next cycle the codec thread begins to decode for it: as long as the
 * work takes, which grows with the period and with those who play, and some time to wake up in. */
#pragma once

#include <stdint.h>

typedef struct {
    int64_t least_ns, most_ns, wake_up_ns;
    int64_t work_ns; /* more than nearly all took */
} mp_decode_lead;

void mp_decode_lead_init(mp_decode_lead *l, int64_t least_ns, int64_t period_ns);

/* One decoding took `work_ns` of the processor. */
void mp_decode_lead_see(mp_decode_lead *l, int64_t work_ns);

int64_t mp_decode_lead_ns(const mp_decode_lead *l);
