"""The audio engine: a program of its own with devices, mixer, libroc and the media socket.

It reads what to do from standard input and reports on standard output (engine_messages.py). When
its input ends it goes. `python -m midipool_client.audio.engine CONFIG`, CONFIG being JSON. One
thread does all but what has a deadline, which is in C.
"""

import os
import select
import signal
import sys
import time
from typing import BinaryIO

import msgspec

from midipool.audio.encoding import Encoding
from midipool.errors import InvalidMessage, MidiPoolError
from midipool_client.audio.connections import Connections
from midipool_client.audio.device import open_device
from midipool_client.audio.engine_messages import (
    AudioConfig,
    AudioProblem,
    AudioReady,
    AudioStatus,
    FromAudioEngine,
    Greet,
    Inserts,
    Level,
    Levels,
    Mix,
    MuteTake,
    NoSeat,
    Pieces,
    PlayFrames,
    PlayTake,
    Rare,
    Raw,
    Record,
    RecordEnd,
    RecordMoved,
    Repairs,
    RoomClock,
    Seat,
    Send,
    Tape,
    ToAudioEngine,
    Watch,
    Way,
    Ways,
    decode_to_engine,
    encode,
)
from midipool_client.audio.engine_messages import Voices as WantedVoices
from midipool_client.audio.inserts import EngineInserts
from midipool_client.audio.levels import loudest
from midipool_client.audio.old_keys import OldKeys
from midipool_client.audio.room_device import RoomDevice
from midipool_client.audio.voices import Voices, as_native
from midipool_client.engine.framing import Input
from midipool_client.module.device import ModuleDevice
from midipool_client.playback.device import TakePlayback
from midipool_client.recording.engine_part import EngineRecording
from midipool_native import host_clock
from midipool_native._rt import ffi, lib
from midipool_native.audio import EncoderSetup, OwnPlace
from midipool_native.checks import JACK_FAILED, NativeError
from midipool_native.media_address import Address
from midipool_native.media_socket import Destination, MediaSocket, open_udp
from midipool_native.roc import Context, Encoder, EncoderSettings, Fec

# How often all is looked at, and said if something happened; and said if nothing did.
LOOK_S, SAYS_EVERY = 0.1, 3
OPEN_AGAIN_S = 0.5
# The mixer lets go of a player within a cycle.
LET_GO_S = 0.005
# JACK refuses a client now and then where the system is late.
FIRST_TRIES = 5
# Behind JACK's own threads, as the codec thread is.
SOCKET_PRIORITY = 3


