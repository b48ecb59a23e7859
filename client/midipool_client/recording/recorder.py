"""Records the room: the client's side, which says when, keeps the manifest, and notes the MIDI.

The edge where time is read. What touches the disk is done in a thread.
"""

import asyncio
import contextlib
import datetime
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec

from midipool.errors import MidiPoolError, Refused, Unavailable
from midipool.messages import TimedMidi
from midipool.timeline_chain import TimelineChain
from midipool_client.audio.engine_messages import Record, Recorded, RecordEnd, RecordMoved
from midipool_client.audio.process import AudioProcess
from midipool_client.recording.journal import JOURNAL, finish_midi, lines_of
from midipool_client.recording.library import Library, lock
from midipool_client.recording.manifest import Manifest, write_manifest
from midipool_client.recording.midi_file import PlayedMidi
from midipool_client.recording.names import new_recording_name
from midipool_client.recording.start import first_bar_line_us, with_past
from midipool_client.recording.track_file import Format
from midipool_client.recording.writer import nearly_full

log = logging.getLogger(__name__)

LOOK_S = 0.1
SAVE_S = 0.5
END_S = 60.0
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

    def tell_clock(self) -> None:
        """Let the audio engine have its clock once more."""


@dataclass
class _Current:
    name: str
    folder: Path
    lock: int
    manifest: Manifest
    most_bytes: int
    restarts: int
    chain: TimelineChain
    from_us: int | None = None
    told: bool = False
    chain_noted: bool = False
    played: list[PlayedMidi] = field(default_factory=list)
    ending: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Recorder:
    """At most one recording at a time."""

    def __init__(self, room: Room, engine: AudioProcess, library: Library | None = None) -> None:
        self._room, self._engine = room, engine
        self._library = library
        self._current: _Current | None = None
        self._starting = False

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
            manifest = Manifest(self._room.room_name, self._room.name, format, _now().isoformat())
            name, folder, held, most = await asyncio.to_thread(
                _prepare, library, manifest, quota_gb
            )
        finally:
            self._starting = False
        self._current = _Current(
            name, folder, held, manifest, most, self._engine.restarts, self._room.chain
        )
        self._place(self._current)
        waits = self._current.from_us is None
        return f"{name}: {'waits until the song plays' if waits else 'begins on the next bar line'}"

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
        current.played += [
            (who, e.time_us - current.from_us, bytes.fromhex(e.data)) for e in events
        ]

    # ---- time ----

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            current = self._current
            if current is None:
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

    def _place(self, current: _Current) -> None:
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

    async def _look(self, current: _Current) -> None:
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

    def _recorded(self, current: _Current) -> Recorded | None:
        status = self._engine.status
        if status is None or status.recorded is None:
            return None
        return status.recorded if status.recorded.folder == str(current.folder) else None

    def _end(self, current: _Current, why: str = "") -> None:
        if current.ending:
            return
        current.ending = True
        if why:
            log.warning("recording: %s ended: %s", current.name, why)
            current.manifest = msgspec.structs.replace(current.manifest, why=why)
        self._engine.tell(RecordEnd())

    async def _save(self, current: _Current, recorded: Recorded | None) -> None:
        now_us = self._room.room_us()
        began = current.from_us is not None and now_us is not None and now_us >= current.from_us
        if not began or recorded is None:
            return
        self._describe(current, recorded)
        await asyncio.to_thread(_write, current.folder, current.manifest, self._lines(current))
        await asyncio.sleep(SAVE_S - LOOK_S)

    def _lines(self, current: _Current) -> bytes:
        """What is new for the journal."""
        if current.from_us is None:
            return b""
        chain = None
        if not current.chain_noted:
            chain, current.chain_noted = current.chain.moved_by(-current.from_us).timelines, True
        played, current.played = current.played, []
        return lines_of(chain, played)

    def _describe(self, current: _Current, recorded: Recorded) -> None:
        from_us = current.from_us or 0
        timeline = current.chain.at(from_us)
        current.manifest = msgspec.structs.replace(
            current.manifest,
            state="recording",
            rate=recorded.rate,
            tracks=recorded.tracks,
            seconds=max((t.frames for t in recorded.tracks), default=0) / (recorded.rate or 1),
            bar=timeline.position_at(from_us).bar,
            bpm=timeline.mbpm_at(from_us) / 1000,
            meter=str(timeline.meter),
        )

    async def _finish(self, current: _Current, recorded: Recorded | None) -> None:
        if recorded is not None:
            self._describe(current, recorded)
        state = "done" if recorded is not None else "cut"
        manifest = msgspec.structs.replace(current.manifest, state=state)
        current.manifest = await asyncio.to_thread(
            _finish, current.folder, manifest, self._lines(current)
        )
        os.close(current.lock)
        self._current = None
        current.ended.set()


def _now() -> datetime.datetime:
    return datetime.datetime.now().astimezone().replace(microsecond=0)


def _prepare(
    library: Library, manifest: Manifest, quota_gb: float | None
) -> tuple[str, Path, int, int]:
    """(name, folder, lock, bytes that may be written); raises MidiPoolError."""
    most = 1 << 62
    try:
        library.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if full := nearly_full(library.folder):
            raise Refused("disk_full", full)
        if quota_gb is not None:
            most = round(quota_gb * 1e9) - library.bytes()
            if most <= 0:
                text = f"the recordings take {quota_gb:g} GB already: delete some"
                raise Refused("quota", text)
        taken = {path.name for path in library.folder.iterdir()}
        moment = _now().strftime("%Y-%m-%d-%H%M%S")
        name = new_recording_name(taken, moment, manifest.room)
        folder = library.folder / name
        folder.mkdir(mode=0o700)
        held = lock(folder)
        write_manifest(folder, manifest)
    except OSError as error:
        raise Unavailable(f"cannot record below {library.folder}: {error.strerror}") from None
    return name, folder, held, most


def _note(folder: Path, lines: bytes) -> None:
    if lines:
        with (folder / JOURNAL).open("ab") as file:
            file.write(lines)


def _write(folder: Path, manifest: Manifest, lines: bytes) -> None:
    _note(folder, lines)
    write_manifest(folder, manifest)


def _finish(folder: Path, manifest: Manifest, lines: bytes) -> Manifest:
    """All of it, or nothing where nothing was recorded."""
    if not any(track.frames for track in manifest.tracks):
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        return msgspec.structs.replace(manifest, tracks=[])
    _note(folder, lines)
    manifest = finish_midi(folder, manifest)
    write_manifest(folder, manifest)
    (folder / JOURNAL).unlink(missing_ok=True)
    return manifest
