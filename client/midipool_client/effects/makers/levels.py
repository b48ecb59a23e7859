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
    squeeze, gain = pedalboard.Compressor(), pedalboard.Gain(0)

    def apply(v: Values, bpm: float) -> None:
        squeeze.threshold_db, squeeze.ratio = v["threshold"], v["ratio"]
        squeeze.attack_ms, squeeze.release_ms = v["attack"], v["release"]
        gain.gain_db = v["level"]

    return Stage([Pedal(pedalboard.Chain([squeeze, gain]), place.rate)], apply)


def limiter_of(effect: Effect, place: Place) -> Stage:
    """No louder than that."""
    limiter, back = pedalboard.Limiter(), pedalboard.Gain(0)

    def apply(v: Values, bpm: float) -> None:
        limiter.threshold_db, limiter.release_ms = v["threshold"], v["release"]
        back.gain_db = v["threshold"]  # the library's makes what is below it as much louder

    return Stage([Pedal(pedalboard.Chain([limiter, back]), place.rate)], apply)


def gain_of(effect: Effect, place: Place) -> Stage:
    """Louder or softer."""
    gain = pedalboard.Gain(0)

    def apply(v: Values, bpm: float) -> None:
        gain.gain_db = v["gain"]

    return Stage([Pedal(gain, place.rate)], apply)
