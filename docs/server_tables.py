"""Tables of the server's settings and metrics, from where they are declared."""

from dataclasses import fields

from midipool_native.relay import RelayStats
from midipool_server.host import RoomHost
from midipool_server.lobby import Lobby
from midipool_server.operations.exposition import Exposition
from midipool_server.settings.declared import ALL


def settings() -> str:
    """One row a setting: its three names, rule, default, what it does."""
    rows = [
        f"| `{name}` | `{s.variable}` | {_flag(s.flag, s.is_switch) if not s.secret else '–'} "
        f"| {s.rule} | {s.shown(s.default)} | {s.text} |"
        for name, s in ALL.items()
    ]
    head = [
        "| in the file | in the environment | flag | what it must be | default | what it does |"
    ]
    return "\n".join([*head, "| --- | --- | --- | --- | --- | --- |", *rows])


def _flag(flag: str, is_switch: bool) -> str:
    return f"`{flag}`, `--no-{flag[2:]}`" if is_switch else f"`{flag}`"


class _NoProbes:
    """Stands for what answers clock probes."""

    def stats(self) -> tuple[int, int]:
        """None yet."""
        return 0, 0


class _NoAudio:
    """Stands for the relay."""

    def stats(self) -> RelayStats:
        """None yet."""
        return RelayStats(*[0] * len(fields(RelayStats)))

    def bytes(self) -> dict[str, int]:
        """None yet."""
        return {"in": 0, "out": 0}


def metrics() -> str:
    """One row a metric: name, kind, labels, what it says."""
    host = RoomHost(Lobby("0" * 16), lambda: 0, lambda: 0, _NoAudio())
    rows = []
    for family in Exposition(host, by_room=True, udp=_NoProbes()).collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        shown = ", ".join(f"`{label}`" for label in family._labelnames)
        rows.append(f"| `{name}` | {family.type} | {shown} | {family.documentation} |")
    head = ["| metric | kind | labels | what it says |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows])
