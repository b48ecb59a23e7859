"""Boards that RTJam wrote: its effects and settings by ours. Pure.

{"name": ..., "config": [{"name": "Noise Gate", "settings": [{"name": "threshold", "value": -50}]}]}
"""

import contextlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from midipool.effects.kinds import KINDS, Kind
from midipool.effects.parameters import Choice, Number, Value
from midipool.errors import InvalidValue

# Its names without spaces, in small letters.
KIND_NAMES: Mapping[str, str] = {
    "noisegate": "gate",
    "compressor": "compressor",
    "delay": "delay",
    "chorus": "chorus",
    "tremelo": "tremolo",
    "tremolo": "tremolo",
    "sigmareverb": "reverb",
    "monoverb": "reverb",
    "mverb": "reverb",
    "roomsimulator": "room",
    "tonestack": "tone_stack",
    "bassdi": "bass_di",
    "speakersim": "cabinet",
    "tubedrive": "tube_drive",
    "souldrive": "soul_drive",
    "tubescreamer": "screamer",
    "champ": "champ",
    "princeton": "princeton",
    "guitarenvelope": "guitar_envelope",
    "bassenvelope": "bass_envelope",
    "boost": "gain",
    "metaldrive": "metal",
    "octavefuzz": "octave_fuzz",
}
SETTING_NAMES: Mapping[str, str] = {
    "duration": "time",
    "cabinet": "model",
    "lowfreq": "low_cut",
    "highfreq": "high_cut",
    "drylevel": "dry",
    "freq": "frequency",
}
Found = tuple[str, bool, dict[str, Value]]


def _plain(text: object) -> str:
    return re.sub(r"[^a-z0-9]", "", str(text).lower())


def read(said: Mapping[str, Any]) -> tuple[str, list[Found], list[str]]:
    """(name, effects, what was left out); raises InvalidValue."""
    config = said.get("config")
    if not isinstance(config, list):
        raise InvalidValue("config", "must be a list of effects")
    found: list[Found] = []
    notes: list[str] = []
    for item in sorted((i for i in config if isinstance(i, dict)), key=_index):
        kind = KINDS.get(KIND_NAMES.get(_plain(item.get("name")), ""))
        if kind is None:
            notes.append(f"{item.get('name')}: there is no such effect here")
            continue
        settings = item.get("settings")
        values, off = _values(kind, settings if isinstance(settings, list) else [], notes)
        found.append((kind.id, off, values))
    return str(said.get("name") or "RTJam"), found, notes


def _index(item: Mapping[str, Any]) -> float:
    index = item.get("index")
    return index if isinstance(index, int | float) else 0


def _values(kind: Kind, settings: Sequence[Any], notes: list[str]) -> tuple[dict[str, Value], bool]:
    values: dict[str, Value] = {}
    bypass = False
    for setting in settings:
        if not isinstance(setting, dict):
            continue
        name, value = _plain(setting.get("name")), setting.get("value")
        if name == "bypass":
            bypass = bool(value)
            continue
        try:
            ours, checked = _one(kind, name, value, setting.get("labels"))
            values[ours] = checked
        except InvalidValue as error:
            notes.append(f"{kind.title}: {error}")
    return values, bypass


def _one(kind: Kind, name: str, value: Any, labels: Any) -> tuple[str, Value]:
    for parameter in kind.parameters:
        if name != parameter.name.replace("_", "") and SETTING_NAMES.get(name) != parameter.name:
            continue
        if isinstance(parameter, Number) and isinstance(value, int | float):
            # Ranges are not all alike: what is beyond ours becomes the nearest.
            return parameter.name, min(max(float(value), parameter.least), parameter.most)
        if isinstance(parameter, Choice):
            return parameter.name, _choice(parameter, value, labels)
    raise InvalidValue(name or "a setting", "is not known here")


def _choice(parameter: Choice, value: Any, labels: Any) -> Value:
    word = str(value)
    if isinstance(value, int | float) and isinstance(labels, list):
        with contextlib.suppress(IndexError):
            word = str(labels[int(value)])
    for choice in parameter.choices:
        if _plain(choice)[:3] == _plain(word)[:3] or _plain(choice) == _plain(word):
            return choice
    if isinstance(value, int | float) and 0 <= value < len(parameter.choices):
        return parameter.choices[int(value)]
    return parameter.check(word)
