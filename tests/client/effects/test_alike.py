"""Compressor and reverb, which are ours to run without the interpreter, sound as pedalboard's."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("pedalboard", reason="effects need pedalboard: pip install 'midipool[effects]'")

import pedalboard

from midipool.effects.board import Effect
from midipool_client.effects.makers.place import Place
from midipool_client.effects.making import make
from midipool_client.effects.stage import Block
from midipool_native.effects import EffectsMemory

RATE, PERIOD, BLOCKS = 48_000, 128, 600
Values = dict[str, float | str]


def noise(channels: int) -> Block:
    """Of changing level."""
    made = np.random.default_rng(1).normal(0, 0.1, (channels, BLOCKS * PERIOD))
    levels = np.repeat(np.random.default_rng(2).uniform(0.02, 2, BLOCKS // 10), 10 * PERIOD)
    loud: Block = (made * levels).astype(np.float32)
    return loud


def ours(kind: str, values: Values, sound: Block) -> Block:
    effect = Effect(id=1, kind=kind, values=values)
    stage = make(effect, Place(len(sound), RATE, EffectsMemory.create()))
    stage.apply(effect.all_values, 120.0)
    stage.wet = 1.0
    assert stage.own is not None
    blocks = np.split(sound, BLOCKS, axis=1)
    return np.concatenate([stage.process(block.copy()) for block in blocks], axis=1)


def theirs(board: Any, sound: Block) -> Block:
    blocks = np.split(sound, BLOCKS, axis=1)
    done = [board.process(block.copy(), RATE, PERIOD, False) for block in blocks]
    return np.concatenate(done, axis=1)


def off_db(one: Block, other: Block) -> float:
    """What they differ by, behind the first third, in which theirs goes over to what is set."""
    one, other = (block[:, BLOCKS // 3 * PERIOD :] for block in (one, other))
    return float(10 * np.log10(np.mean((one - other) ** 2) / np.mean(other**2)))


@pytest.mark.parametrize("channels", [1, 2])
def test_a_compressor(channels: int) -> None:
    values: Values = {"threshold": -30, "ratio": 4, "attack": 20, "release": 120, "level": 5}
    board = pedalboard.Chain([pedalboard.Compressor(-30, 4, 20, 120), pedalboard.Gain(5)])
    sound = noise(channels)
    assert off_db(ours("compressor", values, sound), theirs(board, sound)) < -100


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("width", [0.0, 0.7])
def test_a_reverb(channels: int, width: float) -> None:
    values: Values = {"time": 0.6, "damping": 0.4, "width": width, "level": 0.4}
    values |= {"low_cut": 200, "high_cut": 6000}
    hall = pedalboard.Reverb(room_size=0.6, damping=0.4, width=width, wet_level=0.4, dry_level=0.0)
    wet = [pedalboard.HighpassFilter(200), pedalboard.LowpassFilter(6000), hall]
    board, sound = pedalboard.Chain(wet), noise(channels)
    assert off_db(ours("reverb", values, sound) - sound, theirs(board, sound)) < -80
