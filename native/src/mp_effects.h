/* Effects, as Python sees them. Both an #include and cffi's cdef: no directives.
 *
 * The audio engine's callback puts what it has into memory that it shares with the effects engine,
 * a program of its own, and takes what became of it one block later. Whatever is in that memory,
 * and whether anybody works there at all, the callback goes on.
 */

typedef enum { MP_PLACE_INPUT = 0, MP_PLACE_MIX = 1, MP_PLACES = 2 } mp_place;

typedef enum {
    MP_INSERT_OFF = 0, /* nothing goes there */
    MP_INSERT_FEED,    /* the effects engine hears it, and nothing comes back (a tuner) */
    MP_INSERT_ON       /* what comes back is heard, from the first block on that does */
} mp_insert_mode;

typedef struct {
    uint64_t blocks;      /* that were to come back */
    uint64_t late;        /* of these, not there in time: played without effects */
    uint32_t older_frames; /* by which all of a lane is older now than without effects */
    int inserted;         /* what is heard comes from the effects engine */
} mp_insert_stats;

/* ---- shared memory -------------------------------------------------------------------------- */

uint64_t mp_effects_bytes(void);
/* What the effects engine is at, for those who ask after its death: two marks. Any thread. */
void mp_effects_mark(void *memory, uint32_t which, uint32_t what);
uint32_t mp_effects_marked(void *memory, uint32_t which);

/* ---- the audio engine's side ---------------------------------------------------------------- */

/* `memory` of mp_effects_bytes, which outlives the engine; once. Not realtime-safe. */
mp_status mp_audio_set_effects(mp_audio *audio, void *memory);
/* MP_OUT_OF_RANGE without memory. */
mp_status mp_audio_set_insert(mp_audio *audio, uint32_t lane, mp_insert_mode mode);
mp_status mp_audio_insert_stats(mp_audio *audio, uint32_t lane, mp_insert_stats *stats);

/* ---- the effects engine's side -------------------------------------------------------------- */

typedef struct mp_effects_worker mp_effects_worker;

/* NULL: values that cannot be, or no memory. One thread may use it. */
mp_effects_worker *mp_effects_worker_new(void *memory, uint32_t rate, uint32_t in_channels,
                                         uint32_t out_channels);
void mp_effects_worker_free(mp_effects_worker *worker);
/* Wait until a cycle has left something, at most until then: a bit for each lane that has. What has
 * steps is worked meanwhile, and not said. */
int mp_effects_wait(mp_effects_worker *worker, int64_t until_ns);
/* The next frames of a lane, one channel after the other, at most `most`; returns how many. What
 * nobody waits for any more is left out. */
uint32_t mp_effects_take(mp_effects_worker *worker, uint32_t lane, float *planar, uint32_t most);
/* What became of what was taken last. */
void mp_effects_give(mp_effects_worker *worker, uint32_t lane, const float *planar,
                     uint32_t frames);

/* One of our effects, on the channels of a lane from this one on. */
typedef struct {
    mp_fx *fx;
    uint32_t channel;
} mp_effects_step;

/* Have a lane worked by mp_effects_wait itself, without the interpreter, by these in order; the
 * worker's thread, which keeps the effects as long. MP_OUT_OF_RANGE: too many, or no such lane. */
mp_status mp_effects_set_steps(mp_effects_worker *worker, uint32_t lane,
                               const mp_effects_step *steps, uint32_t count);
/* Any thread: from the next block on mp_effects_wait says all lanes again. */
void mp_effects_recall(mp_effects_worker *worker);

typedef struct {
    float mean, most; /* of a period, and since the last look */
} mp_effects_load;
/* The worker's thread: work that mp_effects_wait did not do took so much of a period. */
void mp_effects_note_load(mp_effects_worker *worker, float load);
/* One thread at a time. */
void mp_effects_get_load(mp_effects_worker *worker, mp_effects_load *load);
/* So much later a lane's effects let sound out, beyond their block. */
void mp_effects_set_latency(mp_effects_worker *worker, uint32_t lane, uint32_t frames);
