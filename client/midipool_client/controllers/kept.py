"""Learned controllers, as the settings file has them: a part for each device. Pure.

"controllers": {"device:midiPool": {"cc:1:7": {"request": {"type": "set_strip", "member": "bass"},
                "field": "gain_db"}}}
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from midipool_client.controllers.target import Target

Place = tuple[str, ...]


def learned_in(data: Mapping[str, Any], device: str) -> dict[str, Target]:
    """What a checked file says for a device; what is no target is passed over."""
    found: dict[str, Target] = {}
    for source, said in data.get("controllers", {}).get(f"device:{device}", {}).items():
        try:
            found[source] = msgspec.convert(said, Target)
        except msgspec.ValidationError:
            continue
    return found


def changes(
    before: Mapping[str, Target], after: Mapping[str, Target], device: str
) -> Iterator[tuple[Place, Any]]:
    """What to write where so that it becomes `after`; None takes away."""
    for source in {**before, **after}:
        if before.get(source) != after.get(source):
            target = after.get(source)
            said = None if target is None else msgspec.to_builtins(target)
            yield ("controllers", f"device:{device}", source), said


def broken_rules(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Where this part of a file breaks a rule, and which."""
    controllers = data.get("controllers", {})
    if not isinstance(controllers, dict):
        yield ("controllers",), "must be an object: {...}"
        return
    for name, said in controllers.items():
        if not isinstance(said, dict):
            yield ("controllers", name), "must be an object: {...}"
