/* What is heard of whom, how loud and where, on virtual time. One thread only. */
#define _GNU_SOURCE
#include "audio_heard.h"

static void gain_pan_mute_and_solo(void) {
    pair *p = new_pair(STUDIO, STUDIO, constant);
    pair_begin(p, 120, 600.0);
    pair_run(p, 0.3);
    mp_audio *a = p->hearer;
    expect_levels(p, 0.4, 0.2);
    CHECK(mp_audio_set_player_mix(a, 0, 0.5f, 0.0f, 0, 0) == MP_OK);
    expect_levels(p, 0.2, 0.1);
    CHECK(mp_audio_set_player_mix(a, 0, 1.0f, -1.0f, 0, 0) == MP_OK);
    expect_levels(p, 0.4, 0.0);
    CHECK(mp_audio_set_player_mix(a, 0, 1.0f, 0.0f, 1, 0) == MP_OK);
    expect_levels(p, 0.0, 0.0);
    CHECK(mp_audio_set_player_mix(a, 0, 1.0f, 0.0f, 0, 0) == MP_OK);
    static fake_decoder other = {.channels = 2, .frames = 120};
    mp_player_settings settings = player_of(p, 600.0);
    settings.decoder = &other;
    CHECK(mp_audio_add_player(a, 1, &settings) == MP_OK);
    CHECK(mp_audio_set_player_mix(a, 1, 1.0f, 0.0f, 0, 1) == MP_OK);
    expect_levels(p, 0.0, 0.0);
    CHECK(mp_audio_set_player_mix(a, 0, 1.0f, 0.0f, 0, 1) == MP_OK);
    expect_levels(p, 0.4, 0.2);
    CHECK(mp_audio_set_master(a, 0.5f) == MP_OK);
    expect_levels(p, 0.2, 0.1);
    CHECK(greatest_step(15000, heard_count) < 0.01f);
    CHECK(mp_audio_set_master(a, 8.0f) == MP_OK);
    CHECK(mp_audio_set_player_mix(a, 0, 8.0f, 0.0f, 0, 1) == MP_OK);
    pair_run(p, 0.3);
    CHECK(level_of(0) > 0.95f && level_of(0) < 1.0f);
    CHECK(mp_audio_set_player_mix(a, 0, 9.0f, 0.0f, 0, 0) == MP_OUT_OF_RANGE);
    CHECK(mp_audio_set_player_mix(a, 0, 1.0f, NAN, 0, 0) == MP_OUT_OF_RANGE);
    CHECK(mp_audio_set_player_mix(a, 5, 1.0f, 0.0f, 0, 0) == MP_OUT_OF_RANGE);
    pair_end(p);
}

static mp_status link_player(mp_audio *a, uint32_t slot, float gain, uint32_t channels) {
    mp_link_settings settings = {.gain = gain, .channels = channels};
    return mp_audio_set_player_link(a, slot, &settings);
}

static void a_link_has_a_gain_and_channels(void) {
    pair *p = new_pair(STUDIO, STUDIO, constant);
    pair_begin(p, 120, 600.0);
    pair_run(p, 0.3);
    mp_audio *a = p->hearer;
    expect_levels(p, 0.4, 0.2);
    CHECK(link_player(a, 0, 0.5f, ~0u) == MP_OK);
    expect_levels(p, 0.2, 0.1);
    CHECK(mp_audio_set_player_mix(a, 0, 0.5f, 0.0f, 0, 0) == MP_OK); /* beside the strip's */
    expect_levels(p, 0.1, 0.05);
    CHECK(link_player(a, 0, 1.0f, 2) == MP_OK);
    expect_levels(p, 0.0, 0.1);
    CHECK(link_player(a, 0, 1.0f, ~0u) == MP_OK);
    CHECK(mp_audio_set_player_mix(a, 0, 1.0f, 0.0f, 0, 0) == MP_OK);
    expect_levels(p, 0.4, 0.2);
    CHECK(greatest_step(15000, heard_count) < 0.01f);
    CHECK(link_player(a, 0, 8.1f, ~0u) == MP_OUT_OF_RANGE);
    CHECK(link_player(a, 5, 1.0f, ~0u) == MP_OUT_OF_RANGE);
    pair_end(p);
}

