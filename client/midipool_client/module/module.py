"""`Module`: what a program uses to be a member of a room. The edge where time is read."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from midipool.audio.profiles import DEFAULT_PROFILE, ProfileName
from midipool.errors import InvalidValue, MidiPoolError, Unavailable
from midipool.messages import check_name
from midipool.meter import Meter
from midipool_client.audio.options import AudioOptions
from midipool_client.module.frames import Cut, Frames, frames_of
from midipool_client.module.member import ModuleMember, Shape, WayIn
from midipool_client.module.notes import Played, midi_bytes
from midipool_client.module.song import GridLine, Song
from midipool_client.room_url import parse_room_url

RATE = 48_000
LEAST_BLOCK, MOST_BLOCK = 64, 9_600
LEAST_LATENCY_MS, MOST_LATENCY_MS = 5.0, 250.0
# So much of what is written waits for its time at most; `write` waits for the rest of it.
AHEAD_S, CHUNK_S = 0.25, 0.05
JOIN_S, LOOK_S = 10.0, 0.02
CHANNELS = (0, 1, 2, 4)
NAME_VARIABLE, INVITATION_VARIABLE = "MIDIPOOL_MODULE_NAME", "MIDIPOOL_INVITATION"
CERTIFICATE_VARIABLE = "MIDIPOOL_SERVER_CERTIFICATE"


class ModuleEnded(MidiPoolError):
    """The module is to end: `async with` takes this as the end of its block."""


@dataclass(frozen=True, slots=True)
class Block:
    """What was heard from `time_us` on, and when the answer to it is played."""

    frames: Frames
    """(n, audio_in) floats, full scale being 1."""
    time_us: int
    """Room time of the first frame."""
    due_us: int
    """Room time at which the first frame sounds that `write` takes now."""
    midi: tuple[Played, ...]
    """What the others played since the block before."""
    rate: int
    _song: Song

    def __len__(self) -> int:
        """How many frames it has."""
        return len(self.frames)

    @property
    def beats(self) -> float:
        """Where the song is at `due_us`, in beats from 0."""
        return self._song.beats_at(self.due_us)

    def grid(self, step_beats: float = 1.0) -> Iterator[tuple[int, float]]:
        """(frame, beats) of each line of a grid that falls into the answer to this block."""
        end_us = self.due_us + len(self.frames) * 1_000_000 // self.rate
        for line in self._song.grid(self.due_us, end_us, step_beats):
            frame = (line.time_us - self.due_us) * self.rate // 1_000_000
            yield min(frame, len(self.frames) - 1), line.beats


class Module:
    """A member of a room that is a program: an async context manager, and an iterator of blocks.

    It hears the mix of what the room lets it hear, never itself, at 48 kHz. What it writes goes out
    as if it were played at its room time; what comes later than that is left out and counted.
    """

    def __init__(
        self,
        url: str,
        name: str = "module",
        *,
        audio_in: int = 2,
        audio_out: int = 2,
        midi_in: bool = False,
        midi_out: bool = False,
        block_frames: int = 480,
        latency_ms: float = 30.0,
        profile: ProfileName = DEFAULT_PROFILE,
        bars: int = 1,
        max_latency_ms: float = 100.0,
        password: str | None = None,
        invitation: str = "",
    ) -> None:
        """Raises InvalidValue. `latency_ms` is from what is read to the answer to it.

        `profile`, `bars` and `max_latency_ms` say how the others are heard; `password` or
        `invitation` opens a room that wants one. A server that starts the module gives it its
        name, an invitation and the server's certificate, by environment variables.
        """
        for field, channels in (("audio_in", audio_in), ("audio_out", audio_out)):
            if channels not in CHANNELS:
                raise InvalidValue(field, f"must be 0, 1, 2 or 4, not {channels!r}")
        if not LEAST_BLOCK <= block_frames <= MOST_BLOCK:
            raise InvalidValue("block_frames", f"must be {LEAST_BLOCK} to {MOST_BLOCK}")
        if not LEAST_LATENCY_MS <= latency_ms <= MOST_LATENCY_MS:
            text = f"must be {LEAST_LATENCY_MS:g} to {MOST_LATENCY_MS:g}"
            raise InvalidValue("latency_ms", text)
        self.name = check_name(os.environ.get(NAME_VARIABLE, name))
        self.rate, self.block_frames = RATE, block_frames
        self.latency_frames = round(latency_ms * RATE / 1000)
        shape = Shape(
            audio_in, audio_out, midi_in, midi_out, block_frames, self.latency_frames, RATE
        )
        hearing = AudioOptions(profile=profile, bars=bars, max_latency_ms=max_latency_ms)
        self._shape = shape
        invitation = os.environ.get(INVITATION_VARIABLE, invitation)
        way_in = WayIn(password, invitation)
        certificate = os.environ.get(CERTIFICATE_VARIABLE, "")
        where = replace(parse_room_url(url), certificate=certificate)
        self._member = ModuleMember(where, self.name, hearing, shape, way_in)
        self._task: asyncio.Task[None] | None = None
        self._ending = False
        self._signals: list[signal.Signals] = []

    # ---- coming and going ----

    async def __aenter__(self) -> Self:
        """Join the room; raises Unavailable or Refused."""
        self._task = asyncio.create_task(self._member.run())
        self._task.add_done_callback(lambda _: self._member.news.set())
        try:
            async with asyncio.timeout(JOIN_S):
                while not self._member.joined:
                    self._check()
                    await asyncio.sleep(LOOK_S)
        except BaseException as error:
            await self._leave()
            if isinstance(error, TimeoutError):
                raise Unavailable(f"the room does not let {self.name!r} in") from None
            raise
        self._end_by_signals()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        await self._leave()
        return isinstance(error, ModuleEnded)

    async def _leave(self) -> None:
        loop = asyncio.get_running_loop()
        for number in self._signals:
            loop.remove_signal_handler(number)
        self._signals.clear()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def end(self) -> None:
        """Have the blocks end; `read` and `write` raise ModuleEnded from now on."""
        self._ending = True
        self._member.news.set()

    def _end_by_signals(self) -> None:
        """SIGTERM and SIGINT end it in order, where that can be asked for; a second one at once."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, self._signalled, number)
                self._signals.append(number)

    def _signalled(self, number: signal.Signals) -> None:
        asyncio.get_running_loop().remove_signal_handler(number)
        self._signals.remove(number)
        self.end()

    def _check(self) -> None:
        """Raise why it cannot go on, if it cannot."""
        if self._ending:
            raise ModuleEnded(f"{self.name} is to end")
        if self._task is None:
            raise Unavailable("a module is in its room inside of `async with` only")
        if self._task.done():
            self._task.result()

    # ---- blocks ----

    async def __aiter__(self) -> AsyncIterator[Block]:
        """One block after the other, until the module is to end."""
        with contextlib.suppress(ModuleEnded):
            while True:
                yield await self.read()

    async def read(self) -> Block:
        """The next block, when it is there; raises Unavailable, Refused or ModuleEnded."""
        while True:
            self._check()
            if (cut := self._member.mix.next()) is not None:
                return self._block(cut)
            self._member.news.clear()
            await self._member.news.wait()

    def _block(self, cut: Cut) -> Block:
        member = self._member
        member.played.read(cut.at)
        return Block(
            cut.frames,
            member.time_of(cut.at),
            member.time_of(cut.at + self.latency_frames),
            member.heard_notes.take(),
            self.rate,
            member.song,
        )

    async def write(self, frames: Any, at_us: int | None = None) -> None:
        """Play frames, (n,) or (n, audio_out), behind the last ones, or at a room time.

        What is written in answer to a block sounds at its `due_us`. Waits while a quarter of a
        second waits to be played. Raises InvalidValue, Unavailable, Refused or ModuleEnded.
        """
        self._check()
        if not self._shape.audio_out:
            raise InvalidValue("frames", "this module has no audio_out")
        sound = frames_of(frames, self._shape.audio_out, self._shape.channels)
        chunk = round(self.rate * CHUNK_S)
        at = None if at_us is None else self._member.frame_at(at_us)
        for begin in range(0, len(sound), chunk):
            part = sound[begin : begin + chunk]
            now = await self._room_for(at)
            place = self._member.played.place(len(part), now, at)
            self._member.play(place, part)
            at = None if at is None else at + len(part)

    async def _room_for(self, at: int | None) -> int:
        """Wait until what is to be written is due soon; the room's frame then."""
        while True:
            self._check()
            now, begin = self._member.now_frame(), at
            if begin is None:
                begin = self._member.played.next
            if now is not None:
                early_s = 0.0 if begin is None else (begin - now) / self.rate - AHEAD_S
                if early_s <= 0.0:
                    return now
                await asyncio.sleep(min(early_s + LOOK_S, 0.1))
            else:
                await asyncio.sleep(LOOK_S)

    # ---- MIDI ----

    def write_midi(
        self, message: Any, at_beats: float | None = None, at_us: int | None = None
    ) -> None:
        """Play a MIDI message, bytes or one of mido's: now, or when the song comes to a beat.

        Raises InvalidValue; Refused where more wait than may.
        """
        if not self._shape.midi_out:
            raise InvalidValue("message", "this module has no midi_out")
        data, now_us = midi_bytes(message), self.room_us
        if at_beats is not None:
            at_us = self._member.song.time_at(at_beats, now_us)
            if at_us is None:
                text = "the song does not come there by what the room agreed upon"
                raise InvalidValue("at_beats", text)
        self._member.play_note(now_us if at_us is None else at_us, data)

    # ---- the room ----

    @property
    def room_us(self) -> int:
        """The room's time now, in µs; raises Unavailable where it is not known."""
        now_us = self._member.room_us()
        if now_us is None:
            raise Unavailable("the room's clock is not known yet")
        return now_us

    def beats_at(self, time_us: int) -> float:
        """Where the song is at a room time, in beats (quarter notes) from 0."""
        return self._member.song.beats_at(time_us)

    def time_at(self, beats: float) -> int | None:
        """When the song next comes to a beat; None: it does not, by what is agreed."""
        return self._member.song.time_at(beats, self.room_us)

    def grid(self, from_us: int, to_us: int, step_beats: float = 1.0) -> Iterator[GridLine]:
        """The lines of a grid between two room times; none while the song stands."""
        return self._member.song.grid(from_us, to_us, step_beats)

    @property
    def beats(self) -> float:
        """Where the song is now."""
        return self.beats_at(self.room_us)

    @property
    def position(self) -> tuple[int, int]:
        """Bar and beat now, both from 1."""
        return self._member.song.position_at(self.room_us)

    @property
    def tempo(self) -> float:
        """Beats a minute now."""
        return self._member.song.tempo_at(self.room_us)

    @property
    def meter(self) -> Meter:
        """The meter now."""
        return self._member.song.meter_at(self.room_us)

    @property
    def playing(self) -> bool:
        """Whether the song runs now."""
        return self._member.song.playing_at(self.room_us)

    @property
    def connected(self) -> bool:
        """Whether the server is there; without it the song and all sound go on."""
        return self._member.connected

    @property
    def members(self) -> list[str]:
        """Who is in the room, this one too."""
        return [m.name for m in self._member.follower.members if m.connected]

    # ---- how it does ----

    @property
    def underruns(self) -> int:
        """Frames that were not written in time, so far."""
        return self._member.late + self._member.played.underruns

    @property
    def overruns(self) -> int:
        """Frames that were not read in time, so far."""
        return self._member.mix.overruns
