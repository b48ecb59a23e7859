/* A step of the codec thread for one player: how long its packets wait is watched and steered. */
#include <math.h>

#include "audio_player.h"

/* Packets that are left out at once, at most: libroc refuses a stream that jumped by 100. */
enum { JUMP_PACKETS = 90 };
/* Where there was something to be heard anyway it is cut to its place, in both directions: at the
 * begin, when the first packet was hardly one of the quickest, behind an xrun of ours, and where the
 * wait jumped because of one of the sender's. */
static const double CUT_IN_TROUBLE = 0.0003 * MP_STREAM_RATE;
static const double SURE_SIGMAS = 4.0;
/* What came while the device stood still shows a wait that is none: so it is looked at twice. */
enum { TROUBLED_LOOKS = 2 };
static const int64_t SECOND_NS = 1000000000;
/* A wait that is short by so much makes packets come too late: the hole is filled at once. */
static const double SHORT_FRAMES = 0.00025 * MP_STREAM_RATE;
/* When all are late for so long they come another way, and nobody waits for the window's end. By
 * less than a packet a line that wavers may be late too, for a moment. */
static const int64_t ALL_LATE_NS = 6000000, HARDLY_LATE_NS = 20000000;
/* Without a packet for so long beside what may lie in the queue, a stream has ended. */
static const int64_t ENDED_NS = 1100000000;

/* What the callback lacked had its time, and is not heard later: so the wait stays as it was. In bars
 * mode all has its place in time anyhow. */
static void let_pass_what_lacked(mp_player *p, const mp_device_time *device) {
    uint64_t dry = atomic_load(&p->dry), more = dry - p->dry_seen;
    p->dry_seen = dry;
    if (!p->started || p->by_bars) return;
    p->behind += (uint32_t)(more > device->rate ? device->rate : more);
}

/* Where a device stands all the time, to cut each time would be worse than to be late. */
static bool is_long_ago(const mp_player *p, int64_t now_ns) {
    return now_ns - p->trouble_ns >= SECOND_NS;
}

/* A device that stood still has another wait. */
static void look_for_trouble(mp_player *p, const mp_device_time *device, int64_t now_ns) {
    if (device->xruns == p->xruns_seen || !is_long_ago(p, now_ns)) return;
    p->xruns_seen = device->xruns;
    if (!p->started || p->by_bars) return;
    p->trouble_ns = now_ns;
    p->troubled = TROUBLED_LOOKS;
    mp_waits_hurry(&p->waits, now_ns);
}

static void play_faster(mp_player *p, double faster) {
    p->resampler.faster = faster;
    atomic_store(&p->faster, faster);
}

static void begin_to_steer(mp_player *p, int64_t now_ns) {
    p->late_row = 0;
    mp_count(&p->jumps, 1);
    mp_waits_change(&p->waits, now_ns);
    mp_steering_lost(&p->steering);
    play_faster(p, p->steering.faster);
}

/* Whether it is cut to its place; what lacks is stretched where that is soon done. */
static bool cut(mp_player *p, double error, bool at_once, bool too_late, int64_t now_ns) {
    double frames = p->settings.packet_frames;
    double sure = fmax(CUT_IN_TROUBLE, SURE_SIGMAS * sqrt(p->steering.noise_s2) * MP_STREAM_RATE);
    double most = at_once ? sure : MP_CUT_FRAMES;
    double least = at_once ? sure : fmax(2.0 * frames, 0.25 * MP_CUT_FRAMES);
    if (error <= most && error >= -least && !too_late) return false;
    if (error > 0.0) p->to_skip = (uint32_t)fmin(error, JUMP_PACKETS * frames);
    else p->silence += floor(-error);
    begin_to_steer(p, now_ns);
    return true;
}

static void steer(mp_player *p, double target, double least, int64_t now_ns) {
    const double seconds = 1.0 / MP_STREAM_RATE;
    double wait = p->waits.wait;
    bool at_once = p->troubled > 0, too_late = wait < least - SHORT_FRAMES; /* is heard */
    if (at_once) p->troubled--;
    if (cut(p, wait - target, at_once, too_late, now_ns)) {
        if (p->troubled > 0) mp_waits_hurry(&p->waits, now_ns);
        return;
    }
    play_faster(p, mp_steering_step(&p->steering, wait * seconds, target * seconds, now_ns));
    if (p->steering.jumped) mp_waits_hurry(&p->waits, now_ns);
    if (!p->steering.moved || !is_long_ago(p, now_ns)) return;
    p->trouble_ns = now_ns;
    cut(p, wait - target, true, false, now_ns);
}

