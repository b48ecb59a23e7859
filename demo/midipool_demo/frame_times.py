"""When a JACK frame was, on CLOCK_MONOTONIC, from the cycles that a meter wrote down.

The meter's own reckoning, apart from the engine's: the whole record is at hand, so straight lines
of one slope are fitted to the earliest wake-ups of each quarter of a second. JACK's dummy driver
loses frames at an xrun; there a new line begins.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LOOK_CYCLES = 64
JUMP_NS = 60_000.0
# So near to an end of the record, where that look does not reach, a whole period must be lost.
LOOK_NEAR_ENDS_CYCLES = 4
BUCKET_FRAMES = 12_000
# JACK's dummy driver begins the first cycle behind an xrun a little earlier than those that follow.
SETTLING_CYCLES = 4


@dataclass(frozen=True)
class FrameTimes:
    """Lines from frames to ns, one for each stretch between xruns."""

    starts: Ints
    slope: float
    """ns a frame, the same everywhere: one clock drives them."""
    origins_ns: Floats

    @classmethod
    def fit(cls, cycles: list[tuple[int, int]], sample_rate: float) -> "FrameTimes":
        """Fit a record of at least some cycles."""
        record = np.array(cycles, dtype=np.int64)
        frames, times = record[:, 0], record[:, 1].astype(np.float64)
        nominal = 1e9 / sample_rate
        late = times - frames * nominal
        period_ns = float(np.median(np.diff(frames))) * nominal if len(frames) > 1 else 0.0
        bounds = [0, *_all_jumps(late, period_ns), len(late)]
        stretches = [_earliest(late, frames, span) for span in itertools.pairwise(bounds)]
        slope = _common_slope([(frames[best], late[best]) for best in stretches])
        starts = frames[bounds[:-1]]
        origins = [
            np.median(late[best] - slope * (frames[best] - start)) + start * nominal
            for best, start in zip(stretches, starts, strict=True)
        ]
        return cls(starts, nominal + slope, np.array(origins))

    def at(self, frames: Ints) -> Floats:
        """CLOCK_MONOTONIC, in ns, of each frame."""
        index = np.clip(np.searchsorted(self.starts, frames, side="right") - 1, 0, None)
        ahead = (frames - self.starts[index]) * self.slope
        return np.asarray(self.origins_ns[index] + ahead, dtype=np.float64)

    def since_jump_ns(self, frames: Ints) -> Floats:
        """How long before each frame the last xrun was; infinite where there was none."""
        index = np.clip(np.searchsorted(self.starts, frames, side="right") - 1, 0, None)
        since = (frames - self.starts[index]) * self.slope
        return np.where(index == 0, np.inf, since)


def _all_jumps(late: Floats, period_ns: float) -> list[int]:
    """Cycles with which a new line begins."""
    found = _jumps(late, LOOK_CYCLES, JUMP_NS)
    for cycle in _jumps(late, LOOK_NEAR_ENDS_CYCLES, period_ns):
        if not LOOK_CYCLES <= cycle <= len(late) - LOOK_CYCLES:
            found.append(cycle)
    return sorted(set(found))


def _jumps(late: Floats, look: int, least_ns: float) -> list[int]:
    """Where all that follow are later than the best of those before, back to the last jump."""
    if len(late) < 2 * look:
        return []
    windows = np.lib.stride_tricks.sliding_window_view(late, look).min(axis=1)
    after = windows[look:]
    found: list[int] = []
    for index in np.flatnonzero(after - windows[:-look] > least_ns):
        cycle = int(index) + look
        begin = max(int(index), found[-1] if found else 0)
        if begin < cycle and after[index] - late[begin:cycle].min() > least_ns:
            found.append(cycle)
    return found


def _earliest(late: Floats, frames: Ints, span: tuple[int, int]) -> Ints:
    """The earliest wake-up of each quarter of a second of a stretch, as indices."""
    begin, end = span
    if begin > 0 and end - begin > 2 * SETTLING_CYCLES:
        begin += SETTLING_CYCLES
    bucket = (frames[begin:end] - frames[begin]) // BUCKET_FRAMES
    edges = begin + np.flatnonzero(np.diff(bucket)) + 1
    spans = zip([begin, *edges], [*edges, end], strict=True)
    return np.array([first + int(np.argmin(late[first:last])) for first, last in spans])


def _common_slope(stretches: list[tuple[Ints, Floats]]) -> float:
    """ns a frame by which all stretches together are off: least squares without late outliers."""
    slope = 0.0
    for _ in range(3):
        above = below = 0.0
        for frames, late in stretches:
            rest = late - slope * (frames - frames[0])
            near = rest <= np.quantile(rest, 0.9)
            x = frames[near] - frames[near].mean()
            above += float((x * late[near]).sum())
            below += float((x * x).sum())
        slope = above / below if below else 0.0
    return slope
