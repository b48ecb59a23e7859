"""The state for a shell: a line for each value, and the lines that are others now. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain

# What tells the members of a list from one another.
NAMES = ("name", "member", "board", "channel", "port", "source", "key", "id")


def flat(value: Any, path: str = "") -> dict[str, str]:
    """Each value by its path, as `mixer.strips[bass].strip.gain_db`."""
    return dict(_flat(value, path))


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """`PATH: VALUE` of what is new or other now, and `PATH: gone`."""
    lines = [f"{path}: {text}" for path, text in after.items() if before.get(path) != text]
    return lines + [f"{path}: gone" for path in before if path not in after]


def song_in_words(timelines: list[Any], room_us: int | None) -> str:
    """Where the song is."""
    if not timelines or room_us is None:
        return "the room's clock is not known yet"
    chain = TimelineChain(tuple(msgspec.convert(timelines, list[Timeline])))
    timeline = chain.at(room_us)
    loop = f", loop {timeline.loop}" if timeline.loop else ""
    at, state = timeline.position_at(room_us), "playing" if timeline.playing else "stopped"
    return f"{state} at {at}, {timeline.mbpm_at(room_us) / 1000:g} BPM, {timeline.meter}{loop}"


def level_in_words(peak: float, rms: float) -> str:
    """A meter's, in dB of full scale."""
    return f"{_db(peak)}/{_db(rms)}"


def _db(factor: float) -> str:
    from math import log10

    return "-inf" if factor < 1e-6 else f"{20 * log10(factor):.1f}"


def _flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    match value:
        case dict() if value:
            for name, inner in value.items():
                yield from _flat(inner, f"{path}.{name}" if path else str(name))
        case list() if value:
            for index, inner in enumerate(value):
                yield from _flat(inner, f"{path}[{_name_of(inner, index)}]")
        case _:
            yield path, _text(value)


def _name_of(value: Any, index: int) -> str:
    if isinstance(value, dict):
        for name in NAMES:
            if isinstance(value.get(name), str | int):
                return _text(value[name])
    return str(index)


def _text(value: Any) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case None:
            return "none"
        case float():
            return f"{value:.6g}"
        case str():
            # What others wrote moves no cursor here.
            return "".join(c if c.isprintable() else repr(c)[1:-1] for c in value)
        case dict() | list():
            return "none"
    return str(value)