/* What is steady is the lowest of all frequencies. */
static void a_link_has_a_filter(void) {
    pair *p = new_pair(STUDIO, STUDIO, constant);
    pair_begin(p, 120, 600.0);
    pair_run(p, 0.3);
    mp_link_settings settings = {1.0f, ~0u, 80.0f, 0.0f};
    CHECK(mp_audio_set_player_link(p->hearer, 0, &settings) == MP_OK);
    expect_levels(p, 0.0, 0.0);
    settings = (mp_link_settings){1.0f, ~0u, 0.0f, 8000.0f};
    CHECK(mp_audio_set_player_link(p->hearer, 0, &settings) == MP_OK);
    expect_levels(p, 0.4, 0.2);
    settings.low_pass_hz = 10.0f;
    CHECK(mp_audio_set_player_link(p->hearer, 0, &settings) == MP_OUT_OF_RANGE);
    pair_end(p);
}

/* A recording gets what its own link lets through, also of who is not heard. */
static void a_player_is_recorded_as_its_tape_says(void) {
    pair *p = new_pair(STUDIO, STUDIO, constant);
    pair_begin(p, 120, 600.0);
    mp_clock_map map = {0, 0, 0.0, 0, 0.0};
    CHECK(mp_audio_set_map(p->hearer, &map) == MP_OK);
    mp_tap *tap = mp_tap_new(2, 48000, 1 << 15);
    CHECK(mp_audio_set_tap(p->hearer, 0, tap) == MP_OK);
    CHECK(link_player(p->hearer, 0, 0.0f, ~0u) == MP_OK);
    mp_link_settings left = {0.5f, 1, 0.0f, 0.0f};
    CHECK(mp_audio_set_player_tape(p->hearer, 0, &left) == MP_OK);
    pair_run(p, 0.3);
    expect_levels(p, 0.0, 0.0);
    static float taped[2 * 32768];
    uint32_t got, all = 0;
    while ((got = mp_tap_read(tap, &map, 1000000000, taped + 2 * all, 16384 - all)) > 0) all += got;
    CHECK(all > 9600);
    CHECK(fabsf(taped[2 * (all - 1)] - 0.2f) < 0.001f && taped[2 * all - 1] == 0.0f);
    CHECK(mp_audio_set_tap(p->hearer, 0, NULL) == MP_OK);
    mp_tap_free(tap);
    pair_end(p);
}

static void meters_show_peak_and_rms(void) {
    pair *p = new_pair(STUDIO, STUDIO, low_tone);
    mp_level levels[MP_MAX_CHANNELS];
    pair_begin(p, 120, 600.0);
    pair_run(p, 1.0);
    mp_audio_player_levels(p->hearer, 0, levels);
    mp_audio_mix_levels(p->hearer, levels);
    mp_audio_input_levels(p->sender, levels);
    pair_run(p, 1.0);
    void (*const take[])(mp_audio *, mp_level *) = {mp_audio_mix_levels, mp_audio_input_levels};
    for (int i = 0; i < 3; i++) {
        if (i < 2) take[i](i == 0 ? p->hearer : p->sender, levels);
        if (i == 2) CHECK(mp_audio_player_levels(p->hearer, 0, levels) == MP_OK);
        for (int c = 0; c < 2; c++) {
            CHECK(fabsf(levels[c].peak - 0.5f) < 0.01f);
            CHECK(fabsf(levels[c].rms - 0.3536f) < 0.01f);
        }
    }
    pair_end(p);
}

