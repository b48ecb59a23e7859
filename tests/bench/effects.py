"""What effects cost, how much later sound is by them, and how often a block was not there in time.

A real client on JACK's dummy driver, with its own input in its own mix. First without effects, then
with a gain alone (which tells how late), then with a chain of five on two channels. Beside that,
each kind by itself, without any device.
"""

import argparse
import re
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from midipool.effects.board import Effect
from midipool.effects.kinds import KINDS
from midipool_demo.background import Background
from midipool_demo.stage import Player, Stage
from midipool_native.effects import EffectsMemory
from tests.bench.process_cost import ProcessCost, child_running
from tests.bench.sound_probe import Plan, Record, SoundProbe, sound
from tests.e2e.sound_daw import Floats

RATE, PERIOD, CHANNELS = 48_000, 128, 2
CHAIN = (("gate",), ("compressor",), ("screamer", "drive=10"), ("delay",), ("reverb",))
ENGINE, AUDIO = "midipool_client.effects", "midipool_client.audio.engine"
PORTS = tuple(f"midiPool-audio:audio_receive_{n}" for n in (1, 2))
SENDS = tuple(f"midiPool-audio:audio_send_{n}" for n in (1, 2))
BLOCKS = 2000


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=20.0, help="with each board")


def run(options: argparse.Namespace) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory() as home,
        Stage(("player",), home=Path(home), period=PERIOD, audio=("--profile", "lan")) as stage,
    ):
        [player] = stage.players
        _shell(player, "hear", "monitor=0")
        plain, dry = _measured(player, options.seconds, Path(home))
        _shell(player, "effects", "add", "own", "gain", "gain=-6")
        gain, wet = _measured(player, options.seconds, Path(home))
        _shell(player, "effects", "clear", "own")
        for words in CHAIN:
            _shell(player, "effects", "add", "own", *words)
        five, _ = _measured(player, options.seconds, Path(home))
    return {
        "rate": RATE,
        "period_frames": PERIOD,
        "channels": CHANNELS,
        "seconds": options.seconds,
        "chain": [words[0] for words in CHAIN],
        "added_frames": _lag(wet) - _lag(dry),
        "boards": {"none": plain, "gain": gain, "five": five},
        "microseconds_a_block": {kind: _cost(kind) for kind in KINDS if kind != "plugin"},
    }


def _shell(player: Player, *words: str) -> str:
    with Background.python("midipool_client", *words, env=player.env) as command:
        if command.process.wait(30) != 0:
            raise RuntimeError(command.output())
        return command.output()


def _measured(player: Player, seconds: float, home: Path) -> tuple[dict[str, Any], Record]:
    """What it costs with the board as it is; and what was heard at the end."""
    plan = Plan(
        "probe",
        seconds + 5,
        str(home / "probe.npz"),
        tuple((f"noise{n}", port) for n, port in enumerate(SENDS)),
        PORTS,
    )
    client = player.client.process.pid
    with SoundProbe(player.env, plan) as probe:
        time.sleep(1.0)
        late = _late(player)
        audio = ProcessCost(child_running(client, AUDIO))
        engine = None if late is None else ProcessCost(child_running(client, ENGINE))
        with audio, engine or audio:
            time.sleep(seconds)
        late_after, state = _late(player), _shell(player, "effects", "show")
        record = probe.end()
    load = re.search(r"load ([\d.]+)% of a period, at most (\d+)%", state)
    return {
        "audio_engine_percent": audio.cpu_percent,
        "effects_engine_percent": 0.0 if engine is None else engine.cpu_percent,
        "effects_engine_mb": None if engine is None else engine.resident_mb,
        "blocks": round(seconds * RATE / PERIOD),
        "late_blocks": None if late is None or late_after is None else late_after - late,
        "load_percent": None if load is None else float(load[1]),
        "most_load_percent": None if load is None else int(load[2]),
        "xruns": len(record.xruns_ns),
    }, record


def _late(player: Player) -> int | None:
    found = re.search(r"effects late (\d+)", _shell(player, "effects", "show"))
    return None if found is None else int(found[1])


def _lag(record: Record) -> int:
    """Frames by which the probe hears itself late, at the end."""
    frames = 1 << 15
    heard: Floats = record.heard[-frames:, 0]
    begin = len(record.heard) - frames
    played = sound("noise0")
    around = played[np.arange(begin - frames, begin + frames) % len(played)]
    size = 4 * frames
    alike = np.fft.irfft(np.conj(np.fft.rfft(heard, size)) * np.fft.rfft(around, size), size)
    return frames - int(np.argmax(alike[: frames + 1]))


def _cost(kind: str) -> float:
    """Of one block of two channels, in the mean."""
    from midipool_client.effects.makers.place import Place
    from midipool_client.effects.making import make

    effect = Effect(id=1, kind=kind)
    stage = make(effect, Place(CHANNELS, RATE, EffectsMemory.create()))
    stage.apply(effect.all_values, 120.0)
    stage.wet = 1.0
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, (CHANNELS, PERIOD)).astype(np.float32)
    blocks = [noise.copy() for _ in range(BLOCKS)]
    for block in blocks[:100]:
        stage.process(block)
    began_s = time.perf_counter()
    for block in blocks[100:]:
        stage.process(block)
    return round((time.perf_counter() - began_s) / (BLOCKS - 100) * 1e6, 1)


def plot(result: dict[str, Any], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.6])
    boards = result["boards"]
    names = list(boards)
    left.bar(names, [boards[name]["effects_engine_percent"] for name in names])
    left.axhline(5, color="grey", linestyle="--")
    left.set_ylabel("% of a core, effects engine")
    left.set_title(f"{result['added_frames']} frames later; {boards['five']['late_blocks']} late")
    costs = sorted(result["microseconds_a_block"].items(), key=lambda item: item[1])
    right.barh([kind for kind, _ in costs], [us for _, us in costs])
    right.tick_params(axis="y", labelsize=7)
    right.set_xlabel(f"µs for {PERIOD} frames of {CHANNELS} channels (they last 2,667)")
    figure.savefig(path)
