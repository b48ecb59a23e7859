/* A device that is no sound card: a recording that is played into a room, or a program that hears
 * the room and plays. Both an #include and cffi's cdef: no directives in here.
 *
 * Its clock is the room's: of a cycle the input is what belongs to that room time, frame for frame,
 * and what is heard in a cycle has that cycle's room time.
 * Frames are counted on the room's clock, `rate` of them a second; frame 0 is room time 0.
 */

typedef struct {
    uint32_t rate;     /* of the recording, 44,100 to 96,000 */
    uint32_t period;   /* frames of a cycle */
    uint32_t channels; /* that are sent, 1 to MP_MAX_CHANNELS */
    uint32_t held;     /* frames that wait at most, a power of two */
    uint32_t heard;    /* cycles of the mix that wait to be heard, a power of two; 0: nobody hears */
} mp_take_settings;

typedef struct {
    int64_t next_frame;   /* frames before it are over; placed says whether it is known */
    int placed;           /* the room's clock is known, and the first cycle over */
    uint64_t missing;     /* frames that had not been written when they were due */
    uint64_t jumps;       /* the room's clock was set, by more than is caught up with smoothly */
    uint64_t late_cycles; /* begun more than a period after their time */
    uint64_t restarts;    /* the machine stood still for long: the time in between is left out */
    uint64_t unheard;     /* frames of the mix that found no room: nobody took those before them */
} mp_take_info;

typedef struct mp_take mp_take;

/* The engine is made with it. NULL with `*status` on failure. */
mp_take *mp_take_new(const mp_take_settings *settings, mp_status *status);
/* Ownership: the take's, until it is freed. */
mp_audio *mp_take_engine(mp_take *take);
/* A thread with absolute deadlines; the engine's codec thread is the caller's to start. `priority`
 * 0 is an ordinary thread. MP_NOT_PERMITTED: it runs, but without the priority. */
mp_status mp_take_start(mp_take *take, int priority);
/* Stops the codec thread too, and frees the engine. */
void mp_take_free(mp_take *take);
/* One cycle of the thread, when it is not started; returns when the next one is due. */
int64_t mp_take_step(mp_take *take, int64_t now_ns);
/* The room's clock from the next cycle on. Any one thread. */
void mp_take_set_map(mp_take *take, const mp_clock_map *map);
/* The room's clock is another one: forget what waits, and begin anew. Not realtime-safe; of the
 * thread that writes. */
mp_status mp_take_restart(mp_take *take);
/* Frames of which the first belongs to frame `at` of the room: where the last ones ended, or later
 * once all that was written is over. What is too late counts as written. Returns how many need not
 * be written again. One thread. */
uint32_t mp_take_write(mp_take *take, int64_t at, const float *frames, uint32_t count);
/* The mix of one cycle, `period` interleaved frames, of which the first belongs to frame `*at` of the
 * room. 0 when there is none yet, else 1. One thread. */
int mp_take_hear(mp_take *take, int64_t *at, float *frames);
void mp_take_get_info(mp_take *take, mp_take_info *info);