class Output:
    """Says what the engine has to say; the client may be gone."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._complaint = ""

    def say(self, message: FromAudioEngine) -> None:
        """One message."""
        try:
            self._out.write(encode(message))
            self._out.flush()
        except OSError:
            pass  # Our input ends as well.

    def say_if_read(self, message: FromAudioEngine) -> None:
        """One message of less than a page, unless it had to wait for the client."""
        if select.select([], [self._out], [], 0)[1]:
            self.say(message)

    def complain(self, text: str) -> None:
        """Say once what is wrong, not at every try."""
        if text != self._complaint:
            self._complaint = text
            self.say(AudioProblem(text))


class AudioEngine:
    """Owns the device, the socket, and libroc's encoder and decoders."""

    def __init__(self, config: AudioConfig, output: Output) -> None:
        """Raises MidiPoolError; then nothing is left open."""
        self._config = config
        self._output = output
        self._roc = Context()
        opened = open_device(config)
        self._device = opened.device
        self._module = opened.device if isinstance(opened.device, ModuleDevice) else None
        try:
            self._inserts = EngineInserts(self._device.core, config.effects_fd)
            self._socket = MediaSocket(open_udp(port=config.media_port), priority=SOCKET_PRIORITY)
        except MidiPoolError:
            self._device.close()
            raise
        self._voices = Voices(self._device, self._socket, self._roc)
        self._connections = Connections(self._device, config.connections)
        self._encoder: Encoder | None = None
        self._old_encoders: list[Encoder] = []
        self._old_keys = OldKeys()
        self._seated = False
        self._watch_s = 0.0
        self._levels = Levels()
        self._device.core.set_arrive(
            ffi.addressof(lib, "mp_media_socket_arrive"), self._socket.handle
        )
        info = self._device.info()
        self._recording = EngineRecording(
            self._device.core, info.rate, config.channels, config.channels
        )
        text = f"{self._device.text}; UDP port {self._socket.port} ({opened.why})"
        # Right behind the callback whose frames it encodes and decodes.
        realtime = self._device.core.start(max(info.priority - 1, 0))
        ready = AudioReady(
            text,
            info.rate,
            info.period,
            realtime,
            self._socket.port,
            opened.choice,
            info.priority,
        )
        output.say(ready)

    def run(self, source: Input) -> None:
        """Work until the input ends or the device goes."""
        next_look_s = next_levels_s = time.monotonic()
        unsaid = SAYS_EVERY
        while not source.ended and self._is_alive():
            next_s = min(next_look_s, next_levels_s) if self._watch_s else next_look_s
            wait_s = max(next_s - time.monotonic(), 0.0)
            if self._module is not None:
                wait_s = min(wait_s, self._module.cycle_s)
            if self._voices.wait:
                wait_s = min(wait_s, LET_GO_S)
            readable, _, _ = select.select([source.fd, self._socket.fileno()], [], [], wait_s)
            if source.fd in readable:
                for body in source.take():
                    self._take_safely(body)
            self._pass_rare()
            self._pass_heard()
            looks = time.monotonic() >= next_look_s
            if source.fd in readable or self._voices.wait or looks:
                self._tend()
            if self._watch_s and time.monotonic() >= next_levels_s:
                next_levels_s = time.monotonic() + self._watch_s
                self._levels = self._measure()
                self._output.say(self._levels)
            if looks:
                next_look_s = time.monotonic() + LOOK_S
                self._connections.tend()
                unsaid += 1
                # A buffer that is too short grows at once.
                if self._voices.in_trouble() or unsaid >= SAYS_EVERY:
                    unsaid = 0
                    self._output.say(self._status())

    def _tend(self) -> None:
        """What STUN, which comes often, has no need of."""
        self._voices.tend()
        for key_id in self._old_keys.over(time.monotonic_ns()):
            self._socket.remove_key(key_id)
        taped, own_sounds = self._voices.taped(), self._inserts.own_sounds
        self._recording.tend(taped, own_sounds, time.monotonic_ns())
        self._close_old_encoders()

    def _is_alive(self) -> bool:
        if trouble := self._device.trouble():
            self._output.complain(trouble)
        return not trouble

    def close(self) -> None:
        """Stop what has deadlines first, then free what it used."""
        self._recording.close()
        self._device.close()
        self._socket.close()
        self._voices.close()
        self._roc.close()

    # ---- what the client says ----

    def _take_safely(self, body: bytes) -> None:
        try:
            self._take(decode_to_engine(body))
        except (MidiPoolError, InvalidMessage) as error:
            self._output.complain(str(error))

    def _take(self, message: ToAudioEngine) -> None:
        match message:
            case Seat():
                self._socket.add_key(message.key_id, message.key)
                self._socket.send_as(message.key_id, message.key, message.sender, message.after)
                self._voices.set_key(message.key_id)
                self._old_keys.changed(message.key_id, time.monotonic_ns())
                self._seated = True
            case NoSeat():
                self._socket.send_nothing()
                self._seated = False
            case WantedVoices():
                self._voices.want(message.voices)
            case Pieces():
                self._device.core.set_pieces(message.pieces)
            case Mix():
                self._device.core.set_master(message.master)
                self._device.core.set_monitor(message.monitor)
                self._device.core.set_send(message.send)
                for index, own in enumerate(message.channels[: self._config.channels]):
                    place = OwnPlace(own.gain, own.pan, own.mute, own.solo)
                    self._device.core.set_own(index, place)
            case Watch():
                self._watch_s = message.every_ms / 1000
            case Send():
                self._send(message.encoding, message.channels)
            case Repairs():
                self._device.core.set_repairs(message.wanted)
            case Ways():
                relay = message.relay
                self._socket.set_relay(None if relay is None else Address(*relay))
                self._socket.set_destinations(map(_destination, message.ways))
            case RoomClock():
                self._socket.set_map(message.map)
                self._device.core.set_map(message.map)
                self._recording.follow_clock(message.map)
                if isinstance(self._device, RoomDevice):
                    self._device.follow_clock(message.map)
            case PlayTake() if isinstance(self._device, TakePlayback):
                self._device.play(message.pieces)
            case MuteTake() if isinstance(self._device, TakePlayback):
                self._device.mute(message.tracks)
            case PlayFrames() if self._module is not None:
                self._module.play(message.at, message.frames)
            case Record():
                self._recording.begin(message, self._inserts.own_sounds)
            case RecordMoved():
                self._recording.moved(message.from_us)
            case Tape(own=own):
                self._recording.tape_own(None if own is None else as_native(own))
            case RecordEnd():
                self._recording.end(self._voices.later_us(), time.monotonic_ns())
            case Inserts():
                self._inserts.set(message)
            case Raw():
                self._socket.send_raw(Address(*message.to), message.data)
            case Greet():
                if self._seated:
                    self._socket.hello(Address(*message.relay), message.now_us)
                    self._socket.keepalive(message.now_us)

    def _send(self, encoding: Encoding, channels: int) -> None:
        fec = Fec(encoding.source_packets, encoding.repair_packets)
        settings = EncoderSettings(
            channels=self._config.channels,
            packet_frames=encoding.packet_frames,
            fec=fec,
            wire_channels=min(channels, self._config.channels),
        )
        encoder = Encoder(self._roc, settings)
        self._device.core.set_encoder(
            EncoderSetup(
                calls=self._roc.library.calls(),
                encoder=encoder.handle,
                packet_frames=encoding.packet_frames,
                send=ffi.addressof(lib, "mp_media_socket_send"),
                send_arg=self._socket.handle,
                source_packets=encoding.source_packets,
                repair_packets=encoding.repair_packets,
            )
        )
        if self._encoder is not None:
            self._old_encoders.append(self._encoder)
        self._encoder = encoder

    def _close_old_encoders(self) -> None:
        newest = self._encoder
        if newest is None or self._device.core.encoder_in_use() != newest.handle:
            return
        for encoder in self._old_encoders:
            encoder.close()
        self._old_encoders.clear()

    # ---- what it says ----

    def _pass_rare(self) -> None:
        for rare in self._socket.rare():
            source = (rare.sender.ip, rare.sender.port)
            self._output.say(Rare(rare.is_stun, source, rare.data, rare.received_ns))

    def _pass_heard(self) -> None:
        while self._module is not None and (heard := self._module.heard()) is not None:
            # A module that does not read must not hold us up: it misses what it could not take.
            self._output.say_if_read(heard)

    def _measure(self) -> Levels:
        core = self._device.core
        return Levels(
            [Level(level.peak, level.rms) for level in core.input_levels()],
            loudest(core.mix_levels()),
            self._voices.levels(),
        )

    def _status(self) -> AudioStatus:
        # A look at the levels begins them anew: while somebody watches, the newest will do.
        levels = self._levels if self._watch_s else self._measure()
        counts = self._socket.counts()
        info = self._device.info()
        return AudioStatus(
            voices=self._voices.status(levels.voices),
            failures=self._voices.failures(),
            input_rms=levels.input.rms,
            mix_rms=levels.mix.rms,
            counter=counts["counter"],
            counts=counts,
            xruns=info.xruns,
            connections=self._connections.known,
            period=info.period,
            note=self._device.note(),
            recorded=self._recording.status(),
            inserts=self._inserts.status(),
        )