/* One's own input is heard only when asked for, and what is no number never. */
static void own_monitoring_is_off_until_asked_for(void) {
    mp_status status;
    mp_audio_settings settings = {48000, 64, 1, 2, 500};
    mp_audio *a = mp_audio_new(&settings, &status);
    float in[64], left[64], right[64], *out[] = {left, right};
    const float *ins[] = {in};
    for (int i = 0; i < 64; i++) in[i] = 0.25f;
    in[10] = NAN, in[11] = INFINITY;
    for (int i = 0; i < 100; i++) mp_audio_process(a, ins, out, NULL, 64, i * 1333333);
    for (int i = 0; i < 64; i++) CHECK(left[i] == 0.0f && right[i] == 0.0f);
    CHECK(mp_audio_set_monitor(a, 1.0f) == MP_OK);
    for (int i = 100; i < 200; i++) mp_audio_process(a, ins, out, NULL, 64, i * 1333333);
    CHECK(fabsf(left[63] - 0.25f) < 0.001f && fabsf(right[63] - 0.25f) < 0.001f);
    CHECK(left[10] == 0.0f && left[11] <= 1.0f);
    mp_audio_free(a);
}

/* Who mutes itself for the others still hears itself, and is not heard. */
static void own_input_is_muted_for_the_others_alone(void) {
    pair *p = new_pair((device){48000, 128, 0.0, 1}, STUDIO, constant);
    pair_begin(p, 120, 600.0);
    pair_run(p, 0.5);
    double before = level_of(0);
    CHECK(before > 0.1);
    CHECK(mp_audio_set_send(p->sender, 0.5f) == MP_OK);
    pair_run(p, 0.5);
    CHECK(fabs(level_of(0) - before / 2) < 0.002);
    CHECK(mp_audio_set_send(p->sender, 0.0f) == MP_OK);
    pair_run(p, 0.5);
    CHECK(level_of(0) < 1e-4);
    mp_level levels[MP_MAX_CHANNELS];
    mp_audio_input_levels(p->sender, levels);
    pair_run(p, 0.1);
    mp_audio_input_levels(p->sender, levels);
    CHECK(levels[0].peak > 0.1f);
    CHECK(mp_audio_set_send(p->sender, 9.0f) == MP_OUT_OF_RANGE);
    pair_end(p);
}

static void each_own_channel_is_sent_as_it_is_set(void) {
    pair *p = new_pair(STUDIO, STUDIO, constant);
    pair_begin(p, 120, 600.0);
    mp_audio *a = p->sender;
    expect_levels(p, 0.4, 0.2);
    CHECK(mp_audio_set_own(a, 0, 0.5f, 0.0f, 0, 0) == MP_OK);
    expect_levels(p, 0.2, 0.2); /* no pan for the room */
    CHECK(mp_audio_set_send(a, 0.5f) == MP_OK);
    expect_levels(p, 0.1, 0.1);
    CHECK(mp_audio_set_own(a, 1, 1.0f, 1.0f, 1, 1) == MP_OK);
    expect_levels(p, 0.1, 0.0); /* nor solo */
    CHECK(mp_audio_set_own(a, 2, 1.0f, 0.0f, 0, 0) == MP_OUT_OF_RANGE);
    CHECK(mp_audio_set_own(a, 1, 9.0f, 0.0f, 0, 0) == MP_OUT_OF_RANGE);
    CHECK(mp_audio_set_own(a, 1, 1.0f, NAN, 0, 0) == MP_OUT_OF_RANGE);
    pair_end(p);
}

typedef struct {
    mp_audio *audio;
    int64_t cycles;
} studio;

/* What one's own mix is, after a while, when 0.4 and 0.2 come in. */
static void expect_monitor(studio *s, double left, double right) {
    float in[2][64], out[2][64], *const outs[] = {out[0], out[1]};
    const float *const ins[] = {in[0], in[1]};
    for (int i = 0; i < 64; i++) in[0][i] = 0.4f, in[1][i] = 0.2f;
    for (int i = 0; i < 100; i++) {
        mp_audio_process(s->audio, ins, outs, NULL, 64, s->cycles++ * 1333333);
    }
    CHECK(fabs(out[0][63] - left) < 0.002 && fabs(out[1][63] - right) < 0.002);
}

