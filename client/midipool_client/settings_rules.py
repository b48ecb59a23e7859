"""What settings break a rule, by where in the file they are. Pure."""

from collections.abc import Iterator
from typing import Any

import msgspec

from midipool.click import ClickSettings
from midipool.errors import InvalidValue
from midipool_client import listening_settings
from midipool_client.controllers import kept
from midipool_client.json_places import Place

MAX_OFFSET_MS = 1000


def broken_rules(data: Any) -> Iterator[tuple[Place, str]]:
    """Where the settings break a rule, and which."""
    not_object = "must be an object: {...}"
    if not isinstance(data, dict):
        yield (), not_object
        return
    yield from listening_settings.broken_rules(data)
    yield from kept.broken_rules(data)
    ports, click = data.get("ports", {}), data.get("click", {})
    if not isinstance(ports, dict):
        yield ("ports",), not_object
        return
    for name, port in ports.items():
        if not isinstance(port, dict):
            yield ("ports", name), not_object
        elif (offset_ms := port.get("offset_ms")) is not None:
            try:
                check_offset(offset_ms)
            except InvalidValue as error:
                yield ("ports", name, "offset_ms"), error.rule
    if not isinstance(click, dict):
        yield ("click",), not_object
        return
    for name in click.keys() & set(ClickSettings.__struct_fields__):
        try:
            msgspec.convert({name: click[name]}, ClickSettings)
        except msgspec.ValidationError as error:
            rule = getattr(error.__cause__, "rule", None)
            yield ("click", name), rule or f"is wrong: {str(error).partition(' - at ')[0]}"


def check_offset(offset_ms: object) -> None:
    """Raise InvalidValue unless it is an offset."""
    number = isinstance(offset_ms, int | float) and not isinstance(offset_ms, bool)
    if not (number and -MAX_OFFSET_MS <= offset_ms <= MAX_OFFSET_MS):  # type: ignore[operator]
        rule = f"must be a number of milliseconds from -{MAX_OFFSET_MS} to {MAX_OFFSET_MS}"
        raise InvalidValue("offset_ms", rule)
