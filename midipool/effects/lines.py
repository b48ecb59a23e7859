"""A board as one line that people can read, as it is said in a room's chat. Pure.

effects lead: gate threshold=-45; screamer drive=20; delay(off) sync=1/8. level=0.3
"""

import re
from collections.abc import Iterable

from midipool.effects.board import Board, Effect
from midipool.effects.kinds import kind_of
from midipool.effects.parameters import Text, Value
from midipool.effects.presets import Preset, Saved, check_preset_name
from midipool.errors import InvalidValue

_LINE = re.compile(r"effects ([^:]+): (.+)")
_EFFECT = re.compile(r"([a-z_0-9]+)(\(off\))?((?: [a-z_0-9]+=[^ ;]+)*)")


def line_of(name: str, board: Board, most_characters: int) -> str:
    """What is said; raises InvalidValue. What is as by default, and files, are left out."""
    words = [_words(effect) for effect in board.effects if not effect.spec.free]
    if not words:
        raise InvalidValue("board", "has no effect that others could have")
    line = f"effects {check_preset_name(name)}: {'; '.join(words)}"
    if len(line) > most_characters:
        rule = f"is too long for a line of the chat ({len(line)} of {most_characters} characters)"
        raise InvalidValue("board", f"{rule}: export it, and send the file")
    return line


def _words(effect: Effect) -> str:
    off = "(off)" if effect.bypass else ""
    files = {p.name for p in effect.spec.parameters if isinstance(p, Text)}
    defaults = effect.spec.with_defaults({})
    values = [
        f" {name}={value if isinstance(value, str) else format(value, 'g')}"
        for name, value in effect.values.items()
        if name not in files and value != defaults.get(name)
    ]
    return f"{effect.kind}{off}{''.join(values)}"


def preset_in(line: str) -> Preset | None:
    """What a line says; None where it is about something else, or nothing that is known here."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    saved = []
    for words in found[2].split("; "):
        said = _EFFECT.fullmatch(words)
        if said is None:
            return None
        try:
            saved.append(Saved(said[1], said[2] is not None, _values(said[1], said[3])))
        except InvalidValue:
            return None
    return Preset(name=found[1], effects=tuple(saved))


def _values(kind: str, words: str) -> dict[str, Value]:
    pairs = (word.split("=", 1) for word in words.split())
    spec = kind_of(kind)
    return {name: spec.check(name, _value(text)) for name, text in pairs}


def _value(text: str) -> Value:
    try:
        return float(text)
    except ValueError:
        return text


def newest(lines: Iterable[str], name: str) -> Preset:
    """The newest board of a name that was said; raises InvalidValue."""
    found = {preset.name: preset for line in lines if (preset := preset_in(line)) is not None}
    if name not in found:
        there = ", ".join(found) or "none"
        raise InvalidValue("name", f"nobody shared effects called {name}; there are: {there}")
    return found[name]
