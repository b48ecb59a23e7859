"""The line through a train's ticks, kept while they fit.

- A tick that is far off the line is left out. So a few late ticks, or a stall after which the
  missing ticks come at once, do nothing.
- A bend of the line makes the window begin there, a step moves the older ticks over.
- While the tempo is moving, the line's two halves tell how it goes on.
"""

from math import sqrt
from typing import NamedTuple

from midipool.daw.line_fit import Line, line_through, median_line, plus
from midipool.daw.tempo_change import (
    LEAST_AFTER,
    LEAST_BEFORE,
    LEAST_NOISE_US,
    Change,
    look_for_change,
)
from midipool.daw.tick_window import TickWindow
from midipool.meter import CLOCKS_PER_BEAT

SETTLED_TICKS = 2 * CLOCKS_PER_BEAT
LEAST_TICKS = 6
# Ticks further off the line than so many times the noise are left out.
GATE, LEAST_GATE_US = 4.0, 400.0
# From here on the corner is where it seems to be, and what was before is forgotten.
SURE_SIGMAS = 12.0
LOOK_EVERY_TICKS = 2
# All ticks being off the line for longer than a stall lasts means that the line is wrong.
STALL_US, MOST_ASTRAY = 100_000, CLOCKS_PER_BEAT
# A bend's corner is known from both sides: it counts as so many ticks of the new line, or fewer,
# because it is this far from the nearest tick.
CORNER_TICKS, BETWEEN_TICKS = 12, 0.3
# For so long after a bend the tempo may be on a ramp, if the line goes on bending that way.
MOVING_TICKS = 4 * CLOCKS_PER_BEAT
# A second bend the same way makes it likely.
ONE_BEND_SIGMAS, MORE_BENDS_SIGMAS = 5.0, 2.0


class Fit(NamedTuple):
    """The line as it goes on: µs a tick, fitted time of the newest tick, noise, slope's error."""

    slope: float
    end_us: float
    noise_us: float
    slope_error: float


