/* libroc as C uses it. Both an #include and cffi's cdef: no directives in here. */

/* What C calls of libroc; Python fills it in from the library that it found. The layouts are those
 * of libroc 0.4. */
typedef struct { void *samples; size_t samples_size; } mp_roc_frame;
typedef struct { void *bytes; size_t bytes_size; } mp_roc_packet;
typedef struct {
    int (*encoder_push_frame)(void *encoder, const mp_roc_frame *frame);
    int (*encoder_pop_packet)(void *encoder, int interface, mp_roc_packet *packet);
    int (*encoder_push_feedback)(void *encoder, int interface, const mp_roc_packet *packet);
    int (*decoder_push_packet)(void *decoder, int interface, const mp_roc_packet *packet);
    int (*decoder_pop_frame)(void *decoder, mp_roc_frame *frame);
    int (*decoder_pop_feedback)(void *decoder, int interface, mp_roc_packet *packet);
} mp_roc_calls;
enum { MP_ROC_SOURCE = 11, MP_ROC_REPAIR = 12, MP_ROC_CONTROL = 13 };

/* Whether a compound RTCP packet may be pushed into libroc: 1 or 0. midipool/rtcp.py has the rules,
 * and is its twin. Thread-safe, realtime-safe. */
int mp_rtcp_is_safe(const uint8_t *bytes, uint32_t size);
/* The source of a compound that is safe. Thread-safe, realtime-safe. */
uint32_t mp_rtcp_ssrc(const uint8_t *bytes);

/* libroc also crashes when a source changes its CNAME, and when others bear the SSRC of the very encoder
 * or decoder that is pushed into. So each has a guard, zero at first; `own_ssrc` is that of the control
 * packets popped from it (mp_rtcp_ssrc), or bytes 8 to 11 of an encoder's source packets. */
typedef struct {
    uint32_t own_ssrc;
    uint32_t count;
    struct { uint32_t ssrc; uint8_t cname_size; uint8_t cname[255]; } sources[16];
} mp_rtcp_guard;

/* Whether a compound may be pushed: safe, and of a source that keeps its name, the 17th is one too
 * many: 1 or 0. midipool/rtcp_guard.py is its twin. One thread for each guard; realtime-safe. */
int mp_rtcp_admit(mp_rtcp_guard *guard, const uint8_t *bytes, uint32_t size);
