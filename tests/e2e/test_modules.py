"""Programs in a room, with no sound card anywhere: the examples, heard by a module of ours."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from midipool.messages import SetTempo, Start
from midipool_client import Module
from midipool_client.module.frames import Frames
from midipool_client.remote import room_status, send_command
from midipool_client.room_url import parse_room_url
from midipool_demo.background import Background
from midipool_demo.stage import free_port
from tests.e2e.conftest import needs_audio

pytestmark = [pytest.mark.jack]
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
RATE, BPM = 48_000, 240.0
LOUD, CLEAR = 0.05, 0.3
ONE_MS_BEATS = 0.001 * BPM / 60
# The sixteenths of a bar on which the drum machine of the examples has anything.
HITS = {0, 2, 4, 6, 8, 10, 12, 14, 15}
# From the file to the delay, and what both wait at most to hear it.
MOST_WAY_BEATS = 0.06 * BPM / 60
LOOK_S = 0.05


class Ear:
    """Hears the mix exactly one bar later, so that it is on the room's grid."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.heard_us = self._begin_us = 0
        self._parts: list[Frames] = []
        self._task = asyncio.create_task(self._hear())

    async def _hear(self) -> None:
        async for block in self.module:
            self._begin_us = self._begin_us or block.time_us
            self._parts.append(block.frames[:, 0])
            self.heard_us = block.time_us

    async def beats(self, enough: Callable[[list[float]], bool], level: float) -> list[float]:
        """Where in the song something begins of what is heard from now on, once it is enough."""
        self._parts, self._begin_us = [], 0
        await until(lambda: enough(self._onsets(level)))
        return self._onsets(level)

    async def quiet(self) -> None:
        """Until half a second was."""
        self._parts, self._begin_us = [], 0

        def is_quiet() -> bool:
            last = np.concatenate(self._parts[-50:]) if len(self._parts) > 50 else np.ones(1)
            return float(np.abs(last).max()) < CLEAR / 4

        await until(is_quiet)

    def _onsets(self, level: float) -> list[float]:
        sound = np.concatenate([np.zeros(0, np.float32), *self._parts])
        loud = np.flatnonzero(np.abs(sound) > level)
        # A sixteenth is a sixteenth of a second here.
        starts = loud[np.diff(loud, prepend=-RATE) > RATE // 50]
        return [self.module.beats_at(self._begin_us + int(n) * 1_000_000 // RATE) for n in starts]

    async def end(self) -> None:
        self.module.end()
        await self._task


class Server:
    """Of a room that is always at the same place."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}/modules"
        self._stack = contextlib.ExitStack()

    def start(self) -> None:
        self.program = Background.python("midipool_server", "--port", str(self.port))
        self._stack.enter_context(self.program)
        self.program.wait_for_output("midipool-server: ws://")

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def server() -> Iterator[Server]:
    needs_audio()
    made = Server()
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
async def ear(server: Server) -> AsyncIterator[Ear]:
    async with Module(server.url, "ear", audio_out=0, profile="bar") as module:
        room = parse_room_url(server.url)
        await send_command(room, SetTempo(id=1, bpm=BPM))
        await send_command(room, Start(id=1))
        heard = Ear(module)
        yield heard
        await heard.end()


async def until(done: Callable[[], bool], timeout_s: float = 10.0) -> None:
    give_up = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < give_up, "it did not happen in time"
        await asyncio.sleep(LOOK_S)


@contextlib.asynccontextmanager
async def example(name: str, server: Server, *words: str) -> AsyncIterator[Background]:
    """One of our examples; it ends in order, by itself or when it is asked to."""
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), server.url, *words]
    with Background(command) as program:
        try:
            yield program
        finally:
            program.send(signal.SIGTERM)
            await until(lambda: not program.alive)
            assert program.process.returncode == 0, program.output()


async def members(server: Server) -> dict[str, Any]:
    room = await room_status(parse_room_url(server.url))
    return {member["name"]: member for member in room["members"]}


def off(beat: float, step: float) -> float:
    """How far a beat is from the grid."""
    return abs(beat / step - round(beat / step)) * step


def even(beats: list[float]) -> list[float]:
    """Those that are on each second beat."""
    return [beat for beat in beats if off(beat, 2) < ONE_MS_BEATS]


async def test_the_examples_play_in_time_and_hear_one_another(
    server: Server, ear: Ear, tmp_path: Path
) -> None:
    sound = np.zeros(44_100 * 2)
    sound[::22_050] = 0.9  # each second beat, in a file of another rate
    soundfile.write(tmp_path / "clicks.wav", np.convolve(sound, np.ones(44)), 44_100)
    async with example("level_logger", server) as levels:
        async with example("drum_machine", server):
            beats = await ear.beats(lambda found: len(found) > 12, LOUD)
            here = await members(server)
        kinds = {"ear": "analyzer", "levels": "analyzer", "drums": "instrument"}
        assert {name: member["kind"] for name, member in here.items()} == kinds
        # What is cut on a machine that stands still begins anew between the lines.
        hits = [beat for beat in beats if off(beat, 1 / 4) < ONE_MS_BEATS]
        assert len(hits) > 0.75 * len(beats), beats
        assert {round(beat * 4) % 16 for beat in hits} <= HITS
        player = example("file_player", server, str(tmp_path / "clicks.wav"))
        async with example("delay", server, "0.75"), player:
            await ear.quiet()
            # The first ones may be off: `bar` settles when somebody comes.
            beats = await ear.beats(lambda found: len(found) > 5 and len(even(found)) > 1, CLEAR)
        log = levels.output()
    assert "rms -" in log
    assert "silence" in log
    # Each click of the file on its beat, and behind it its echoes, once by the way to the delay.
    clicks = even(beats)
    others = [beat % 2 for beat in beats if beat not in clicks]
    firsts = [beat for beat in others if 0.75 < beat < 0.75 + MOST_WAY_BEATS]
    behind = [beat - first - 0.75 for beat in others for first in firsts]
    assert any(off(beat, 4) < ONE_MS_BEATS for beat in clicks)
    assert len(clicks) >= 2
    assert min(map(abs, behind)) < ONE_MS_BEATS, beats


async def test_a_module_outlives_the_server_and_its_own_stalls(server: Server, ear: Ear) -> None:
    room, module = parse_room_url(server.url), ear.module
    server.program.process.kill()
    await until(lambda: not module.connected)
    before_us, beats = module.room_us, module.beats
    await asyncio.to_thread(server.start)
    await until(lambda: module.connected)
    await until(lambda: module.playing)
    # The room took the song over from it.
    assert (await room_status(room))["playing"]
    passed = (module.room_us - before_us) * BPM / 60e6
    assert abs(module.beats - beats - passed) < 0.5
    assert module.overruns == 0
    time.sleep(0.5)  # noqa: ASYNC251 (as a careless module does)
    await until(lambda: module.overruns > 0)
    assert 0.2 * RATE < module.overruns < 0.7 * RATE
    before_us = module.room_us
    await until(lambda: ear.heard_us > before_us)
    assert (await members(server))["ear"]["connected"]
