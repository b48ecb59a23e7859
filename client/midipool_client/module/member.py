"""A module as a member of its room: what it hears and plays, with the time read here."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from midipool import messages
from midipool.messages import MemberKind, Midi, MidiFrom, ModuleHealth, ServerMessage, Welcome
from midipool_client.audio.device_choice import ModuleChoice
from midipool_client.audio.engine_messages import HeardFrames, PlayFrames
from midipool_client.audio.options import AudioOptions
from midipool_client.audio_member import AudioMember
from midipool_client.clock_keeper import ClockChange
from midipool_client.follower import Action
from midipool_client.module.frames import Frames, HeardMix, PlayedPlace
from midipool_client.module.notes import HeardNotes, NotesToPlay
from midipool_client.module.song import Song
from midipool_client.room_url import RoomUrl
from midipool_native import host_clock

LOOK_S = 0.1
# Who hears notes at once hears them when they come; so they go out at their time. A timer is late.
TIMER_LATE_US = 1_000


@dataclass(frozen=True, slots=True)
class Shape:
    """What a module hears and plays."""

    audio_in: int
    audio_out: int
    midi_in: bool
    midi_out: bool
    block_frames: int
    latency_frames: int
    rate: int

    @property
    def channels(self) -> int:
        """Of its engine, both ways."""
        return max(self.audio_in, self.audio_out)

    @property
    def kind(self) -> MemberKind:
        """What it is in the room's graph: only what hears and plays can close a circle."""
        hears, plays = self.audio_in or self.midi_in, self.audio_out or self.midi_out
        if hears and plays:
            return "module"
        return "instrument" if plays else "analyzer"

    @property
    def has_audio(self) -> bool:
        """Whether it needs an engine."""
        return self.channels > 0

    def options(self, hearing: AudioOptions) -> AudioOptions:
        """For its engine."""
        return replace(
            hearing,
            channels=self.channels or 1,
            device=ModuleChoice(self.rate, hears=self.audio_in > 0),
            sends=self.audio_out > 0,
        )


@dataclass(frozen=True, slots=True)
class WayIn:
    """What is shown to a room that wants something."""

    password: str | None = None
    invitation: str = ""


class ModuleMember(AudioMember):
    """Hears and plays until cancelled; `news` is set whenever there may be something to read."""

    def __init__(
        self,
        url: RoomUrl,
        name: str,
        hearing: AudioOptions,
        shape: Shape,
        way_in: WayIn = WayIn(),
    ) -> None:
        super().__init__(url, name, shape.options(hearing))
        self.shape, self.kind = shape, shape.kind
        self._way_in = way_in
        self.news = asyncio.Event()
        self.mix = HeardMix(shape.audio_in, shape.channels, shape.block_frames, shape.rate)
        self.played = PlayedPlace(shape.latency_frames)
        self.heard_notes = HeardNotes()
        self.late = 0
        """Frames that came too late to be sent; of all engines so far."""
        self._late_before = self._late_now = 0
        self._notes = NotesToPlay()
        self._note_news = asyncio.Event()
        self.audio.engine.on_heard = self._heard

    # ---- what the module asks ----

    @property
    def joined(self) -> bool:
        """Whether the room let us in, its clock is known, and the engine runs."""
        ready = not self.shape.has_audio or self.audio.engine.ready is not None
        return bool(self.follower.token) and self.room_us() is not None and ready

    @property
    def connected(self) -> bool:
        """Whether the server is there."""
        return self._session.connected

    @property
    def song(self) -> Song:
        """The room's timelines."""
        return Song(self.chain)

    def now_frame(self) -> int | None:
        """The room's frame now; None while its time is not known."""
        now_us = self.room_us()
        return None if now_us is None else self.frame_at(now_us)

    def frame_at(self, time_us: int) -> int:
        """The room's frame at a room time."""
        return -(-time_us * self.shape.rate // 1_000_000)

    def time_of(self, frame: int) -> int:
        """Room time of a frame."""
        return frame * 1_000_000 // self.shape.rate

    def play(self, at: int, frames: Frames) -> None:
        """Send these from frame `at` on."""
        self.audio.engine.tell(PlayFrames(at, frames.tobytes()))

    def play_note(self, time_us: int, data: bytes) -> None:
        """Send a MIDI message then; raises Refused."""
        self._notes.add(time_us, data)
        self._note_news.set()

    # ---- as a member ----

    def parts(self) -> list[Coroutine[Any, Any, None]]:
        """What runs as long as it does."""
        parts = [self._session.run(), self._keep_noting()]
        if self.shape.has_audio:
            return [*parts, self.audio.run(), self._watch_engine()]
        return [*parts, self._keep_ticking()]

    def hello(self) -> messages.Hello:
        """How we introduce ourselves."""
        shown = self._way_in
        return msgspec.structs.replace(
            super().hello(),
            password=shown.password,
            invitation=shown.invitation,
        )

    def welcomed(self, welcome: Welcome) -> None:
        """The server let us in."""
        if self.shape.has_audio:
            super().welcomed(welcome)
        else:
            self.do(self.follower.welcome(welcome, host_clock.now_ns()))

    def status(self) -> messages.MemberStatus | None:
        """How our clock does, and whether the module keeps up."""
        status = super().status()
        if status is None:
            return None
        health = ModuleHealth(self.mix.overruns, self.late + self.played.underruns)
        return msgspec.structs.replace(status, module=health)

    def received(self, message: ServerMessage) -> None:
        """The server says something."""
        super().received(message)
        now_us = self.room_us()
        if isinstance(message, MidiFrom) and self.shape.midi_in and now_us is not None:
            self.heard_notes.came(message, now_us)

    def do(self, actions: list[Action]) -> None:
        """What follows from what came."""
        super().do(actions)
        for action in actions:
            if isinstance(action, ClockChange) and action.shift_us:
                self.heard_notes.shift(action.shift_us)
                self._notes.shift(action.shift_us)
                self.played.forget()
                self.mix.forget()

    # ---- time ----

    def _heard(self, heard: HeardFrames) -> None:
        if heard.late < self._late_now:  # of another engine
            self._late_before += self._late_now
        self._late_now = heard.late
        self.late = self._late_before + heard.late
        self.mix.came(heard.at, heard.count, heard.frames)
        self.news.set()

    async def _keep_ticking(self) -> None:
        """Without an engine time goes on all the same."""
        block, at = self.shape.block_frames, None
        while True:
            now = self.now_frame()
            if now is None:
                await asyncio.sleep(LOOK_S)
                continue
            if at is None or abs(now - at) > self.shape.rate:
                at = now // block * block
            while at + block <= now:
                self.mix.came(at, block, b"")
                at += block
            self.news.set()
            await asyncio.sleep((at + block - now) / self.shape.rate)

    async def _keep_noting(self) -> None:
        while True:
            now_us, wait_s = self.room_us(), LOOK_S
            if now_us is not None:
                here = [m.name for m in self.follower.members if m.connected]
                self.heard_notes.tend(now_us, here)
                self._say(self._notes.give(now_us, TIMER_LATE_US))
                if (next_us := self._notes.next_us()) is not None:
                    wait_s = min(max((next_us - now_us - TIMER_LATE_US) / 1e6, 0.0), LOOK_S)
            self._note_news.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._note_news.wait()
            except TimeoutError:
                pass

    def _say(self, given: list[Midi]) -> None:
        for message in given:
            self.send(message)
