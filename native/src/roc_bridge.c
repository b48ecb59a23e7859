/* Plain ROC as a device: datagrams through the gate into libroc's decoder, its frames through the
 * engine's callback, and what comes out of that through libroc's encoder to another address. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "arrival.h"
#include "audio.h"
#include "media_socket.h"
#include "roc_gate.h"
#include "roc_pace.h"
#include "rtp.h"
#include "timer_audio.h"
#include "udp_batch.h"

enum { INTERFACES = 3, BATCH = 32, ROUNDS = 4, CONTROL = 256, MOST_POPPED = 512, MOST_RATE = 48000 };
static const int KINDS[INTERFACES] = {MP_ROC_SOURCE, MP_ROC_REPAIR, MP_ROC_CONTROL};

/* One more byte than libroc takes: what fills it is too long. */
typedef struct {
    struct mmsghdr headers[BATCH];
    struct iovec pieces[BATCH];
    struct sockaddr_storage from[BATCH];
    union {
        char bytes[CONTROL];
        struct cmsghdr aligned;
    } control[BATCH];
    uint8_t bytes[BATCH][MP_GATE_PACKET + 1];
} batch;

typedef struct {
    struct sockaddr_storage address;
    socklen_t size;
} target;

struct mp_roc_bridge {
    mp_roc_bridge_settings settings;
    mp_audio *audio;
    mp_timer_audio timer;
    /* The timer's thread's. */
    mp_gate gate;
    mp_pace pace;
    batch in;
    target to[INTERFACES];
    int send_family;
    void *decoder;
    mp_rtcp_guard report_guard;
    float frames[MP_MAX_PERIOD * MP_MAX_CHANNELS];
    float planar_in[MP_MAX_CHANNELS][MP_MAX_PERIOD], planar_out[MP_MAX_CHANNELS][MP_MAX_PERIOD];
    uint64_t restarts_seen;
    mp_roc_bridge_stats counted;
    /* Everybody's. */
    _Atomic(void *) wanted, in_use;
    pthread_mutex_t stats_lock; /* held for a copy; the timer's thread only tries it */
    mp_roc_bridge_stats shown;
};

/* ---- what comes ---- */

static int receive(batch *in, int fd) {
    for (int i = 0; i < BATCH; i++) {
        in->pieces[i] = (struct iovec){in->bytes[i], sizeof in->bytes[i]};
        in->headers[i].msg_hdr = (struct msghdr){.msg_iov = &in->pieces[i],
                                                 .msg_iovlen = 1,
                                                 .msg_name = &in->from[i],
                                                 .msg_namelen = sizeof in->from[i],
                                                 .msg_control = in->control[i].bytes,
                                                 .msg_controllen = CONTROL};
    }
    return mp_receive_batch(fd, in->headers, BATCH);
}

static void push(mp_roc_bridge *b, int interface, const uint8_t *bytes, uint32_t size) {
    mp_roc_packet packet = {(void *)bytes, size};
    b->settings.calls.decoder_push_packet(b->decoder, interface, &packet);
}

static void take(mp_roc_bridge *b, int interface, const mp_address *from, const uint8_t *bytes,
                 uint32_t size, int64_t arrival_ns, int64_t now_ns) {
    mp_gate_verdict verdict = mp_gate_take(&b->gate, interface, from, bytes, size, now_ns);
    if (verdict != MP_GATE_PASSED) return;
    if (interface == MP_ROC_SOURCE) mp_pace_see(&b->pace, mp_u32_at(bytes + 4), arrival_ns);
    if (interface != MP_ROC_REPAIR) push(b, interface, bytes, size);
    const uint8_t *repair;
    while ((repair = mp_gate_repair(&b->gate, &size)) != NULL) push(b, MP_ROC_REPAIR, repair, size);
}

static void hear(mp_roc_bridge *b, int which, int64_t now_ns) {
    int fd = b->settings.listen_fd[which];
    for (int round = 0; fd >= 0 && round < ROUNDS; round++) {
        int came = receive(&b->in, fd);
        for (int i = 0; i < came; i++) {
            mp_address from = mp_address_from_socket(&b->in.from[i]);
            int64_t arrival_ns = mp_arrival_ns(&b->in.headers[i].msg_hdr);
            take(b, KINDS[which], &from, b->in.bytes[i], b->in.headers[i].msg_len, arrival_ns,
                 now_ns);
        }
        if (came < BATCH) return;
    }
}

/* Reports of who hears us: from where our control packets go, and of nobody else. */
static void hear_reports(mp_roc_bridge *b, int64_t now_ns) {
    for (int round = 0; b->settings.encoder != NULL && round < ROUNDS; round++) {
        int came = receive(&b->in, b->settings.send_fd);
        for (int i = 0; i < came; i++) {
            uint32_t size = b->in.headers[i].msg_len;
            mp_address from = mp_address_from_socket(&b->in.from[i]);
            if (!mp_address_same(&from, &b->settings.send_to[2]) ||
                !mp_rtcp_admit(&b->report_guard, b->in.bytes[i], size)) {
                b->counted.reports_refused++;
                continue;
            }
            mp_roc_packet packet = {b->in.bytes[i], size};
            b->settings.calls.encoder_push_feedback(b->settings.encoder, MP_ROC_CONTROL, &packet);
            b->counted.reports++;
            b->counted.report_age_ns = now_ns;
        }
        if (came < BATCH) return;
    }
}

