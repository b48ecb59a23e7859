"""The page with twelve players: fader to sound, sound to meter, until it is usable, its cost.

Two real players on JACK's dummy driver: `drums` plays a tone, `bass` has the page, in Debian's
Chromium without a window. Ten more are light members (light_members.py): their sound is real, and
comes to the listener's engine, meters and page as anybody's; they hear nothing. A hand is
Chromium's own input events, a sound what comes out at the listener's JACK port.
"""

import argparse
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Browser, Page

from midipool_demo.stage import Stage, free_port
from tests.bench.page_looks import TIMES_SCRIPT, Ticking, open_timed, ticking_of
from tests.bench.process_cost import ProcessCost, child_running
from tests.bench.sound_probe import Plan, Record, SoundProbe
from tests.e2e.browser import chromium
from tests.e2e.waiting import wait_until

Doubles = npt.NDArray[np.float64]
PLAYER, LISTENER = "drums", "bass"
SEND, MIX = "midiPool-audio:audio_send_1", "midiPool-audio:audio_receive_1"
PERIOD = 128
WINDOW_FRAMES = 48
"""A period of the tone, nearly: levels of windows are the tone's."""
APART_S = 0.3
SPARE_S = 1.0


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--players", type=int, default=12)
    parser.add_argument("--moves", type=int, default=60, help="of the fader")
    parser.add_argument("--steps", type=int, default=30, help="of the sound, for the meter")
    parser.add_argument("--opened", type=int, default=5, help="how often the page is opened")
    parser.add_argument("--seconds", type=float, default=20.0, help="of measuring what it costs")


def run(options: argparse.Namespace) -> dict[str, Any]:
    media_port = free_port()
    own = {LISTENER: ("--media-port", str(media_port))}
    with (
        tempfile.TemporaryDirectory() as made,
        Stage((PLAYER, LISTENER), home=Path(made), period=PERIOD, audio=(), own_audio=own) as stage,
        _light_members(stage, media_port, options.players - 2),
        chromium() as browser,
    ):
        wait_until(lambda: len(stage.status()["members"]) == options.players, 20)
        usable = [_opened(browser, stage, options.players) for _ in range(options.opened)]
        page = open_timed(browser, stage.pages()[LISTENER])
        page.get_by_label(f"{PLAYER}: level", exact=True).wait_for()
        # They are seen, and not heard.
        for number in range(1, options.players - 1):
            page.get_by_role("button", name=f"mute light{number}", exact=True).click()
        stage.conduct("start")
        with _sound(stage, made, "tone", APART_S * options.moves + 10) as probes:
            clock, moves = _move(page, options.moves)
            fader = _fader_ms(probes[1].end(), clock, moves)
        with _sound(stage, made, "steps", 1.7 * options.steps + 10) as probes:
            clock, seen = _watch_meter(page, 1.7 * options.steps)
            meter = _meter_ms(probes[1].end(), clock, seen)
            costs = _costs(stage, options.seconds)
        rate = _meter_rate(page)
        page.close()
        without = _client_alone(stage, options.seconds / 2)
    return {
        "players": options.players,
        "light_members": options.players - 2,
        "period_frames": PERIOD,
        "fader_to_sound_ms": _summary(fader),
        "meter_lag_ms": _summary(meter),
        "usable_ms": _summary(usable),
        "meter_frames_a_second": rate,
        "core_percent": costs,
        "client_core_percent_without_a_page": without,
        "series": {"fader": fader, "meter": meter},
    }


# ---- who is there ----


@contextlib.contextmanager
def _light_members(stage: Stage, port: int, count: int) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.bench.light_members", stage.url, LISTENER]
    with subprocess.Popen([*command, str(port), str(count)], stdin=subprocess.PIPE) as program:
        try:
            yield
        finally:
            assert program.stdin is not None
            program.stdin.close()
            program.wait(20)


