"""What midiPool uses of libroc 0.4, for cffi: layouts and values of its public headers."""

CDEF = """
typedef struct { unsigned int major, minor, patch, code; } roc_version;
void roc_version_load(roc_version *version);
void roc_log_set_level(int level);

typedef struct { unsigned int rate; int format; int channels; unsigned int tracks; }
    roc_media_encoding;
typedef struct { unsigned int max_packet_size, max_frame_size; } roc_context_config;
typedef struct {
    roc_media_encoding frame_encoding;
    int packet_encoding;
    unsigned long long packet_length;
    unsigned int packet_interleaving;
    int fec_encoding;
    unsigned int fec_block_source_packets;
    unsigned int fec_block_repair_packets;
    int clock_source;
    int latency_tuner_backend;
    int latency_tuner_profile;
    int resampler_backend;
    int resampler_profile;
    unsigned long long target_latency;
    unsigned long long latency_tolerance;
} roc_sender_config;
typedef struct {
    roc_media_encoding frame_encoding;
    int clock_source;
    int latency_tuner_backend;
    int latency_tuner_profile;
    int resampler_backend;
    int resampler_profile;
    unsigned long long target_latency;
    unsigned long long latency_tolerance;
    long long no_playback_timeout;
    long long choppy_playback_timeout;
} roc_receiver_config;
typedef struct { void *samples; size_t samples_size; } roc_frame;
typedef struct { void *bytes; size_t bytes_size; } roc_packet;
typedef struct { unsigned long long e2e_latency; } roc_connection_metrics;
typedef struct { unsigned int connection_count; } roc_pair_metrics;

typedef struct roc_context roc_context;
typedef struct roc_sender_encoder roc_sender_encoder;
typedef struct roc_receiver_decoder roc_receiver_decoder;

int roc_context_open(const roc_context_config *config, roc_context **result);
int roc_context_register_encoding(roc_context *context, int id, const roc_media_encoding *encoding);
int roc_context_close(roc_context *context);

int roc_sender_encoder_open(
    roc_context *context, const roc_sender_config *config, roc_sender_encoder **result);
int roc_sender_encoder_activate(roc_sender_encoder *encoder, int interface, int protocol);
int roc_sender_encoder_query(roc_sender_encoder *encoder, roc_pair_metrics *metrics,
    roc_connection_metrics *connection);
int roc_sender_encoder_push_frame(roc_sender_encoder *encoder, const roc_frame *frame);
int roc_sender_encoder_push_feedback_packet(
    roc_sender_encoder *encoder, int interface, const roc_packet *packet);
int roc_sender_encoder_pop_packet(roc_sender_encoder *encoder, int interface, roc_packet *packet);
int roc_sender_encoder_close(roc_sender_encoder *encoder);

int roc_receiver_decoder_open(
    roc_context *context, const roc_receiver_config *config, roc_receiver_decoder **result);
int roc_receiver_decoder_activate(roc_receiver_decoder *decoder, int interface, int protocol);
int roc_receiver_decoder_query(roc_receiver_decoder *decoder, roc_pair_metrics *metrics,
    roc_connection_metrics *connection);
int roc_receiver_decoder_push_packet(
    roc_receiver_decoder *decoder, int interface, const roc_packet *packet);
int roc_receiver_decoder_pop_feedback_packet(
    roc_receiver_decoder *decoder, int interface, roc_packet *packet);
int roc_receiver_decoder_pop_frame(roc_receiver_decoder *decoder, roc_frame *frame);
int roc_receiver_decoder_close(roc_receiver_decoder *decoder);
"""

FORMAT_FLOAT32 = 1
LAYOUT_TRACKS, LAYOUT_MONO, LAYOUT_STEREO = 1, 2, 3
CLOCK_EXTERNAL = 1
FEC_NONE, FEC_RS8M = -1, 1
PROTOCOL_RTP, PROTOCOL_RTP_RS8M, PROTOCOL_RS8M, PROTOCOL_RTCP = 20, 30, 31, 70
TUNER_INTACT, TUNER_GRADUAL = 1, 3
RESAMPLER_SPEEX = 2
RESAMPLER_PROFILES = {"high": 1, "medium": 2, "low": 3}
LOG_NONE = 0
