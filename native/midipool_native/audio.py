"""The audio engine's core: encoders, decoders and the mix, driven by a device or by a caller."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from midipool.audio.bars import Piece
from midipool.clock_map import ClockMap
from midipool_native._rt import ffi, lib
from midipool_native.checks import check
from midipool_native.spooler import c_clock_map

STREAM_RATE: int = lib.MP_STREAM_RATE
MAX_PIECES: int = lib.MP_MAX_PIECES
MOST_KEPT: int = lib.MP_MOST_KEPT
MAX_PLAYERS: int = lib.MP_MAX_PLAYERS
MAX_CHANNELS: int = lib.MP_MAX_CHANNELS
ALL_CHANNELS = (1 << MAX_CHANNELS) - 1


@dataclass(frozen=True, slots=True)
class EncoderSetup:
    """How own input is sent.

    `calls` is an `mp_roc_calls *`, `encoder` a `void *`, `send` an `mp_audio_send`; what they
    point to must live until another encoder is in use.
    """

    calls: Any
    encoder: Any
    packet_frames: int
    send: Any
    send_arg: Any = ffi.NULL
    source_packets: int = 0
    repair_packets: int = 0


@dataclass(frozen=True, slots=True)
class PlayerSetup:
    """How a player is heard.

    The decoder is opened with a target latency of one packet and its tuner intact: the waiting is
    done here. `target_frames` (of the stream) is how long the quickest packets wait from their
    arrival on, and `cover_frames` of these they lie decoded. `take`, an `mp_audio_take`, is where
    packets come from; without it, from `AudioCore.receive`.
    """

    calls: Any
    decoder: Any
    packet_frames: int
    channels: int
    target_frames: float = 0.0
    cover_frames: float = 0.0
    source_packets: int = 0
    queue_packets: int = 256
    take: Any = ffi.NULL
    take_arg: Any = ffi.NULL
    take_index: int = 0


@dataclass(frozen=True, slots=True)
class PlayerStats:
    """Counts since the player was added, and how it stands now; as `mp_player_stats` says."""

    packets: int
    repair_packets: int
    lost: int
    repaired: int
    late: int
    concealed_frames: int
    overflow: int
    underruns: int
    used_frames: int
    jumps: int
    fill_frames: int
    wait_frames: float
    floor_frames: float
    drift_ppm: float
    jitter_us: float
    jitter_p95_us: float
    latency_us: int | None
    playing: bool
    needs_decoder: bool


@dataclass(frozen=True, slots=True)
class PlayerTrouble:
    """What of a player's stats somebody waits for."""

    packets: int
    """Late or lost since it was added."""
    used_frames: int
    """Of its cover, since the last look."""


@dataclass(frozen=True, slots=True)
class OwnPlace:
    """A channel of own input: linear gain from 0 to 8, pan from -1 (left) to 1 in the own mix."""

    gain: float
    pan: float
    mute: bool
    """For the room alone."""
    solo: bool
    """In the own mix alone."""


@dataclass(frozen=True, slots=True)
class PlayerLink:
    """What comes of a player: linear gain from 0 to 8, channels from 1 on, or all, and filters."""

    gain: float = 1.0
    channels: Collection[int] = ()
    high_pass_hz: float = 0.0
    """20 to 20,000; 0 is off."""
    low_pass_hz: float = 0.0
    """Likewise."""


@dataclass(frozen=True, slots=True)
class Level:
    """How loud a channel was since the last look: 1.0 is full scale."""

    peak: float
    rms: float


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """How the device behind a core stands."""

    rate: int
    period: int
    xruns: int
    alive: bool
    """False once it is gone for good."""
    priority: int
    """Of the thread of its callback; -1 without a real-time one."""


