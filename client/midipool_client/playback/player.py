"""Plays one of the user's recordings into the room: the client's side, where time is read."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from midipool.errors import MidiPoolError, Refused, Unavailable
from midipool.messages import Error, Ok, SetMeter, SetTempo, TransportCommand
from midipool.meter import Loop
from midipool_client.audio.device_choice import TakeChoice
from midipool_client.audio.options import AudioOptions
from midipool_client.playback.member import TakeMember
from midipool_client.playback.opened import OpenedTake, Wanted, muted_of, open_take
from midipool_client.playback.plan import TakePlan
from midipool_client.playback.song import TakeSong
from midipool_client.playback.sound import CHANNELS
from midipool_client.playback.words import member_name, plan_in_words
from midipool_client.recording.library import Library
from midipool_client.recording.manifest import Manifest, Track
from midipool_client.room_url import RoomUrl

log = logging.getLogger(__name__)

JOIN_S, LOOK_S, ANSWER_S = 10.0, 0.1, 15.0
# How often it is looked whether a recording has ended.
ENDED_LOOK_S = 1.0
# Who hears the room bars later still hears the end of it.
STAYS_S = 60.0
NAMES = 9


class Room(Protocol):
    """What playing needs of the client."""

    url: RoomUrl

    def conduct(
        self, command: TransportCommand, answer: Callable[[Ok | Error | None], None]
    ) -> None:
        """Ask the room for something."""

    @property
    def hearing(self) -> AudioOptions:
        """How this client hears the others."""


@dataclass
class Take:
    """The one that plays."""

    name: str
    manifest: Manifest
    tracks: list[Track]
    member: TakeMember
    task: "asyncio.Task[None]"

    @property
    def plan(self) -> TakePlan:
        """Where it is."""
        return self.member.plan


class TakePlayer:
    """At most one recording at a time."""

    def __init__(self, room: Room, library: Library | None = None) -> None:
        self._room, self._library = room, library
        self.take: Take | None = None
        self._starting = False

    # ---- what people ask for ----

    async def play(self, wanted: Wanted) -> str:
        """Join the room with it; how it goes, in words. Raises MidiPoolError."""
        if self._starting:
            raise Refused("playing", "a recording is being begun already")
        self._starting = True
        try:
            opened = await asyncio.to_thread(open_take, self._library or Library(), wanted)
            if wanted.set_tempo:
                await self._set_tempo(opened.song, wanted.from_bar)
            await self.stop_if_playing()
            self.take = await self._join(opened, wanted)
        finally:
            self._starting = False
        return self._in_words(self.take)

    async def go_on(self) -> str:
        """After a pause, or again after the end."""
        take, now_us = self._playing()
        take.plan.go_on(now_us)
        take.member.changed()
        return self._in_words(take)

    async def pause(self) -> str:
        """Be silent; it keeps its bar."""
        take, now_us = self._playing()
        take.plan.pause(now_us)
        take.member.changed()
        return self._in_words(take)

    async def seek(self, bar: int) -> str:
        """Go on from a bar of the recording."""
        take, now_us = self._playing()
        take.plan.seek(bar, now_us)
        take.member.changed()
        return self._in_words(take)

    async def repeat(self, loop: Loop | None) -> str:
        """Repeat bars of the recording, or none."""
        take, now_us = self._playing()
        take.plan.repeat(loop, now_us)
        take.member.changed()
        return self._in_words(take)

    async def mute(self, tracks: Sequence[str]) -> str:
        """Silence these tracks, by number or name, and no others."""
        take, _ = self._playing()
        take.member.mute(*muted_of(take.tracks, tracks))
        return self._in_words(take)

    async def stop(self) -> str:
        """Leave the room with it."""
        take, _ = self._playing()
        await self.stop_if_playing()
        return f"{take.name}: has left the room"

    async def stop_if_playing(self) -> None:
        """The same, if there is one."""
        take, self.take = self.take, None
        if take is not None:
            take.task.cancel()
            with contextlib.suppress(asyncio.CancelledError, MidiPoolError):
                await take.task

    # ---- time ----

    async def run(self) -> None:
        """Until cancelled."""
        ended_s = 0.0
        try:
            while True:
                await asyncio.sleep(ENDED_LOOK_S)
                ended_s = ended_s + ENDED_LOOK_S if self._has_ended() else 0.0
                if ended_s >= STAYS_S:
                    await self.stop_if_playing()
        finally:
            await self.stop_if_playing()

    def _has_ended(self) -> bool:
        take = self.take
        if take is None:
            return False
        if take.task.done():
            error = None if take.task.cancelled() else take.task.exception()
            log.warning("%s is played no more: %s", take.name, error or "it left the room")
            self.take = None
            return False
        now_us = take.member.room_us()
        return now_us is not None and take.plan.phase(now_us) == "ended"

    # ---- inside ----

    def _playing(self) -> tuple[Take, int]:
        take = self.take
        now_us = None if take is None else take.member.room_us()
        if take is None or now_us is None:
            raise Refused("not_playing", "no recording is being played")
        return take, now_us

    async def _join(self, opened: "OpenedTake", wanted: Wanted) -> Take:
        """Under a name that nobody has."""
        for number in range(1, NAMES + 1):
            name = member_name(wanted.name, number)
            plan = TakePlan(opened.song, wanted.from_bar, wanted.loop, wanted.at_bar)
            member = TakeMember(
                self._room.url, name, self._options(opened.choice), plan, opened.notes
            )
            member.mute(*muted_of(opened.tracks, wanted.mute))
            task = asyncio.create_task(member.run())
            take = Take(wanted.name, opened.manifest, opened.tracks, member, task)
            try:
                await _joined(take)
                return take
            except Refused as error:
                if error.code != "name_taken" or number == NAMES:
                    raise
        raise AssertionError

    def _options(self, choice: TakeChoice) -> AudioOptions:
        # It asks of the others' sound nothing that this client does not ask as well.
        return replace(self._room.hearing, channels=CHANNELS, media_port=0, device=choice)

    async def _set_tempo(self, song: TakeSong, from_bar: int) -> None:
        mbpm, meter = song.tempo_at(song.start_of(from_bar, "from"))
        await self._ask(SetMeter(id=0, meter=meter))
        await self._ask(SetTempo(id=0, bpm=mbpm / 1000))

    async def _ask(self, command: TransportCommand) -> None:
        answered: asyncio.Future[Ok | Error | None] = asyncio.get_running_loop().create_future()
        self._room.conduct(command, lambda a: None if answered.done() else answered.set_result(a))
        try:
            async with asyncio.timeout(ANSWER_S):
                said = await answered
        except TimeoutError:
            raise Unavailable(f"the server does not answer within {ANSWER_S:g} s") from None
        if isinstance(said, Error):
            raise Refused(said.code, said.message, said.field)
        if said is None:
            raise Unavailable("the server is away: try again when it is back")

    @staticmethod
    def _in_words(take: Take) -> str:
        now_us = take.member.room_us() or 0
        return f"{take.name}: {plan_in_words(take.plan, now_us)}"


async def _joined(take: Take) -> None:
    """Wait until it is in the room; raises MidiPoolError, and then it is not."""
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(_end, take.task)
        for _ in range(round(JOIN_S / LOOK_S)):
            if take.task.done():
                take.task.result()
            if take.member.joined and take.member.audio.engine.ready is not None:
                stack.pop_all()
                return
            await asyncio.sleep(LOOK_S)
        raise Unavailable("the room does not let the recording in")


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
