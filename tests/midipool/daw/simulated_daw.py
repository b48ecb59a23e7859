"""Trains of MIDI clocks as machines send them: jitter, stalls, lost ticks; seeded."""

import random
from collections.abc import Callable, Iterable

US_PER_MINUTE = 60_000_000
TICKS = 24

Jitter = Callable[[random.Random], float]
"""µs by which a tick is late."""


def uniform(reach_us: float) -> Jitter:
    return lambda rng: rng.uniform(-reach_us, reach_us)


def gaussian(sigma_us: float) -> Jitter:
    return lambda rng: rng.gauss(0, sigma_us)


def no_jitter(rng: random.Random) -> float:
    return 0.0


def ideal(bpm_at: Callable[[float], float], beats: float, begin_us: float = 0) -> list[float]:
    """Times of the ticks of a tempo that is a function of the beat, as exact as floats are."""
    times = [begin_us]
    for number in range(1, round(beats * TICKS)):
        # The tempo in the middle between two ticks is the mean one of an even ramp.
        bpm = bpm_at((number - 0.5) / TICKS)
        times.append(times[-1] + US_PER_MINUTE / TICKS / bpm)
    return times


def steady(bpm: float, beats: float, begin_us: float = 0) -> list[float]:
    return ideal(lambda beat: bpm, beats, begin_us)


def heard(times: Iterable[float], jitter: Jitter = no_jitter, seed: int = 1) -> list[int]:
    """The times with jitter, in the order sent."""
    rng = random.Random(seed)
    return [round(time_us + jitter(rng)) for time_us in times]


def stalled(times: list[int], at: int, for_us: int) -> list[int]:
    """Nothing comes for a while from tick `at` on, then all that is missing at once."""
    end_us = times[at] + for_us
    return times[:at] + [max(time_us, end_us) for time_us in times[at:]]


def held_up(times: list[int], late: dict[int, int]) -> list[int]:
    """Single ticks are late by so many µs."""
    return [time_us + late.get(number, 0) for number, time_us in enumerate(times)]


CLOCK, START, CONTINUE, STOP, POSITION = b"\xf8", b"\xfa", b"\xfb", b"\xfc", b"\xf2\x00\x00"

Said = list[tuple[int, bytes]]
"""Times, in µs, and messages, in order."""


def room(tempos: Callable[[float], float], beats: float, begin_us: float = 0) -> Said:
    """A room that starts, plays for so many beats, and stops."""
    times = ideal(tempos, beats, begin_us)
    first, end_us = round(times[0]), round(times[-1]) + 5_000
    cue = [(first - 2_000, POSITION), (first - 1_000, START)]
    return [*cue, *((round(time_us), CLOCK) for time_us in times), (end_us, STOP)]


def eventful_room(seconds: float, seed: int) -> Said:
    """Starts, stops, locates, jumps of tempo and ramps at random times."""
    rng = random.Random(seed)
    said: Said = []
    now_us = 1_000_000.0
    bpm = rng.uniform(60, 200)
    while now_us < seconds * 1_000_000:
        beats = rng.choice([1.5, 7, 16, 40, 90])
        now_us = _play(said, rng, now_us, bpm, beats)
        if rng.random() < 0.6:
            bpm = min(max(bpm * rng.choice([0.5, 0.97, 1.004, 1.1, 1.8]), 40), 400)
        # A locate goes on at once; behind a stop comes a pause.
        now_us += 2_500 if rng.random() < 0.4 else rng.choice([0.05, 0.4, 0.8, 3.0]) * 1e6
    return said


def _play(said: Said, rng: random.Random, begin_us: float, bpm: float, beats: float) -> float:
    at, to = rng.uniform(0, beats), bpm * rng.choice([1, 1, 1, 1.003, 0.98, 1.15, 0.7, 1.6])
    ramp_beats = rng.choice([0.001, 0.001, 4, 16])

    def tempos(beat: float) -> float:
        return bpm + (to - bpm) * min(max((beat - at) / ramp_beats, 0), 1)

    stretch = room(tempos, beats, begin_us)
    said.extend(stretch)
    return stretch[-1][0]


def delayed(said: Said, delay_us: float, jitter: Jitter = no_jitter, seed: int = 1) -> Said:
    """A DAW that says what it is told, later; its answers keep their order."""
    rng = random.Random(seed)
    out: Said = []
    for time_us, data in said:
        # Nothing is answered before it was said.
        late_us = time_us + max(round(delay_us + jitter(rng)), 0)
        out.append((max(late_us, out[-1][0]) if out else late_us, data))
    return out


def smoothed(said: Said, delay_us: float, over_beats: float, jitter: Jitter, seed: int = 1) -> Said:
    """A DAW that follows through a phase-locked loop, and runs on for 0.5 s after the last clock.

    Its tempo overshoots a little. Its first clock answers ours at once, at the tempo it had.
    """
    rng = random.Random(seed)
    omega = 1.25 / (over_beats * TICKS)
    loop = _Loop(proportional=1.6 * omega, integral=omega * omega)
    out: list[float] = []
    clocks = [time_us + delay_us for time_us, data in said if data == CLOCK]
    for time_us, next_us in zip(clocks, [*clocks[1:], clocks[-1] + 10e6], strict=True):
        out += loop.hear(time_us, min(next_us, time_us + 500_000))
    answers = [item for item in delayed(said, delay_us) if item[1] != CLOCK]
    return sorted([*((round(time_us + jitter(rng)), CLOCK) for time_us in out), *answers])


class _Loop:
    """Turns clocks heard into clocks sent."""

    def __init__(self, proportional: float, integral: float) -> None:
        self._proportional, self._integral = proportional, integral
        self._last_us: float | None = None
        self._period_us = 20_833.0
        self._ahead = 0.0
        """Ticks that it is ahead of what it heard."""
        self._to_go = 0.0
        """Ticks until it sends one."""

    def hear(self, time_us: float, until_us: float) -> list[float]:
        """One clock; returns its own up to a time."""
        if self._last_us is None or time_us - self._last_us > 450_000:
            self._ahead, self._to_go = 0.0, 0.0
        else:
            error = self._ahead - 1
            self._period_us *= 1 + min(max(self._integral * error, -0.1), 0.1)
            step = self._proportional * error
            self._ahead, self._to_go = error - step, self._to_go + step
        self._last_us = time_us
        ticks = (until_us - time_us) / self._period_us
        out = []
        while self._to_go < ticks:
            out.append(time_us + max(self._to_go, 0) * self._period_us)
            self._to_go += 1
        self._to_go -= ticks
        self._ahead += ticks
        return out


def leading(
    bpm_at: Callable[[float], float], beats: float, jitter: Jitter, begin_us: float
) -> Said:
    """A DAW with a clock of its own, that runs already."""
    return [(time_us, CLOCK) for time_us in heard(ideal(bpm_at, beats, begin_us), jitter)]
