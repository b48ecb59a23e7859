"""Tables of messages, read from the structs: fields, types, units, rules, defaults, docstrings."""

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, get_args

import msgspec
from msgspec import inspect as types

from midipool import PROTOCOL_VERSION, messages, meter, timeline
from midipool_server.access.roles import NEEDS

MESSAGES = {
    "client to server": get_args(messages.ClientMessage),
    "server to client": get_args(messages.ServerMessage),
}
SHARED = (
    timeline.Timeline,
    timeline.Ramp,
    meter.Meter,
    meter.Position,
    meter.Loop,
    messages.BarPosition,
    messages.MemberInfo,
    messages.ModuleHealth,
    messages.ModuleProgram,
    messages.ModuleOption,
    messages.RoomModule,
    messages.ChatLine,
    messages.Song,
    messages.LoadedSong,
    messages.MemberAccess,
    messages.LinkRule,
    messages.Group,
    messages.GraphNode,
    messages.TimedMidi,
    messages.Hearing,
    messages.HeardCounts,
    messages.AudioStream,
    messages.Dropped,
    messages.MediaSeat,
    messages.MediaCandidate,
)

WHO = {
    "anybody": "everybody, remotes that act for nobody too",
    "member": "hosts, players, listeners",
    "player": "hosts and players, as the room's mode says",
    "host": "hosts",
}

UNITS = {
    "target_send_timestamp": "room µs",
    "origin_time_us": "room µs",
    "bpm": "BPM",
    "mbpm": "0.001 BPM",
    "to_mbpm": "0.001 BPM",
    "length_beats": "micro-beats",
    "origin_beats": "micro-beats",
    "song_position": "sixteenths",
    "ramp_bars": "bars",
    "count_in_bars": "bars",
    "since": "room µs",
    "ends_us": "room µs",
    "ticks": "F8 bytes",
    "late_ticks": "F8 bytes",
    "level_db": "dB",
}
SUFFIX_UNITS = {"_ns": "ns", "_us": "µs", "_ms": "ms", "_ppm": "ppm"}

# What the structs have no docstring for: the class or the type says it there.
MEANINGS = {
    "Ok.id": "The command's.",
    "Ok.revision": "The timeline's after the command.",
    "Ok.epoch": "The timeline's after the command.",
    "ClockReply.t1_ns": "The probe's.",
    "MediaCandidate.address": "Where.",
    "Closing.reason": "For people: why.",
    "Members.members": "All of them, each time.",
    "ModuleOption.name": "For `module_add`.",
    "ModuleProgram.name": "For `module_add`.",
    "MemberInfo.name": "Its name in the room.",
    "BarPosition.bar": "From 1.",
    "BarPosition.beat": "From 1; counts of the meter's denominator.",
    "Timeline.origin_time_us": "It holds from here on.",
    "Timeline.origin_beats": "Song beats at the origin.",
    "Timeline.playing": "Whether beats go on with time; otherwise they stay at the origin's.",
    "Timeline.mbpm": "Tempo at the origin.",
    "Timeline.ramp": "Where the tempo goes from the origin on; null when it is steady.",
    "Timeline.meter": "Of the whole song.",
    "Timeline.loop": "Bars that repeat, or null.",
    "Timeline.revision": "Rises with every change.",
    "Timeline.epoch": "Rises with every start, stop, continue and locate, and with a new meter.",
    "Ramp.to_mbpm": "Tempo at its end, and from there on.",
    "Ramp.length_beats": "From the origin to its end.",
    "Meter.numerator": "Counts in a bar.",
    "Meter.denominator": "Length of a count.",
    "Position.bar": "From 1.",
    "Position.beat": "From 1; counts of the meter's denominator.",
    "Loop.start_bar": "First bar that repeats.",
    "Loop.end_bar": "First bar behind the loop.",
}
# Rules that a struct checks when it is made.
RULES = {
    "LinkRule.channels": "of audio 1 to 4, of MIDI 1 to 16",
    "Meter.denominator": "1, 2, 4, 8, 16 or 32",
    "Loop.end_bar": f"1 to {meter.MAX_BAR}, more than `start_bar`",
    "MediaCandidate.address": messages.ADDRESS_RULE,
    "Position.beat": f"1 to {meter.MAX_NUMERATOR}, and not more than the meter has",
}


def message_sections() -> str:
    """Every message, by direction."""
    parts = []
    for direction, structs in MESSAGES.items():
        parts.append(f"## Messages from {direction}")
        for struct in structs:
            info = types.type_info(struct)
            assert isinstance(info, types.StructType)
            parts += [f"### `{info.tag}`", _section(info)]
    return "\n\n".join(parts)


def command_fields() -> str:
    """The fields that every command has."""
    info = types.type_info(messages.Command)
    assert isinstance(info, types.StructType)
    return _fields(messages.Command, info.fields)


def shared_sections() -> str:
    """The structs that messages hold."""
    parts = []
    for struct in SHARED:
        info = types.type_info(struct)
        assert isinstance(info, types.StructType)
        parts += [f"### {struct.__name__}", _section(info)]
    return "\n\n".join(parts)


def error_table() -> str:
    """Every error code."""
    rows = [
        (f"`{code}`", text, "yes" if code in messages.TRY_AGAIN else "")
        for code, text in messages.ERROR_CODES.items()
    ]
    return _table(("code", "meaning", "again"), rows)


