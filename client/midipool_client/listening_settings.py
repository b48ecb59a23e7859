"""How the others are heard, as the settings file has it: a part for each device. Pure.

"hear": {"device:midiPool": {"profile": "bar", "bars": 2, "mix": {"master_db": -3,
         "strips": {"bass": {"gain_db": -6, "pan": -0.5}}}}}
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from midipool.audio.listening import Listening
from midipool.audio.strips import Mix, OwnChannel, Strip

Place = tuple[str, ...]


def listening_in(data: Mapping[str, Any], device: str) -> Listening:
    """What a checked file says for a device."""
    return msgspec.convert(data.get("hear", {}).get(f"device:{device}", {}), Listening)


def changes(before: Listening, after: Listening, device: str) -> Iterator[tuple[Place, Any]]:
    """What to write where so that it becomes `after`; None takes away.

    What is as before is left out, so that it stays what another client sets it to.
    """
    place = ("hear", f"device:{device}")
    yield from _fields(before, after, Listening(), place)
    yield from _fields(before.mix, after.mix, Mix(), (*place, "mix"))
    for member in {**before.mix.strips, **after.mix.strips}:
        strips = before.mix.strip_of(member), after.mix.strip_of(member)
        yield from _fields(*strips, Strip(), (*place, "mix", "strips", member))
    for number in {**before.mix.channels, **after.mix.channels}:
        channels = before.mix.channel(int(number)), after.mix.channel(int(number))
        yield from _fields(*channels, OwnChannel(), (*place, "mix", "channels", number))


def _fields(
    before: msgspec.Struct, after: msgspec.Struct, plain: msgspec.Struct, place: Place
) -> Iterator[tuple[Place, Any]]:
    for name in before.__struct_fields__:
        value = getattr(after, name)
        if name not in ("mix", "strips", "channels") and value != getattr(before, name):
            yield (*place, name), None if value == getattr(plain, name) else value


def broken_rules(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Where this part of a file breaks a rule, and which."""
    hear = data.get("hear", {})
    if not isinstance(hear, dict):
        yield ("hear",), "must be an object: {...}"
        return
    for name, said in hear.items():
        try:
            msgspec.convert(said, Listening)
        except msgspec.ValidationError as error:
            said_of = f"{getattr(error.__cause__, 'field', '')}: ".lstrip(": ")
            rule = getattr(error.__cause__, "rule", None)
            yield ("hear", name), f"{said_of}{rule}" if rule else f"is wrong: {error}"
