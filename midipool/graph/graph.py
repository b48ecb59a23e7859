"""A room's graph: its nodes, and the rules that say who hears whom. Pure, immutable.

Usual is that everyone hears everyone but themselves. Rules say what is otherwise; of several that
fit a pair the last one holds. They name nodes, groups or `@all`, and keep the names of those who
left, so that who comes back has its links again.

Only a link by name joins two nodes that both pass on what they hear (modules): so only such a link
can close a circle, and is looked at before it is made.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import msgspec

from midipool.errors import Refused
from midipool.graph.nodes import (
    ALL,
    CLICK,
    CLICK_PORTS,
    MEDIA,
    PORTS,
    Ports,
    recorder_of,
    why_not_called,
)
from midipool.messages import Group, LinkRule, Medium, MemberKind
from midipool.midi_kinds import Kind

_USUAL = {medium: LinkRule(ALL, ALL, medium) for medium in MEDIA}


@dataclass(frozen=True, slots=True)
class Link:
    """`target` hears `source`."""

    source: str
    target: str
    medium: Medium
    gain_db: float = 0.0
    channels: tuple[int, ...] = ()
    kinds: tuple[Kind, ...] = ()
    high_pass_hz: float = 0.0
    low_pass_hz: float = 0.0

    def is_as(self, rule: LinkRule) -> bool:
        """Whether it does what a rule says to what goes through it."""
        return all(getattr(self, name) == getattr(rule, name) for name in SETTINGS)


SETTINGS = ("gain_db", "channels", "kinds", "high_pass_hz", "low_pass_hz")
"""What rules and links alike do to what goes through them."""


def settings_of(one: Link | LinkRule) -> dict[str, Any]:
    """By field."""
    return {name: getattr(one, name) for name in SETTINGS}


@dataclass(frozen=True)
class KeptGraph:
    """What is worth keeping of a graph: what people have set, and not who is there."""

    groups: tuple[Group, ...] = ()
    rules: tuple[LinkRule, ...] = ()


@dataclass(frozen=True)
class Graph:
    """Nodes by name, in the order in which they came; `@click` is always there beside them."""

    revision: int = 0
    nodes: Mapping[str, MemberKind] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: tuple[LinkRule, ...] = ()
    owners: Mapping[str, str] = field(default_factory=dict)
    """Of nodes that are no members (recorders), the member that each belongs to."""

    # ---- who is there ----

    def ports(self, name: str) -> Ports:
        """What a node takes and gives; raises KeyError."""
        return CLICK_PORTS if name == CLICK else PORTS[self.nodes[name]]

    def passes_on(self, name: str) -> bool:
        """Whether it is there, and gives what it hears to others."""
        return name in self.nodes and self.ports(name).passes_on

    def members_of(self, selector: str) -> list[str]:
        """The nodes that are there of a name, a group, or `@all`."""
        if selector == ALL:
            return [*self.nodes, CLICK]
        if selector in self.groups:
            return [name for name in self.groups[selector] if self._is_here(name)]
        return [selector] if self._is_here(selector) else []

    def _is_here(self, name: str) -> bool:
        return name == CLICK or name in self.nodes

    # ---- who hears whom ----

    def link(self, source: str, target: str, medium: Medium) -> Link | None:
        """How `target` hears `source`; None if it does not."""
        return self._link(source, target, medium, self.rules)

    def links(self) -> Iterator[Link]:
        """All of them: by target, medium, source."""
        for target in self.nodes:
            for medium in MEDIA:
                yield from self.heard_by(target, medium)

    def heard_by(self, target: str, medium: Medium) -> Iterator[Link]:
        """What a node that is there hears."""
        rules = tuple(r for r in self.rules if r.medium == medium and self.fits(r.target, target))
        for source in (*self.nodes, CLICK):
            if (link := self._link(source, target, medium, rules)) is not None:
                yield link

    def fits(self, selector: str, name: str) -> bool:
        """Whether a selector means this node."""
        return selector in (ALL, name) or name in self.groups.get(selector, ())

    def heard_from(self, source: str, medium: Medium) -> Mapping[str, Link]:
        """Who hears a node, and how; looked up once."""
        if (source, medium) not in self._heard_from:
            links = {target: self.link(source, target, medium) for target in self.nodes}
            found = {target: link for target, link in links.items() if link is not None}
            self._heard_from[source, medium] = found
        return self._heard_from[source, medium]

    def sent_to(self, source: str, medium: Medium) -> Mapping[str, tuple[Link, ...]]:
        """Which members get what a node gives, for themselves or their recorders, and by what."""
        if (source, medium) not in self._sent_to:
            sent: dict[str, tuple[Link, ...]] = {}
            for target, link in self.heard_from(source, medium).items():
                member = self.owners.get(target, target)
                if member != source:
                    sent[member] = (*sent.get(member, ()), link)
            self._sent_to[source, medium] = sent
        return self._sent_to[source, medium]

    def recorder(self, member: str) -> str | None:
        """The node of a member's recorder; None while it does not record."""
        return next((node for node, owner in self.owners.items() if owner == member), None)

    @cached_property
    def _sent_to(self) -> dict[tuple[str, Medium], Mapping[str, tuple[Link, ...]]]:
        return {}

    @cached_property
    def _heard_from(self) -> dict[tuple[str, Medium], Mapping[str, Link]]:
        return {}

    @cached_property
    def is_usual(self) -> bool:
        """Whether each member hears each other one, as it comes."""
        return not self.rules and all(kind == "player" for kind in self.nodes.values())

    def circle(self, from_node: str, to_node: str) -> list[str]:
        """The way back, if a link between these closes one: both ends of it, else nothing."""
        ways: list[list[str]] = [[to_node]]
        seen = {to_node}
        while ways:
            way = ways.pop(0)
            if way[-1] == from_node:
                return [from_node, *way]
            for name in self.nodes:
                if name not in seen and self.passes_on(name) and self._leads(way[-1], name):
                    seen.add(name)
                    ways.append([*way, name])
        return []

    def _leads(self, source: str, target: str) -> bool:
        return any(self.link(source, target, medium) is not None for medium in MEDIA)

    def _link(
        self, source: str, target: str, medium: Medium, rules: tuple[LinkRule, ...]
    ) -> Link | None:
        if source == target or not (self._is_here(source) and target in self.nodes):
            return None
        if medium not in self.ports(source).gives or medium not in self.ports(target).takes:
            return None
        rule = self._rule(source, target, medium, rules)
        if rule is None or not rule.linked:
            return None
        return Link(source, target, medium, **settings_of(rule))

    def _rule(
        self, source: str, target: str, medium: Medium, rules: tuple[LinkRule, ...]
    ) -> LinkRule | None:
        by_name_alone = self.passes_on(source) and self.passes_on(target)
        for rule in reversed((_USUAL[medium], *rules)):
            if rule.medium != medium:
                continue
            if not (self.fits(rule.source, source) and self.fits(rule.target, target)):
                continue
            named = (rule.source, rule.target) == (source, target)
            if named or not (by_name_alone and rule.linked):
                return rule
        return None

    # ---- who comes and goes ----

    def entered(self, name: str, kind: MemberKind = "player") -> "Graph":
        """A node comes, or is of another kind now; raises Refused.

        Links that close a circle now, because what they join passes on what it hears, are no more.
        """
        if text := why_not_called(name):
            raise Refused("name_taken", text, "name")
        if self.nodes.get(name) == kind:
            return self
        return self._next(nodes={**self.nodes, name: kind}).without_circles()

    def recording(self, member: str, is_so: bool) -> "Graph":
        """A member that is there records from now on, or no more."""
        node = self.recorder(member)
        if is_so == (node is not None) or member not in self.nodes:
            return self
        if node is not None:
            return self.left(node)
        name = recorder_of(member)
        if name in self.nodes:
            text = f"the recorder of a member with such a long name is there already: {name}"
            raise Refused("name_taken", text)
        nodes: dict[str, MemberKind] = {**self.nodes, name: "recorder"}
        return self._next(nodes=nodes, owners={**self.owners, name: member})

    def left(self, name: str) -> "Graph":
        """A node goes, and its recorder; what was said of their names stays."""
        if name not in self.nodes:
            return self
        gone = {name, self.recorder(name)}
        return self._next(
            nodes={n: kind for n, kind in self.nodes.items() if n not in gone},
            owners={n: owner for n, owner in self.owners.items() if n not in gone},
        )

    def renamed(self, old: str, new: str) -> "Graph":
        """A member came back under another name, which nobody has; its recorder too."""
        graph = self._renamed(old, new)
        if graph is self or (tape := self.recorder(old)) is None:
            return graph
        return graph._renamed(tape, recorder_of(new))

    def _renamed(self, old: str, new: str) -> "Graph":
        if old not in self.nodes or new in self.nodes:
            return self

        def moved(name: str) -> str:
            return new if name == old else name

        rules = [
            msgspec.structs.replace(rule, source=moved(rule.source), target=moved(rule.target))
            for rule in self.rules
        ]
        return self._next(
            nodes={moved(name): kind for name, kind in self.nodes.items()},
            groups={name: tuple(map(moved, members)) for name, members in self.groups.items()},
            rules=compacted(rules),
            owners={moved(name): moved(owner) for name, owner in self.owners.items()},
        ).without_circles()

    def without_circles(self) -> "Graph":
        """The same without the newest of the links that close one."""
        graph = self
        for rule in reversed(self.rules):
            link = graph.link(rule.source, rule.target, rule.medium)
            both = self.passes_on(rule.source) and self.passes_on(rule.target)
            if link is not None and both and graph.circle(rule.source, rule.target):
                graph = replace(graph, rules=tuple(r for r in graph.rules if r is not rule))
        return graph

    # ---- what people have set ----

    def kept(self) -> KeptGraph:
        """What is worth keeping."""
        groups = (Group(name, members) for name, members in self.groups.items())
        return KeptGraph(tuple(groups), self.rules)

    def with_kept(self, kept: KeptGraph) -> "Graph":
        """The nodes that are there, with what was kept."""
        groups = {group.name: group.members for group in kept.groups if group.members}
        return self._next(groups=groups, rules=compacted(list(kept.rules))).without_circles()

    def with_rules(self, rules: tuple[LinkRule, ...]) -> "Graph":
        """Other rules."""
        return self._next(rules=rules)

    def with_group(self, name: str, members: tuple[str, ...]) -> "Graph":
        """A group of these; without any it is no more, and neither are its rules."""
        groups = {other: kept for other, kept in self.groups.items() if other != name}
        if members:
            return self._next(groups={**groups, name: members})
        rules = tuple(rule for rule in self.rules if name not in (rule.source, rule.target))
        return self._next(groups=groups, rules=rules)

    def _next(self, **changes: object) -> "Graph":
        return replace(self, revision=self.revision + 1, **changes)  # type: ignore[arg-type]


def is_one(selector: str) -> bool:
    """Whether it names one node, and not several."""
    return selector == CLICK or not selector.startswith("@")


def meet(a: LinkRule, b: LinkRule) -> bool:
    """Whether two rules may be about the same pair."""
    ends = ((a.source, b.source), (a.target, b.target))
    return a.medium == b.medium and all(x == y or not (is_one(x) and is_one(y)) for x, y in ends)


def compacted(rules: list[LinkRule]) -> tuple[LinkRule, ...]:
    """The same without those that a later one covers whole."""
    kept: list[LinkRule] = []
    for rule in rules:
        kept = [r for r in kept if not _covers(rule, r)]
        kept.append(rule)
    return tuple(kept)


def _covers(rule: LinkRule, other: LinkRule) -> bool:
    return (
        rule.medium == other.medium
        and rule.source in (ALL, other.source)
        and rule.target in (ALL, other.target)
    )
