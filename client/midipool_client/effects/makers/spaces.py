"""Reverb, room, cabinet: what stands around."""

import math
from typing import Any

import numpy as np
import pedalboard

from midipool.effects.board import Effect
from midipool_client.effects import impulses
from midipool_client.effects.makers.decibels import db_of
from midipool_client.effects.makers.place import Place
from midipool_client.effects.stage import Own, Pedal, Stage, Values


def reverb_of(effect: Effect, place: Place) -> Stage:
    """A hall."""
    own = Own("reverb", place.channels, place.rate)

    def apply(v: Values, bpm: float) -> None:
        hall = [v["time"], v["damping"], v["width"]]
        own.set([*hall, v["low_cut"], v["high_cut"], v["level"]])

    return Stage([own], apply)


def _beside(wet: Any) -> Any:
    """What it makes is heard beside the sound."""
    return pedalboard.Mix([pedalboard.Gain(0), wet])


def _convolved(impulse: impulses.Impulse, rate: int) -> tuple[Any, float]:
    """A convolution, and the gain in dB that it lacks: the library makes all equally strong."""
    energy = float(np.sum(impulse.astype(np.float64) ** 2))
    return pedalboard.Convolution(impulse, 1.0, rate), db_of(math.sqrt(energy) / 0.125)


def room_of(effect: Effect, place: Place) -> Stage:
    """A room of given walls."""
    v = effect.all_values
    size = float(v["side"]), float(v["floor"]), float(v["top"])
    walls, lacking_db = _convolved(impulses.room(*size, place.rate), place.rate)
    level = pedalboard.Gain(0)
    wet = pedalboard.Chain([walls, level])

    def apply(v: Values, bpm: float) -> None:
        level.gain_db = lacking_db + db_of(v["level"])

    return Stage([Pedal(_beside(wet), place.rate)], apply)


def cabinet_of(effect: Effect, place: Place) -> Stage:
    """A loudspeaker."""
    v = effect.all_values
    if v["model"] == "file":
        impulse = impulses.from_file(str(v["file"]), place.rate)
    else:
        impulse = impulses.cabinet(str(v["model"]), place.rate)
    speaker, lacking_db = _convolved(impulse, place.rate)
    level = pedalboard.Gain(0)

    def apply(v: Values, bpm: float) -> None:
        level.gain_db = lacking_db + v["level"]

    return Stage([Pedal(pedalboard.Chain([speaker, level]), place.rate)], apply)