class AudioCore:
    """The engine in C. One thread may call this; callback and codec thread run beside it."""

    def __init__(self, handle: Any, in_channels: int, out_channels: int) -> None:
        """`handle` is an `mp_audio *` that lives as long as this."""
        self.handle = handle
        self._in_channels = in_channels
        self._out_channels = out_channels
        self._player_channels: dict[int, int] = {}
        self._levels: Any = ffi.new("mp_level[]", MAX_CHANNELS)
        self._stats: Any = ffi.new("mp_player_stats *")

    @classmethod
    def without_device(
        cls,
        rate: int,
        period: int,
        in_channels: int,
        out_channels: int,
        decode_lead_us: int = 350,
    ) -> "AudioCore":
        """An engine whose callback the caller drives; raises NativeError."""
        settings = [rate, period, in_channels, out_channels, decode_lead_us]
        status = ffi.new("mp_status *")
        made = lib.mp_audio_new(ffi.new("mp_audio_settings *", settings), status)
        check(status[0], f"audio at {rate} Hz, {period} frames")
        return cls(ffi.gc(made, lib.mp_audio_free), in_channels, out_channels)

    def start(self, priority: int = 0) -> bool:
        """Start the codec thread; False if it did not get its real-time priority."""
        status = lib.mp_audio_start(self.handle, priority)
        if status != lib.MP_NOT_PERMITTED:
            check(status, "starting the codec thread")
        return bool(status == lib.MP_OK)

    def stop(self) -> None:
        """Stop the codec thread."""
        lib.mp_audio_stop(self.handle)

    def step(self, now_ns: int) -> int:
        """One look of the codec thread, if it is not started; when it wants the next one."""
        return int(lib.mp_audio_step(self.handle, now_ns))

    def set_map(self, clock_map: ClockMap) -> None:
        """Room time from now on; raises NativeError."""
        check(lib.mp_audio_set_map(self.handle, c_clock_map(clock_map)), "audio's clock")

    def set_encoder(self, setup: EncoderSetup | None) -> None:
        """Send with this from now on, or not at all; raises NativeError."""
        encoder = ffi.new("mp_audio_encoder *")
        if setup is not None:
            encoder.calls = setup.calls[0]
            encoder.encoder = setup.encoder
            encoder.packet_frames = setup.packet_frames
            encoder.source_packets = setup.source_packets
            encoder.repair_packets = setup.repair_packets
            encoder.send = setup.send
            encoder.send_arg = setup.send_arg
        check(lib.mp_audio_set_encoder(self.handle, encoder), "the audio encoder")

    def set_repairs(self, wanted: bool) -> None:
        """Whether repair packets are sent, which they are not at first; raises NativeError."""
        check(lib.mp_audio_set_repairs(self.handle, wanted), "repair packets")

    def set_arrive(self, arrive: Any, arg: Any) -> None:
        """An `mp_audio_arrive` that takes in what has come, and its argument; both must live as
        long as the codec thread runs. Raises NativeError."""
        check(lib.mp_audio_set_arrive(self.handle, arrive, arg), "what takes packets in")

    def encoder_in_use(self) -> Any:
        """The encoder that the codec thread uses: any other may be closed."""
        return lib.mp_audio_encoder_in_use(self.handle)

    def add_player(self, slot: int, setup: PlayerSetup) -> None:
        """Hear a player in a free slot; raises NativeError."""
        settings = ffi.new("mp_player_settings *")
        settings.calls = setup.calls[0]
        settings.decoder = setup.decoder
        settings.packet_frames = setup.packet_frames
        settings.source_packets = setup.source_packets
        settings.channels = setup.channels
        settings.queue_packets = setup.queue_packets
        settings.target_frames = setup.target_frames
        settings.cover_frames = setup.cover_frames
        settings.take = setup.take
        settings.take_arg = setup.take_arg
        settings.take_index = setup.take_index
        check(lib.mp_audio_add_player(self.handle, slot, settings), f"audio slot {slot}")
        self._player_channels[slot] = setup.channels

    def remove_player(self, slot: int) -> None:
        """Let a player go; its decoder may be closed when `collect` says that none is leaving."""
        check(lib.mp_audio_remove_player(self.handle, slot), f"audio slot {slot}")
        del self._player_channels[slot]

    def collect(self) -> int:
        """Free the players that have left; how many are still leaving."""
        return int(lib.mp_audio_collect(self.handle))

    def has_player(self, slot: int) -> bool:
        """Whether a slot is in use, also by a player who is leaving."""
        return bool(lib.mp_audio_has_player(self.handle, slot))

    def set_decoder(self, slot: int, decoder: Any) -> None:
        """Go on with a new decoder, after `needs_decoder`; raises NativeError."""
        check(lib.mp_audio_set_decoder(self.handle, slot, decoder), f"audio slot {slot}")

    def decoder_in_use(self, slot: int) -> Any:
        """The decoder that the codec thread uses: any other of the slot may be closed."""
        return lib.mp_audio_decoder_in_use(self.handle, slot)

    def set_target(
        self, slot: int, target_frames: float, cover_frames: float = 0.0, *, by_bars: bool = False
    ) -> None:
        """How long a player's packets wait until they are played or, with `by_bars`, decoded.

        `cover_frames` of it they lie decoded, for the case that the system stands still. With
        `by_bars`, `set_pieces` says when they are played. Raises NativeError.
        """
        wait = lib.MP_WAIT_FOR_BARS if by_bars else lib.MP_WAIT_TO_PLAY
        status = lib.mp_audio_set_target(self.handle, slot, wait, target_frames, cover_frames)
        check(status, f"audio slot {slot}, wait of {target_frames} frames")

    def keep(self, slot: int, frames: int) -> None:
        """Keep the last `frames` (a power of two) that are decoded; raises NativeError."""
        check(lib.mp_audio_keep(self.handle, slot, frames), f"audio slot {slot}, {frames} frames")

    def set_pieces(self, pieces: Sequence[Piece]) -> None:
        """What those in bar mode are heard by from now on; raises NativeError."""
        table = ffi.new("mp_piece[]", [_c_piece(piece) for piece in pieces])
        status = lib.mp_audio_set_pieces(self.handle, table, len(pieces))
        check(status, f"{len(pieces)} pieces of bars")

    def receive(self, slot: int, kind: int, data: bytes, capture_us: int, received_ns: int) -> bool:
        """A packet for a player without `take`; False when too many wait."""
        packet = ffi.new(
            "mp_media_packet *",
            {"kind": kind, "size": len(data), "capture_us": capture_us, "received_ns": received_ns},
        )
        packet.bytes[0 : len(data)] = data
        status = lib.mp_audio_receive(self.handle, slot, packet)
        if status != lib.MP_FULL:
            check(status, f"audio slot {slot}")
        return bool(status == lib.MP_OK)

    def set_player_mix(
        self,
        slot: int,
        *,
        gain: float = 1.0,
        pan: float = 0.0,
        mute: bool = False,
        solo: bool = False,
    ) -> None:
        """Linear gain from 0 to 8, pan from -1 (left) to 1; raises NativeError."""
        status = lib.mp_audio_set_player_mix(self.handle, slot, gain, pan, mute, solo)
        check(status, f"audio slot {slot}, gain {gain}, pan {pan}")

    def set_player_link(self, slot: int, link: PlayerLink) -> None:
        """What comes of a player at all; raises NativeError."""
        status = lib.mp_audio_set_player_link(self.handle, slot, _c_link(link))
        check(status, f"audio slot {slot}, {link}")

    def set_player_tape(self, slot: int, link: PlayerLink) -> None:
        """What recordings get of a player, beside what comes of it; raises NativeError."""
        status = lib.mp_audio_set_player_tape(self.handle, slot, _c_link(link))
        check(status, f"audio slot {slot}, {link}")

    def set_own_tape(self, link: PlayerLink) -> None:
        """What recordings get of own input; raises NativeError."""
        check(lib.mp_audio_set_own_tape(self.handle, _c_link(link)), f"own input, {link}")

    def set_master(self, gain: float) -> None:
        """The mix's gain, from 0 to 8; raises NativeError."""
        check(lib.mp_audio_set_master(self.handle, gain), f"master gain {gain}")

    def set_monitor(self, gain: float) -> None:
        """How loud own input is in the own mix, from 0 (off) to 8; raises NativeError."""
        check(lib.mp_audio_set_monitor(self.handle, gain), f"monitor gain {gain}")

    def set_send(self, gain: float) -> None:
        """How loud own input is sent, from 0 (not at all) to 8; raises NativeError."""
        check(lib.mp_audio_set_send(self.handle, gain), f"send gain {gain}")

    def set_own(self, channel: int, place: OwnPlace) -> None:
        """A channel of own input; raises NativeError."""
        status = lib.mp_audio_set_own(
            self.handle, channel, place.gain, place.pan, place.mute, place.solo
        )
        check(status, f"own channel {channel + 1}, gain {place.gain}, pan {place.pan}")

    def player_stats(self, slot: int) -> PlayerStats:
        """How a player is heard; raises NativeError for an empty slot."""
        stats = self._stats
        check(lib.mp_audio_player_stats(self.handle, slot, stats), f"audio slot {slot}")
        values = {name: getattr(stats, name) for name in PlayerStats.__slots__}
        values["latency_us"] = stats.latency_us if stats.latency_us >= 0 else None
        values["playing"] = bool(stats.playing)
        values["needs_decoder"] = bool(stats.needs_decoder)
        return PlayerStats(**values)

    def player_trouble(self, slot: int) -> PlayerTrouble:
        """What of it cannot wait, for many times a second; raises NativeError for an empty slot."""
        check(lib.mp_audio_player_stats(self.handle, slot, self._stats), f"audio slot {slot}")
        return PlayerTrouble(self._stats.late + self._stats.lost, self._stats.used_frames)

    def input_levels(self) -> list[Level]:
        """Own input's, one for each channel."""
        lib.mp_audio_input_levels(self.handle, self._levels)
        return self._read(self._in_channels)

    def mix_levels(self) -> list[Level]:
        """The mix's, one for each channel."""
        lib.mp_audio_mix_levels(self.handle, self._levels)
        return self._read(self._out_channels)

    def player_levels(self, slot: int) -> list[Level]:
        """A player's, one for each channel it sends; raises NativeError for an empty slot."""
        check(lib.mp_audio_player_levels(self.handle, slot, self._levels), f"audio slot {slot}")
        return self._read(self._player_channels[slot])

    def set_tap(self, source: int, tap: Any) -> None:
        """Let a source, a slot or as `tap.py` has them, write into an `mp_tap *` or NULL.

        The one before is free to be closed then. Raises NativeError.
        """
        check(lib.mp_audio_set_tap(self.handle, source, tap), f"tap {source}")

    def input_dropped(self) -> int:
        """Frames of input that the codec thread was too late for."""
        return int(lib.mp_audio_input_dropped(self.handle))

    def _read(self, channels: int) -> list[Level]:
        return [Level(level.peak, level.rms) for level in self._levels[0:channels]]


def _c_link(link: PlayerLink) -> Any:
    mask = sum(1 << (channel - 1) for channel in link.channels) or ALL_CHANNELS
    values = link.gain, mask, link.high_pass_hz, link.low_pass_hz
    return ffi.new("mp_link_settings *", values)


def _c_piece(piece: Piece) -> tuple[int, int, int, int, int]:
    kinds = {
        "bars": lib.MP_PIECE_BARS,
        "silence": lib.MP_PIECE_SILENCE,
        "at_once": lib.MP_PIECE_AT_ONCE,
    }
    times = piece.play_us, piece.play_end_us, piece.capture_us, piece.capture_end_us
    return kinds[piece.kind], *times
