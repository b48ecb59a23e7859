"""The player's words for ports: `NAME,offset=-5,clock=off`. Pure."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast, get_args

from midipool.daw.said_place import SongPositionUnit
from midipool.errors import InvalidValue
from midipool_client.ports import PORT_WORDS
from midipool_client.ports.output import PortOptions

MAX_OFFSET_MS = 1000.0


def port_of(words: str, base: PortOptions) -> tuple[str, PortOptions]:
    """(name, options) of a port; what the words do not say is as in `base`. Raises InvalidValue."""
    name, options = words, base
    settings: list[tuple[str, str]] = []
    # From the end, so that a name may have commas in it.
    while "," in name:
        rest, _, last = name.rpartition(",")
        key, is_setting, value = last.partition("=")
        if not is_setting or key.strip() not in _KEYS:
            break
        settings.append((key.strip(), value.strip()))
        name = rest
    if not name.strip():
        raise InvalidValue("port", f"{words!r} names no port: {PORT_WORDS}")
    for key, value in settings:
        options = _KEYS[key](options, value)
    return name.strip(), options


def offset_ms_of(text: str) -> float:
    """An offset in ms; raises InvalidValue."""
    try:
        offset_ms = float(text)
    except ValueError:
        offset_ms = float("nan")
    if not abs(offset_ms) <= MAX_OFFSET_MS:
        raise InvalidValue("offset", f"must be -{MAX_OFFSET_MS:g} to {MAX_OFFSET_MS:g} ms")
    return offset_ms


def _is_on(key: str, text: str) -> bool:
    if text not in ("on", "off"):
        raise InvalidValue(key, f"must be on or off, not {text!r}")
    return text == "on"


def _switch(key: str) -> Callable[[PortOptions, str], PortOptions]:
    def switched(options: PortOptions, value: str) -> PortOptions:
        change: dict[str, Any] = {key: _is_on(key, value)}
        return replace(options, **change)

    return switched


def _song_position(options: PortOptions, value: str) -> PortOptions:
    units = get_args(SongPositionUnit)
    if value not in units:
        raise InvalidValue("song-position", f"must be one of {', '.join(units)}, not {value!r}")
    return replace(options, song_position=cast(SongPositionUnit, value))


_KEYS: dict[str, Callable[[PortOptions, str], PortOptions]] = {
    "offset": lambda options, value: replace(
        options, offset_ms=offset_ms_of(value), own_offset=True
    ),
    "song-position": _song_position,
    **{key: _switch(key) for key in ("clock", "notes", "lead", "share", "click")},
}
