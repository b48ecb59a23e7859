"""What the demo measures while it runs: tick jitter of each player, and their distance."""

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from midipool.timeline import Timeline
from midipool_demo.frame_times import FrameTimes
from midipool_demo.stage import Player, Stage
from midipool_demo.ticks import Ticks, match

RECENT_TICKS = 480


@dataclass(frozen=True)
class PlayerReading:
    """One player's newest figures; None where there is nothing to measure yet."""

    name: str
    status: dict[str, Any] | None
    ticks: int
    late_us: float | None
    jitter_us: float | None
    xruns: int


@dataclass(frozen=True)
class Reading:
    """All of it at one moment."""

    room: dict[str, Any]
    players: list[PlayerReading]
    distance_p50_us: float | None
    distance_p99_us: float | None
    no_audio: str = ""
    """Why nobody hears anybody, if a player's client said so."""


def read(stage: Stage) -> Reading:
    """Measure the last seconds of a running stage; raises OSError while the server is away."""
    room = stage.status()
    timeline = msgspec.convert(room["timelines"][0], Timeline)
    heard = [_recent(player, timeline) for player in stage.players]
    distances = _distances(heard)
    statuses = {m["name"]: m["status"] for m in room["members"]}
    players = [
        _reading(player, ticks, statuses.get(player.name))
        for player, ticks in zip(stage.players, heard, strict=True)
    ]
    p50, p99 = (_quantile(distances, 0.5), _quantile(distances, 0.99))
    return Reading(room, players, p50, p99, _no_audio(stage))


def _no_audio(stage: Stage) -> str:
    said = [player.client.output().splitlines() for player in stage.players]
    return next((line for lines in said for line in lines if line.startswith("no audio")), "")


def _recent(player: Player, timeline: Timeline) -> Ticks | None:
    heard = player.meter.snapshot(last_events=RECENT_TICKS)
    if not timeline.playing or len(heard.cycles) < 200:
        return None
    times = FrameTimes.fit(heard.cycles, player.meter.sample_rate)
    first = heard.cycles[0][0]
    events = [event for event in heard.events[0] if event[0] >= first]
    ticks = match(events, times, timeline, 0)
    return ticks if len(ticks.numbers) else None


def _reading(player: Player, ticks: Ticks | None, status: dict[str, Any] | None) -> PlayerReading:
    late = ticks.late_us if ticks is not None else np.array([])
    return PlayerReading(
        name=player.name,
        status=status,
        ticks=status["ticks"] if status else 0,
        late_us=_quantile(late, 0.5),
        jitter_us=_quantile(np.abs(late - np.median(late)), 0.99) if len(late) else None,
        xruns=player.meter.heard.xruns,
    )


def _distances(heard: list[Ticks | None]) -> "np.typing.NDArray[np.float64]":
    """How far apart the same tick was at the first two players, in µs."""
    first, second = heard[0], heard[1]
    if first is None or second is None:
        return np.array([])
    _, here, there = np.intersect1d(first.numbers, second.numbers, return_indices=True)
    return np.abs(first.late_us[here] - second.late_us[there])


def _quantile(values: "np.typing.NDArray[np.float64]", q: float) -> float | None:
    return round(float(np.quantile(values, q)), 1) if len(values) else None
