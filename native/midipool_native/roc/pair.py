"""libroc's encoder and decoder without its network: frames in, packets out, and back.

Calls never wait, and may come from several threads; closing is for the last one. Frames are
interleaved 32-bit floats in bytes, packets the bytes of one interface.
"""

from types import TracebackType
from typing import Any, Self

from midipool.errors import InvalidValue, Unavailable
from midipool.rtcp_guard import RtcpGuard
from midipool_native._rt import ffi as rt_ffi
from midipool_native._rt import lib as rt_lib
from midipool_native.roc import header
from midipool_native.roc.context import Context
from midipool_native.roc.library import ffi
from midipool_native.roc.settings import (
    LARGEST_PACKET_BYTES,
    DecoderSettings,
    EncoderSettings,
    payload_type,
)

SOURCE: int = rt_lib.MP_ROC_SOURCE
REPAIR: int = rt_lib.MP_ROC_REPAIR
CONTROL: int = rt_lib.MP_ROC_CONTROL
_FLOAT_BYTES = 4
_SSRC_AT = {SOURCE: 8, CONTROL: 4}  # in what libroc hands out, RTP and RTCP


class _Half:
    """What encoder and decoder share: the handle, the way packets come and go, closing."""

    _close_name: str

    def __init__(self, context: Context, frame_bytes: int) -> None:
        self._context = context
        self._lib = context.library.lib
        self._frame_bytes = frame_bytes
        self._buffer: Any = ffi.new("uint8_t[]", LARGEST_PACKET_BYTES)
        self._packet: Any = ffi.new("roc_packet *")
        self._half: Any = ffi.NULL
        self._guard = RtcpGuard()

    @property
    def handle(self) -> Any:
        """libroc's pointer as the `void *` that C takes; valid until close."""
        return rt_ffi.cast("void *", int(ffi.cast("uintptr_t", self._open())))

    def close(self) -> None:
        """Free it; more than once does nothing. Nothing may be using it, in C either."""
        half, self._half = self._half, ffi.NULL
        if half != ffi.NULL:
            getattr(self._lib, self._close_name)(half)
            self._context.forget(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> Any:
        if self._half == ffi.NULL:
            raise Unavailable("this encoder or decoder is closed")
        return self._half

    def _started(self, open_name: str, kind: str, config: Any, protocols: dict[int, int]) -> None:
        """Open it and activate its interfaces; raises Unavailable, and leaves nothing behind."""
        result = ffi.new(f"{kind} **")
        if getattr(self._lib, open_name)(self._context.handle, config, result) != 0:
            raise Unavailable(f"libroc does not open a {kind.removeprefix('roc_')}")
        self._half = result[0]
        self._context.remember(self)
        for interface, protocol in protocols.items():
            if getattr(self._lib, f"{kind}_activate")(self._half, interface, protocol) != 0:
                self.close()
                raise Unavailable(f"libroc does not activate interface {interface}")

    def _push(self, function: Any, interface: int, data: bytes) -> None:
        if not 0 < len(data) <= LARGEST_PACKET_BYTES:
            raise InvalidValue("packet", f"has {len(data)} bytes, not 1 to {LARGEST_PACKET_BYTES}")
        if interface == CONTROL:
            self._guard.admit(data)
        packet = ffi.new("roc_packet *", (ffi.from_buffer(data), len(data)))
        if function(self._open(), interface, packet) != 0:
            raise InvalidValue("packet", f"libroc takes none for interface {interface}")

    def _pop(self, function: Any, interface: int) -> bytes | None:
        self._packet.bytes = self._buffer
        self._packet.bytes_size = LARGEST_PACKET_BYTES
        if function(self._open(), interface, self._packet) != 0:
            return None
        data = bytes(ffi.buffer(self._buffer, self._packet.bytes_size))
        if interface in _SSRC_AT:
            at = _SSRC_AT[interface]
            self._guard.own_ssrc = int.from_bytes(data[at : at + 4])
        return data

    def _query(self, function: Any) -> tuple[int, int]:
        metrics = ffi.new("roc_pair_metrics *")
        connection = ffi.new("roc_connection_metrics *")
        if function(self._open(), metrics, connection) != 0:
            raise Unavailable("libroc does not answer a query")
        return metrics.connection_count, connection.e2e_latency // 1000


class Encoder(_Half):
    """Turns frames into packets, for all receivers at once."""

    _close_name = "roc_sender_encoder_close"

    def __init__(self, context: Context, settings: EncoderSettings) -> None:
        """Raises Unavailable."""
        super().__init__(context, settings.channels * _FLOAT_BYTES)
        self.settings = settings
        config = ffi.new("roc_sender_config *")
        config.frame_encoding = context.encoding(settings.rate_hz, settings.channels)
        config.packet_encoding = payload_type(settings.rate_hz, settings.sent_channels)
        config.packet_length = round(settings.packet_frames * 1e9 / settings.rate_hz)
        config.clock_source = header.CLOCK_EXTERNAL
        config.latency_tuner_profile = header.TUNER_INTACT
        config.resampler_backend = header.RESAMPLER_SPEEX
        config.fec_encoding = header.FEC_NONE
        if settings.fec is not None:
            config.fec_encoding = header.FEC_RS8M
            config.fec_block_source_packets = settings.fec.source_packets
            config.fec_block_repair_packets = settings.fec.repair_packets
        protocols = _protocols(settings.fec is not None, settings.control)
        self._started("roc_sender_encoder_open", "roc_sender_encoder", config, protocols)

    def push_frame(self, samples: bytes) -> None:
        """Encode interleaved floats; raises InvalidValue if they are no whole frames."""
        if len(samples) % self._frame_bytes:
            raise InvalidValue("samples", f"{len(samples)} bytes are no whole frames")
        frame = ffi.new("roc_frame *", (ffi.from_buffer(samples), len(samples)))
        if self._lib.roc_sender_encoder_push_frame(self._open(), frame) != 0:
            raise Unavailable("libroc does not encode a frame")

    def pop_packet(self, interface: int) -> bytes | None:
        """The next packet of SOURCE, REPAIR or CONTROL; None if there is none."""
        return self._pop(self._lib.roc_sender_encoder_pop_packet, interface)

    def push_feedback(self, data: bytes) -> None:
        """RTCP of a receiver. Raises InvalidDatagram if libroc would not survive it."""
        self._push(self._lib.roc_sender_encoder_push_feedback_packet, CONTROL, data)

    def query(self) -> tuple[int, int]:
        """(receivers known by their RTCP, end-to-end latency of one in µs; 0 is unknown)."""
        return self._query(self._lib.roc_sender_encoder_query)


class Decoder(_Half):
    """Turns the packets of one sender into frames; what is missing is silence."""

    _close_name = "roc_receiver_decoder_close"

    def __init__(self, context: Context, settings: DecoderSettings) -> None:
        """Raises Unavailable."""
        super().__init__(context, settings.channels * _FLOAT_BYTES)
        self.settings = settings
        config = ffi.new("roc_receiver_config *")
        config.frame_encoding = context.encoding(settings.rate_hz, settings.channels)
        config.clock_source = header.CLOCK_EXTERNAL
        gradual = settings.tuner == "gradual"
        config.latency_tuner_profile = header.TUNER_GRADUAL if gradual else header.TUNER_INTACT
        config.resampler_backend = header.RESAMPLER_SPEEX
        config.resampler_profile = header.RESAMPLER_PROFILES[settings.resampler]
        config.target_latency = settings.target_latency_us * 1000
        config.latency_tolerance = settings.latency_tolerance_us * 1000
        config.no_playback_timeout = settings.no_playback_timeout_us * 1000
        config.choppy_playback_timeout = -1  # loss alone must not end a session
        protocols = _protocols(settings.fec, settings.control)
        self._started("roc_receiver_decoder_open", "roc_receiver_decoder", config, protocols)

    def push_packet(self, interface: int, data: bytes) -> None:
        """A packet of the sender, authenticated before. Raises InvalidValue, or InvalidDatagram
        for RTCP that libroc would not survive.

        The queue within has no bound: push no more than is popped.
        """
        self._push(self._lib.roc_receiver_decoder_push_packet, interface, data)

    def pop_frame(self, frames: int) -> bytes:
        """The next `frames` frames, as interleaved floats."""
        samples = bytearray(frames * self._frame_bytes)
        frame = ffi.new("roc_frame *", (ffi.from_buffer(samples), len(samples)))
        if self._lib.roc_receiver_decoder_pop_frame(self._open(), frame) != 0:
            raise Unavailable("libroc does not decode a frame")
        return bytes(samples)

    def pop_feedback(self) -> bytes | None:
        """RTCP for the sender; None if there is none."""
        return self._pop(self._lib.roc_receiver_decoder_pop_feedback_packet, CONTROL)

    def query(self) -> tuple[int, int]:
        """(senders that are heard, end-to-end latency in µs; 0 is unknown)."""
        return self._query(self._lib.roc_receiver_decoder_query)


def _protocols(fec: bool, control: bool) -> dict[int, int]:
    """The protocol of each interface that is used."""
    made = {SOURCE: header.PROTOCOL_RTP}
    if fec:
        made = {SOURCE: header.PROTOCOL_RTP_RS8M, REPAIR: header.PROTOCOL_RS8M}
    return made | ({CONTROL: header.PROTOCOL_RTCP} if control else {})
