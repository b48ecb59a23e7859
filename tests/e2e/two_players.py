"""Two players on hosts of their own who hear each other, and how."""

from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.netstage import NetPlayer, NetStage
from tests.e2e.sound_daw import NOISE_FRAMES, SoundDaw, correlations, noise
from tests.e2e.sound_gaps import lag_s
from tests.e2e.waiting import wait_until

FROM = "midiPool-audio:from_{}_{}"
A_SEED, B_SEED = 10, 20
LOOKED_AT = 48_000
# What JACK's cycles and a shared machine add to how late a program is told of a frame.
LATENCY_WITHIN_S = 0.03


def hearings(stage: NetStage) -> list[dict[str, Any]]:
    """How each hears the others, where it does."""
    hears = stage.try_status().get("hears", {}).values()
    return [h for heard in hears for h in heard if h["latency_ms"] is not None]


def paths(stage: NetStage) -> list[str]:
    """The ways by which they hear each other."""
    return [h["path"] for h in hearings(stage)]


def reasons(stage: NetStage) -> list[str]:
    """Why so."""
    return [h["reason"] for h in hearings(stage)]


def wait_for_paths(stage: NetStage, path: str, timeout_s: float = 30.0) -> None:
    """Until two hear each other by that way, and say so."""
    wait_until(
        lambda: (
            paths(stage) == [path, path]
            and all(reason.startswith(path) for reason in reasons(stage))
        ),
        timeout_s,
    )


def wait_until_loud(stage: NetStage) -> None:
    """Until two who play hear that they do."""
    wait_until(lambda: [(h["level_db"] or -99) > -30 for h in hearings(stage)] == [True, True], 30)


def let_pass(player: NetPlayer, frames: int) -> None:
    """Wait for so many frames of a player's sound server."""
    last = player.meter.snapshot().cycles[-1][0]
    player.meter.wait_until(lambda heard: heard.cycles[-1][0] >= last + frames, 30)


def check_that_sound_is_as_it_was(stage: NetStage, folder: Path) -> None:
    """What a plays b hears, each channel in its own place, as late as b says."""
    a, b = stage.players
    ports = [FROM.format("a", 1), FROM.format("a", 2)]
    with (
        SoundDaw(a.jack.env, A_SEED, folder / "a") as playing,
        SoundDaw(b.jack.env, B_SEED, folder / "b", *ports) as listening,
    ):
        wait_until_loud(stage)
        let_pass(b, LOOKED_AT)
        latency_s = next(h["latency_ms"] for h in hearings(stage) if h["member"] == "a") / 1000
        recorded = listening.end()
        playing.end()
    last = recorded[-LOOKED_AT:]
    for channel in (0, 1):
        own, other = noise(A_SEED + channel), noise(A_SEED + 1 - channel)
        assert np.median(correlations(last[:, channel], own)) > 0.85
        assert np.median(correlations(last[:, channel], other)) < 0.5
    # The place in the noise says when it was played, but for whole seconds.
    begin_s = listening.began_s + (len(recorded) - len(last)) / NOISE_FRAMES - playing.began_s
    late_s = (begin_s - lag_s(last[:, 0], noise(A_SEED))) % 1.0
    assert abs(late_s - latency_s) < LATENCY_WITHIN_S, (late_s, latency_s)
