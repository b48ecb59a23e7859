"""Where a line through ticks may have bent (another tempo) or stepped (a tick lost, or too many).

After a tick all places are tried. The likelier of both is told, if it is beyond chance.
"""

from typing import NamedTuple

from midipool.daw.line_fit import Line
from midipool.daw.tick_window import TickWindow

LEAST_NOISE_US = 100.0
# So many sigmas are beyond chance for hours, at some 30 places a tick.
CHANGE_SIGMAS = 6.0
DOUBT_SIGMAS = 4.0
# A bend is told by so many ticks from it on, against so many before.
LEAST_AFTER, LEAST_BEFORE = 8, 12
# Places at which a change is looked for: so many ticks before the end.
AFTERS = (*range(1, 25), 27, 30, 34, 39, 45, 52, 60, 70, 82, 96, 115, 140, 170, 210, 260, 330, 420)


class Change(NamedTuple):
    """A place at which the line may have changed: by `size`, explaining `gain` of its misfit."""

    place: int
    size: float
    gain: float


class Changes(NamedTuple):
    """The likeliest bend and step of a window, and the squared noise if the likelier is true."""

    bend: Change
    step: Change
    noise: float

    @property
    def found(self) -> bool:
        """Whether either is beyond chance."""
        return max(self.bend.gain, self.step.gain) > CHANGE_SIGMAS**2 * self.noise

    @property
    def is_bend(self) -> bool:
        """Whether the bend is at least as likely as the step."""
        return self.bend.gain >= self.step.gain

    @property
    def is_surely_step(self) -> bool:
        """Whether the step is beyond doubt: it takes the evidence of a bend away."""
        return self.step.gain - self.bend.gain > DOUBT_SIGMAS**2 * self.noise


NO_CHANGE = Change(0, 0.0, 0.0)
# Of a place at which the ticks cannot tell a change from the line itself.
LEAST_NORM = 1e-6


def look_for_change(window: TickWindow) -> Changes | None:
    """The likeliest changes in a window; None while there are too few ticks for a line."""
    line = window.line(0, len(window))
    if line is None:
        return None
    bend = step = NO_CHANGE
    size = len(window)
    for after in AFTERS:
        index = size - after
        if index < LEAST_BEFORE:
            break
        bend_left, bend_norm, step_left, step_norm = _left_from(window, line, index)
        if step_norm > LEAST_NORM and step_left * step_left > step.gain * step_norm:
            step = _change(index, step_left, step_norm)
        if after < LEAST_AFTER:
            continue
        if bend_norm > LEAST_NORM and bend_left * bend_left > bend.gain * bend_norm:
            bend = _change(index, bend_left, bend_norm)
    gain = max(bend.gain, step.gain)
    noise = max((line.misfit - gain) / max(line.ticks - 3, 1), LEAST_NOISE_US**2)
    return Changes(bend, step, noise)


def _left_from(window: TickWindow, line: Line, index: int) -> tuple[float, float, float, float]:
    """What a bend at tick `index`, and a step just before it, find of what the line leaves.

    Each is added to the line's two unknowns as a third, and fitted together with them: its
    product with what is left, and its own square, apart from what the line has of it.
    """
    ticks, n, t, nn, nt, _ = window.between(index, len(window))
    all_ticks, mean_n, mean_t, slope, spread, _ = line
    number = window.numbers[index]
    beyond = n - number * ticks
    # Of what the line leaves, the sum and the first moment from `index` on.
    start = mean_t - slope * mean_n
    sum_left = t - start * ticks - slope * n
    moment_left = nt - number * t - start * beyond - slope * (nn - number * n)
    off_center = n - mean_n * ticks
    squares = nn - 2 * number * n + number * number * ticks
    moment = nn - number * n - mean_n * beyond
    bend_norm = squares - beyond * beyond / all_ticks - moment * moment / spread
    step_norm = ticks - ticks * ticks / all_ticks - off_center * off_center / spread
    return moment_left, bend_norm, sum_left, step_norm


def _change(index: int, product: float, norm: float) -> Change:
    return Change(index, product / norm, product * product / norm)
