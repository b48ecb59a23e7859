"""The measuring instrument: what it says of ticks whose truth is known."""

import numpy as np
import pytest

from midipool.midi_clock import tick_beats
from midipool.timeline import Timeline
from midipool_demo.frame_times import FrameTimes
from midipool_demo.ticks import match

RATE, PERIOD = 48_000, 128
TIMELINE = Timeline(playing=True, origin_time_us=1_000_000, mbpm=120_000)


def cycles(
    seconds: float, lost_frames_at_s: dict[float, int], period: int = PERIOD
) -> list[tuple[int, int]]:
    """(frame, ns) of each cycle, seen late at random; frames are lost at some moments."""
    chance = np.random.default_rng(1)
    found, time_ns, frame = [], 0.0, 0
    losses = sorted(lost_frames_at_s.items())
    while time_ns < seconds * 1e9:
        if losses and time_ns >= losses[0][0] * 1e9:
            time_ns += losses.pop(0)[1] / RATE * 1e9
        found.append((frame, round(time_ns + chance.exponential(30_000))))
        frame += period
        time_ns += period / RATE * 1e9
    return found


def frame_of(time_us: float, lost_frames_at_s: dict[float, int]) -> int:
    lost = sum(frames for at_s, frames in lost_frames_at_s.items() if at_s * 1e6 < time_us)
    return round(time_us * RATE / 1e6) - lost


def due_us(tick: int) -> int:
    return TIMELINE.time_at(tick_beats(tick))


@pytest.mark.parametrize("losses", [{}, {6.0: 100}, {4.0: 30, 9.0: 400}, {6.0: 100, 6.1: 20}])
def test_ticks_on_time_are_found_on_time_also_across_xruns(losses: dict[float, int]) -> None:
    times = FrameTimes.fit(cycles(15, losses), RATE)
    events = [(frame_of(due_us(n), losses), b"\xf8") for n in range(600)]
    ticks = match(events, times, TIMELINE, 0)
    assert len(times.starts) == 1 + len(losses)
    assert list(ticks.numbers) == list(range(600))
    away = ticks.since_xrun_s > 0.5
    assert float(np.max(np.abs(ticks.late_us[away]))) < 15.0


@pytest.mark.parametrize("lost_at_s", [0.2, 1.0, 4.0, 4.8, 5.3])
def test_a_stall_near_an_end_of_the_record_shifts_no_tick(lost_at_s: float) -> None:
    losses = {lost_at_s: 19_200}  # 0.4 s, in periods as end-to-end tests have them
    times = FrameTimes.fit(cycles(6, losses, period=1024), RATE)
    due_s = [(n, due_us(n) / 1e6) for n in range(236)]
    played = [n for n, s in due_s if not lost_at_s <= s < lost_at_s + 0.45]
    events = [(frame_of(due_us(n), losses), b"\xf8") for n in played]
    ticks = match(events, times, TIMELINE, 0)
    assert list(ticks.numbers) == played


def test_a_late_tick_is_late_and_no_other() -> None:
    times = FrameTimes.fit(cycles(8, {}), RATE)
    events = [(frame_of(due_us(n) + (5000 if n == 100 else 0), {}), b"\xf8") for n in range(200)]
    ticks = match(events, times, TIMELINE, 0)
    assert (ticks.missing, ticks.extra) == (0, 0)
    assert ticks.late_us[100] == pytest.approx(5000, abs=20)


def test_missing_and_extra_ticks_are_counted() -> None:
    times = FrameTimes.fit(cycles(8, {}), RATE)
    numbers = [n for n in range(200) if n not in (50, 51)]
    events = [(frame_of(due_us(n), {}), b"\xf8") for n in numbers]
    assert match(events, times, TIMELINE, 0).missing == 2
    doubled = sorted([*events, *events[100:103]])
    assert match(doubled, times, TIMELINE, 0).extra == 3
