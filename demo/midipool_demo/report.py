"""What an unattended demo or a benchmark heard, as JSON."""

from typing import Any

import msgspec
import numpy as np

from midipool.timeline import Timeline
from midipool_demo.frame_times import Floats, FrameTimes
from midipool_demo.stage import Player, Stage
from midipool_demo.ticks import Ticks, match

# JACK's dummy driver loses frames at an xrun; the sink has a new line after this long.
SETTLED_S = 0.5


def make(stage: Stage, up_s: float) -> dict[str, Any]:
    """Figures of a stage that plays on one timeline since its start."""
    room = stage.status()
    timeline = msgspec.convert(room["timelines"][0], Timeline)
    ticks = [listen(player, timeline) for player in stage.players]
    return {
        "up_s": round(up_s, 2),
        "room": {key: room[key] for key in ("bpm", "meter", "position", "playing", "members")},
        "players": {
            player.name: figures(player, heard)
            for player, heard in zip(stage.players, ticks, strict=True)
        },
        "audio": room.get("hears", {}),
        "distance_us": distance(ticks[0], ticks[1]) if len(ticks) > 1 else None,
    }


def listen(player: Player, timeline: Timeline, room_minus_host_us: int = 0) -> Ticks:
    """All ticks that a player's meter heard on a timeline."""
    heard = player.meter.snapshot()
    times = FrameTimes.fit(heard.cycles, player.meter.sample_rate)
    return match(heard.events[0], times, timeline, room_minus_host_us)


def figures(player: Player, ticks: Ticks) -> dict[str, Any]:
    """Counts and lateness of one player's ticks."""
    steady = ticks.since_xrun_s > SETTLED_S
    return {
        "ticks": len(ticks.numbers),
        "missing": ticks.missing,
        "extra": ticks.extra,
        "out_of_order": ticks.out_of_order,
        "xruns": player.meter.heard.xruns,
        "meter_lost": player.meter.heard.lost,
        "late_us": spread(ticks.late_us),
        "late_away_from_xruns_us": spread(ticks.late_us[steady]),
    }


def distance(first: Ticks, second: Ticks) -> dict[str, float]:
    """How far apart the same tick was, away from xruns, in µs."""
    _, here, there = np.intersect1d(first.numbers, second.numbers, return_indices=True)
    steady = (first.since_xrun_s[here] > SETTLED_S) & (second.since_xrun_s[there] > SETTLED_S)
    return spread(np.abs(first.late_us[here] - second.late_us[there])[steady])


def spread(values: Floats) -> dict[str, float]:
    """Quantiles and the standard deviation."""
    if len(values) == 0:
        return {}
    points = {"min": 0.0, "p1": 0.01, "p50": 0.5, "p99": 0.99, "max": 1.0}
    out = {name: round(float(np.quantile(values, q)), 2) for name, q in points.items()}
    return {**out, "std": round(float(np.std(values)), 2), "count": len(values)}
