"""The members whom the engine hears: decoder, slot and ports of each, as the client wants them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from midipool.audio.encoding import STREAM_RATE
from midipool.errors import MidiPoolError
from midipool_client.audio.device import AudioDevice
from midipool_client.audio.engine_messages import Level, Voice, VoiceFailure, VoiceLink, VoiceStatus
from midipool_client.audio.levels import loudest
from midipool_native._rt import ffi, lib
from midipool_native.audio import MAX_PLAYERS, MOST_KEPT, PlayerLink, PlayerSetup
from midipool_native.media_socket import MediaSocket
from midipool_native.roc import Context, Decoder, DecoderSettings

# What comes waits here for at most 0.2 s, also when the codec thread is late.
QUEUE_PACKETS = 512
PLAIN = VoiceLink()


@dataclass
class _Slot:
    voice: Voice
    """As it is heard."""
    decoder: Decoder
    spare: Decoder
    """For when the stream begins anew; it was handed over already."""
    channels: int
    """Those that it has in the mixer: what the sender sends now is converted."""
    kept_frames: int = 0
    leaving: bool = False
    used_frames: int = 0
    """Of the cover, since it was said last."""
    troubles: int = 0
    """Packets that were late or lost."""
    latency_us: int = 0
    """As it was known last."""


class Voices:
    """Brings the slots of mixer, socket and device to what is wanted; `tend` is called often."""

    def __init__(
        self,
        device: AudioDevice,
        socket: MediaSocket,
        roc: Context,
        open_decoder: Callable[[Context, DecoderSettings], Decoder] = Decoder,
    ) -> None:
        self._device, self._core = device, device.core
        self._socket = socket
        self._roc = roc
        self._open_decoder = open_decoder
        self._calls: Any = roc.library.calls()
        self._key_id: int | None = None
        self._wanted: dict[str, Voice] = {}
        self._slots: dict[int, _Slot] = {}
        self._failures: dict[str, VoiceFailure] = {}
        self._numbers: dict[str, int] = {}
        """Who has which slot; it is kept while the member is wanted, and so are its ports."""

    def want(self, voices: list[Voice]) -> None:
        """All who are to be heard."""
        self._wanted = {voice.name: voice for voice in voices[:MAX_PLAYERS]}
        self.tend()

    def set_key(self, key_id: int) -> None:
        """They seal with this key from now on."""
        self._key_id = key_id
        for slot, held in self._slots.items():
            if not held.leaving:
                self._socket.hear(slot, held.voice.sender, key_id)

    def tend(self) -> None:
        """Do what can be done now: a player leaves its slot only when the mixer let go of it."""
        self._core.collect()
        for slot in [s for s, held in self._slots.items() if held.leaving]:
            if not self._core.has_player(slot):
                self._free(slot)
        for name in [n for n in self._numbers if n not in self._wanted]:
            self._let_go(name)
        if self._key_id is not None:
            for voice in self._wanted.values():
                self._follow(voice, self._key_id)
        for slot, held in self._slots.items():
            if not held.leaving:
                self._renew(slot, held)

    @property
    def wait(self) -> bool:
        """Whether somebody is to be heard whose slot the mixer has not let go of yet."""
        leaving = {held.voice.name for held in self._slots.values() if held.leaving}
        return any(name in leaving and voice.linked for name, voice in self._wanted.items())

    def in_trouble(self) -> bool:
        """Whether anybody's packets were late or lost since the last call."""
        found = False
        for slot, held in self._slots.items():
            if not held.leaving:
                trouble = self._core.player_trouble(slot)
                held.used_frames = max(held.used_frames, trouble.used_frames)
                found = found or trouble.packets != held.troubles
                held.troubles = trouble.packets
        return found

    def status(self, levels: Mapping[str, Level]) -> list[VoiceStatus]:
        """How each is heard, and how loud, by `levels`."""
        return [
            self._status(slot, held, levels.get(held.voice.name, Level()))
            for slot, held in self._slots.items()
            if not held.leaving
        ]

    def failures(self) -> list[VoiceFailure]:
        """Who cannot be heard, and why."""
        return [self._failures[name] for name in self._wanted if name in self._failures]

    def levels(self) -> dict[str, Level]:
        """How loud each was since the last call."""
        return {
            held.voice.name: loudest(self._core.player_levels(slot))
            for slot, held in self._slots.items()
            if not held.leaving
        }

    def taped(self) -> list[tuple[int, str, int]]:
        """(slot, name, channels) of each that a recording gets."""
        return [
            (slot, held.voice.name, held.channels)
            for slot, held in self._slots.items()
            if not held.leaving and held.voice.tape is not None
        ]

    def later_us(self) -> dict[int, int]:
        """By slot: how much later than it was played each is heard."""
        return {slot: held.latency_us for slot, held in self._slots.items()}

    def close(self) -> None:
        """Free the decoders; the mixer does not run any more."""
        for held in self._slots.values():
            held.decoder.close()
            held.spare.close()
        self._slots.clear()

    # ---- inside ----

    def _follow(self, voice: Voice, key_id: int) -> None:
        slot = self._numbers.get(voice.name)
        if slot is None:
            slot = self._take_number(voice)
            if slot is None:
                return
        held = self._slots.get(slot)
        if not voice.linked:
            self._silence(slot)
        elif held is None:
            self._try_to_enter(slot, voice, key_id)
        elif held.leaving:
            return
        elif voice.channels > held.channels:
            self._core.remove_player(slot)
            held.leaving = True
        else:
            self._adjust(slot, held, voice, key_id)

    def _take_number(self, voice: Voice) -> int | None:
        taken = set(self._numbers.values()) | set(self._slots)
        slot = next((n for n in range(MAX_PLAYERS) if n not in taken), None)
        if slot is not None:
            self._numbers[voice.name] = slot
            self._device.add_ports(slot, voice.name)
        return slot

    def _try_to_enter(self, slot: int, voice: Voice, key_id: int) -> None:
        """The others are heard all the same when one cannot be."""
        failure = self._failures.pop(voice.name, None)
        if failure is not None and failure.attempt == voice.attempt:
            self._failures[voice.name] = failure
            return
        decoders: list[Decoder] = []
        try:
            for _ in range(2):
                decoders.append(self._decoder(voice, voice.channels))
            self._enter(slot, voice, key_id, *decoders)
        except MidiPoolError as error:
            self._failures[voice.name] = VoiceFailure(voice.name, voice.attempt, str(error))
            if slot in self._slots:  # the mixer has them, and lets go of them first
                self._silence(slot)
                return
            if len(decoders) == 2:
                self._socket.unhear(slot)
            for decoder in decoders:
                decoder.close()

    def _enter(
        self, slot: int, voice: Voice, key_id: int, decoder: Decoder, spare: Decoder
    ) -> None:
        setup = PlayerSetup(
            calls=self._calls,
            decoder=decoder.handle,
            packet_frames=voice.encoding.packet_frames,
            channels=voice.channels,
            target_frames=_frames(voice.target_us),
            cover_frames=_frames(voice.cover_us),
            source_packets=voice.encoding.source_packets,
            queue_packets=QUEUE_PACKETS,
            take=ffi.cast("mp_audio_take", ffi.addressof(lib, "mp_media_socket_take")),
            take_arg=self._socket.handle,
            take_index=slot,
        )
        self._socket.hear(slot, voice.sender, key_id)
        self._core.add_player(slot, setup)
        self._slots[slot] = held = _Slot(voice, decoder, spare, voice.channels)
        self._core.set_decoder(slot, held.spare.handle)
        self._keep(slot, held)
        if voice.by_bars:
            self._wait(slot, voice)
        self._mix(slot, held.voice)
        if voice.link != PLAIN:
            self._core.set_player_link(slot, as_native(voice.link))
        if voice.tape is not None and voice.tape != PLAIN:
            self._core.set_player_tape(slot, as_native(voice.tape))

    def _adjust(self, slot: int, held: _Slot, voice: Voice, key_id: int) -> None:
        before, held.voice = held.voice, voice
        if voice.sender != before.sender:
            self._socket.hear(slot, voice.sender, key_id)
        self._keep(slot, held)
        if _wait_of(voice) != _wait_of(before):
            self._wait(slot, voice)
        if _mix_of(voice) != _mix_of(before):
            self._mix(slot, voice)
        if voice.link != before.link:
            self._core.set_player_link(slot, as_native(voice.link))
        if voice.tape is not None and voice.tape != before.tape:
            self._core.set_player_tape(slot, as_native(voice.tape))

    def _wait(self, slot: int, voice: Voice) -> None:
        target_frames, cover_frames = _frames(voice.target_us), _frames(voice.cover_us)
        self._core.set_target(slot, target_frames, cover_frames, by_bars=voice.by_bars)

    def _keep(self, slot: int, held: _Slot) -> None:
        """Have enough kept for its bars; less is not asked for again."""
        frames = min(1 << max(round(_frames(held.voice.keep_us)) - 1, 0).bit_length(), MOST_KEPT)
        if held.voice.keep_us and frames > held.kept_frames:
            self._core.keep(slot, frames)
            held.kept_frames = frames

    def _mix(self, slot: int, voice: Voice) -> None:
        self._core.set_player_mix(
            slot, gain=voice.gain, pan=voice.pan, mute=voice.mute, solo=voice.solo
        )

    def _renew(self, slot: int, held: _Slot) -> None:
        """A stream that began anew took the spare decoder: have one for the next time."""
        if self._core.decoder_in_use(slot) == held.spare.handle:
            held.decoder.close()
            held.decoder, held.spare = held.spare, self._decoder(held.voice, held.channels)
            self._core.set_decoder(slot, held.spare.handle)

    def _let_go(self, name: str) -> None:
        slot = self._numbers.pop(name)
        self._device.remove_ports(slot)
        self._silence(slot)

    def _silence(self, slot: int) -> None:
        """Hear it no more; nothing is asked for that it sends, nor missed."""
        held = self._slots.get(slot)
        if held is not None and not held.leaving:
            self._core.remove_player(slot)
            held.leaving = True

    def _free(self, slot: int) -> None:
        held = self._slots.pop(slot)
        self._socket.unhear(slot)
        held.decoder.close()
        held.spare.close()

    def _decoder(self, voice: Voice, channels: int) -> Decoder:
        settings = DecoderSettings(
            channels=channels, fec=True, target_latency_us=voice.encoding.packet_us
        )
        return self._open_decoder(self._roc, settings)

    def _status(self, slot: int, held: _Slot, level: Level) -> VoiceStatus:
        stats, sender = self._core.player_stats(slot), self._socket.look_at(slot)
        used_frames, held.used_frames = max(stats.used_frames, held.used_frames), 0
        frames = held.voice.encoding.packet_frames
        if stats.latency_us is not None:  # else it is silent, and will be heard as late again
            held.latency_us = stats.latency_us
        return VoiceStatus(
            name=held.voice.name,
            came=stats.packets,
            lost=stats.lost,
            repaired=stats.repaired,
            late=stats.late,
            played_frames=(stats.packets + stats.lost) * frames,
            concealed_frames=stats.concealed_frames,
            used_frames=used_frames,
            latency_us=stats.latency_us,
            jitter_us=round(stats.jitter_p95_us),
            wait_us=round(stats.wait_frames * 1e6 / STREAM_RATE),
            floor_us=round(stats.floor_frames * 1e6 / STREAM_RATE),
            rms=level.rms,
            peak=level.peak,
            dropped=stats.overflow + (0 if sender is None else sender.dropped),
            reordered=0 if sender is None else sender.reordered,
            duplicates=0 if sender is None else sender.duplicates,
            relayed=sender is None or bool(sender.via_relay),
            silence_us=None if sender is None else sender.silence_us,
            direct_silence_us=None if sender is None else sender.direct_silence_us,
        )


def _frames(us: int) -> float:
    return us * STREAM_RATE / 1e6


def _wait_of(voice: Voice) -> tuple[int, int, bool]:
    return voice.target_us, voice.cover_us, voice.by_bars


def as_native(link: VoiceLink) -> PlayerLink:
    """The same for the mixer."""
    return PlayerLink(link.gain, link.channels, link.high_pass_hz, link.low_pass_hz)


def _mix_of(voice: Voice) -> tuple[float, float, bool, bool]:
    return voice.gain, voice.pan, voice.mute, voice.solo
