/* The audio engine as PortAudio's stream callback: samples are interleaved there. */
#include <stdlib.h>

#include "audio.h"

enum { PA_CONTINUE = 0, PA_UNDERFLOWS_AND_OVERFLOWS = 0x0f };

struct mp_portaudio {
    mp_audio *audio;
    mp_portaudio_settings settings;
    float in[MP_MAX_CHANNELS][MP_MAX_PERIOD], out[MP_MAX_CHANNELS][MP_MAX_PERIOD]; /* callback's */
    _Atomic uint64_t cycles;
    _Atomic uint32_t xruns;
    _Atomic int finished;
};

static void take_apart(mp_portaudio *p, const float *input, uint32_t frames) {
    const uint32_t channels = p->settings.device_in_channels;
    for (uint32_t c = 0; c < channels; c++) {
        for (uint32_t i = 0; i < frames; i++) p->in[c][i] = input[i * channels + c];
    }
}

static void put_together(const mp_portaudio *p, float *output, uint32_t frames) {
    const uint32_t channels = p->settings.device_out_channels;
    for (uint32_t c = 0; c < channels; c++) {
        for (uint32_t i = 0; i < frames; i++) output[i * channels + c] = p->out[c][i];
    }
}

static void run(mp_portaudio *p, const float *input, float *output, uint32_t frames,
                int64_t now_ns) {
    const float *in[MP_MAX_CHANNELS];
    float *out[MP_MAX_CHANNELS];
    for (uint32_t c = 0; c < p->settings.channels; c++) {
        in[c] = p->in[p->settings.device_in_channels == 1 ? 0 : c]; /* silent where there is none */
        out[c] = p->out[c];
    }
    if (input != NULL) take_apart(p, input, frames);
    mp_audio_process(p->audio, in, out, NULL, frames, now_ns);
    if (output != NULL) put_together(p, output, frames);
}

int mp_portaudio_callback(const void *input, void *output, unsigned long frames,
                          const void *time_info, unsigned long flags, void *driver) {
    mp_portaudio *p = driver;
    const float *in = input;
    float *out = output;
    int64_t now_ns = mp_host_now_ns();
    (void)time_info; /* zero with some host APIs, and on a clock of its own with others */
    if (flags & PA_UNDERFLOWS_AND_OVERFLOWS) {
        atomic_fetch_add(&p->xruns, 1);
        mp_audio_xrun(p->audio);
    }
    while (frames > 0) {
        const uint32_t piece = frames < MP_MAX_PERIOD ? (uint32_t)frames : MP_MAX_PERIOD;
        run(p, in, out, piece, now_ns);
        if (in != NULL) in += piece * p->settings.device_in_channels;
        if (out != NULL) out += piece * p->settings.device_out_channels;
        frames -= piece;
    }
    atomic_fetch_add(&p->cycles, 1);
    return PA_CONTINUE;
}

void mp_portaudio_finished(void *driver) { atomic_store(&((mp_portaudio *)driver)->finished, 1); }

static bool are_possible(const mp_portaudio_settings *s) {
    const uint32_t in = s->device_in_channels, out = s->device_out_channels;
    return s->channels >= 1 && s->channels <= MP_MAX_CHANNELS &&
           (in <= 1 || in == s->channels) && (out == 0 || out == s->channels) && in + out > 0;
}

mp_portaudio *mp_portaudio_new(const mp_portaudio_settings *settings, mp_status *status) {
    *status = MP_OUT_OF_RANGE;
    if (!are_possible(settings)) return NULL;
    mp_portaudio *p = calloc(1, sizeof *p);
    *status = MP_NO_MEMORY;
    if (p == NULL) return NULL;
    p->settings = *settings;
    const mp_audio_settings core = {
        .rate = settings->rate,
        .period = settings->period,
        .in_channels = settings->channels,
        .out_channels = settings->channels,
        .decode_lead_us = settings->decode_lead_us,
    };
    p->audio = mp_audio_new(&core, status);
    if (p->audio != NULL) return p;
    free(p);
    return NULL;
}

void mp_portaudio_free(mp_portaudio *p) {
    if (p == NULL) return;
    mp_audio_stop(p->audio);
    mp_audio_free(p->audio);
    free(p);
}

mp_audio *mp_portaudio_engine(mp_portaudio *p) { return p->audio; }

void mp_portaudio_get_info(mp_portaudio *p, mp_portaudio_info *info) {
    info->cycles = atomic_load(&p->cycles);
    info->xruns = atomic_load(&p->xruns);
    info->finished = atomic_load(&p->finished);
}
