/* What we read of ROC's source packets: RTP's head (RFC 3550, 5.1). At their end is the place in an
 * FEC block (RFC 6865, 4.2.3). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { MP_RTP_HEAD = 12, MP_RTP_FEC = 6 };

typedef struct {
    uint32_t timestamp, ssrc;
    uint32_t channels; /* by the payload type, at 48 kHz; 0 for one that is none of ours */
} mp_rtp;

static inline uint32_t mp_u32_at(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Numbered as in midipool_native/roc/settings.py: channels of 48 kHz. */
enum { MP_RTP_MONO = 99, MP_RTP_STEREO, MP_RTP_FOUR };

static inline uint32_t mp_rtp_channels(uint8_t payload_type) {
    switch (payload_type) {
    case MP_RTP_MONO: return 1;
    case MP_RTP_STEREO: return 2;
    case MP_RTP_FOUR: return 4;
    }
    return 0;
}

/* False for what is no RTP packet. Realtime-safe. */
static inline bool mp_rtp_read(mp_rtp *rtp, const uint8_t *bytes, uint32_t size) {
    if (size <= MP_RTP_HEAD + MP_RTP_FEC || bytes[0] >> 6 != 2) return false;
    rtp->timestamp = mp_u32_at(bytes + 4);
    rtp->ssrc = mp_u32_at(bytes + 8);
    rtp->channels = mp_rtp_channels(bytes[1] & 0x7f);
    return true;
}
