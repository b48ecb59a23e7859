#define _GNU_SOURCE
#include "held_view.h"

#include <stddef.h>
#include <time.h>

static const struct timespec A_WHILE = {.tv_nsec = 20000};

void *mp_view_hold(mp_held_view *view, int reader) {
    for (;;) {
        void *seen = atomic_load(&view->current);
        atomic_store(&view->held[reader], seen);
        /* If the writer replaced it before it could see that we hold it, it may be gone. */
        if (seen == atomic_load(&view->current)) return seen;
    }
}

void mp_view_release(mp_held_view *view, int reader) { atomic_store(&view->held[reader], NULL); }

void *mp_view_own(mp_held_view *view) { return atomic_load(&view->current); }

void *mp_view_replace(mp_held_view *view, void *next) {
    void *old = atomic_exchange(&view->current, next);
    for (int reader = 0; reader < MP_VIEW_READERS; reader++)
        while (old != NULL && atomic_load(&view->held[reader]) == old) nanosleep(&A_WHILE, NULL);
    return old;
}
