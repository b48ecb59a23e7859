"""Delay, tremolo, chorus, phaser: what moves in time."""

import pedalboard

from midipool.effects.board import Effect
from midipool.effects.kinds import SYNC_BEATS
from midipool_client.effects.makers.place import Place
from midipool_client.effects.stage import Own, Pedal, Stage, Values


def _synced_s(v: Values, bpm: float, otherwise_s: float) -> float:
    beats = SYNC_BEATS[v["sync"]]
    return beats * 60 / bpm if beats else otherwise_s


def delay_of(effect: Effect, place: Place) -> Stage:
    """An echo."""
    own = Own("delay", place.channels, place.rate)

    def apply(v: Values, bpm: float) -> None:
        mode = ("digital", "analog", "highpass").index(v["mode"])
        time_s = _synced_s(v, bpm, v["time"] / 1e3)
        while time_s > 4.0:  # a whole note at a slow tempo: what still fits, on the beat
            time_s /= 2
        own.set([mode, time_s, v["feedback"], v["level"], v["drift"], v["rate"]])

    return Stage([own], apply)


def tremolo_of(effect: Effect, place: Place) -> Stage:
    """Loud and soft in turn."""
    own = Own("tremolo", place.channels, place.rate)

    def apply(v: Values, bpm: float) -> None:
        shape = ("sine", "triangle", "square").index(v["shape"])
        own.set([v["depth"], 1 / _synced_s(v, bpm, 1 / v["rate"]), shape])

    return Stage([own], apply)


def chorus_of(effect: Effect, place: Place) -> Stage:
    """Several that are not quite together."""
    chorus = pedalboard.Chorus()

    def apply(v: Values, bpm: float) -> None:
        chorus.centre_delay_ms, chorus.depth = v["time"], v["depth"]
        chorus.rate_hz, chorus.feedback, chorus.mix = v["rate"], v["feedback"], v["mix"]

    return Stage([Pedal(chorus, place.rate)], apply)


def phaser_of(effect: Effect, place: Place) -> Stage:
    """Notches that wander."""
    phaser = pedalboard.Phaser()

    def apply(v: Values, bpm: float) -> None:
        phaser.rate_hz, phaser.depth = v["rate"], v["depth"]
        phaser.centre_frequency_hz = v["centre"]
        phaser.feedback, phaser.mix = v["feedback"], v["mix"]

    return Stage([Pedal(phaser, place.rate)], apply)


def pitch_of(effect: Effect, place: Place) -> Stage:
    """Higher or lower."""
    # Pedalboard's own is silent in blocks that follow one another (spotify/pedalboard #415).
    own = Own("pitch", place.channels, place.rate)
    return Stage([own], lambda v, bpm: own.set([v["semitones"], v["mix"]]))
