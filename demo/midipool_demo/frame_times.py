"""When a JACK frame was, on CLOCK_MONOTONIC, from the cycles that a meter wrote down.

The meter's own reckoning, apart from the engine's: the whole record is at hand, so straight lines
are fitted to the earliest wake-ups of each quarter of a second. JACK's dummy driver loses frames
at an xrun; there a new line begins.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LOOK_CYCLES = 64
JUMP_NS = 60_000.0
BUCKET_S = 0.25
# JACK's dummy driver begins the first cycle behind an xrun a little earlier than those that follow.
SETTLING_CYCLES = 4


@dataclass(frozen=True)
class FrameTimes:
    """Lines from frames to ns, one for each stretch between xruns."""

    starts: Ints
    slopes: Floats
    origins_ns: Floats

    @classmethod
    def fit(cls, cycles: list[tuple[int, int]], sample_rate: int) -> "FrameTimes":
        """Fit a record of at least some cycles."""
        record = np.array(cycles, dtype=np.int64)
        frames, times = record[:, 0], record[:, 1].astype(np.float64)
        late = times - frames * (1e9 / sample_rate)
        bounds = [0, *_jumps(late), len(late)]
        starts, slopes, origins = [], [], []
        for begin, end in itertools.pairwise(bounds):
            first = (
                begin
                if begin == 0 or end - begin < 2 * SETTLING_CYCLES
                else begin + SETTLING_CYCLES
            )
            slope, origin = _lower_line(frames[first:end], times[first:end], sample_rate)
            origin -= (frames[first] - frames[begin]) * slope
            starts.append(frames[begin])
            slopes.append(slope)
            origins.append(origin)
        return cls(np.array(starts), np.array(slopes), np.array(origins))

    def at(self, frames: Ints) -> Floats:
        """CLOCK_MONOTONIC, in ns, of each frame."""
        index = np.clip(np.searchsorted(self.starts, frames, side="right") - 1, 0, None)
        ahead = (frames - self.starts[index]) * self.slopes[index]
        return np.asarray(self.origins_ns[index] + ahead, dtype=np.float64)

    def since_jump_ns(self, frames: Ints) -> Floats:
        """How long before each frame the last xrun was; infinite where there was none."""
        index = np.clip(np.searchsorted(self.starts, frames, side="right") - 1, 0, None)
        since = (frames - self.starts[index]) * self.slopes[index]
        return np.where(index == 0, np.inf, since)


def _jumps(late: Floats) -> list[int]:
    """Where all that follow are later than the best of those before, back to the last jump."""
    if len(late) < 2 * LOOK_CYCLES:
        return []
    windows = np.lib.stride_tricks.sliding_window_view(late, LOOK_CYCLES).min(axis=1)
    after = windows[LOOK_CYCLES:]
    found: list[int] = []
    for index in np.flatnonzero(after - windows[:-LOOK_CYCLES] > JUMP_NS):
        cycle = int(index) + LOOK_CYCLES
        begin = max(int(index), found[-1] if found else 0)
        if begin < cycle and after[index] - late[begin:cycle].min() > JUMP_NS:
            found.append(cycle)
    return found


def _lower_line(frames: Ints, times: Floats, sample_rate: int) -> tuple[float, float]:
    """(ns a frame, ns at the first frame) of the line below a stretch of cycles."""
    nominal = 1e9 / sample_rate
    x = (frames - frames[0]).astype(np.float64)
    late = times - times[0] - x * nominal
    bucket = (x / (BUCKET_S * sample_rate)).astype(np.int64)
    edges = np.flatnonzero(np.diff(bucket)) + 1
    best = [
        begin + int(np.argmin(late[begin:end]))
        for begin, end in zip([0, *edges], [*edges, len(late)], strict=True)
    ]
    if len(best) < 12:
        return nominal, float(times[0] + late.min())
    slope, offset = _robust_line(x[best], late[best])
    return nominal + slope, float(times[0] + offset)


def _robust_line(x: Floats, y: Floats) -> tuple[float, float]:
    """Least squares, then once more without the late outliers."""
    slope, offset = np.polyfit(x, y, 1)
    rest = y - (slope * x + offset)
    near = rest <= np.quantile(rest, 0.9)
    slope, offset = np.polyfit(x[near], y[near], 1)
    return float(slope), float(offset)
