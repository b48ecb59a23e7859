"""Tone stacks, equalizer, filters."""

import pedalboard

from midipool.effects.board import Effect
from midipool_client.effects.makers.place import Place
from midipool_client.effects.stage import Own, Pedal, Stage, Values

LADDER = {
    "low12": "LPF12",
    "low24": "LPF24",
    "band12": "BPF12",
    "band24": "BPF24",
    "high12": "HPF12",
    "high24": "HPF24",
}


class Tone:
    """Shelves at both ends and a bell between."""

    def __init__(self, rate: int, low_hz: float, mid_hz: float, high_hz: float) -> None:
        self.low = pedalboard.LowShelfFilter(low_hz)
        self.mid = pedalboard.PeakFilter(mid_hz)
        self.high = pedalboard.HighShelfFilter(high_hz)
        self.gain = pedalboard.Gain(0)
        self.unit = Pedal(pedalboard.Chain([self.low, self.mid, self.high, self.gain]), rate)

    def set(self, low_db: float, mid_db: float, high_db: float, gain_db: float = 0.0) -> None:
        """Gains in dB."""
        self.low.gain_db, self.mid.gain_db, self.high.gain_db = low_db, mid_db, high_db
        self.gain.gain_db = gain_db


def tone_stack_of(effect: Effect, place: Place) -> Stage:
    """Bass, middle, treble."""
    tone = Tone(place.rate, 150, 600, 2500)
    return Stage([tone.unit], lambda v, bpm: tone.set(v["bass"], v["mid"], v["treble"]))


def bass_di_of(effect: Effect, place: Place) -> Stage:
    """The same for a bass."""
    tone = Tone(place.rate, 80, 500, 2500)

    def apply(v: Values, bpm: float) -> None:
        tone.set(v["bass"], v["mid"], v["treble"], v["volume"])

    return Stage([tone.unit], apply)


def eq_of(effect: Effect, place: Place) -> Stage:
    """An equalizer."""
    tone = Tone(place.rate, 120, 800, 4000)

    def apply(v: Values, bpm: float) -> None:
        tone.low.cutoff_frequency_hz = v["low_frequency"]
        tone.mid.cutoff_frequency_hz, tone.mid.q = v["mid_frequency"], v["mid_q"]
        tone.high.cutoff_frequency_hz = v["high_frequency"]
        tone.set(v["low"], v["mid"], v["high"])

    return Stage([tone.unit], apply)


def filter_of(effect: Effect, place: Place) -> Stage:
    """A ladder filter."""
    ladder = pedalboard.LadderFilter()

    def apply(v: Values, bpm: float) -> None:
        ladder.mode = getattr(pedalboard.LadderFilter.Mode, LADDER[v["type"]])
        ladder.cutoff_hz, ladder.resonance = v["frequency"], v["resonance"]
        ladder.drive = v["drive"]

    return Stage([Pedal(ladder, place.rate)], apply)


def envelope_of(effect: Effect, place: Place) -> Stage:
    """A filter that follows how loud it is."""
    own = Own("envelope", place.channels, place.rate)

    def apply(v: Values, bpm: float) -> None:
        kind = ("low", "band", "high").index(v["type"])
        times = v["attack"] / 1e3, v["release"] / 1e3
        own.set(
            [kind, v["frequency"], v["resonance"], v["sensitivity"], *times, v["level"], v["dry"]]
        )

    return Stage([own], apply)
