"""Effects by their kinds, made of pedalboard's and our own."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pedalboard

from midipool.effects.board import Effect
from midipool.effects.kinds import SYNC_BEATS
from midipool.errors import InvalidValue
from midipool_client.effects import impulses
from midipool_client.effects.stage import Beside, Foreign, Own, Pedal, Stage, Values
from midipool_native.effects import EffectsMemory

DRIVES = {
    "tube_drive": 0,
    "soul_drive": 1,
    "screamer": 2,
    "distortion": 3,
    "fuzz": 4,
    "octave_fuzz": 5,
    "metal": 6,
}
LADDER = {
    "low12": "LPF12",
    "low24": "LPF24",
    "band12": "BPF12",
    "band24": "BPF24",
    "high12": "HPF12",
    "high24": "HPF24",
}
# What can only be had by making the effect anew.
MADE_OF: Mapping[str, tuple[str, ...]] = {
    "cabinet": ("model", "file"),
    "room": ("side", "floor", "top"),
    "plugin": ("file", "name"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """What an effect works on."""

    channels: int
    rate: int
    memory: EffectsMemory


def made_of(effect: Effect) -> tuple[Any, ...]:
    """Two effects that agree in this can be one, with other values."""
    values = effect.all_values
    return (effect.id, effect.kind, *(values[name] for name in MADE_OF.get(effect.kind, ())))


def make(effect: Effect, place: Place) -> Stage:
    """An effect that works; raises MidiPoolError. `apply` is still to be called."""
    stage = _MAKERS[effect.kind](effect, place)
    stage.id = effect.id
    return stage


def _gate(effect: Effect, place: Place) -> Stage:
    own = Own("gate", place.channels, place.rate)

    def apply(v: Values, bpm: float) -> None:
        own.set([v["threshold"], v["attack"] / 1e3, v["hold"] / 1e3, v["release"] / 1e3])

    return Stage([own], apply)


def _compressor(effect: Effect, place: Place) -> Stage:
    squeeze, gain = pedalboard.Compressor(), pedalboard.Gain(0)

    def apply(v: Values, bpm: float) -> None:
        squeeze.threshold_db, squeeze.ratio = v["threshold"], v["ratio"]
        squeeze.attack_ms, squeeze.release_ms = v["attack"], v["release"]
        gain.gain_db = v["level"]

    return Stage([Pedal(pedalboard.Chain([squeeze, gain]), place.rate)], apply)


def _limiter(effect: Effect, place: Place) -> Stage:
    limiter, back = pedalboard.Limiter(), pedalboard.Gain(0)

    def apply(v: Values, bpm: float) -> None:
        limiter.threshold_db, limiter.release_ms = v["threshold"], v["release"]
        back.gain_db = v["threshold"]  # the library's makes what is below it as much louder

    return Stage([Pedal(pedalboard.Chain([limiter, back]), place.rate)], apply)


def _gain(effect: Effect, place: Place) -> Stage:
    gain = pedalboard.Gain(0)

    def apply(v: Values, bpm: float) -> None:
        gain.gain_db = v["gain"]

    return Stage([Pedal(gain, place.rate)], apply)


def _synced_s(v: Values, bpm: float, otherwise_s: float) -> float:
    beats = SYNC_BEATS[v["sync"]]
    return beats * 60 / bpm if beats else otherwise_s


def _delay(effect: Effect, place: Place) -> Stage:
    own = Own("delay", place.channels, place.rate)

    def apply(v: Values, bpm: float) -> None:
        mode = ("digital", "analog", "highpass").index(v["mode"])
        time_s = _synced_s(v, bpm, v["time"] / 1e3)
        while time_s > 4.0:  # a whole note at a slow tempo: what still fits, on the beat
            time_s /= 2
        own.set([mode, time_s, v["feedback"], v["level"], v["drift"], v["rate"]])

    return Stage([own], apply)


def _tremolo(effect: Effect, place: Place) -> Stage:
    own = Own("tremolo", place.channels, place.rate)

    def apply(v: Values, bpm: float) -> None:
        shape = ("sine", "triangle", "square").index(v["shape"])
        own.set([v["depth"], 1 / _synced_s(v, bpm, 1 / v["rate"]), shape])

    return Stage([own], apply)


def _chorus(effect: Effect, place: Place) -> Stage:
    chorus = pedalboard.Chorus()

    def apply(v: Values, bpm: float) -> None:
        chorus.centre_delay_ms, chorus.depth = v["time"], v["depth"]
        chorus.rate_hz, chorus.feedback, chorus.mix = v["rate"], v["feedback"], v["mix"]

    return Stage([Pedal(chorus, place.rate)], apply)


def _phaser(effect: Effect, place: Place) -> Stage:
    phaser = pedalboard.Phaser()

    def apply(v: Values, bpm: float) -> None:
        phaser.rate_hz, phaser.depth = v["rate"], v["depth"]
        phaser.centre_frequency_hz = v["centre"]
        phaser.feedback, phaser.mix = v["feedback"], v["mix"]

    return Stage([Pedal(phaser, place.rate)], apply)


def _reverb(effect: Effect, place: Place) -> Stage:
    low, high = pedalboard.HighpassFilter(), pedalboard.LowpassFilter()
    reverb = pedalboard.Reverb(wet_level=1.0, dry_level=0.0)
    wet = pedalboard.Chain([low, high, reverb])

    def apply(v: Values, bpm: float) -> None:
        low.cutoff_frequency_hz, high.cutoff_frequency_hz = v["low_cut"], v["high_cut"]
        reverb.room_size, reverb.damping, reverb.width = v["time"], v["damping"], v["width"]
        reverb.wet_level = v["level"]

    return Stage([Beside(wet, place.rate)], apply)


def _db(factor: float) -> float:
    return 20 * math.log10(max(factor, 1e-5))


def _convolved(impulse: impulses.Impulse, rate: int) -> tuple[Any, float]:
    """A convolution, and the gain in dB that it lacks: the library makes all equally strong."""
    energy = float(np.sum(impulse.astype(np.float64) ** 2))
    return pedalboard.Convolution(impulse, 1.0, rate), _db(math.sqrt(energy) / 0.125)


def _room(effect: Effect, place: Place) -> Stage:
    v = effect.all_values
    size = float(v["side"]), float(v["floor"]), float(v["top"])
    walls, lacking_db = _convolved(impulses.room(*size, place.rate), place.rate)
    level = pedalboard.Gain(0)
    wet = pedalboard.Chain([walls, level])

    def apply(v: Values, bpm: float) -> None:
        level.gain_db = lacking_db + _db(v["level"])

    return Stage([Beside(wet, place.rate)], apply)


def _cabinet(effect: Effect, place: Place) -> Stage:
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


class _Tone:
    """Shelves at both ends and a bell between."""

    def __init__(self, rate: int, low_hz: float, mid_hz: float, high_hz: float) -> None:
        self.low = pedalboard.LowShelfFilter(low_hz)
        self.mid = pedalboard.PeakFilter(mid_hz)
        self.high = pedalboard.HighShelfFilter(high_hz)
        self.gain = pedalboard.Gain(0)
        self.unit = Pedal(pedalboard.Chain([self.low, self.mid, self.high, self.gain]), rate)

    def set(self, low_db: float, mid_db: float, high_db: float, gain_db: float = 0.0) -> None:
        self.low.gain_db, self.mid.gain_db, self.high.gain_db = low_db, mid_db, high_db
        self.gain.gain_db = gain_db


def _tone_stack(effect: Effect, place: Place) -> Stage:
    tone = _Tone(place.rate, 150, 600, 2500)
    return Stage([tone.unit], lambda v, bpm: tone.set(v["bass"], v["mid"], v["treble"]))


def _bass_di(effect: Effect, place: Place) -> Stage:
    tone = _Tone(place.rate, 80, 500, 2500)

    def apply(v: Values, bpm: float) -> None:
        tone.set(v["bass"], v["mid"], v["treble"], v["volume"])

    return Stage([tone.unit], apply)


def _eq(effect: Effect, place: Place) -> Stage:
    tone = _Tone(place.rate, 120, 800, 4000)

    def apply(v: Values, bpm: float) -> None:
        tone.low.cutoff_frequency_hz = v["low_frequency"]
        tone.mid.cutoff_frequency_hz, tone.mid.q = v["mid_frequency"], v["mid_q"]
        tone.high.cutoff_frequency_hz = v["high_frequency"]
        tone.set(v["low"], v["mid"], v["high"])

    return Stage([tone.unit], apply)


def _filter(effect: Effect, place: Place) -> Stage:
    ladder = pedalboard.LadderFilter()

    def apply(v: Values, bpm: float) -> None:
        ladder.mode = getattr(pedalboard.LadderFilter.Mode, LADDER[v["type"]])
        ladder.cutoff_hz, ladder.resonance = v["frequency"], v["resonance"]
        ladder.drive = v["drive"]

    return Stage([Pedal(ladder, place.rate)], apply)


def _envelope(effect: Effect, place: Place) -> Stage:
    own = Own("envelope", place.channels, place.rate)

    def apply(v: Values, bpm: float) -> None:
        kind = ("low", "band", "high").index(v["type"])
        times = v["attack"] / 1e3, v["release"] / 1e3
        own.set(
            [kind, v["frequency"], v["resonance"], v["sensitivity"], *times, v["level"], v["dry"]]
        )

    return Stage([own], apply)


def _tube(effect: Effect, place: Place) -> Stage:
    own, treble = Own("drive", place.channels, place.rate), pedalboard.HighShelfFilter(1500)

    def apply(v: Values, bpm: float) -> None:
        own.set([DRIVES[effect.kind], v["drive"], 0.9, 30, v["level"]])
        treble.gain_db = v["treble"]

    return Stage([own, Pedal(treble, place.rate)], apply)


def _drive(effect: Effect, place: Place) -> Stage:
    own = Own("drive", place.channels, place.rate)

    def apply(v: Values, bpm: float) -> None:
        own.set([DRIVES[effect.kind], v["drive"], v["tone"], 60, v["level"]])

    return Stage([own], apply)


def _screamer(effect: Effect, place: Place) -> Stage:
    own = Own("drive", place.channels, place.rate)

    def apply(v: Values, bpm: float) -> None:
        own.set([DRIVES["screamer"], _db(v["drive"]), v["tone"], 720, _db(v["output"])])

    return Stage([own], apply)


def _bitcrush(effect: Effect, place: Place) -> Stage:
    crush = pedalboard.Bitcrush()

    def apply(v: Values, bpm: float) -> None:
        crush.bit_depth = v["bits"]

    return Stage([Pedal(crush, place.rate)], apply)


def _champ(effect: Effect, place: Place) -> Stage:
    tone, own = _Tone(place.rate, 120, 500, 2000), Own("drive", place.channels, place.rate)

    def apply(v: Values, bpm: float) -> None:
        tone.set(v["bass"], -4, v["treble"])
        own.set([DRIVES["tube_drive"], v["gain"] + 12, 0.75, 40, v["master"] - 6])

    return Stage([tone.unit, own], apply)


def _princeton(effect: Effect, place: Place) -> Stage:
    tone = _Tone(place.rate, 110, 450, 2200)
    first = Own("drive", place.channels, place.rate)
    second = Own("drive", place.channels, place.rate)

    def apply(v: Values, bpm: float) -> None:
        first.set([DRIVES["tube_drive"], _db(v["volume"]) + 4, 0.85, 30, 0])
        tone.set((v["bass"] - 5) * 3, -5, (v["treble"] - 5) * 3)
        second.set([DRIVES["soul_drive"], _db(v["master"]) + 8, 0.8, 30, -3])

    return Stage([first, tone.unit, second], apply)


def _pitch(effect: Effect, place: Place) -> Stage:
    # Pedalboard's own is silent in blocks that follow one another (spotify/pedalboard #415).
    own = Own("pitch", place.channels, place.rate)
    return Stage([own], lambda v, bpm: own.set([v["semitones"], v["mix"]]))


def _plugin(effect: Effect, place: Place) -> Stage:
    v = effect.all_values
    file, name = str(v["file"]), str(v["name"])
    if not file:
        raise InvalidValue("file", "must name a VST3 plug-in: effects set N file /PATH/NAME.vst3")
    try:
        plugins, doubled = _fitting(
            lambda: pedalboard.VST3Plugin(file, plugin_name=name or None), place
        )
    except Exception as error:  # a plug-in may raise what it likes
        raise InvalidValue("file", f"{file} cannot be loaded: {error}") from None
    if not plugins[0].is_effect:
        raise InvalidValue("file", f"{file} is an instrument, no effect")
    foreign = Foreign(plugins, place.rate, effect.id, doubled, place.memory)

    def apply(v: Values, bpm: float) -> None:
        for plugin in plugins:
            for name, value in v.items():
                if name not in ("file", "name") and name in plugin.parameters:
                    plugin.parameters[name].raw_value = float(value)

    stage = Stage([foreign], apply)
    stage.found = {name: float(p.raw_value) for name, p in plugins[0].parameters.items()}
    return stage


def _fitting(load: Callable[[], Any], place: Place) -> tuple[list[Any], bool]:
    """Copies that fit the board's channels, and whether they want two where it has one.

    Many plug-ins take two channels alone, others one. Raises what they raise.
    """
    plugin = load()
    if _takes(plugin, place.channels, place.rate):
        return [plugin], False
    if place.channels == 1:
        _try(plugin, 2, place.rate)
        return [plugin], True
    _try(plugin, 1, place.rate)
    return [plugin, *(load() for _ in range(place.channels - 1))], False


def _takes(plugin: Any, channels: int, rate: int) -> bool:
    try:
        _try(plugin, channels, rate)
        return True
    except ValueError:
        return False


def _try(plugin: Any, channels: int, rate: int) -> None:
    plugin.process(np.zeros((channels, 256), np.float32), rate, 256, True)


_MAKERS: Mapping[str, Callable[[Effect, Place], Stage]] = {
    "gate": _gate,
    "compressor": _compressor,
    "limiter": _limiter,
    "gain": _gain,
    "delay": _delay,
    "chorus": _chorus,
    "tremolo": _tremolo,
    "phaser": _phaser,
    "reverb": _reverb,
    "room": _room,
    "tone_stack": _tone_stack,
    "eq": _eq,
    "bass_di": _bass_di,
    "filter": _filter,
    "guitar_envelope": _envelope,
    "bass_envelope": _envelope,
    "tube_drive": _tube,
    "soul_drive": _tube,
    "screamer": _screamer,
    "distortion": _drive,
    "metal": _drive,
    "fuzz": _drive,
    "octave_fuzz": _drive,
    "bitcrush": _bitcrush,
    "champ": _champ,
    "princeton": _princeton,
    "cabinet": _cabinet,
    "pitch": _pitch,
    "plugin": _plugin,
}
