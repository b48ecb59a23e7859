"""The recording as a participant: a member of the room whose device is the recording.

The edge where time is read.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from midipool.messages import MAX_MIDI_EVENTS, Midi
from midipool_client.audio.engine_messages import AudioReady, MuteTake, PlayTake
from midipool_client.audio.options import AudioOptions
from midipool_client.audio_member import AudioMember
from midipool_client.clock_keeper import ClockChange
from midipool_client.follower import Action, Follow
from midipool_client.playback.notes import Note, NotePlayback
from midipool_client.playback.plan import TakePlan
from midipool_client.room_url import RoomUrl

LOOK_S = 0.1
TELL_S = 1.0
# Who hears notes at once hears them when they come; so they go out at their time. A timer is late.
TIMER_LATE_US = 1_000


class TakeMember(AudioMember):
    """Plays by `plan` until cancelled."""

    kind = "playback"

    def __init__(
        self, url: RoomUrl, name: str, audio: AudioOptions, plan: TakePlan, notes: list[Note]
    ) -> None:
        super().__init__(url, name, audio)
        self.plan = plan
        self.muted: frozenset[int] = frozenset()
        """Tracks, counted from 0."""
        self.muted_names: frozenset[str] = frozenset()
        """Players whose MIDI is silent."""
        self._notes = NotePlayback(notes)
        self._told: AudioReady | None = None
        self._told_s = 0.0
        self._follows = False

    def parts(self) -> list[Coroutine[Any, Any, None]]:
        """What runs as long as it does."""
        return [*super().parts(), self._keep_playing(), self._keep_giving_notes()]

    @property
    def joined(self) -> bool:
        """Whether the room let us in, and its clock is known."""
        return bool(self.follower.token) and self.room_us() is not None

    def changed(self) -> None:
        """Something else is wanted: let the engine know."""
        self._tell()

    def mute(self, muted: frozenset[int], names: frozenset[str]) -> None:
        """These tracks, and the MIDI of these players, are silent from now on."""
        self.muted, self.muted_names = muted, names
        self.audio.engine.tell(MuteTake(sorted(muted)))

    def do(self, actions: list[Action]) -> None:
        """What follows from what came."""
        super().do(actions)
        now_us = self.room_us()
        for action in actions:
            match action:
                case ClockChange(shift_us=by_us) if by_us:
                    self.plan.shift(by_us)
                    self._notes.shift(by_us)
                case Follow(chain=chain) if now_us is not None:
                    self._follows = True
                    self.plan.follow(chain, now_us)
                    self._tell()

    # ---- time ----

    async def _keep_playing(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_S)
            now_us = self.room_us()
            if now_us is None:
                continue
            if not self._follows:  # the room is as new as we are
                self._follows = True
                self.plan.follow(self.chain, now_us)
            self.plan.look(now_us)
            if self.audio.engine.ready is not self._told or loop.time() >= self._told_s + TELL_S:
                self._told_s = loop.time()
                self._tell()

    async def _keep_giving_notes(self) -> None:
        while True:
            now_us = self.room_us()
            wait_s = LOOK_S if now_us is None else self._give_notes(now_us)
            await asyncio.sleep(wait_s)

    def _tell(self) -> None:
        ready, now_us = self.audio.engine.ready, self.room_us()
        if ready is None or now_us is None:
            return
        if ready is not self._told:
            self._told = ready
            self.audio.engine.tell(MuteTake(sorted(self.muted)))
        self.audio.engine.tell(PlayTake(self.plan.pieces(now_us)))

    def _give_notes(self, now_us: int) -> float:
        """What is due; how long nothing is then."""
        pieces = self.plan.pieces(now_us)
        events = self._notes.give(pieces, now_us + TIMER_LATE_US, self.muted_names)
        for first in range(0, len(events), MAX_MIDI_EVENTS):
            self.send(Midi(events[first : first + MAX_MIDI_EVENTS]))
        if self._notes.holds and not events:
            self.send(Midi())
        next_us = self._notes.next_us(pieces)
        if next_us is None:
            return LOOK_S
        return min(max((next_us - now_us - TIMER_LATE_US) / 1e6, 0.0), LOOK_S)
