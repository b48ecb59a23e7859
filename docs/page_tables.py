"""The page's messages: a table of requests, a table of the state's parts, and the JSON Schema."""

import inspect
from collections.abc import Iterable
from typing import Any, get_args

import msgspec
from msgspec import inspect as types

from midipool_client.page import messages, state


def requests() -> str:
    """What a page asks for that is no command of the room."""
    room_requests = get_args(messages.RoomRequest)
    own = [struct for struct in get_args(messages.FromPage) if struct not in room_requests]
    return _table(("`type`", "fields", "what it does"), [_request(struct) for struct in own])


def room_requests() -> str:
    """The room's own commands that a page may send."""
    return ", ".join(
        f"[`{_info(s).tag}`](protocol.md#{_info(s).tag})" for s in get_args(messages.RoomRequest)
    )


def answers() -> str:
    """What the client says."""
    told = get_args(messages.ToPage)
    return _table(("`type`", "fields", "what it says"), [_request(struct, ()) for struct in told])


def parts() -> str:
    """The parts of the state."""
    info = _info(state.State)
    rows = []
    for field in info.fields:
        assert isinstance(field.type, types.StructType)
        part = field.type.cls
        rows.append((f"`{field.name}`", _fields(_info(part), ()), _doc(part)))
    return _table(("part", "fields", "what it is"), rows)


def schema() -> dict[str, Any]:
    """JSON Schema of what page and client say to one another."""
    unions = {"FromPage": messages.FromPage, "ToPage": messages.ToPage}
    roots, components = msgspec.json.schema_components(
        list(unions.values()), ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "midiPool's page: the local API of a client",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in unions],
        "$defs": {**dict(zip(unions, roots, strict=True)), **components},
    }


def _info(struct: type[msgspec.Struct]) -> types.StructType:
    info = types.type_info(struct)
    assert isinstance(info, types.StructType)
    return info


def _request(
    struct: type[msgspec.Struct], without: Iterable[str] = ("id",)
) -> tuple[str, str, str]:
    info = _info(struct)
    return f"`{info.tag}`", _fields(info, without), _doc(struct)


def _fields(info: types.StructType, without: Iterable[str]) -> str:
    return ", ".join(f"`{field.name}`" for field in info.fields if field.name not in without)


def _doc(struct: type) -> str:
    return inspect.cleandoc(struct.__doc__ or "").replace("\n", " ")


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
