"""A device that is no sound card: plain ROC of other programs on this network."""

import contextlib
import socket
from dataclasses import dataclass
from typing import Any

from midipool_native import roc
from midipool_native._rt import ffi, lib
from midipool_native.audio import AudioCore, DeviceInfo
from midipool_native.checks import NativeError
from midipool_native.media_address import Address, from_c, to_c
from midipool_native.media_socket import open_udp

CHANNELS = 2
TOOLS_FEC = roc.Fec(18, 10)
PERIOD_S = 0.005
PRIORITY = 4
_INTERFACES = 3
_STANDS_US = 200_000
_LEAST_ENDS_US = 500_000
_REPORTS_END_NS = 3_000_000_000
REFUSALS = (
    "not_needed",
    "stranger",
    "malformed",
    "format",
    "other_stream",
    "jumped",
    "too_fast",
    "rtcp",
    "not_ready",
)
"""What a datagram can be but passed, in C's order."""


@dataclass(frozen=True, slots=True)
class PlainRoc:
    """What is offered: three ports each, for source, repair and control packets."""

    rate_hz: int = 44_100
    fec: roc.Fec | None = TOOLS_FEC
    """Of what is sent; of what comes only whether there is any."""
    packet_frames: int = 220
    latency_us: int = 120_000
    """How long what comes waits."""
    listen_host: str = "0.0.0.0"
    listen_ports: tuple[int, int, int] = (10_001, 10_002, 10_003)
    only_from: str | None = None
    """The sender's address; without it, who speaks first."""
    send_to: tuple[Address, Address, Address] | None = None


@dataclass(frozen=True, slots=True)
class BridgeStats:
    """Counts since it was opened, and who is heard."""

    passed: int
    refused: dict[str, int]
    streams: int
    sent: int
    send_failed: int
    reports: int
    reports_refused: int
    late_cycles: int
    restarts: int
    heard: Address | None
    report_age_ns: int | None
    faster_ppm: float
    needs_decoder: bool


