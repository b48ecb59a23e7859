"""Which of a member's MIDI gets to whom, by the room's graph. Pure."""

from collections.abc import Iterable, Mapping

from midipool.graph.graph import Graph, Link
from midipool.graph.part import passes
from midipool.messages import MidiFrom
from midipool_server.midi_relay import Relayed

Links = tuple[Link, ...]
"""Of a receiver, and of its recorder: it gets what any of them lets through."""


def by_link(relayed: Iterable[Relayed], links: Mapping[int, Links]) -> list[Relayed]:
    """The same, with what each receiver's link lets through; `links` by their ids.

    What is left of a batch goes out also when it is empty: it says that the sender still plays.
    """
    out: list[Relayed] = []
    for message, ids in relayed:
        if not isinstance(message, MidiFrom) or not message.events:
            out.append(Relayed(message, ids))
            continue
        out += [Relayed(_left(message, by), to) for by, to in _alike(ids, links)]
    return out


def parted(before: Graph, after: Graph, names: Iterable[str]) -> dict[str, set[str]]:
    """By sender, who hears other MIDI of it than before: what it holds is to be ended there."""
    if (before.rules, before.groups) == (after.rules, after.groups):
        return {}
    found = {}
    for name in names:
        now = after.heard_from(name, "midi")
        heard = before.heard_from(name, "midi")
        found[name] = {target for target, link in heard.items() if now.get(target) != link}
    return {name: targets for name, targets in found.items() if targets}


def _alike(ids: Iterable[int], links: Mapping[int, Links]) -> Iterable[tuple[Links, list[int]]]:
    """Receivers that get the same."""
    groups: dict[tuple[object, ...], tuple[Links, list[int]]] = {}
    for id in ids:
        by = links.get(id, ())
        key = tuple((link.channels, link.kinds) for link in by)
        groups.setdefault(key, (by, []))[1].append(id)
    return groups.values()


def _left(message: MidiFrom, by: Links) -> MidiFrom:
    if not by or not all(link.channels or link.kinds for link in by):
        return message
    events = [
        event
        for event in message.events
        if any(passes(link, bytes.fromhex(event.data)) for link in by)
    ]
    return MidiFrom(message.name, events, message.silence)
