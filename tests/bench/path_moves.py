"""What a listener misses when the path between two players changes while they play."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.netstage import NetStage, net_stage
from tests.e2e.sound_daw import NOISE_FRAMES, SoundDaw, noise
from tests.e2e.sound_gaps import gaps
from tests.e2e.two_players import FROM, paths, reasons, wait_for_paths, wait_until_loud
from tests.e2e.waiting import wait_until
from tests.netlab import Impairment, Router

PERIOD = 128
SEEDS = {"a": 10, "b": 20}
KEEP_S, LOOK_S = 3.0, 3.0


@dataclass(frozen=True)
class Case:
    """A profile, and the line of a's home."""

    name: str
    profile: str
    line: Impairment | None


CASES = (
    Case("jam, plain lines", "jam", None),
    Case("lan, plain lines", "lan", None),
    # The way by the server is longer than the direct one by its own line's delay, there and back.
    Case("jam, the relay 20 ms further", "jam", Impairment(delay_ms=10)),
)


def measure(case: Case, times: int) -> dict[str, Any]:
    """The longest gap after each change of path, in ms, at both ends."""
    with tempfile.TemporaryDirectory() as made, net_stage(None, PERIOD) as stage:
        if case.line is not None:
            stage.lengthen(case.line)
        stage.start_server()
        for name in "ab":
            end = stage.prepare(name, "port-restricted")
            stage.join(name, *end, audio=("--profile", case.profile))
        wait_for_paths(stage, "direct")
        missed: dict[str, dict[str, list[float]]] = {}
        for _ in range(times):
            _play_and_move(stage, Path(made), missed)
    return missed


def _play_and_move(
    stage: NetStage, folder: Path, missed: dict[str, dict[str, list[float]]]
) -> None:
    a, b = stage.players
    with (
        SoundDaw(a.jack.env, SEEDS["a"], folder / "a", FROM.format("b", 1)) as at_a,
        SoundDaw(b.jack.env, SEEDS["b"], folder / "b", FROM.format("a", 1)) as at_b,
    ):
        wait_until_loud(stage)
        time.sleep(KEEP_S)  # what is heard before anything happens
        moves = _moves(stage)
        recorded = {"b hears a": (at_b.end(), at_b, "a"), "a hears b": (at_a.end(), at_a, "b")}
    for listener, (sound, daw, sender) in recorded.items():
        found = gaps(sound[:, 0], noise(SEEDS[sender]))
        for what, at_s in moves:
            longest = _longest_ms(found, at_s - daw.began_s)
            missed.setdefault(what, {}).setdefault(listener, []).append(longest)


def _moves(stage: NetStage) -> list[tuple[str, float]]:
    """Change the path in all ways, one after the other; what, and when by time.monotonic."""
    here, there = stage.homes["a"].router, stage.homes["b"].router
    assert here is not None
    assert there is not None
    return [
        *_cut(stage, "cut both ways", here, lambda: here.cut(there.address)),
        *_cut(stage, "cut towards a", here, lambda: here.cut(there.address, out=False)),
        *_other_network(stage),
    ]


def _other_network(stage: NetStage) -> list[tuple[str, float]]:
    done = [("a moves behind another router", time.monotonic())]
    router = stage.move("a", "port-restricted")
    wait_until(lambda: any(f"direct ({router.address}:" in why for why in reasons(stage)), 40)
    wait_for_paths(stage, "direct", 40)
    time.sleep(KEEP_S)
    return done


def _cut(
    stage: NetStage, what: str, router: Router, cut: Callable[[], None]
) -> list[tuple[str, float]]:
    done = [(f"{what}: direct to relay", time.monotonic())]
    cut()
    wait_until(lambda: "relay" in paths(stage), 20)
    time.sleep(KEEP_S)
    router.mend()
    wait_for_paths(stage, "direct")
    done.append((f"{what}: relay to direct", time.monotonic() - LOOK_S))
    time.sleep(KEEP_S)
    return done


def _longest_ms(found: list[tuple[int, int]], at_s: float) -> float:
    begin, end = at_s * NOISE_FRAMES, (at_s + LOOK_S) * NOISE_FRAMES
    lengths = [length for first, length in found if begin <= first + length and first < end]
    return round(max(lengths, default=0) * 1000 / NOISE_FRAMES, 1)
