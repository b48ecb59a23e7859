"""Effects by their kinds."""

from collections.abc import Callable, Mapping
from typing import Any

from midipool.effects.board import Effect
from midipool_client.effects.makers import drives, echoes, levels, plugins, spaces, tones
from midipool_client.effects.makers.place import Place
from midipool_client.effects.stage import Stage

# What can only be had by making the effect anew.
MADE_OF: Mapping[str, tuple[str, ...]] = {
    "cabinet": ("model", "file"),
    "room": ("side", "floor", "top"),
    "plugin": ("file", "name"),
}


def made_of(effect: Effect) -> tuple[Any, ...]:
    """Two effects that agree in this can be one, with other values."""
    values = effect.all_values
    return (effect.id, effect.kind, *(values[name] for name in MADE_OF.get(effect.kind, ())))


def make(effect: Effect, place: Place) -> Stage:
    """An effect that works; raises MidiPoolError. `apply` is still to be called."""
    stage = _MAKERS[effect.kind](effect, place)
    stage.id = effect.id
    return stage


_MAKERS: Mapping[str, Callable[[Effect, Place], Stage]] = {
    "gate": levels.gate_of,
    "compressor": levels.compressor_of,
    "limiter": levels.limiter_of,
    "gain": levels.gain_of,
    "delay": echoes.delay_of,
    "chorus": echoes.chorus_of,
    "tremolo": echoes.tremolo_of,
    "phaser": echoes.phaser_of,
    "reverb": spaces.reverb_of,
    "room": spaces.room_of,
    "tone_stack": tones.tone_stack_of,
    "eq": tones.eq_of,
    "bass_di": tones.bass_di_of,
    "filter": tones.filter_of,
    "guitar_envelope": tones.envelope_of,
    "bass_envelope": tones.envelope_of,
    "tube_drive": drives.tube_of,
    "soul_drive": drives.tube_of,
    "screamer": drives.screamer_of,
    "distortion": drives.drive_of,
    "metal": drives.drive_of,
    "fuzz": drives.drive_of,
    "octave_fuzz": drives.drive_of,
    "bitcrush": drives.bitcrush_of,
    "champ": drives.champ_of,
    "princeton": drives.princeton_of,
    "cabinet": spaces.cabinet_of,
    "pitch": echoes.pitch_of,
    "plugin": plugins.plugin_of,
}
