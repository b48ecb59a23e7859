"""How long a client waits for an engine, and whether a first one that dies is started again."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest

from midipool.errors import Unavailable
from midipool_client.audio.engine_messages import AudioConfig, AudioReady
from midipool_client.audio.process import AudioProcess
from midipool_client.engine import child as children
from midipool_client.engine.child import EngineChild
from midipool_client.engine.process import EngineProcess

# On a busy machine a program takes long to start, and to end.
PATIENCE_S = 40.0


def child(
    said: list[bytes], start_s: float, stuck_s: float, opens: bool = True
) -> EngineChild[bytes]:
    """Its devices are open once it said something, or never."""
    return EngineChild(
        "engine",
        "tests.client.engine.scripted",
        bytes,
        said.append,
        is_open=lambda: opens and bool(said),
        start_s=start_s,
        stuck_s=stuck_s,
    )


async def test_an_engine_whose_devices_take_long_to_open_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(children, "GONE_S", PATIENCE_S)
    said: list[bytes] = []
    # It never is open: how long it takes to end on a busy machine does not matter.
    slow = child(said, start_s=PATIENCE_S, stuck_s=0.01, opens=False)
    await slow.run_once("0.2 say exit")
    assert said == [b""]
    assert not slow.was_killed


async def test_an_engine_that_was_open_and_is_silent_is_killed_soon() -> None:
    said: list[bytes] = []
    stuck = child(said, start_s=PATIENCE_S, stuck_s=0.05)
    async with asyncio.timeout(PATIENCE_S):
        await stuck.run_once("say")
    assert said == [b""]
    assert stuck.was_killed


async def test_an_engine_that_never_says_anything_is_killed_too() -> None:
    mute = child([], start_s=0.3, stuck_s=10.0)
    async with asyncio.timeout(PATIENCE_S):
        await mute.run_once("")
    assert mute.was_killed


# ---- engines that never come up ----

READY = AudioReady("JACK", 48_000, 128, realtime=True, port=40_000)


class Script:
    """What the engines do, one after the other: be ready, or end so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *ends: str) -> None:
        self.ends = list(ends)
        self.runs = 0
        self.now = ""
        self.on_ready: Callable[[], None] = lambda: None
        script = self

        async def run_once(child: EngineChild[bytes], config: str) -> None:
            script.now = script.ends[min(script.runs, len(script.ends) - 1)]
            script.runs += 1
            if script.now == "ready":
                script.on_ready()
                await asyncio.Event().wait()

        was_killed = property(lambda child: script.now == "killed")
        monkeypatch.setattr(children.EngineChild, "run_once", run_once)
        monkeypatch.setattr(children.EngineChild, "was_killed", was_killed)
        for where in ("audio", "engine"):
            monkeypatch.setattr(f"midipool_client.{where}.process.RESTART_AGAIN_S", 0.0)


async def some_turns(running: Coroutine[None, None, None]) -> None:
    """Of the loop: nothing in it waits for time."""
    task = asyncio.create_task(running)
    for _ in range(50):
        await asyncio.sleep(0)
    task.cancel()


def audio(script: Script) -> AudioProcess:
    process = AudioProcess(AudioConfig("mp", 2), lambda ready: None, lambda rare: None)
    script.on_ready = lambda: process._take(READY)
    return process


async def test_audio_comes_when_the_first_engine_was_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = Script(monkeypatch, "killed", "ready")
    process = audio(script)
    await some_turns(process.run())
    assert process.state == "running"
    assert script.runs == 2


# One that says what is missing is believed; one that was killed is tried again.
never = pytest.mark.parametrize(("end", "runs"), [("says no", 1), ("killed", 3)])


@never
async def test_audio_whose_engine_never_comes_up_is_given_up(
    monkeypatch: pytest.MonkeyPatch, end: str, runs: int
) -> None:
    script = Script(monkeypatch, end)
    process = audio(script)
    await some_turns(process.run())
    assert process.state == "unavailable"
    assert script.runs == runs


@never
async def test_a_midi_engine_that_never_had_a_port_is_given_up(
    monkeypatch: pytest.MonkeyPatch, end: str, runs: int
) -> None:
    script = Script(monkeypatch, end)
    with pytest.raises(Unavailable):
        await EngineProcess([], lambda ready: None).run()
    assert script.runs == runs