/* ---- what goes ---- */

static void send_to(mp_roc_bridge *b, int fd, const target *to, const uint8_t *bytes, size_t size) {
    ssize_t sent = sendto(fd, bytes, size, MSG_DONTWAIT, (const struct sockaddr *)&to->address,
                          to->size);
    if (sent < 0) {
        b->counted.send_failed++;
    } else {
        b->counted.sent++;
    }
}

static void send_packets(mp_roc_bridge *b, int which) {
    uint8_t bytes[MP_GATE_PACKET];
    const mp_roc_bridge_settings *s = &b->settings;
    for (int i = 0; i < MOST_POPPED; i++) {
        mp_roc_packet packet = {bytes, sizeof bytes};
        if (s->calls.encoder_pop_packet(s->encoder, KINDS[which], &packet) != 0) return;
        if (which == 0) b->report_guard.own_ssrc = mp_u32_at(bytes + 8);
        send_to(b, s->send_fd, &b->to[which], bytes, packet.bytes_size);
    }
}

static void play(mp_roc_bridge *b) {
    const mp_roc_bridge_settings *s = &b->settings;
    if (s->encoder == NULL) return;
    for (uint32_t c = 0; c < s->channels; c++) {
        for (uint32_t i = 0; i < s->period; i++) {
            b->frames[i * s->channels + c] = b->planar_out[c][i];
        }
    }
    mp_roc_frame frame = {b->frames, (size_t)s->period * s->channels * sizeof(float)};
    if (s->calls.encoder_push_frame(s->encoder, &frame) != 0) return;
    for (int which = 0; which < INTERFACES; which++) send_packets(b, which);
}

/* What the decoder has to say to who is heard goes back to where the reports came from. */
static void answer(mp_roc_bridge *b) {
    uint8_t bytes[MP_GATE_PACKET];
    int fd = b->settings.listen_fd[2];
    for (int i = 0; i < MOST_POPPED; i++) {
        mp_roc_packet packet = {bytes, sizeof bytes};
        target to;
        if (b->settings.calls.decoder_pop_feedback(b->decoder, MP_ROC_CONTROL, &packet) != 0) return;
        b->gate.guard.own_ssrc = mp_rtcp_ssrc(bytes);
        if (fd < 0 || b->gate.reporter.family == 0) continue;
        struct sockaddr_storage own;
        socklen_t size = sizeof own;
        if (getsockname(fd, (struct sockaddr *)&own, &size) == 0 &&
            mp_address_to_socket(&b->gate.reporter, own.ss_family, &to.address, &to.size)) {
            send_to(b, fd, &to, bytes, packet.bytes_size);
        }
    }
}

/* ---- the cycle ---- */

static void follow_decoder(mp_roc_bridge *b) {
    void *wanted = atomic_load(&b->wanted);
    if (wanted == b->decoder) return;
    b->decoder = wanted;
    if (wanted != NULL) mp_gate_open(&b->gate);
    atomic_store(&b->in_use, wanted);
}

static void record(mp_roc_bridge *b) {
    const mp_roc_bridge_settings *s = &b->settings;
    const size_t size = (size_t)s->period * s->channels * sizeof(float);
    mp_roc_frame frame = {b->frames, size};
    memset(b->frames, 0, size);
    if (b->decoder != NULL) {
        if (s->calls.decoder_pop_frame(b->decoder, &frame) != 0) memset(b->frames, 0, size);
        answer(b);
    }
    for (uint32_t c = 0; c < s->channels; c++) {
        for (uint32_t i = 0; i < s->period; i++) {
            b->planar_in[c][i] = b->frames[i * s->channels + c];
        }
    }
}

static void show(mp_roc_bridge *b, int64_t now_ns) {
    if (pthread_mutex_trylock(&b->stats_lock) != 0) return;
    b->shown = b->counted;
    memcpy(b->shown.verdicts, b->gate.verdicts, sizeof b->gate.verdicts);
    b->shown.streams = b->gate.streams;
    b->shown.faster_ppm = b->pace.faster * 1e6;
    b->shown.heard = b->gate.heard;
    if (b->counted.reports > 0) b->shown.report_age_ns = now_ns - b->counted.report_age_ns;
    b->shown.needs_decoder = !b->gate.open || b->decoder == NULL;
    pthread_mutex_unlock(&b->stats_lock);
}

static void notice_restart(mp_roc_bridge *b) {
    uint64_t restarts = atomic_load(&b->timer.restarts);
    if (restarts != b->restarts_seen) mp_audio_xrun(b->audio);
    b->restarts_seen = restarts;
}

