"""A graph for people: who is there, who hears whom, and what is not as usual. Pure."""

from msgspec import UnsetType, to_builtins

from midipool.graph.graph import Graph, Link
from midipool.graph.news import whole
from midipool.graph.nodes import MEDIA, shown
from midipool.messages import (
    GraphEdit,
    HearOnly,
    LinkNodes,
    Medium,
    ResetGraph,
    SetGroup,
    UnlinkNodes,
)
from midipool.midi_kinds import KINDS


def graph_in_words(graph: Graph) -> list[str]:
    """A line for each node and what it hears; then groups."""
    if not graph.nodes:
        return ["nobody is in the room"]
    lines = []
    for name, kind in graph.nodes.items():
        lines.append(name if kind == "player" else f"{name} ({kind})")
        if not graph.ports(name).takes:
            continue
        for medium in MEDIA:
            what = "audio" if medium == "audio" else "MIDI "
            lines.append(f"  {what} {_heard(list(graph.heard_by(name, medium)))}")
    for group, members in graph.groups.items():
        away = [f"{name} (away)" for name in members if name not in graph.nodes]
        here = [name for name in members if name in graph.nodes]
        lines.append(f"{group}: {', '.join([*here, *away])}")
    return lines


def _heard(links: list[Link]) -> str:
    if not links:
        return "hears nothing"
    return "hears " + ", ".join(f"{shown(link.source)}{settings_in_words(link)}" for link in links)


def settings_in_words(link: Link) -> str:
    """What a link does to what goes through it; empty if nothing."""
    words = [f"{link.gain_db:+g} dB"] if link.gain_db else []
    if link.channels:
        words.append(f"channel{'s'[len(link.channels) == 1 :]} {_ranges(link.channels)}")
    words += [kind.replace("_", " ") for kind in KINDS if kind in link.kinds]
    passes = {"above": link.high_pass_hz, "below": link.low_pass_hz}
    words += [f"{what} {hz_in_words(hz)}" for what, hz in passes.items() if hz]
    return f" ({', '.join(words)})" if words else ""


def hz_in_words(hz: float) -> str:
    """`80 Hz`, `2.5 kHz`."""
    return f"{hz:g} Hz" if hz < 1000 else f"{hz / 1000:g} kHz"


def edit_in_words(edit: GraphEdit) -> str:
    """What somebody did, for people."""
    match edit:
        case LinkNodes(source=source, target=target):
            return f"let {shown(target)} hear {shown(source)}{_medium(edit.medium)}{_asked(edit)}"
        case UnlinkNodes(source=source, target=target):
            return f"let {shown(target)} hear no {shown(source)}{_medium(edit.medium)}"
        case HearOnly(target=target, sources=sources):
            heard = ", ".join(map(shown, sources)) or "nothing"
            return f"let {shown(target)} hear only {heard}{_medium(edit.medium)}"
        case SetGroup(name=name, members=members):
            return f"made {name} of {', '.join(members)}" if members else f"ended {name}"
        case ResetGraph():
            return "let everybody hear everybody"


def _medium(medium: Medium | None) -> str:
    return {"audio": " (audio)", "midi": " (MIDI)", None: ""}[medium]


def _asked(edit: LinkNodes) -> str:
    gain = None if isinstance(edit.gain_db, UnsetType) else f"{edit.gain_db:+g} dB"
    given = (
        *(edit.audio_channels, edit.high_pass_hz, edit.low_pass_hz),
        *(edit.midi_channels, edit.midi_kinds),
    )
    other = None if all(isinstance(one, UnsetType) for one in given) else "filtered"
    words = [word for word in (gain, other) if word is not None]
    return f", {', '.join(words)}" if words else ""


def links_shown(graph: Graph) -> list[dict[str, object]]:
    """All links in JSON's terms."""
    return [
        {
            "source": link.source,
            "target": link.target,
            "medium": link.medium,
            "gain_db": link.gain_db,
            "channels": list(link.channels),
            "kinds": list(link.kinds),
            "high_pass_hz": link.high_pass_hz,
            "low_pass_hz": link.low_pass_hz,
        }
        for link in graph.links()
    ]


def graph_shown(graph: Graph) -> dict[str, object]:
    """All of it in JSON's terms."""
    told = to_builtins(whole(graph))
    parts = ("revision", "nodes", "groups", "rules")
    return {**{part: told[part] for part in parts}, "links": links_shown(graph)}


def _ranges(numbers: tuple[int, ...]) -> str:
    """`1-4, 10`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
