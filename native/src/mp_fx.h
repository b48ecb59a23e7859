/* Effects that are ours, for the effects engine. Both an #include and cffi's cdef: no directives.
 *
 * Values come in the order that is given here; what is out of range is taken for the nearest that
 * is not. One thread may use an effect. Times are in seconds, levels in dB.
 */

typedef enum {
    MP_FX_GATE = 0, /* threshold, attack, hold, release */
    MP_FX_DELAY,    /* mode (0 digital, 1 analog, 2 high-pass), time, feedback, level (0 to 1),
                       drift (dB of 5 ms), rate (Hz) */
    MP_FX_TREMOLO,  /* depth (0 to 1), rate (Hz), shape (0 sine, 1 triangle, 2 square) */
    MP_FX_ENVELOPE, /* type (0 low, 1 band, 2 high pass), frequency (Hz), resonance, sensitivity (0
                       to 100), attack, release, level, dry level */
    MP_FX_DRIVE,    /* shape (mp_drive_shape), drive, tone (0 to 1), low cut (Hz), level */
    MP_FX_PITCH,    /* semitones (-12 to 12), mix (0 to 1) */
    MP_FX_GAIN,     /* level */
    MP_FX_COMPRESSOR, /* threshold, ratio, attack, release, level */
    MP_FX_REVERB,   /* size, damping, width (0 to 1 each), low cut, high cut (Hz), level (0 to 1) */
    MP_FX_KINDS
} mp_fx_kind;

typedef enum {
    MP_DRIVE_TUBE = 0,
    MP_DRIVE_SOFT,
    MP_DRIVE_SCREAMER,
    MP_DRIVE_HARD,
    MP_DRIVE_FUZZ,
    MP_DRIVE_OCTAVE,
    MP_DRIVE_METAL,
    MP_DRIVE_SHAPES
} mp_drive_shape;

enum { MP_FX_VALUES = 8 };

typedef struct mp_fx mp_fx;

/* NULL: no memory, or values that cannot be. */
mp_fx *mp_fx_new(mp_fx_kind kind, uint32_t channels, uint32_t rate);
void mp_fx_free(mp_fx *fx);
/* MP_FX_VALUES of them; gone over to within some ms. */
void mp_fx_set(mp_fx *fx, const float *values);
/* `planar` has one channel after the other. Realtime-safe. */
void mp_fx_process(mp_fx *fx, float *planar, uint32_t frames);
/* How much later sound comes out. */
uint32_t mp_fx_latency(const mp_fx *fx);
