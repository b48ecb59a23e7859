"""What people ask of a room's graph, done or refused. Pure."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from msgspec import UNSET, UnsetType

from midipool.errors import InvalidValue, Refused
from midipool.graph.graph import Graph, compacted, is_one, meet, settings_of
from midipool.graph.nodes import ALL, CLICK, MEDIA, Ports, shown
from midipool.messages import (
    MAX_GROUPS,
    MAX_LINK_RULES,
    GraphEdit,
    HearOnly,
    LinkNodes,
    LinkRule,
    Medium,
    ResetGraph,
    SetGroup,
    UnlinkNodes,
)
from midipool.midi_kinds import KINDS, Kind

T = TypeVar("T")


def edited(graph: Graph, edit: GraphEdit) -> Graph:
    """The graph after it; raises Refused, InvalidValue."""
    match edit:
        case LinkNodes():
            return _linked(graph, edit)
        case UnlinkNodes():
            return _unlinked(graph, edit)
        case HearOnly():
            return _hearing(graph, edit)
        case SetGroup():
            return _grouped(graph, edit)
        case ResetGraph():
            return graph.with_rules(())


def concerns(edit: GraphEdit) -> str | None:
    """The one node whose ears alone it changes, if it names one."""
    if isinstance(edit, LinkNodes | UnlinkNodes | HearOnly):
        return edit.target
    return None


# ---- links ----


def _linked(graph: Graph, edit: LinkNodes) -> Graph:
    media = _media_of(edit)
    asked = edit.medium is not None or len(media) == 1
    rules = []
    for medium in _ends(graph, edit.source, edit.target, media, asked):
        before = _before(graph, edit.source, edit.target, medium)
        rule = _with_settings(before, edit, medium)
        if not _is_so(graph, rule):
            rules.append(rule)
    if not rules:
        ends = f"{shown(edit.target)} hears {shown(edit.source)}"
        raise Refused("link_exists", f"{ends} already, and as you say", "source")
    _refuse_circles(graph, rules)
    return _with(graph, rules)


def _unlinked(graph: Graph, edit: UnlinkNodes) -> Graph:
    media = MEDIA if edit.medium is None else (edit.medium,)
    rules = []
    for medium in _ends(graph, edit.source, edit.target, media, edit.medium is not None):
        rule = LinkRule(edit.source, edit.target, medium, linked=False)
        if not _is_so(graph, rule):
            rules.append(rule)
    if not rules:
        text = f"{shown(edit.target)} does not hear {shown(edit.source)} as it is"
        raise Refused("no_such_link", text, "source")
    return _with(graph, rules)


def _hearing(graph: Graph, edit: HearOnly) -> Graph:
    media = MEDIA if edit.medium is None else (edit.medium,)
    rules = []
    for medium in _ends(graph, ALL, edit.target, media, edit.medium is not None):
        rules.append(LinkRule(ALL, edit.target, medium, linked=False))
    for source in edit.sources:
        of_source = _ends(graph, source, edit.target, media, edit.medium is not None)
        rules += [LinkRule(source, edit.target, medium) for medium in of_source]
    _refuse_circles(graph, rules)
    return _with(graph, rules)


def _grouped(graph: Graph, edit: SetGroup) -> Graph:
    members = tuple(dict.fromkeys(edit.members))
    for name in members:
        if name not in graph.nodes and name not in graph.groups.get(edit.name, ()):
            raise _no_such_node(graph, name, "members")
    if not members and edit.name not in graph.groups:
        raise Refused("no_such_node", f"there is no group {edit.name}", "name")
    if members and edit.name not in graph.groups and len(graph.groups) >= MAX_GROUPS:
        raise Refused("graph_full", f"a room has {MAX_GROUPS} groups: remove one first")
    return graph.with_group(edit.name, members)


# ---- inside ----


def _media_of(edit: LinkNodes) -> tuple[Medium, ...]:
    """Those that a link is for, by its settings when it does not say so; raises InvalidValue."""
    of: dict[Medium, dict[str, object]] = {
        "audio": {
            "gain_db": edit.gain_db,
            "audio_channels": edit.audio_channels,
            "high_pass_hz": edit.high_pass_hz,
            "low_pass_hz": edit.low_pass_hz,
        },
        "midi": {"midi_channels": edit.midi_channels, "midi_kinds": edit.midi_kinds},
    }
    given = {
        m: [f for f, value in fields.items() if value is not UNSET] for m, fields in of.items()
    }
    if edit.medium is None:
        return tuple(m for m in MEDIA if given[m]) or MEDIA
    for medium, fields in given.items():
        if medium != edit.medium and fields:
            raise InvalidValue(fields[0], f"is for {medium}, and the link is for {edit.medium}")
    return (edit.medium,)


def _ends(
    graph: Graph, source: str, target: str, media: Iterable[Medium], asked: bool
) -> list[Medium]:
    """The media that can go from one to the other; raises what is wrong with either.

    `asked`: all of `media` were, so that none of them may lack.
    """
    for selector, field in ((source, "source"), (target, "target")):
        if not _is_known(graph, selector):
            raise _no_such_node(graph, selector, field)
    if source == target and is_one(source):
        text = "a node does not hear itself from the room: its own monitor is `hear monitor=-6`"
        raise InvalidValue("target", text if not graph.passes_on(source) else _itself(source))
    found = []
    for medium in media:
        gives = _some(graph, source, lambda ports: medium in ports.gives)  # noqa: B023
        takes = _some(graph, target, lambda ports: medium in ports.takes)  # noqa: B023
        if gives and takes:
            found.append(medium)
        elif asked or (medium == MEDIA[-1] and not found):
            raise _no_port(graph, source if not gives else target, medium, gives)
    return found


def _some(graph: Graph, selector: str, has: Callable[[Ports], bool]) -> bool:
    """Whether a node, or one of several, has such a port; who is away may have it."""
    here = graph.members_of(selector)
    return not here or any(has(graph.ports(name)) for name in here)


def _is_known(graph: Graph, selector: str) -> bool:
    return selector in (ALL, CLICK) or selector in graph.groups or selector in graph.nodes


def _no_such_node(graph: Graph, name: str, field: str) -> Refused:
    known = [*graph.nodes, *graph.groups, "click"]
    return Refused("no_such_node", f"nobody is called {name!r} here: {', '.join(known)}", field)


def _no_port(graph: Graph, name: str, medium: Medium, gives: bool) -> InvalidValue:
    what = "MIDI" if medium == "midi" else medium
    is_a = graph.ports(name).words if name in (*graph.nodes, CLICK) else "nobody in it does"
    if gives:
        return InvalidValue("target", f"{shown(name)} takes no {what}: {is_a}")
    return InvalidValue("source", f"{shown(name)} gives no {what}: {is_a}")


def _itself(name: str) -> str:
    return f"would close a circle: {name} → {name}"


def _before(graph: Graph, source: str, target: str, medium: Medium) -> LinkRule:
    """How the link is now, to be changed."""
    link = graph.link(source, target, medium)
    if link is not None:
        return LinkRule(source, target, medium, **settings_of(link))
    for rule in graph.rules:
        if (rule.source, rule.target, rule.medium, rule.linked) == (source, target, medium, True):
            return rule
    return LinkRule(source, target, medium)


def _with_settings(rule: LinkRule, edit: LinkNodes, medium: Medium) -> LinkRule:
    audio = medium == "audio"
    channels = edit.audio_channels if audio else edit.midi_channels
    kinds = set[Kind]() if audio else set(_given(edit.midi_kinds, rule.kinds))
    return LinkRule(
        rule.source,
        rule.target,
        medium,
        True,
        _given(edit.gain_db, rule.gain_db) if audio else 0.0,
        tuple(sorted(set(_given(channels, rule.channels)))),
        tuple(kind for kind in KINDS if kind in kinds),
        _given(edit.high_pass_hz, rule.high_pass_hz) if audio else 0.0,
        _given(edit.low_pass_hz, rule.low_pass_hz) if audio else 0.0,
    )


def _given(value: T | UnsetType, otherwise: T) -> T:
    return otherwise if isinstance(value, UnsetType) else value


def _is_so(graph: Graph, rule: LinkRule) -> bool:
    """Whether a rule changes nothing."""
    if not (is_one(rule.source) and is_one(rule.target)):
        return _tidied(graph, compacted([*graph.rules, rule])) == graph.rules
    link = graph.link(rule.source, rule.target, rule.medium)
    if link is None:
        return not rule.linked
    return rule.linked and link.is_as(rule)


def _refuse_circles(graph: Graph, rules: list[LinkRule]) -> None:
    after = graph.with_rules(compacted([*graph.rules, *rules]))
    for rule in rules:
        link = after.link(rule.source, rule.target, rule.medium)
        if link is None or not (graph.passes_on(rule.source) and graph.passes_on(rule.target)):
            continue
        if way := after.circle(rule.source, rule.target):
            raise Refused("circle", f"this would close a circle: {' → '.join(way)}", "source")


def _with(graph: Graph, rules: list[LinkRule]) -> Graph:
    made = _tidied(graph, compacted([*graph.rules, *rules]))
    if len(made) > MAX_LINK_RULES:
        text = f"a room has {MAX_LINK_RULES} links that are not as usual: take some back first"
        raise Refused("graph_full", text)
    return graph.with_rules(made)


def _tidied(graph: Graph, rules: tuple[LinkRule, ...]) -> tuple[LinkRule, ...]:
    """The same without those that say what is so without them."""
    kept: list[LinkRule] = []
    for rule in rules:
        is_plain = rule == LinkRule(rule.source, rule.target, rule.medium)
        joins = graph.passes_on(rule.source) and graph.passes_on(rule.target)
        if joins or not is_plain or any(meet(rule, before) for before in kept):
            kept.append(rule)
    return tuple(kept)
