"""The effects engine's process with a plug-in that hangs, beside an audio engine's core."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pedalboard", reason="effects need pedalboard: pip install 'midipool[effects]'")

from midipool.effects.board import Effect
from midipool_client.effects.messages import EffectsConfig, Work
from midipool_client.effects.process import EffectsProcess
from midipool_native import host_clock
from midipool_native._rt import ffi, lib
from midipool_native.audio import AudioCore
from midipool_native.effects import INPUT, ON, EffectsMemory, set_insert, use_effects
from tests.client.effects.vst3 import small_plugin

RATE, PERIOD = 48_000, 512


@contextlib.contextmanager
def cycling(memory: EffectsMemory) -> Iterator[None]:
    """An audio engine that has cycles, as a device would make them."""
    core = AudioCore.without_device(RATE, PERIOD, 2, 2)
    use_effects(core, memory)
    set_insert(core, INPUT, ON)
    ended = threading.Event()

    def run() -> None:
        blocks = [np.zeros(PERIOD, np.float32) for _ in range(4)]
        pointers = [ffi.from_buffer("float[]", block) for block in blocks]
        heard, out = ffi.new("float *[]", pointers[:2]), ffi.new("float *[]", pointers[2:])
        while not ended.wait(PERIOD / RATE):
            lib.mp_audio_process(core.handle, heard, out, ffi.NULL, PERIOD, host_clock.now_ns())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


async def test_a_plug_in_that_hangs_is_named_and_the_engine_is_back(tmp_path: Path) -> None:
    memory, deaths = EffectsMemory.create(), list[tuple[int, str]]()
    process = EffectsProcess(memory, lambda: None, lambda *death: deaths.append(death))
    config = EffectsConfig(
        memory_fd=memory.fd, rate=RATE, in_channels=2, out_channels=2, priority=0
    )

    async def work(wanted: Work, done: Callable[[], bool]) -> None:
        give_up_s = time.monotonic() + 20
        while not done():
            assert time.monotonic() < give_up_s
            await process.want(config, wanted)
            await asyncio.sleep(0.02)

    plugin: dict[str, float | str] = {"file": str(small_plugin(tmp_path)), "harm": 0.5}
    hangs = Work(1, {"own": (Effect(id=7, kind="plugin", values=plugin),)})
    with cycling(memory):
        try:
            await work(hangs, lambda: bool(deaths))
            assert deaths == [(7, "it did not come back")]
            await work(Work(2), lambda: process.status is not None and process.status.version == 2)
        finally:
            await process.end()
