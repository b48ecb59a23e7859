"""Records the room: the client's side, which says when, keeps the manifest, and notes the MIDI.

The edge where time is read. What touches the disk is done in a thread.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Iterable
from typing import Protocol

import msgspec

from midipool.errors import MidiPoolError, Refused, Unavailable
from midipool.messages import TimedMidi
from midipool.timeline_chain import TimelineChain
from midipool_client.audio.engine_messages import Record, Recorded, RecordEnd, RecordMoved
from midipool_client.audio.process import AudioProcess
from midipool_client.recording import folder
from midipool_client.recording.current import Current
from midipool_client.recording.library import Library
from midipool_client.recording.manifest import write_manifest
from midipool_client.recording.start import first_bar_line_us, with_past
from midipool_client.recording.track_file import Format

log = logging.getLogger(__name__)

LOOK_S = 0.1
SAVE_S = 0.5
# What others played may be heard a minute later, in bars, and a disk may stall.
END_S = 125.0
NEVER_US = 86_400_000_000


class Room(Protocol):
    """What a recording needs of the room."""

    name: str

    @property
    def room_name(self) -> str:
        """What the room is called."""

    @property
    def chain(self) -> TimelineChain:
        """Its timelines."""

    def room_us(self) -> int | None:
        """Its time now."""

    def records(self, is_so: bool) -> None:
        """We record from now on, or no more."""

    def tell_clock(self) -> None:
        """Let the audio engine have its clock once more."""


class Recorder:
    """At most one recording at a time."""

    def __init__(self, room: Room, engine: AudioProcess, library: Library | None = None) -> None:
        self._room, self._engine = room, engine
        self._library = library
        self._current: Current | None = None
        self._begun = asyncio.Event()
        self._starting = False

    @property
    def current(self) -> Current | None:
        """What is being recorded, for who looks."""
        return self._current

    # ---- what people ask for ----

    async def start(self, format: Format, quota_gb: float | None) -> str:
        """Begin on the next bar line; what was begun, in words. Raises MidiPoolError."""
        now_us = self._room.room_us()
        if self._current is not None or self._starting:
            raise Refused("recording", "a recording is being made already: stop it first")
        if self._engine.ready is None or now_us is None:
            raise Unavailable("there is no audio to record yet")
        self._starting = True
        try:
            library = self._library or Library()
            prepared = await asyncio.to_thread(
                folder.prepare, library, self._room.room_name, self._room.name, format, quota_gb
            )
        finally:
            self._starting = False
        self._current = Current(prepared, self._engine.restarts, self._room.chain)
        self._room.records(True)
        self._begun.set()
        self._place(self._current)
        waits = self._current.from_us is None
        begins = "waits until the song plays" if waits else "begins on the next bar line"
        return f"{prepared.name}: {begins}"

    async def stop(self) -> str:
        """End it; what there is, in words. Raises MidiPoolError."""
        current = self._current
        if current is None:
            raise Refused("not_recording", "nothing is being recorded")
        self._end(current)
        try:
            await asyncio.wait_for(current.ended.wait(), END_S)
        except TimeoutError:
            raise Unavailable(f"the disk does not take {current.name}: it is still tried") from None
        manifest = current.manifest
        if not manifest.tracks:
            why = manifest.why or "the song did not play"
            raise Refused("not_recording", f"{current.name}: nothing was recorded: {why}")
        why = f" ({manifest.why})" if manifest.why else ""
        return f"{current.name}: {manifest.seconds:.1f} s of {len(manifest.tracks)} tracks{why}"

    # ---- what the room says ----

    def followed(self, chain: TimelineChain) -> None:
        """The room has other timelines."""
        if (current := self._current) is not None:
            current.chain = with_past(current.chain, chain)
            current.chain_noted = False
            self._place(current)

    def shifted(self, by_us: int) -> None:
        """The room's clock shows so much more; the engine gets it right after this."""
        current = self._current
        if current is None:
            return
        current.chain = current.chain.moved_by(by_us)
        if current.from_us is not None:
            current.from_us += by_us
            self._engine.tell(RecordMoved(current.from_us))

    def played(self, who: str, events: Iterable[TimedMidi]) -> None:
        """What somebody played in MIDI, by the room's time."""
        current = self._current
        if current is None or current.from_us is None or current.ending:
            return
        current.note(who, events)

    # ---- time ----

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            current = self._current
            if current is None:
                self._begun.clear()
                await self._begun.wait()
                continue
            try:
                await self._look(current)
            except OSError as error:
                log.warning("recording: %s", error)
                await asyncio.sleep(SAVE_S)

    def close(self) -> None:
        """The client ends, and so has the engine: what there is is finished."""
        current, self._current = self._current, None
        if current is None:
            return
        os.close(current.lock)
        with contextlib.suppress(OSError, MidiPoolError):
            why = "midipool-client ended"
            manifest = msgspec.structs.replace(current.manifest, why=why, state="recording")
            write_manifest(current.folder, manifest)
            (self._library or Library()).show(current.name)

    # ---- inside ----

    def _place(self, current: Current) -> None:
        """Begin on a bar line; while it is to come, another one may be the first."""
        now_us = self._room.room_us()
        if now_us is None or current.ending:
            return
        if current.from_us is not None and current.from_us <= now_us:
            return
        before = current.from_us
        current.from_us = first_bar_line_us(current.chain, now_us, before)
        if current.told and current.from_us != before:
            self._engine.tell(RecordMoved(current.from_us or now_us + NEVER_US))
            self._room.tell_clock()
        elif not current.told and current.from_us is not None:
            current.told = True
            record = Record(
                str(current.folder),
                self._room.name,
                current.manifest.format,
                current.from_us,
                current.most_bytes,
            )
            self._engine.tell(record)

    async def _look(self, current: Current) -> None:
        recorded = self._recorded(current)
        if self._engine.restarts != current.restarts or self._engine.ready is None:
            self._end(current, "the audio engine died")
            await self._finish(current, None)
            return
        if recorded is not None and recorded.why:
            self._end(current, recorded.why)
        if current.ending and (not current.told or (recorded is not None and recorded.done)):
            await self._finish(current, recorded)
            return
        self._place(current)
        await self._save(current, recorded)

    def _recorded(self, current: Current) -> Recorded | None:
        status = self._engine.status
        if status is None or status.recorded is None:
            return None
        return status.recorded if status.recorded.folder == str(current.folder) else None

    def _end(self, current: Current, why: str = "") -> None:
        if current.ending:
            return
        current.ending = True
        if why:
            log.warning("recording: %s ended: %s", current.name, why)
            current.manifest = msgspec.structs.replace(current.manifest, why=why)
        self._engine.tell(RecordEnd())

    async def _save(self, current: Current, recorded: Recorded | None) -> None:
        now_us = self._room.room_us()
        began = current.from_us is not None and now_us is not None and now_us >= current.from_us
        if not began or recorded is None:
            return
        current.describe(recorded)
        await asyncio.to_thread(folder.note, current.folder, current.manifest, current.lines())
        await asyncio.sleep(SAVE_S - LOOK_S)

    async def _finish(self, current: Current, recorded: Recorded | None) -> None:
        if recorded is not None:
            current.describe(recorded)
        state = "done" if recorded is not None else "cut"
        manifest = msgspec.structs.replace(current.manifest, state=state)
        current.manifest = await asyncio.to_thread(
            folder.finish, current.folder, manifest, current.lines()
        )
        os.close(current.lock)
        self._current = None
        self._room.records(False)
        current.ended.set()