@contextlib.contextmanager
def _sound(stage: Stage, made: str, name: str, seconds: float) -> Iterator[list[SoundProbe]]:
    """One plays, the other listens."""
    player, listener = stage.players
    plans = (
        (player, Plan("probe", 1.0, f"{made}/plays.npz", ((name, SEND),))),
        (listener, Plan("probe", seconds, f"{made}/hears.npz", (), (MIX,))),
    )
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(SoundProbe(at.jack.env, plan)) for at, plan in plans]


# ---- fader to sound ----


def _move(page: Page, count: int) -> tuple[Ticking, list[float]]:
    """Drag the player's fader up and down; the page's times of its events."""
    page.evaluate(TIMES_SCRIPT, f"{PLAYER}: level")
    page.evaluate("scrollTo(0, 0)")
    box = page.get_by_label(f"{PLAYER}: level", exact=True).bounding_box()
    assert box is not None
    x = box["x"] + box["width"] / 2
    high, low = (box["y"] + box["height"] * share for share in (0.27, 0.6))
    time.sleep(SPARE_S)
    page.mouse.move(x, high)
    page.mouse.down()
    for number in range(count):
        time.sleep(APART_S * random.uniform(0.8, 1.2))
        page.mouse.move(x, low if number % 2 == 0 else high)
    time.sleep(APART_S)
    page.mouse.up()
    time.sleep(SPARE_S)
    events: list[float] = page.evaluate("window.benchTimes")
    return ticking_of(page), events[1:]  # the first is the hand that comes


def _fader_ms(record: Record, clock: Ticking, events: list[float]) -> list[float]:
    """From each event to where the level is half on its way."""
    levels, at_s = _levels(record)
    found = []
    for event_s in map(clock.host_s, events):
        before = levels[(at_s > event_s - 0.03) & (at_s < event_s)]
        after = levels[(at_s > event_s + 0.12) & (at_s < event_s + 0.18)]
        if not len(before) or not len(after):
            continue
        old, new = float(np.median(before)), float(np.median(after))
        if abs(old - new) < 0.02:
            continue
        crossed = (levels - (old + new) / 2) * (new - old) > 0
        first = np.flatnonzero(crossed & (at_s > event_s))
        found.append(round(float(at_s[first[0]] - event_s) * 1000, 2))
    return found


# ---- sound to meter ----


def _watch_meter(page: Page, seconds: float) -> tuple[Ticking, list[float]]:
    """When the player's meter rose over -20 dB, by the page's times."""
    page.evaluate(
        """name => {
          window.benchRises = [];
          const meter = document.querySelector(`[data-strip="${name}"] .meter`);
          let was = true;
          const look = () => {
            const { g, x, y, w, h } = meter.place;
            const at = [x + Math.round(w / 2), y + Math.round(h * (1 - 40 / 66))];
            const [r, green] = g.getImageData(...at, 1, 1).data;
            const style = getComputedStyle(document.documentElement);
            const well = style.getPropertyValue("--well").trim();
            const lit = Math.abs(green - parseInt(well.slice(3, 5), 16)) > 24
              || Math.abs(r - parseInt(well.slice(1, 3), 16)) > 24;
            if (lit && !was) window.benchRises.push(performance.now());
            was = lit;
            if (window.benchRises) requestAnimationFrame(look);
          };
          requestAnimationFrame(look);
        }""",
        PLAYER,
    )
    time.sleep(seconds)
    seen: list[float] = page.evaluate("window.benchRises")
    clock = ticking_of(page)
    page.evaluate("window.benchRises = null")
    return clock, seen


def _meter_ms(record: Record, clock: Ticking, seen: list[float]) -> list[float]:
    """From each begin of the sound, where it is heard, to the picture."""
    levels, at_s = _levels(record)
    loud = levels > 0.05
    begins = at_s[1:][loud[1:] & ~loud[:-1]]
    found = []
    for rise_s in map(clock.host_s, seen):
        before = begins[(begins <= rise_s) & (begins > rise_s - 0.5)]
        if len(before):
            found.append(round(float(rise_s - before[0]) * 1000, 2))
    return found


