/* The audio engine as a stream callback of PortAudio's. Both an #include and cffi's cdef: no
 * directives. Python finds PortAudio and opens the stream (sounddevice); nothing here calls it. */

typedef struct {
    uint32_t rate;                /* of the stream */
    uint32_t period;              /* frames that a callback has; others are taken too */
    uint32_t channels;            /* that the engine sends and mixes, 1 to MP_MAX_CHANNELS */
    uint32_t device_in_channels;  /* 0: no input; 1: into every channel; else `channels` */
    uint32_t device_out_channels; /* 0: no output; else `channels` */
    uint32_t decode_lead_us;
} mp_portaudio_settings;

typedef struct {
    uint64_t cycles; /* callbacks so far */
    uint32_t xruns;
    int finished; /* the stream has ended by itself */
} mp_portaudio_info;

typedef struct mp_portaudio mp_portaudio;

/* Ownership: the caller frees, once the stream is closed. */
mp_portaudio *mp_portaudio_new(const mp_portaudio_settings *settings, mp_status *status);
void mp_portaudio_free(mp_portaudio *portaudio);
/* Ownership: the driver's, until it is freed. */
mp_audio *mp_portaudio_engine(mp_portaudio *portaudio);
void mp_portaudio_get_info(mp_portaudio *portaudio, mp_portaudio_info *info);

/* A PaStreamCallback for interleaved float32, and a PaStreamFinishedCallback, with PortAudio's types
 * as C has them; `driver` is an mp_portaudio. Realtime-safe. */
int mp_portaudio_callback(const void *input, void *output, unsigned long frames,
                          const void *time_info, unsigned long flags, void *driver);
void mp_portaudio_finished(void *driver);