/* The least wait with which a packet is there when it is decoded. */
static double least_wait(const mp_player *p, const mp_device_time *device, uint32_t cover) {
    double ratio = (double)MP_STREAM_RATE / device->rate;
    double lead = device->lead_us * (MP_STREAM_RATE * 1e-6);
    return lead + cover * ratio + p->settings.packet_frames + mp_resampler_ahead(&p->resampler);
}

/* Those that were late already when it began to wait are so without need for more. */
static bool all_are_late(const mp_player *p, double target, double least) {
    int64_t late_ns = mp_player_late_for_ns(p);
    if (late_ns < ALL_LATE_NS) return false;
    if (p->late_wait < target - p->settings.packet_frames) return true;
    return late_ns >= HARDLY_LATE_NS && p->late_wait < least - SHORT_FRAMES;
}

static void publish(mp_player *p) {
    const double us = 1e6 / MP_STREAM_RATE;
    if (!p->by_bars) atomic_store(&p->wait, p->waits.wait);
    atomic_store(&p->jitter_us, p->waits.jitter * us);
    atomic_store(&p->p95_us, mp_waits_p95(&p->waits) * us);
}

/* Decoded sooner, no callback runs dry when the system comes late; nor later than packets may come:
 * what the wait lacks yet of its target, the cover does too. */
static uint32_t more_cover(const mp_player *p, const mp_device_time *device, double lowest) {
    double more = p->cover, wait = p->waits.wait;
    if (!p->by_bars) {
        double lacks = wait > 0.0 ? fmax(p->target - wait, 0.0) : 0.0;
        more = fmax(fmin(more - lacks, p->target - lowest), 0.0);
    }
    return (uint32_t)(more * device->rate / MP_STREAM_RATE);
}

void mp_player_step(mp_player *p, const mp_device_time *device, const mp_clock_map *map,
                    const mp_pieces *pieces, uint32_t cover, int64_t now_ns) {
    double lowest = least_wait(p, device, cover);
    cover += more_cover(p, device, lowest);
    double least = least_wait(p, device, cover);
    const mp_moment at = {device, map, pieces, cover + device->missed, least, now_ns};
    atomic_store(&p->floor, lowest);
    mp_player_choose_way(p, &at);
    let_pass_what_lacked(p, device);
    look_for_trouble(p, device, now_ns);
    mp_player_take_in(p, device, map, now_ns);
    if (p->started && now_ns - p->heard_ns > ENDED_NS && !p->pending_there) {
        mp_player_end_stream(p);
    }
    double target = fmax(p->target, least);
    if (p->started && !p->by_bars && all_are_late(p, target, least)) {
        p->silence += floor(target - p->late_wait);
        begin_to_steer(p, now_ns);
    } else if (p->started && mp_waits_window(&p->waits, now_ns)) {
        publish(p); /* a cut begins to measure anew */
        if (!p->by_bars) steer(p, target, least, now_ns);
    }
    if (p->by_bars) mp_player_decode_for_bars(p, &at);
    mp_player_fill_ring(p, &at);
    atomic_store_explicit(&p->covered, cover - device->period, memory_order_relaxed);
}

void mp_player_stats_of(mp_player *p, mp_player_stats *stats) {
    *stats = (mp_player_stats){
        .packets = atomic_load(&p->packets),
        .repair_packets = atomic_load(&p->repair_packets),
        .lost = atomic_load(&p->lost),
        .repaired = atomic_load(&p->repaired),
        .late = atomic_load(&p->late),
        .concealed_frames = atomic_load(&p->concealed),
        .overflow = atomic_load(&p->overflow),
        .underruns = atomic_load(&p->underruns),
        .used_frames = atomic_exchange(&p->used, 0),
        .jumps = atomic_load(&p->jumps),
        .fill_frames = mp_frame_ring_fill(&p->ring),
        .wait_frames = atomic_load(&p->wait),
        .floor_frames = atomic_load(&p->floor),
        .drift_ppm = atomic_load(&p->faster) * 1e6,
        .jitter_us = atomic_load(&p->jitter_us),
        .jitter_p95_us = atomic_load(&p->p95_us),
        .latency_us = atomic_load(&p->latency_us),
        .playing = atomic_load(&p->playing),
        .needs_decoder = atomic_load(&p->needs_decoder),
    };
}
