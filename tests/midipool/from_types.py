"""Values of any message type, made from its own declaration."""

import re
import typing

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from msgspec import inspect

from midipool.messages import LinkRule, MediaCandidate
from midipool.meter import Loop, Meter

from .strategies import loops, meters

candidates = st.builds(
    MediaCandidate,
    st.sampled_from(["host", "srflx", "relay"]),
    st.ip_addresses().map(str),
    st.integers(1, 65535),
    st.integers(0, 2**32 - 1),
)
link_rules = st.builds(
    LinkRule,
    st.sampled_from(["drums", "@all", "@rhythm"]),
    st.sampled_from(["keys", "@all"]),
    st.just("audio"),
    gain_db=st.floats(-90, 18),
    high_pass_hz=st.just(0.0) | st.floats(20, 900),
    low_pass_hz=st.just(0.0) | st.floats(1000, 20_000),
) | st.builds(
    LinkRule,
    st.just("@click"),
    st.just("keys"),
    st.just("midi"),
    linked=st.booleans(),
    channels=st.sampled_from([(), (16,), (1, 2)]),
)
SPECIAL: dict[type, SearchStrategy[typing.Any]] = {
    Meter: meters,
    Loop: loops(),
    MediaCandidate: candidates,
    LinkRule: link_rules,
}


def values(of: object) -> SearchStrategy[typing.Any]:
    """What a type allows, its constraints kept."""
    return _values(inspect.type_info(of))


def _values(info: inspect.Type) -> SearchStrategy[typing.Any]:
    match info:
        case inspect.Metadata(type=inner):
            return _values(inner)
        case inspect.StructType(cls=cls):
            return SPECIAL[cls] if cls in SPECIAL else _struct(info)
        case inspect.UnionType(types=types):
            return st.one_of([_values(t) for t in types])
        case inspect.CustomType(cls=cls) if cls is msgspec.UnsetType:
            return st.just(msgspec.UNSET)
        case inspect.ListType(item_type=item, min_length=low, max_length=high):
            return st.lists(_values(item), min_size=low or 0, max_size=min(high or 3, 3))
        case inspect.VarTupleType(item_type=item, max_length=high):
            return st.lists(_values(item), max_size=min(high or 3, 3)).map(tuple)
        case inspect.DictType(key_type=key, value_type=value, max_length=high):
            return st.dictionaries(_values(key), _values(value), max_size=min(high or 3, 3))
        case inspect.LiteralType(values=literals):
            return st.sampled_from(literals)
        case inspect.BoolType():
            return st.booleans()
        case inspect.BytesType(max_length=high):
            return st.binary(max_size=min(high or 99, 99))
        case inspect.NoneType():
            return st.none()
        case inspect.IntType(ge=low, le=high):
            limits = (-(2**63) if low is None else low, 2**63 - 1 if high is None else high)
            return st.integers(*limits)
        case inspect.FloatType(ge=low, le=high):
            return st.floats(low, high, allow_nan=False, allow_infinity=False)
        case inspect.StrType(pattern=pattern, min_length=low, max_length=high):
            return _text(pattern, low or 0, high or 80)
    raise NotImplementedError(str(info))


def _struct(info: inspect.StructType) -> SearchStrategy[typing.Any]:
    fields = {field.name: _values(field.type) for field in info.fields}
    return st.builds(info.cls, **fields)


def _text(pattern: str | None, low: int, high: int) -> SearchStrategy[str]:
    if pattern is None:
        return st.text(st.characters(codec="utf-8"), min_size=low, max_size=high)
    return st.from_regex(re.compile(pattern), fullmatch=True).filter(
        lambda text: low <= len(text) <= high and not text.endswith("\n")
    )


def tag_of(cls: type[msgspec.Struct]) -> str:
    return typing.cast(str, cls.__struct_config__.tag)
