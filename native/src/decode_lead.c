#include "decode_lead.h"

/* One that took long moves the lead, and with it what is heard, by little. */
static const int64_t LONGER_NS = 20000;
enum { SHORTER_SHARE = 512 };
/* To wake up in. A system that comes later costs a whole period of sound: where that is long, some
 * of it is little to pay. */
static const int64_t WAKE_UP_NS = 250000;
enum { WAKE_UP_SHARE = 10, MOST_SHARE = 2 };

void mp_decode_lead_init(mp_decode_lead *l, int64_t least_ns, int64_t period_ns) {
    int64_t wake_up_ns = period_ns / WAKE_UP_SHARE;
    *l = (mp_decode_lead){
        .wake_up_ns = wake_up_ns > WAKE_UP_NS ? wake_up_ns : WAKE_UP_NS,
        /* A whole period before the callback there is nothing to wait for. */
        .least_ns = least_ns < period_ns ? least_ns : period_ns,
        .most_ns = period_ns / MOST_SHARE,
    };
}

void mp_decode_lead_see(mp_decode_lead *l, int64_t work_ns) {
    int64_t more_ns = work_ns - l->work_ns;
    if (more_ns > 0) l->work_ns += more_ns < LONGER_NS ? more_ns : LONGER_NS;
    else l->work_ns += more_ns / SHORTER_SHARE;
}

int64_t mp_decode_lead_ns(const mp_decode_lead *l) {
    int64_t lead_ns = l->work_ns + l->wake_up_ns;
    if (lead_ns > l->most_ns) lead_ns = l->most_ns;
    return lead_ns > l->least_ns ? lead_ns : l->least_ns;
}