void mp_roc_bridge_cycle(mp_roc_bridge *b, int64_t cycle_ns) {
    const float *in[MP_MAX_CHANNELS];
    float *out[MP_MAX_CHANNELS];
    for (uint32_t c = 0; c < b->settings.channels; c++) {
        in[c] = b->planar_in[c];
        out[c] = b->planar_out[c];
    }
    notice_restart(b);
    follow_decoder(b);
    if (b->decoder != NULL && mp_gate_ended(&b->gate, cycle_ns)) mp_pace_end(&b->pace);
    for (int which = 0; which < INTERFACES; which++) hear(b, which, cycle_ns);
    hear_reports(b, cycle_ns);
    record(b);
    if (!mp_pace_cycle(&b->pace, b->settings.period, cycle_ns)) mp_gate_end(&b->gate);
    b->timer.faster = b->pace.faster;
    mp_audio_process(b->audio, in, out, NULL, b->settings.period, cycle_ns);
    play(b);
    show(b, cycle_ns);
}

static void cycle(void *arg, int64_t cycle_ns) { mp_roc_bridge_cycle(arg, cycle_ns); }

/* ---- making one ---- */

static bool is_usable(const mp_roc_bridge_settings *s) {
    const mp_roc_calls *c = &s->calls;
    bool encodes = c->encoder_push_frame != NULL && c->encoder_pop_packet != NULL &&
                   c->encoder_push_feedback != NULL && s->send_fd >= 0;
    return c->decoder_push_packet != NULL && c->decoder_pop_frame != NULL &&
           c->decoder_pop_feedback != NULL && (s->encoder == NULL || encodes) &&
           s->channels >= 1 && s->channels <= MP_MAX_CHANNELS && s->rate <= MOST_RATE &&
           s->payload_type < 128;
}

static bool find_targets(mp_roc_bridge *b) {
    struct sockaddr_storage own;
    socklen_t size = sizeof own;
    if (b->settings.encoder == NULL) return true;
    if (getsockname(b->settings.send_fd, (struct sockaddr *)&own, &size) != 0) return false;
    for (int i = 0; i < INTERFACES; i++) {
        if (!mp_address_to_socket(&b->settings.send_to[i], own.ss_family, &b->to[i].address,
                                  &b->to[i].size)) {
            return false;
        }
    }
    return true;
}

mp_roc_bridge *mp_roc_bridge_new(const mp_roc_bridge_settings *settings, mp_status *status) {
    *status = MP_OUT_OF_RANGE;
    if (!is_usable(settings)) return NULL;
    mp_roc_bridge *b = calloc(1, sizeof *b);
    *status = MP_NO_MEMORY;
    if (b == NULL) return NULL;
    b->settings = *settings;
    pthread_mutex_init(&b->stats_lock, NULL);
    b->counted.report_age_ns = -1;
    b->shown = b->counted;
    b->shown.needs_decoder = 1;
    b->gate.rate = b->pace.rate = settings->rate;
    b->gate.frame_bytes = 2 * settings->channels;
    b->gate.payload_type = settings->payload_type;
    b->gate.fec = settings->fec != 0;
    b->gate.ends_ns = (int64_t)settings->ends_us * 1000;
    b->gate.only_from = settings->only_from;
#ifdef SO_TIMESTAMPNS
    static const int ON = 1;
    if (settings->listen_fd[0] >= 0) {
        setsockopt(settings->listen_fd[0], SOL_SOCKET, SO_TIMESTAMPNS, &ON, sizeof ON);
    }
#endif
    mp_timer_audio_init(&b->timer, settings->rate, settings->period, cycle, b);
    /* Nothing is in a hurry here: a whole period ahead. */
    mp_audio_settings audio = {settings->rate, settings->period, settings->channels,
                               settings->channels, 1000000};
    *status = MP_OUT_OF_RANGE;
    if (find_targets(b)) b->audio = mp_audio_new(&audio, status);
    if (b->audio != NULL) return b;
    mp_roc_bridge_free(b);
    return NULL;
}

mp_audio *mp_roc_bridge_engine(mp_roc_bridge *b) { return b->audio; }

mp_status mp_roc_bridge_start(mp_roc_bridge *b, int priority) {
    return mp_timer_audio_start(&b->timer, priority);
}

void mp_roc_bridge_free(mp_roc_bridge *b) {
    mp_timer_audio_stop(&b->timer);
    if (b->audio != NULL) mp_audio_stop(b->audio);
    mp_audio_free(b->audio);
    pthread_mutex_destroy(&b->stats_lock);
    free(b);
}

void mp_roc_bridge_set_decoder(mp_roc_bridge *b, void *decoder) {
    atomic_store(&b->wanted, decoder);
}

void *mp_roc_bridge_decoder_in_use(mp_roc_bridge *b) { return atomic_load(&b->in_use); }

void mp_roc_bridge_get_stats(mp_roc_bridge *b, mp_roc_bridge_stats *stats) {
    pthread_mutex_lock(&b->stats_lock);
    *stats = b->shown;
    pthread_mutex_unlock(&b->stats_lock);
    stats->late_cycles = atomic_load(&b->timer.late);
    stats->restarts = atomic_load(&b->timer.restarts);
    stats->realtime = atomic_load(&b->timer.started) > 0;
}