def schema() -> dict[str, Any]:
    """JSON Schema of every message, client's and server's."""
    unions = {"ClientMessage": messages.ClientMessage, "ServerMessage": messages.ServerMessage}
    roots, components = msgspec.json.schema_components(
        list(unions.values()), ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"midiPool, protocol version {PROTOCOL_VERSION}",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in unions],
        "$defs": {**dict(zip(unions, roots, strict=True)), **components},
    }


def _section(info: types.StructType) -> str:
    text = inspect.cleandoc(info.cls.__doc__ or "")
    fields = list(info.fields)
    if issubclass(info.cls, messages.Command):
        text += " A [command](#commands)."
        fields = [f for f in fields if f.name not in messages.Command.__struct_fields__]
    return f"{text}\n\n{_fields(info.cls, fields)}" if fields else text


def _fields(struct: type, fields: Iterable[types.Field]) -> str:
    heads = ("field", "type", "unit", "rule", "default", "meaning")
    return _table(heads, [_row(struct, field) for field in fields])


def _row(struct: type, field: types.Field) -> tuple[str, ...]:
    key = f"{struct.__name__}.{field.name}"
    meaning = _docstrings(struct).get(field.name) or MEANINGS.get(key)
    if meaning is None:
        raise LookupError(f"{key} has neither a docstring nor an entry in docs/message_tables.py")
    rule = RULES.get(key) or _rule(field.type)
    return (
        f"`{field.name}`",
        _type(field.type),
        _unit(field.name),
        rule,
        _default(field),
        meaning.replace("\n", " "),
    )


def _docstrings(struct: type) -> dict[str, str]:
    """The strings that stand behind a struct's fields, those of its bases too."""
    found: dict[str, str] = {}
    for cls in reversed(struct.__mro__):
        if cls.__module__.partition(".")[0] == "midipool":
            found.update(_own_docstrings(cls))
    return found


def _own_docstrings(struct: type) -> Iterator[tuple[str, str]]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(struct))).body
    assert isinstance(definition, ast.ClassDef)
    for field, behind in zip(definition.body, definition.body[1:], strict=False):
        match field, behind:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, inspect.cleandoc(text)


def _type(of: types.Type) -> str:
    match of:
        case types.Metadata(type=inner):
            return _type(inner)
        case types.StructType(cls=cls) if cls in SHARED:
            return f"[{cls.__name__}](#{cls.__name__.lower()})"
        case types.StructType(tag=tag):
            return f"[{tag}](#{tag})"
        case types.ListType(item_type=item) | types.VarTupleType(item_type=item):
            return f"list of {_type(item)}"
        case types.DictType(value_type=value):
            return f"{_type(value)} by name"
        case types.UnionType(types=several):
            return " or ".join(_type(t) for t in several if not _is_unset(t))
        case types.LiteralType() | types.StrType():
            return "string"
        case types.BytesType():
            return "string, Base64"
    return {"int": "integer", "float": "number", "bool": "boolean", "none": "null"}[
        type(of).__name__.removesuffix("Type").lower()
    ]


def _is_unset(of: types.Type) -> bool:
    return isinstance(of, types.CustomType) and of.cls is msgspec.UnsetType


def _rule(of: types.Type) -> str:
    match of:
        case types.Metadata(type=inner, extra_json_schema=extra):
            return str(extra["description"]) if extra and "description" in extra else _rule(inner)
        case types.IntType(ge=low, le=high) | types.FloatType(ge=low, le=high):
            return _range(low, high)
        case types.LiteralType(values=values):
            return " or ".join(f"`{value}`" for value in values)
        case (
            types.ListType(item_type=item, min_length=low, max_length=high)
            | types.VarTupleType(item_type=item, min_length=low, max_length=high)
        ):
            return _length(low, high, _rule(item))
        case types.DictType(key_type=key, value_type=value, max_length=high):
            return _length(None, high, f"name: {_rule(key)}; value: {_rule(value)}")
        case types.UnionType(types=several):
            return next(filter(None, map(_rule, several)), "")
    return ""


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    if high is None:
        return f"at least {_number(low)}"
    if high == -(low or 0):
        return f"±{_number(high)}"
    return f"{_number(low)} to {_number(high)}"


def _length(low: int | None, high: int | None, each: str) -> str:
    size = f"{low or 0} to {high} of them" if high is not None else ""
    return "; each ".join(part for part in (size, each) if part)


def _number(value: float | None) -> str:
    """A power of two or ten that nobody would recognise otherwise."""
    if value is None:
        return ""
    size, sign = abs(value), "-" if value < 0 else ""
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:g}"
    for rest, text in ((0, ""), (1, " - 1")):
        exponent = int(size + rest).bit_length() - 1
        if exponent > 20 and size + rest == 2**exponent:
            return f"{sign}2^{exponent}{text}"
    return str(value)


def _unit(name: str) -> str:
    suffix = next((unit for end, unit in SUFFIX_UNITS.items() if name.endswith(end)), "")
    return UNITS.get(name, suffix)


def _default(field: types.Field) -> str:
    if field.required:
        return "required"
    if field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT:
        return "as it is"
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    return f"`{msgspec.json.encode(value).decode()}`"


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table without the columns that hold nothing."""
    kept = [n for n in range(len(heads)) if any(row[n] for row in rows)]
    lines = [
        [heads[n] for n in kept],
        ["---"] * len(kept),
        *([row[n] for n in kept] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def role_rows() -> str:
    """Which roles may send what, a row for each need."""
    rows: dict[str, list[str]] = {}
    for kind, need in NEEDS.items():
        rows.setdefault(need, []).append(f"`{kind.__struct_config__.tag}`")
    return "\n".join(f"| {', '.join(tags)} | {WHO[need]} |" for need, tags in rows.items())
