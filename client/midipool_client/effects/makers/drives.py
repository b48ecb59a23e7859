"""Overdrives, distortions, fuzzes, amplifiers."""

import pedalboard

from midipool.effects.board import Effect
from midipool_client.effects.makers.decibels import db_of
from midipool_client.effects.makers.place import Place
from midipool_client.effects.makers.tones import Tone
from midipool_client.effects.stage import Own, Pedal, Stage, Values

DRIVES = {
    "tube_drive": 0,
    "soul_drive": 1,
    "screamer": 2,
    "distortion": 3,
    "fuzz": 4,
    "octave_fuzz": 5,
    "metal": 6,
}


def tube_of(effect: Effect, place: Place) -> Stage:
    """A tube's overdrive."""
    own, treble = Own("drive", place.channels, place.rate), pedalboard.HighShelfFilter(1500)

    def apply(v: Values, bpm: float) -> None:
        own.set([DRIVES[effect.kind], v["drive"], 0.9, 30, v["level"]])
        treble.gain_db = v["treble"]

    return Stage([own, Pedal(treble, place.rate)], apply)


def drive_of(effect: Effect, place: Place) -> Stage:
    """Distortions and fuzzes."""
    own = Own("drive", place.channels, place.rate)

    def apply(v: Values, bpm: float) -> None:
        own.set([DRIVES[effect.kind], v["drive"], v["tone"], 60, v["level"]])

    return Stage([own], apply)


def screamer_of(effect: Effect, place: Place) -> Stage:
    """An overdrive with a hump."""
    own = Own("drive", place.channels, place.rate)

    def apply(v: Values, bpm: float) -> None:
        own.set([DRIVES["screamer"], db_of(v["drive"]), v["tone"], 720, db_of(v["output"])])

    return Stage([own], apply)


def bitcrush_of(effect: Effect, place: Place) -> Stage:
    """Fewer bits."""
    crush = pedalboard.Bitcrush()

    def apply(v: Values, bpm: float) -> None:
        crush.bit_depth = v["bits"]

    return Stage([Pedal(crush, place.rate)], apply)


def champ_of(effect: Effect, place: Place) -> Stage:
    """A small amplifier."""
    tone, own = Tone(place.rate, 120, 500, 2000), Own("drive", place.channels, place.rate)

    def apply(v: Values, bpm: float) -> None:
        tone.set(v["bass"], -4, v["treble"])
        own.set([DRIVES["tube_drive"], v["gain"] + 12, 0.75, 40, v["master"] - 6])

    return Stage([tone.unit, own], apply)


def princeton_of(effect: Effect, place: Place) -> Stage:
    """An amplifier of two stages."""
    tone = Tone(place.rate, 110, 450, 2200)
    first = Own("drive", place.channels, place.rate)
    second = Own("drive", place.channels, place.rate)

    def apply(v: Values, bpm: float) -> None:
        first.set([DRIVES["tube_drive"], db_of(v["volume"]) + 4, 0.85, 30, 0])
        tone.set((v["bass"] - 5) * 3, -5, (v["treble"] - 5) * 3)
        second.set([DRIVES["soul_drive"], db_of(v["master"]) + 8, 0.8, 30, -3])

    return Stage([first, tone.unit, second], apply)
