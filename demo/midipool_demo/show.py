"""The demo's table."""

from typing import Any

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from midipool_demo.live import PlayerReading, Reading

LEVEL_CELLS = 12
KEYS = "space start/stop · c continue · + - tempo · r ramp to 140 in 4 bars · l locate 17 · q quit"


def render(
    reading: Reading | None, url: str, note: str, pages: dict[str, str] | None = None
) -> Group:
    """The whole screen."""
    if reading is None:
        return Group(Panel(Text(note or "setting up…"), title="midiPool demo"))
    return Group(
        Panel(_transport(reading), title=f"midiPool demo · {url}"),
        _players(reading),
        Text(_distance(reading)),
        _hearing(reading),
        *(Text(f"page of {name}: {where}", style="cyan") for name, where in (pages or {}).items()),
        Text(KEYS, style="dim"),
        Text(note, style="yellow"),
    )


def _transport(reading: Reading) -> Text:
    room = reading.room
    where = room["position"]
    state = "▶ playing" if room["playing"] else "■ stopped"
    return Text(
        f"{state}   bar {where['bar']}  beat {where['beat']}   {room['bpm']:.2f} BPM   "
        f"{room['meter']}   members: {len(room['members'])}",
        style="bold",
    )


def _players(reading: Reading) -> Table:
    table = Table(expand=True)
    table.add_column("player")
    for name in ("offset", "± bound", "round trip", "drift", "ticks", "tick late", "jitter p99"):
        table.add_column(name, justify="right")
    table.add_column("xruns", justify="right")
    for player in reading.players:
        table.add_row(player.name, *_cells(player))
    return table


def _hearing(reading: Reading) -> Table | Text:
    """Who hears whom how."""
    hears = reading.room.get("hears", {})
    if not any(hears.values()):
        return Text(reading.no_audio or "audio: nobody hears anybody yet", style="yellow")
    table = Table(expand=True)
    table.add_column("hears")
    for name in ("one way", "lost", "left", "jitter", "buffer"):
        table.add_column(name, justify="right")
    table.add_column("path")
    table.add_column("level")
    for listener, heard in hears.items():
        for hearing in heard:
            table.add_row(f"{listener} ← {hearing['member']}", *_heard(hearing))
    return table


def _heard(hearing: dict[str, Any]) -> list[str]:
    if hearing["latency_ms"] is None:
        return ["…"] * 5 + [hearing["path"], ""]
    return [
        f"{hearing['latency_ms']:.1f} ms",
        f"{100 * hearing['loss']:.2f} %",
        f"{100 * hearing['residual_loss']:.2f} %",
        f"{hearing['jitter_ms']:.1f} ms",
        f"{hearing['target_ms']:.1f} ms",
        hearing["path"],
        _level(hearing["level_db"]),
    ]


def _level(level_db: float | None) -> str:
    """A bar of 60 dB."""
    cells = 0 if level_db is None else round((max(level_db, -60) + 60) / 60 * LEVEL_CELLS)
    return "█" * min(cells, LEVEL_CELLS) + "·" * (LEVEL_CELLS - min(cells, LEVEL_CELLS))


def _cells(player: PlayerReading) -> list[str]:
    status = player.status
    if status is None:
        return ["…"] * 8
    return [
        f"{status['offset_us']:+.1f} µs",
        f"{status['error_bound_us']:.1f} µs",
        f"{status['round_trip_us']:.1f} µs",
        f"{status['drift_ppm']:+.2f} ppm",
        str(player.ticks),
        _us(player.late_us),
        _us(player.jitter_us),
        str(player.xruns),
    ]


def _distance(reading: Reading) -> str:
    return (
        "the same tick on both, by independent JACK clients: median "
        f"{_us(reading.distance_p50_us)}, p99 {_us(reading.distance_p99_us)} apart"
    )


def _us(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} µs"
