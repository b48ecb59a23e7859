"""Keys that this midiPool does not know: another version's, or somebody's own. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from midipool.snapshot.fields import Path, fields_of, items_of


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is unknown of a mapping or list, and inside of what is known of it."""

    values: Mapping[str, Any] = {}
    """Unknown keys and their values."""
    inside: Mapping[str, "Kept"] = {}
    """By key; for a list's items by their name."""

    def __bool__(self) -> bool:
        return bool(self.values or self.inside)


def unknown(kind: Any, raw: Any) -> Kept:
    """What of plain data the type knows nothing of."""
    fields = fields_of(kind)
    if fields is None:
        named = zip(_names(raw), items_of(kind, raw), strict=False)
        inner = {name: unknown(of, value) for name, (_, value, of) in named}
        return Kept(inside={name: kept for name, kept in inner.items() if kept})
    if not isinstance(raw, dict):
        return Kept()
    values = {key: value for key, value in raw.items() if key not in fields}
    inner = {key: unknown(fields[key], raw[key]) for key in raw if key in fields}
    return Kept(values, {key: kept for key, kept in inner.items() if kept})


def with_unknown(known: Any, kept: Kept) -> Any:
    """Plain data, and what was kept of what is still there; nothing known is written over."""
    if isinstance(known, dict):
        inner = {k: with_unknown(v, kept.inside[k]) for k, v in known.items() if k in kept.inside}
        return {**known, **inner, **{k: v for k, v in kept.values.items() if k not in known}}
    if isinstance(known, list):
        named = zip(_names(known), known, strict=True)
        return [with_unknown(item, kept.inside.get(name, Kept())) for name, item in named]
    return known


def paths(kept: Kept, kind: Any, raw: Any, at: Path = ()) -> Iterator[Path]:
    """Where in the plain data that it was made of they are."""
    fields = fields_of(kind)
    if fields is None:
        for name, (step, value, of) in zip(_names(raw), items_of(kind, raw), strict=False):
            if name in kept.inside:
                yield from paths(kept.inside[name], of, value, (*at, step))
        return
    yield from ((*at, key) for key in kept.values)
    for key, inner in kept.inside.items():
        yield from paths(inner, fields[key], raw[key], (*at, key))


def _names(raw: Any) -> Iterator[str]:
    """What items are called: a mapping's by key, a list's by their name or place."""
    if isinstance(raw, dict):
        yield from raw
        return
    counts: dict[str, int] = {}
    for place, item in enumerate(raw if isinstance(raw, list) else ()):
        name = item.get("name") if isinstance(item, dict) else None
        name = name if isinstance(name, str) else f"#{place}"
        counts[name] = counts.get(name, 0) + 1
        yield name if counts[name] == 1 else f"{name}#{counts[name]}"
