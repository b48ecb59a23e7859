/* Our effects as one kind of thing: made, set and run by its kind. */
#include "fx.h"

#include <stdlib.h>
#include <string.h>

static const float MOST_DELAY_S = 4.0f;
typedef struct {
    float least, most;
} range;
static const range RANGES[MP_FX_KINDS][MP_FX_VALUES] = {
    [MP_FX_GATE] = {{-100, 0}, {1e-4f, 1}, {0, 5}, {1e-3f, 5}},
    [MP_FX_DELAY] = {{0, 2}, {1e-3f, 4.0f}, {0, 1}, {0, 1}, {-90, 0}, {0.01f, 20}},
    [MP_FX_TREMOLO] = {{0, 1}, {0.01f, 40}, {0, 2}},
    [MP_FX_ENVELOPE] = {{0, 2}, {1, 8000}, {0.5f, 20}, {0, 100}, {1e-3f, 1}, {1e-3f, 5}, {-60, 24},
                        {-90, 12}},
    [MP_FX_DRIVE] = {{0, MP_DRIVE_SHAPES - 1}, {-20, 80}, {0, 1}, {5, 2000}, {-90, 24}},
    [MP_FX_PITCH] = {{-12, 12}, {0, 1}},
    [MP_FX_GAIN] = {{-90, 30}},
    [MP_FX_COMPRESSOR] = {{-100, 0}, {1, 100}, {0, 5}, {0, 5}, {-90, 24}},
    [MP_FX_REVERB] = {{0, 1}, {0, 1}, {0, 1}, {1, 20000}, {20, 48000}, {0, 1}},
};

bool mp_fx_line_init(mp_fx_line *l, uint32_t channels, uint32_t least_frames) {
    uint32_t frames = 64;
    while (frames < least_frames) frames *= 2;
    l->samples = calloc((size_t)frames * channels, sizeof *l->samples);
    l->channels = channels;
    l->mask = frames - 1;
    return l->samples != NULL;
}

static mp_fx_line *line_of(mp_fx *fx) {
    if (fx->kind == MP_FX_DELAY) return &fx->delay.line;
    return fx->kind == MP_FX_PITCH ? &fx->pitch.line : NULL;
}

mp_fx *mp_fx_new(mp_fx_kind kind, uint32_t channels, uint32_t rate) {
    bool can_be = kind < MP_FX_KINDS && channels >= 1 && channels <= MP_MAX_CHANNELS &&
                  rate >= 8000 && rate <= 384000;
    if (!can_be) return NULL;
    mp_fx *fx = calloc(1, sizeof *fx);
    if (fx == NULL) return NULL;
    fx->kind = kind;
    fx->channels = channels;
    fx->rate = rate;
    if (kind == MP_FX_TREMOLO) fx->tremolo.gain = 1.0f;
    mp_fx_set(fx, fx->values);
    fx->set = false;
    float seconds = kind == MP_FX_DELAY ? MOST_DELAY_S + 0.1f : 0.2f;
    if (line_of(fx) != NULL &&
        !mp_fx_line_init(line_of(fx), channels, (uint32_t)(seconds * (float)rate))) {
        mp_fx_free(fx);
        return NULL;
    }
    if (kind == MP_FX_REVERB && !mp_fx_reverb_init(fx)) {
        mp_fx_free(fx);
        return NULL;
    }
    return fx;
}

void mp_fx_free(mp_fx *fx) {
    if (fx == NULL) return;
    if (line_of(fx) != NULL) free(line_of(fx)->samples);
    if (fx->kind == MP_FX_REVERB) free(fx->reverb.samples);
    free(fx);
}

void mp_fx_set(mp_fx *fx, const float *values) {
    for (int i = 0; i < MP_FX_VALUES; i++) {
        range r = RANGES[fx->kind][i];
        float value = values[i] >= r.least ? values[i] : r.least; /* also for what is no number */
        fx->values[i] = value <= r.most ? value : r.most;
    }
    const float *v = fx->values;
    switch (fx->kind) {
    case MP_FX_DELAY:
        mp_fx_want(fx, &fx->delay.seconds, v[1]);
        mp_fx_want(fx, &fx->delay.feedback, v[2]);
        mp_fx_want(fx, &fx->delay.level, v[3]);
        mp_fx_want(fx, &fx->delay.drift, mp_fx_factor(v[4]) * 0.005f);
        break;
    case MP_FX_TREMOLO: mp_fx_want(fx, &fx->tremolo.depth, v[0]); break;
    case MP_FX_DRIVE:
        mp_fx_want(fx, &fx->drive.drive, mp_fx_factor(v[1]));
        mp_fx_want(fx, &fx->drive.level, mp_fx_factor(v[4]));
        break;
    case MP_FX_PITCH: mp_fx_want(fx, &fx->pitch.mix, v[1]); break;
    case MP_FX_GAIN: mp_fx_want(fx, &fx->gain.gain, mp_fx_factor(v[0])); break;
    case MP_FX_COMPRESSOR: mp_fx_want(fx, &fx->compressor.gain, mp_fx_factor(v[4])); break;
    case MP_FX_REVERB: mp_fx_reverb_set(fx, v); break;
    default: break;
    }
    fx->set = true;
}

void mp_fx_process(mp_fx *fx, float *planar, uint32_t frames) {
    switch (fx->kind) {
    case MP_FX_GATE: mp_fx_gate_process(fx, planar, frames); break;
    case MP_FX_DELAY: mp_fx_delay_process(fx, planar, frames); break;
    case MP_FX_TREMOLO: mp_fx_tremolo_process(fx, planar, frames); break;
    case MP_FX_ENVELOPE: mp_fx_envelope_process(fx, planar, frames); break;
    case MP_FX_DRIVE: mp_fx_drive_process(fx, planar, frames); break;
    case MP_FX_PITCH: mp_fx_pitch_process(fx, planar, frames); break;
    case MP_FX_GAIN: mp_fx_gain_process(fx, planar, frames); break;
    case MP_FX_COMPRESSOR: mp_fx_compressor_process(fx, planar, frames); break;
    case MP_FX_REVERB: mp_fx_reverb_process(fx, planar, frames); break;
    default: break;
    }
}

uint32_t mp_fx_latency(const mp_fx *fx) {
    return fx->kind == MP_FX_PITCH ? mp_fx_pitch_latency(fx->rate) : 0;
}
