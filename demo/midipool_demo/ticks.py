"""Heard ticks against the timeline: lateness of each, and what is missing or extra."""

from dataclasses import dataclass

import numpy as np

from midipool.midi_clock import tick_beats
from midipool.timeline import Timeline
from midipool_demo.frame_times import Floats, FrameTimes, Ints

LOOK_CLOCKS = 11


@dataclass(frozen=True)
class Ticks:
    """F8s on one steady timeline: which elapsed tick each one is, and how late it came."""

    numbers: Ints
    late_us: Floats
    since_xrun_s: Floats

    @property
    def missing(self) -> int:
        """Ticks between the first and the last that were not heard."""
        if len(self.numbers) == 0:
            return 0
        return int(self.numbers[-1] - self.numbers[0] + 1 - len(np.unique(self.numbers)))

    @property
    def extra(self) -> int:
        """Ticks that were heard more than once."""
        return len(self.numbers) - len(np.unique(self.numbers))

    @property
    def out_of_order(self) -> int:
        """Ticks heard before an earlier one."""
        return int((np.diff(self.numbers) < 0).sum())


def match(
    events: list[tuple[int, bytes]], times: FrameTimes, timeline: Timeline, room_minus_host_us: int
) -> Ticks:
    """Give each F8 that lies on `timeline` its number; room time is host time plus the last."""
    frames = np.array([frame for frame, data in events if data == b"\xf8"], dtype=np.int64)
    heard_us = times.at(frames) / 1000 + room_minus_host_us
    half_us = 60e9 / timeline.mbpm / 24 / 2
    inside = heard_us >= timeline.origin_time_us - half_us
    frames, heard_us = frames[inside], heard_us[inside]
    numbers = _in_sequence(np.array([_nearest(timeline, int(t)) for t in heard_us], dtype=np.int64))
    due_us = np.array([timeline.time_at(tick_beats(int(n))) for n in numbers], dtype=np.float64)
    return Ticks(numbers, heard_us - due_us, times.since_jump_ns(frames) / 1e9)


def _in_sequence(nearest: Ints) -> Ints:
    """A device counts clocks: a single one that is nearer to its neighbour's time keeps its place.

    What stays shifted for more than a few clocks is missing or extra for good.
    """
    if len(nearest) < LOOK_CLOCKS:
        return nearest
    shift = nearest - np.arange(len(nearest))
    around = np.pad(shift, LOOK_CLOCKS // 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(around, LOOK_CLOCKS)
    settled: Ints = np.arange(len(nearest)) + np.median(windows, axis=1).astype(np.int64)
    return settled


def _nearest(timeline: Timeline, time_us: int) -> int:
    beats = timeline.beats_at(time_us)
    tick = beats * 24 // 1_000_000
    early = time_us - timeline.time_at(tick_beats(tick))
    late = timeline.time_at(tick_beats(tick + 1)) - time_us
    return tick if early <= late else tick + 1
