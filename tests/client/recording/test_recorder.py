"""The client's side: what people ask for, what the engine is told, what is in the MIDI file."""

import asyncio
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, cast

import mido
import msgspec
import numpy as np
import pytest
import soundfile

from midipool.errors import InvalidValue, Refused, Unavailable
from midipool.messages import TimedMidi
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client import control
from midipool_client.audio.engine_messages import (
    AudioReady,
    AudioStatus,
    Record,
    Recorded,
    RecordEnd,
    ToAudioEngine,
)
from midipool_client.audio.process import AudioProcess
from midipool_client.recording.commands import obey
from midipool_client.recording.library import Library
from midipool_client.recording.manifest import Track
from midipool_client.recording.recorder import Recorder
from tests.e2e.waiting import wait_until

RATE = 48_000
STATUS = AudioStatus([], 0.0, 0.0, 0, {}, 0, [])
PLAYS = TimelineChain((Timeline(playing=True),))


class Engine:
    """An audio engine that records a second as soon as it is told to."""

    def __init__(self) -> None:
        self.ready: AudioReady | None = AudioReady("", RATE, 128, False, 0)
        self.status = STATUS
        self.restarts = 0
        self.told: list[ToAudioEngine] = []

    def tell(self, message: ToAudioEngine) -> None:
        self.told.append(message)
        if isinstance(message, Record):
            soundfile.write(Path(message.folder, "01-a.flac"), np.zeros(RATE), RATE)
            tracks = [Track("a", "input", "01-a.flac", 1, RATE)]
            self.say(Recorded(message.folder, RATE, tracks, False, ""))
        if isinstance(message, RecordEnd) and (recorded := self.status.recorded):
            self.say(msgspec.structs.replace(recorded, done=True))

    def say(self, recorded: Recorded) -> None:
        self.status = msgspec.structs.replace(STATUS, recorded=recorded)


class Room:
    """A room whose clock stands."""

    name, room_name = "a", "../jam"
    now_us = 500_000
    chain = PLAYS

    def __init__(self) -> None:
        self.recording: list[bool] = []

    def room_us(self) -> int | None:
        return self.now_us

    def records(self, is_so: bool) -> None:
        self.recording.append(is_so)

    def tell_clock(self) -> None:
        """Nobody listens."""


class Bench:
    def __init__(self, folder: Path) -> None:
        self.room, self.engine, self.library = Room(), Engine(), Library(folder)
        engine = cast("AudioProcess", self.engine)
        self.recorder = Recorder(self.room, engine, self.library)

    async def do(self, **words: Any) -> str:
        running = asyncio.create_task(self.recorder.run())
        try:
            return await obey(self.recorder, words)
        finally:
            running.cancel()


async def test_what_is_played_is_in_the_midi_file(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    said = await bench.do(do="record_start", format="flac")
    assert "next bar line" in said
    assert bench.room.recording == [True]
    (record,) = bench.engine.told
    assert isinstance(record, Record)
    assert record.from_us == 2_000_000
    bench.recorder.played("keys", [TimedMidi(2_500_000, "903c40")])
    bench.room.now_us = 3_000_000
    assert "1.0 s of 1 tracks" in await bench.do(do="record_stop")
    assert bench.room.recording == [True, False]
    (name,) = bench.library.names()
    assert "/" not in name
    manifest = bench.library.show(name)
    assert (manifest.state, manifest.bar, manifest.meter) == ("done", 2, "4/4")
    file = mido.MidiFile(tmp_path / name / "midi.mid")
    assert [(m.note, m.time) for m in file.tracks[1] if m.type == "note_on"] == [(60, 960)]
    assert sorted(p.name for p in (tmp_path / name).iterdir()) == [
        ".recording",
        "01-a.flac",
        "manifest.json",
        "midi.mid",
    ]


async def test_one_recording_at_a_time_and_none_without_audio(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with pytest.raises(Refused, match="nothing is being recorded"):
        await bench.do(do="record_stop")
    await bench.do(do="record_start")
    with pytest.raises(Refused, match="stop it first"):
        await bench.do(do="record_start")
    other = Bench(tmp_path)
    other.engine.ready = None
    with pytest.raises(Unavailable, match="no audio"):
        await other.do(do="record_start")
    for words in ({"do": "format_disk"}, {"do": "record_start", "format": "mp3"}, {}):
        with pytest.raises(InvalidValue):
            await bench.do(**words)
    bench.recorder.close()


async def test_a_quota_that_is_used_refuses(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.do(do="record_start")
    bench.room.now_us = 3_000_000
    await bench.do(do="record_stop")
    with pytest.raises(Refused, match="delete some"):
        await bench.do(do="record_start", quota_gb=1e-9)


async def test_an_engine_that_died_ends_it_and_it_is_kept(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.do(do="record_start")
    bench.room.now_us = 3_000_000
    running = asyncio.create_task(bench.recorder.run())
    (name,) = bench.library.names()
    await asyncio.to_thread(wait_until, lambda: bench.library.show(name).state == "recording")
    bench.engine.restarts = 1
    await asyncio.to_thread(wait_until, lambda: bench.library.show(name).state == "cut")
    running.cancel()
    manifest = bench.library.show(name)
    assert manifest.why == "the audio engine died"
    assert manifest.seconds == 1.0
    assert manifest.midi == "midi.mid"


async def test_a_recording_that_never_began_leaves_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.room.chain = TimelineChain((Timeline(),))
    assert "waits" in await bench.do(do="record_start")
    with pytest.raises(Refused, match="the song did not play"):
        await bench.do(do="record_stop")
    assert os.listdir(tmp_path) == []


async def test_a_shell_reaches_the_client_by_its_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100)  # longer than a socket's address may be
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))

    async def answer(words: dict[str, Any]) -> AsyncGenerator[str, None]:
        if words["do"] == "fail":
            raise Refused("x", "no")
        yield f"did {words['do']}"

    serving = asyncio.create_task(control.serve("midiPool", answer))
    await asyncio.to_thread(wait_until, lambda: any(deep.glob("midipool/control/*")))
    assert await asyncio.to_thread(control.ask, "midiPool", do="this") == "did this"
    with pytest.raises(Refused, match="no"):
        await asyncio.to_thread(control.ask, "midiPool", do="fail")
    with pytest.raises(Unavailable, match="join a room"):
        await asyncio.to_thread(control.ask, "../midiPool", do="this")
    (path,) = deep.glob("midipool/control/*")
    assert os.stat(path).st_mode & 0o077 == 0
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    assert not any(deep.glob("midipool/control/*"))