def _levels(record: Record) -> tuple[Doubles, Doubles]:
    """RMS of each window, and when it began, by CLOCK_MONOTONIC."""
    heard = record.heard[:, 0]
    whole = len(heard) // WINDOW_FRAMES
    pieces = heard[: whole * WINDOW_FRAMES].astype(np.float64).reshape(whole, -1)
    levels = np.sqrt(np.mean(pieces**2, axis=1))
    frames = record.jack_frames(np.arange(whole) * WINDOW_FRAMES)
    at_s = record.times.at(frames) * 1e-9
    return levels, at_s


# ---- usable ----


def _opened(browser: Browser, stage: Stage, players: int) -> float:
    """From the address to a page whose strips are there and whose meters move."""
    before = stage.pages()[LISTENER]
    page = open_timed(browser, before)
    wait_until(lambda: bool(page.evaluate("window.benchUsable > 0")))
    usable_ms = float(page.evaluate("window.benchUsable"))
    strips = page.locator(".strip.player").count()
    if strips != players - 1:
        raise RuntimeError(f"the page shows {strips} other players, not {players - 1}")
    page.context.close()
    wait_until(lambda: stage.pages()[LISTENER] != before)
    return round(usable_ms, 1)


# ---- costs ----


def _costs(stage: Stage, seconds: float) -> dict[str, float]:
    client = stage.players[1].client.process.pid
    watched = {"client": [client], **_chromium()}
    watched["audio_engine"] = [child_running(client, "midipool_client.audio.engine")]
    with contextlib.ExitStack() as stack:
        costs = {
            name: [stack.enter_context(ProcessCost(pid)) for pid in pids]
            for name, pids in watched.items()
        }
        time.sleep(seconds)
    return {name: round(sum(c.cpu_percent for c in of), 1) for name, of in costs.items()}


def _client_alone(stage: Stage, seconds: float) -> float:
    time.sleep(SPARE_S)
    with ProcessCost(stage.players[1].client.process.pid) as cost:
        time.sleep(seconds)
    return cost.cpu_percent


def _chromium() -> dict[str, list[int]]:
    """Our browser's processes, by kind."""
    found: dict[str, list[int]] = {"page": [], "rest_of_chromium": []}
    waiting = [os.getpid()]
    while waiting:
        pid = waiting.pop()
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"chromium" in command and b"--" in command:
                kind = "page" if b"--type=renderer" in command else "rest_of_chromium"
                found[kind].append(pid)
    return found


def _meter_rate(page: Page) -> float:
    """Frames of meters a second that come to the page."""
    return float(
        page.evaluate(
            """() => new Promise((done) => {
              const socket = new WebSocket(`ws://${location.host}/socket`);
              let count = 0;
              socket.onmessage = (event) => { if (typeof event.data !== "string") count++; };
              socket.onopen = () => setTimeout(() => { socket.close(); done(count / 4); }, 4000);
            })"""
        )
    )


# ---- results ----


def _summary(values: list[float]) -> dict[str, Any]:
    if not values:
        return {"count": 0}
    ordered = sorted(values)
    return {
        "count": len(ordered),
        "median": ordered[len(ordered) // 2],
        "p95": ordered[min(round(0.95 * len(ordered)), len(ordered) - 1)],
        "most": ordered[-1],
    }


def plot(result: dict[str, Any], path: Path) -> None:
    from matplotlib.figure import Figure

    series = result.pop("series")
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, limit in (("fader", 30), ("meter", 100)):
        ordered = sorted(series[name])
        shares = [(n + 1) / len(ordered) for n in range(len(ordered))]
        [line] = left.plot(ordered, shares, label=f"{name}, at most {limit} ms")
        left.axvline(limit, color=line.get_color(), linestyle=":")
    left.set_xlabel("fader to sound, sound to meter: ms")
    left.set_ylabel("share")
    left.legend()
    costs = result["core_percent"]
    right.barh(list(costs), list(costs.values()))
    right.invert_yaxis()
    right.set_xlabel(f"% of a core, {result['players']} players")
    figure.savefig(path, dpi=90)
