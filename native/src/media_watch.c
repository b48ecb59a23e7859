/* Notices within a few packets that somebody is not heard directly any more, on the codec thread,
 * which looks whenever it sends. As long as it may be so, all goes by the relay as well, and whoever
 * is not heard is asked, by the relay, to do the same: nobody knows by itself that it is not heard.
 */
#include <string.h>

#include "media_socket.h"

/* Who is silent for longer than it ever was of late, and by this, may not get through. Where those
 * who were thought to be cut off are heard again soon after, machines or lines just come late at
 * times. Now and then that costs little; where it goes on, to send all of it twice makes it worse:
 * patience grows where a window of time has many such alarms, and wears off where it has fewer. */
static const int64_t LEAST_PATIENCE_NS = 5000000, MOST_PATIENCE_NS = 320000000;
static const int64_t FALSE_ALARM_NS = 500000000, WINDOW_NS = 10000000000;
enum { MANY_ALARMS = 10 };
static const int64_t FIRST_PAUSE_NS = 10000000, MOST_PAUSE_NS = 30000000;
enum { PAUSE_FADES = 256 /* packets */ };
/* By then hole punching has seen it too, and chosen another path. */
static const int64_t GIVE_UP_NS = 2500000000;
static const int64_t ASK_NS = 20000000, STANDBY_NS = 300000000;
enum { MOST_ASKED = 16, SENDER = 4 };

static int64_t get(_Atomic int64_t *word) {
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void put(_Atomic int64_t *word, int64_t value) {
    atomic_store_explicit(word, value, memory_order_relaxed);
}

static void stand_by(mp_media_socket *s, int64_t until_ns) {
    if (until_ns > get(&s->standby_until_ns)) put(&s->standby_until_ns, until_ns);
}

/* ---- the receive thread ---- */

void mp_watch_heard(mp_media_socket *s, uint32_t slot, uint32_t sender, int64_t received_ns) {
    mp_watched *w = &s->watched[slot];
    int64_t before_ns = get(&w->direct_ns), pause_ns = received_ns - before_ns;
    int64_t usual_ns = before_ns == 0 ? FIRST_PAUSE_NS : get(&w->pause_ns);
    if (before_ns != 0 && pause_ns < 0) return;
    usual_ns -= usual_ns / PAUSE_FADES;
    if (before_ns != 0 && pause_ns > usual_ns) usual_ns = pause_ns;
    put(&w->pause_ns, usual_ns < MOST_PAUSE_NS ? usual_ns : MOST_PAUSE_NS);
    if (atomic_exchange(&w->alarmed, false) && pause_ns < FALSE_ALARM_NS)
        atomic_fetch_add_explicit(&s->false_alarms, 1, memory_order_relaxed);
    atomic_store_explicit(&w->sender, sender, memory_order_relaxed);
    put(&w->direct_ns, received_ns);
}

void mp_watch_asked(mp_media_socket *s, const uint8_t *senders, uint32_t size,
                    int64_t received_ns) {
    uint32_t own = atomic_load_explicit(&s->own_sender, memory_order_relaxed);
    for (uint32_t at = 0; at + SENDER <= size; at += SENDER) {
        uint32_t sender = 0;
        for (int i = 0; i < SENDER; i++) sender = sender << 8 | senders[at + i];
        if (own != 0 && sender == own) stand_by(s, received_ns + STANDBY_NS);
    }
}

/* ---- the codec thread ---- */

/* Those who fall silent at once, and while it stands by for others, are one alarm. */
static void count_alarms(mp_media_socket *s, int64_t now_ns) {
    uint32_t false_alarms = atomic_load_explicit(&s->false_alarms, memory_order_relaxed);
    if (false_alarms == s->alarms_seen) return;
    s->alarms_seen = false_alarms;
    if (now_ns - s->alarm_ns < STANDBY_NS) return;
    s->alarm_ns = now_ns;
    s->alarms++;
}

static void learn_patience(mp_media_socket *s, int64_t now_ns) {
    count_alarms(s, now_ns);
    bool many = s->alarms >= MANY_ALARMS;
    if (!many && now_ns - s->window_ns < WINDOW_NS && s->patience_ns > 0) return;
    s->patience_ns = many ? s->patience_ns * 2 : s->patience_ns / 2;
    if (s->patience_ns < LEAST_PATIENCE_NS) s->patience_ns = LEAST_PATIENCE_NS;
    if (s->patience_ns > MOST_PATIENCE_NS) s->patience_ns = MOST_PATIENCE_NS;
    s->alarms = 0;
    s->window_ns = now_ns;
}

static bool is_silent(mp_watched *w, int64_t patience_ns, int64_t now_ns) {
    int64_t direct_ns = get(&w->direct_ns), silence_ns = now_ns - direct_ns;
    if (direct_ns == 0 || silence_ns > GIVE_UP_NS) return false;
    return silence_ns > get(&w->pause_ns) + patience_ns;
}

bool mp_watch_stands_by(mp_media_socket *s, int64_t now_ns, mp_watch_ask *ask) {
    ask->size = 0;
    learn_patience(s, now_ns);
    for (int slot = 0; slot < MP_MEDIA_SENDERS; slot++) {
        mp_watched *w = &s->watched[slot];
        if (!is_silent(w, s->patience_ns, now_ns)) continue;
        atomic_store_explicit(&w->alarmed, true, memory_order_relaxed);
        stand_by(s, now_ns + STANDBY_NS);
        uint32_t sender = atomic_load_explicit(&w->sender, memory_order_relaxed);
        if (ask->size == sizeof ask->senders) continue;
        for (int shift = 24; shift >= 0; shift -= 8)
            ask->senders[ask->size++] = (uint8_t)(sender >> shift);
    }
    if (now_ns - s->asked_ns < ASK_NS) ask->size = 0;
    if (ask->size > 0) s->asked_ns = now_ns;
    return now_ns < get(&s->standby_until_ns);
}

/* ---- the control thread ---- */

void mp_watch_forget(mp_media_socket *s, uint32_t slot) { put(&s->watched[slot].direct_ns, 0); }

int64_t mp_watch_silence_ns(mp_media_socket *s, uint32_t slot, int64_t now_ns) {
    int64_t direct_ns = get(&s->watched[slot].direct_ns), silence_ns = now_ns - direct_ns;
    return direct_ns == 0 ? -1 : silence_ns > 0 ? silence_ns : 0;
}
