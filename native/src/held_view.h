/* Settings that one thread replaces whole while others read them, without waiting, as they were.
 *
 * A reader holds the view for one piece of work. The writer puts another one in its place, and
 * gets the old one back when nobody holds it any more: only then may it be freed.
 */
#pragma once

#include <stdatomic.h>

enum { MP_VIEW_READERS = 2 };

typedef struct {
    _Atomic(void *) current;
    _Atomic(void *) held[MP_VIEW_READERS];
} mp_held_view;

/* Reader `reader`, one thread for each: the view as it is now, until mp_view_release. It looks
 * again only if the writer came in between. Both are realtime-safe. */
void *mp_view_hold(mp_held_view *view, int reader);
void mp_view_release(mp_held_view *view, int reader);
/* The one writer: what it may look at itself without holding it. */
void *mp_view_own(mp_held_view *view);
/* The one writer: waits until no reader holds the old one, which is returned. */
void *mp_view_replace(mp_held_view *view, void *next);