static void each_own_channel_has_its_place_in_the_own_mix(void) {
    mp_status status;
    mp_audio_settings settings = {48000, 64, 2, 2, 500};
    studio s = {mp_audio_new(&settings, &status), 0};
    CHECK(mp_audio_set_monitor(s.audio, 1.0f) == MP_OK);
    expect_monitor(&s, 0.4, 0.2);
    CHECK(mp_audio_set_own(s.audio, 0, 0.5f, 1.0f, 0, 0) == MP_OK);
    expect_monitor(&s, 0.0, 0.4);
    CHECK(mp_audio_set_own(s.audio, 0, 0.5f, 0.0f, 1, 0) == MP_OK); /* muted for the room alone */
    expect_monitor(&s, 0.2, 0.4);
    CHECK(mp_audio_set_own(s.audio, 1, 1.0f, 1.0f, 0, 1) == MP_OK);
    expect_monitor(&s, 0.0, 0.2);
    CHECK(mp_audio_set_monitor(s.audio, 0.0f) == MP_OK);
    expect_monitor(&s, 0.0, 0.0);
    mp_audio_free(s.audio);
}

/* A soloed channel that is not monitored must not make the players fall silent. */
static void own_solo_silences_players_while_it_is_monitored(void) {
    pair *p = new_pair(STUDIO, STUDIO, constant);
    pair_begin(p, 120, 600.0);
    mp_audio_free(p->hearer);
    mp_status status;
    mp_audio_settings settings = {48000, p->to.period, 2, 2, 700};
    mp_player_settings player = player_of(p, 600.0);
    p->hearer = mp_audio_new(&settings, &status);
    CHECK(mp_audio_add_player(p->hearer, 0, &player) == MP_OK);
    CHECK(mp_audio_set_own(p->hearer, 0, 1.0f, -1.0f, 0, 1) == MP_OK);
    expect_levels(p, 0.4, 0.2);
    CHECK(mp_audio_set_monitor(p->hearer, 1.0f) == MP_OK);
    expect_levels(p, 0.0, 0.0);
    pair_end(p);
}

static void mono_goes_to_the_middle_and_own_outputs_get_each_player(void) {
    pair *p = new_pair((device){48000, 128, 0.0, 1}, STUDIO, constant);
    pair_begin(p, 120, 600.0);
    pair_run(p, 0.5);
    CHECK(fabs(level_of(0) - 0.4 * M_SQRT1_2) < 0.002);
    CHECK(fabs(level_of(1) - 0.4 * M_SQRT1_2) < 0.002);
    static float mix[2][128], own[2][128];
    float *out[] = {mix[0], mix[1]}, *from[MP_MAX_PLAYERS * 2] = {own[0], own[1]};
    own[1][5] = 9.0f;
    mp_audio_step(p->hearer, cycle_ns(&p->to, p->to_cycles));
    mp_audio_process(p->hearer, NULL, out, from, 128, cycle_ns(&p->to, p->to_cycles));
    CHECK(fabsf(own[0][0] - 0.4f) < 0.002f && fabsf(own[1][0] - 0.4f) < 0.002f);
    CHECK(own[1][5] <= 1.0f);
    pair_end(p);
}

int main(void) {
    gain_pan_mute_and_solo();
    a_link_has_a_gain_and_channels();
    a_link_has_a_filter();
    a_player_is_recorded_as_its_tape_says();
    meters_show_peak_and_rms();
    own_monitoring_is_off_until_asked_for();
    own_input_is_muted_for_the_others_alone();
    each_own_channel_is_sent_as_it_is_set();
    each_own_channel_has_its_place_in_the_own_mix();
    own_solo_silences_players_while_it_is_monitored();
    mono_goes_to_the_middle_and_own_outputs_get_each_player();
    return 0;
}