class TempoLine:
    """Takes the ticks of one train; `fit` is its line now."""

    def __init__(self) -> None:
        self.fit: Fit | None = None
        self._window = TickWindow()
        self._young = True
        """Which ticks count is judged anew at each tick, and no change is looked for."""
        self._astray = 0
        """Ticks in a row that were left out."""
        self._since_corner = 0
        """Ticks since the line may have bent; 0 if it did not."""
        self._corner_weight = 0
        self._moving_ticks = 0
        """For so many ticks more the tempo may be on a ramp, and which way."""
        self._way = 0.0
        self._ramp_sigmas = ONE_BEND_SIGMAS

    def tick(self, time_us: int) -> None:
        """The next tick came."""
        self._moving_ticks -= 1
        if self._young or self.fit is None:
            self._begin(time_us)
        else:
            self._follow(time_us, self.fit)

    def _begin(self, time_us: int) -> None:
        window = self._window
        window.add(time_us, 1)
        if len(window) < LEAST_TICKS:
            return
        slope, start_us = median_line(window.times)
        left = [t - start_us - slope * n for n, t in enumerate(window.times)]
        # The median of what is left is 0.67 sigma.
        noise_us = sorted(map(abs, left))[len(left) // 2] / 0.67
        gate_us = max(GATE * noise_us, LEAST_GATE_US)
        window.weigh(0, [int(abs(each) <= gate_us) for each in left])
        self._refit()
        self._young = len(window) < SETTLED_TICKS

    def _follow(self, time_us: int, fit: Fit) -> None:
        window = self._window
        self._since_corner += self._since_corner > 0
        off_us = time_us - fit.end_us - fit.slope
        gate_us = max(GATE * fit.noise_us, LEAST_GATE_US)
        counts = abs(off_us) <= gate_us
        window.add(time_us, int(counts))
        # Near the gate, jitter brings some ticks of another tempo back through it.
        self._astray = self._astray + 1 if abs(off_us) > gate_us / 2 else 0
        if self._astray >= _most_astray(fit):
            window.weigh(len(window) - self._astray, [1] * self._astray)
            self._astray = 0
            self._look_for_change(fit)
        elif counts and window.numbers[-1] % LOOK_EVERY_TICKS == 0:
            self._look_for_change(fit)
        self._refit()

    def _look_for_change(self, fit: Fit) -> None:
        window = self._window
        changes = look_for_change(window)
        if changes is None:
            return
        bend, step = changes.bend, changes.step
        if not changes.found:
            self._since_corner = 0
        elif changes.is_bend:
            self._since_corner = len(window) - bend.place
            self._corner_weight = _corner_weight(bend.size, sqrt(changes.noise))
            if bend.gain > SURE_SIGMAS**2 * changes.noise:
                self._forget_before_corner(bend)
        elif changes.is_surely_step and len(window) - step.place >= _most_astray(fit):
            window.move(step.place, round(step.size))

    def _forget_before_corner(self, bend: Change) -> None:
        window = self._window
        corner_us = self._corner_us(bend.place)
        window.begin_at(bend.place, corner_us, self._corner_weight)
        self._since_corner = 0
        again = self._moving_ticks > 0 and bend.size * self._way > 0
        self._ramp_sigmas = MORE_BENDS_SIGMAS if again else ONE_BEND_SIGMAS
        self._moving_ticks, self._way = MOVING_TICKS, bend.size

    def _corner_us(self, place: int) -> int:
        """When the tick at a corner was due, by the line before it."""
        before = self._window.line(0, place)
        return (
            round(before.at(self._window.numbers[place])) if before else self._window.times[place]
        )

    def _line(self) -> Line | None:
        """The line that holds now: from the corner on, if there is one."""
        window = self._window
        begin = len(window) - self._since_corner
        if self._since_corner == 0 or begin < LEAST_BEFORE:
            return window.line(0, len(window))
        corner = window.numbers[begin], self._corner_us(begin), self._corner_weight
        return line_through(plus(window.between(begin, len(window)), corner))

    def _refit(self) -> None:
        window = self._window
        line = self._line()
        if line is None:
            return
        noise_us = sqrt(line.misfit / max(line.ticks - 2, 1))
        # Few ticks know little of their own noise.
        doubt_us = max(noise_us, LEAST_NOISE_US / 4) * (1 + 6 / line.ticks)
        end_us = window.origin_us + line.at(window.numbers[-1])
        fit = Fit(line.slope, end_us, noise_us, doubt_us / sqrt(line.spread))
        moving = self._moving_ticks > 0 and self._since_corner == 0
        self.fit = self._ramp(fit) if moving else fit

    def _ramp(self, fit: Fit) -> Fit:
        """How the tempo goes on, if the line's two halves say that it still moves."""
        window = self._window
        middle = len(window) // 2
        first, second = window.line(0, middle), window.line(middle, len(window))
        if first is None or second is None or len(window) < 2 * LEAST_BEFORE:
            return fit
        bent = second.slope - first.slope
        error = fit.noise_us * sqrt(1 / first.spread + 1 / second.spread)
        if bent * self._way < 0 or abs(bent) < self._ramp_sigmas * error:
            return fit
        # The tangent of a parabola at its end, and its height above the second half's line.
        end_us = window.origin_us + second.at(window.numbers[-1]) + bent * len(window) / 24
        return Fit(second.slope + bent / 2, end_us, fit.noise_us, 1.5 * error)


def _corner_weight(bend_us: float, noise_us: float) -> int:
    """How many ticks a corner counts: where it is between two ticks, nobody knows."""
    return round(1 / (1 / CORNER_TICKS + (BETWEEN_TICKS * bend_us / noise_us) ** 2))


def _most_astray(fit: Fit) -> int:
    """More ticks off the line in a row than a stall can put there."""
    stalled = STALL_US / max(fit.slope, 1.0) + 3
    return int(min(max(stalled, LEAST_AFTER), MOST_ASTRAY))
