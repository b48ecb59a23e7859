"""The boards of a running client: changed while it plays, kept, and worked by the engines."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Protocol

from midipool.effects.board import Boards
from midipool.errors import MidiPoolError
from midipool_client.audio.engine_messages import AudioReady, Inserts, InsertStatus
from midipool_client.audio.process import AudioProcess
from midipool_client.effects.folder import EffectsFolder
from midipool_client.effects.messages import EffectsConfig, EffectsStatus, Work
from midipool_client.effects.process import EffectsProcess, check_libraries
from midipool_native.effects import EffectsMemory

log = logging.getLogger(__name__)

LOOK_S, IDLE_LOOK_S = 0.1, 1.0
SAVE_S = 0.4
# Who switches an effect off may switch it on again.
LINGER_S = 3.0
COMPLAIN_S = 10.0
# Behind the audio engine's codec thread, which is one behind JACK's.
BEHIND = 2


class Talk(Protocol):
    """The room's chat, by which boards are shared."""

    @property
    def lines(self) -> list[str]:
        """What was said, the newest last."""

    async def say(self, text: str) -> None:
        """Say a line; raises MidiPoolError."""


class Rack:
    """Keeps both engines told; a change is heard at once and written a little later."""

    def __init__(
        self,
        device: str,
        channels: int,
        audio: AudioProcess,
        memory: EffectsMemory,
        bpm: Callable[[], float],
        folder: EffectsFolder | None = None,
        talk: Talk | None = None,
    ) -> None:
        self.channels = channels
        self.folder = folder or EffectsFolder()
        self.talk = talk
        self.problems: dict[int, str] = {}
        """Why an effect was switched off by us, by its id."""
        self.tuner = 0
        self.boards = Boards()
        self.not_saved = ""
        self._device, self._audio, self._bpm = device, audio, bpm
        try:
            self.boards = self.folder.boards(device)
        except MidiPoolError as error:
            log.warning("effects: %s", error)
        self._saved = self.boards
        self._changed = asyncio.Event()
        self._version = 1
        self._process = EffectsProcess(memory, self._changed.set, self._died)
        self._told: Inserts | None = None
        self._told_ready: AudioReady | None = None
        self._idle_since_s: float | None = None
        self._late_told, self._complained_s = 0, 0.0

    # ---- what people want ----

    def set_boards(self, boards: Boards) -> None:
        """Have these from now on; raises Unavailable without the libraries."""
        if boards == self.boards:
            return
        if any(not effect.bypass for effect in boards.all_effects()):
            check_libraries()
        kept = {effect.id: effect for effect in boards.all_effects()}
        # Who switches a crashed one on again, or changes it, gives it another chance.
        for id in [id for id in self.problems if id not in kept or not kept[id].bypass]:
            del self.problems[id]
        self.boards = boards
        self._version += 1
        self._changed.set()

    def tune(self, channel: int) -> None:
        """Listen to an own channel, from 1; 0 is none. Raises Unavailable."""
        if channel:
            check_libraries()
        self.tuner = channel
        self._changed.set()

    # ---- how it stands ----

    @property
    def status(self) -> EffectsStatus | None:
        """What the engine said last; None while there is none."""
        return self._process.status

    @property
    def pid(self) -> int | None:
        """Of the effects engine; None while there is none."""
        return self._process.pid

    @property
    def inserts(self) -> list[InsertStatus]:
        """How own channels and master stand in the audio engine."""
        status = self._audio.status
        return [] if status is None else status.inserts

    @property
    def late(self) -> int:
        """Blocks that were played without effects."""
        return sum(insert.late for insert in self.inserts)

    @property
    def problem(self) -> str:
        """Why no effect is heard at all; empty while they are."""
        return self._process.problem

    @property
    def settled(self) -> bool:
        """Whether what is wanted is what is heard."""
        status = self.status
        if not self._is_needed():
            return self._told is None or self._told == Inserts()
        return bool(self.problem) or (status is not None and status.version == self._version)

    def problem_of(self, id: int) -> str:
        """Why an effect is not heard; empty while it is."""
        status = self.status
        said = "" if status is None else status.problems.get(id, "")
        return self.problems.get(id) or said

    # ---- the engines ----

    async def run(self) -> None:
        """Until cancelled."""
        saving = asyncio.create_task(self._keep_saving())
        try:
            while True:
                await self._look()
                busy = self._is_needed() or self._process.pid is not None
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S if busy else IDLE_LOOK_S):
                        await self._changed.wait()
                self._changed.clear()
        finally:
            saving.cancel()
            await asyncio.gather(saving, return_exceptions=True)
            self._save()
            await self._process.end()

    async def _look(self) -> None:
        ready, now_s = self._audio.ready, asyncio.get_running_loop().time()
        if ready is None:
            self._told_ready = None
            return
        if self._is_needed():
            self._idle_since_s = None
            await self._process.want(self._config(ready), self._work())
        elif self._idle_since_s is None:
            self._idle_since_s = now_s
        elif now_s - self._idle_since_s > LINGER_S:
            await self._process.end()
        self._tell_inserts(ready)
        self._complain(now_s)

    def _is_needed(self) -> bool:
        return bool(self.tuner) or any(not e.bypass for e in self.boards.all_effects())

    def _config(self, ready: AudioReady) -> EffectsConfig:
        return EffectsConfig(
            memory_fd=self._process.memory_fd,
            rate=ready.rate,
            in_channels=self.channels,
            out_channels=self.channels,
            priority=max(ready.priority - BEHIND, 1) if ready.priority > 0 else 0,
        )

    def _work(self) -> Work:
        active = {place: board.active for place, board in self.boards.boards.items()}
        bpm = round(self._bpm(), 2)
        return Work(self._version, {p: a for p, a in active.items() if a}, bpm, self.tuner)

    def _tell_inserts(self, ready: AudioReady) -> None:
        """An engine is let in once it has what it is to do, and stays in when it dies."""
        if ready is not self._told_ready:
            self._told, self._told_ready = None, ready
        there = self.status is not None and self.status.version == self._version
        own = master = False
        for place, board in self.boards.boards.items():
            own |= bool(board.active) and place != "master"
            master |= bool(board.active) and place == "master"
        before = self._told or Inserts()
        wanted = Inserts(
            own="on" if own and (there or before.own == "on") else "feed" if self.tuner else "off",
            master="on" if master and (there or before.master == "on") else "off",
        )
        if wanted != self._told:
            self._told = wanted
            self._audio.tell(wanted)

    def _died(self, id: int, why: str) -> None:
        self._changed.set()
        place = None
        with contextlib.suppress(MidiPoolError):
            place = self.boards.place_of(id)
        if place is None:
            return
        board = self.boards.board(place)
        title = board.effect(id).spec.title
        log.warning("effects: the %s on %s is bypassed: %s", title, place, why)
        self.boards = self.boards.with_board(place, board.with_bypass(id, True))
        self._version += 1
        self.problems[id] = f"bypassed: {why}"

    def _complain(self, now_s: float) -> None:
        late = self.late
        if late < self._late_told:
            self._late_told = late  # another engine, which counts anew
        if late > self._late_told and now_s - self._complained_s > COMPLAIN_S:
            self._late_told, self._complained_s = late, now_s
            log.warning("effects late %d: so many blocks were played without them", late)

    async def _keep_saving(self) -> None:
        while True:
            await asyncio.sleep(SAVE_S)
            if self.boards != self._saved:
                await asyncio.to_thread(self._save)

    def _save(self) -> None:
        boards = self.boards
        if boards == self._saved:
            return
        try:
            self.folder.keep_boards(self._device, boards)
            self._saved, self.not_saved = boards, ""
        except MidiPoolError as error:
            if str(error) != self.not_saved:
                log.warning("effects are not kept: %s", error)
            self.not_saved = str(error)