class RocBridge:
    """Listens and sends, and runs `core` at its own pace; `trouble` is to be called often."""

    def __init__(self, plain: PlainRoc, *, running: bool = True) -> None:
        """Raises MidiPoolError, which says what is in the way; then nothing is left open.

        Without `running` the caller does what its thread does: `cycle`.
        """
        self.plain = plain
        self._old: list[roc.Decoder] = []
        with contextlib.ExitStack() as stack:
            self._context = stack.enter_context(roc.Context())
            self._calls: Any = self._context.library.calls()
            self._sockets = [self._listen(stack, n) for n in range(_INTERFACES)]
            self._encoder = stack.enter_context(self._new_encoder()) if plain.send_to else None
            self._send = stack.enter_context(open_udp(self._send_host())) if plain.send_to else None
            status = ffi.new("mp_status *")
            self._bridge: Any = lib.mp_roc_bridge_new(self._settings(), status)
            if self._bridge == ffi.NULL:
                raise NativeError(status[0], "the bridge to plain ROC")
            stack.callback(lib.mp_roc_bridge_free, self._bridge)
            self.core = AudioCore(lib.mp_roc_bridge_engine(self._bridge), CHANNELS, CHANNELS)
            self._decoder = self._new_decoder()
            lib.mp_roc_bridge_set_decoder(self._bridge, self._decoder.handle)
            status = lib.mp_roc_bridge_start(self._bridge, PRIORITY) if running else lib.MP_OK
            self._priority = PRIORITY if status == lib.MP_OK else -1
            if status not in (lib.MP_OK, lib.MP_NOT_PERMITTED):
                raise NativeError(status, "the thread of the bridge to plain ROC")
            self._stack = stack.pop_all()

    @property
    def text(self) -> str:
        """What is offered, for people."""
        ports = ", ".join(map(str, self.listen_ports))
        repair = "with repair" if self.plain.fec else "without repair"
        sends = f"; sends to {self.plain.send_to[0]}" if self.plain.send_to else ""
        return (
            f"plain ROC {repair}, {self.plain.rate_hz} Hz: listens at {self.plain.listen_host}, "
            f"UDP ports {ports}{sends}"
        )

    @property
    def period(self) -> int:
        """Frames of a cycle."""
        return round(self.plain.rate_hz * PERIOD_S)

    def info(self) -> DeviceInfo:
        """How it stands."""
        stats = self.stats()
        return DeviceInfo(
            rate=self.plain.rate_hz,
            period=self.period,
            xruns=stats.restarts,
            alive=True,
            priority=self._priority,
        )

    def trouble(self) -> str:
        """Never any; what is due is done on the way."""
        self.tend()
        return ""

    def note(self) -> str:
        """Who is heard and who hears, or why nobody is."""
        return note_of(self.stats(), self.plain)

    def add_ports(self, slot: int, name: str) -> None:
        """Nothing: all are heard together."""

    def remove_ports(self, slot: int) -> None:
        """Nothing."""

    def connections(self) -> list[tuple[str, str]]:
        """None: there are no ports to connect."""
        return []

    def connect(self, own: str, other: str) -> bool:
        """There is nothing to connect."""
        return False

    @property
    def listen_ports(self) -> tuple[int, ...]:
        """The UDP ports; without FEC that of repair packets is not open."""
        return tuple(sock.getsockname()[1] for sock in self._sockets if sock is not None)

    def tend(self) -> None:
        """A stream that ended leaves its decoder: the next one gets another."""
        if lib.mp_roc_bridge_decoder_in_use(self._bridge) != self._decoder.handle:
            return
        for decoder in self._old:
            decoder.close()
        self._old.clear()
        if self.stats().needs_decoder:
            self._old.append(self._decoder)
            self._decoder = self._new_decoder()
            lib.mp_roc_bridge_set_decoder(self._bridge, self._decoder.handle)

    def cycle(self, now_ns: int) -> None:
        """A period of a bridge that does not run by itself."""
        lib.mp_roc_bridge_cycle(self._bridge, now_ns)

    def stats(self) -> BridgeStats:
        """How it stands."""
        stats = ffi.new("mp_roc_bridge_stats *")
        lib.mp_roc_bridge_get_stats(self._bridge, stats)
        passed, *refused = stats.verdicts
        return BridgeStats(
            passed=passed,
            refused=dict(zip(REFUSALS, refused, strict=True)),
            streams=stats.streams,
            sent=stats.sent,
            send_failed=stats.send_failed,
            reports=stats.reports,
            reports_refused=stats.reports_refused,
            late_cycles=stats.late_cycles,
            restarts=stats.restarts,
            heard=from_c(stats.heard),
            report_age_ns=stats.report_age_ns if stats.report_age_ns >= 0 else None,
            faster_ppm=stats.faster_ppm,
            needs_decoder=bool(stats.needs_decoder),
        )

    def close(self) -> None:
        """Stop all; `core` must not be used any more. More than once does nothing."""
        self._stack.close()  # The context closes its encoders and decoders.

    def _listen(self, stack: contextlib.ExitStack, which: int) -> socket.socket | None:
        if which == 1 and self.plain.fec is None:
            return None
        opened = open_udp(self.plain.listen_host, self.plain.listen_ports[which])
        return stack.enter_context(opened)

    def _send_host(self) -> str:
        """Any address of the family that is sent to."""
        assert self.plain.send_to is not None
        return "::" if ":" in self.plain.send_to[0].ip else "0.0.0.0"

    def _settings(self) -> Any:
        plain = self.plain
        made = ffi.new("mp_roc_bridge_settings *")
        made.rate, made.period, made.channels = plain.rate_hz, self.period, CHANNELS
        made.payload_type = roc.payload_type(plain.rate_hz, CHANNELS)
        made.fec = plain.fec is not None
        made.ends_us = max(_LEAST_ENDS_US, plain.latency_us + _STANDS_US)
        made.calls = self._calls[0]
        made.encoder = ffi.NULL if self._encoder is None else self._encoder.handle
        made.send_fd = -1 if self._send is None else self._send.fileno()
        for which, sock in enumerate(self._sockets):
            made.listen_fd[which] = -1 if sock is None else sock.fileno()
        if plain.only_from is not None:
            made.only_from = to_c(Address(plain.only_from, 1))[0]
        for which, address in enumerate(plain.send_to or ()):
            made.send_to[which] = to_c(address)[0]
        return made

    def _new_encoder(self) -> roc.Encoder:
        plain = self.plain
        settings = roc.EncoderSettings(
            plain.rate_hz, CHANNELS, plain.packet_frames, plain.fec, control=True
        )
        return roc.Encoder(self._context, settings)

    def _new_decoder(self) -> roc.Decoder:
        plain = self.plain
        settings = roc.DecoderSettings(
            plain.rate_hz,
            CHANNELS,
            plain.fec is not None,
            plain.latency_us,
            control=True,
        )
        return roc.Decoder(self._context, settings)


def note_of(stats: BridgeStats, plain: PlainRoc) -> str:
    """What people may want to know."""
    age_ns = stats.report_age_ns
    heard_by = age_ns is not None and age_ns < _REPORTS_END_NS
    to = f"; {plain.send_to[0].ip} listens" if plain.send_to and heard_by else ""
    if stats.heard is not None:
        return f"hears {stats.heard.ip}{to}"
    return f"hears nobody{_why(stats, plain)}{to}"


def _why(stats: BridgeStats, plain: PlainRoc) -> str:
    """Why what comes is of no use, when nothing has been yet."""
    if stats.streams:
        return ""
    if stats.refused["format"]:
        number = roc.payload_type(plain.rate_hz, CHANNELS)
        return f": what comes is not {plain.rate_hz} Hz stereo (payload type {number})"
    if stats.refused["malformed"]:
        return f": what comes is no {'rtp+rs8m' if plain.fec else 'rtp'} of ROC's"
    if stats.refused["stranger"]:
        return f": what comes is not from {plain.only_from}"
    return ""