def _destination(way: Way) -> Destination:
    until_ns = host_clock.now_ns() + way.for_us * 1000 if way.for_us else None
    return Destination(Address(*way.to), until_ns)


def _may_pass(error: MidiPoolError) -> bool:
    return isinstance(error, NativeError) and error.status == JACK_FAILED


def open_engine(config: AudioConfig, output: Output, source: Input) -> AudioEngine | None:
    """The engine; None when it cannot be. One that was there before is waited for."""
    tries = 0
    while not source.ended:
        tries += 1
        try:
            return AudioEngine(config, output)
        except MidiPoolError as error:
            output.complain(str(error))
            if not config.again and (tries == FIRST_TRIES or not _may_pass(error)):
                return None
        output.say(AudioStatus([], 0.0, 0.0, 0, {}, 0, config.connections, open=False))
        readable, _, _ = select.select([source.fd], [], [], OPEN_AGAIN_S)
        if readable:
            source.take()  # Nothing of it is for us: all is said anew when we are ready.
    return None


def main() -> int:
    """Run an engine as the client configured it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the client decides when to end
    host_clock.set_off_for_tests()
    host_clock.name_thread("midipool-audio")
    host_clock.lock_memory()
    config = msgspec.json.decode(sys.argv[1], type=AudioConfig)
    output = Output(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)  # what a library prints must not get between our messages
    source = Input(0)
    engine = open_engine(config, output, source)
    if engine is None:
        return 1
    try:
        engine.run(source)
    finally:
        engine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
