"""Gate, compressor, limiter, gain."""

import pedalboard

from midipool.effects.board import Effect
from midipool_client.effects.makers.place import Place
from midipool_client.effects.stage import Own, Pedal, Stage, Values


def gate_of(effect: Effect, place: Place) -> Stage:
    """Silence below a threshold."""
    own = Own("gate", place.channels, place.rate)

    def apply(v: Values, bpm: float) -> None:
        own.set([v["threshold"], v["attack"] / 1e3, v["hold"] / 1e3, v["release"] / 1e3])

    return Stage([own], apply)


def compressor_of(effect: Effect, place: Place) -> Stage:
    """Loud becomes less so."""
    own = Own("compressor", place.channels, place.rate)

    def apply(v: Values, bpm: float) -> None:
        times = [v["attack"] / 1e3, v["release"] / 1e3]
        own.set([v["threshold"], v["ratio"], *times, v["level"]])

    return Stage([own], apply)


def limiter_of(effect: Effect, place: Place) -> Stage:
    """No louder than that."""
    limiter, back = pedalboard.Limiter(), pedalboard.Gain(0)

    def apply(v: Values, bpm: float) -> None:
        limiter.threshold_db, limiter.release_ms = v["threshold"], v["release"]
        back.gain_db = v["threshold"]  # the library's makes what is below it as much louder

    return Stage([Pedal(pedalboard.Chain([limiter, back]), place.rate)], apply)


def gain_of(effect: Effect, place: Place) -> Stage:
    """Louder or softer."""
    own = Own("gain", place.channels, place.rate)
    return Stage([own], lambda v, bpm: own.set([v["gain"]]))
