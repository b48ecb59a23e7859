"""How exactly a thread wakes up: what a trial measured, and what that means. Pure."""

import msgspec

from midipool_client.doctor.finding import Figure, Finding, Status, unknown

GOOD_P99_US, BAD_P99_US = 200.0, 1000.0
LATE_MAX_US = 3000.0


class Lateness(msgspec.Struct, frozen=True):
    """How late a thread was at its absolute deadlines, in µs."""

    p50_us: float
    p99_us: float
    max_us: float
    count: int


class RealtimeTrial(msgspec.Struct, frozen=True):
    """What a process of its own tried."""

    locked: bool
    """It could lock its memory."""
    realtime: bool
    """It could have real-time priority."""
    normal: Lateness
    with_realtime: Lateness | None
    """None when it was not permitted."""

    @property
    def best(self) -> Lateness:
        """As the engine has it here."""
        return self.with_realtime or self.normal


def lateness(late_ns: list[int]) -> Lateness:
    """Sum up at least one lateness."""
    late_us = sorted(late / 1000 for late in late_ns)
    return Lateness(
        p50_us=round(_quantile(late_us, 0.5), 1),
        p99_us=round(_quantile(late_us, 0.99), 1),
        max_us=round(late_us[-1], 1),
        count=len(late_us),
    )


def _quantile(values: list[float], q: float) -> float:
    """Of sorted values, the least that a share `q` of them does not exceed."""
    return values[max(-int(-q * len(values) // 1), 1) - 1]


def judge_timers(trial: RealtimeTrial | None) -> Finding:
    """Does a thread wake up when it should?"""
    name = "timers"
    if trial is None:
        return unknown(name, "the trial was not made")
    best = trial.best
    figures = _figures("normal", trial.normal)
    if trial.with_realtime is not None:
        figures |= _figures("realtime", trial.with_realtime)
    how = "with real-time priority" if trial.with_realtime else "without real-time priority"
    text = (
        f"a thread {how} wakes up {best.p50_us:.0f} µs late, p99 {best.p99_us:.0f} µs, "
        f"at most {best.max_us:.0f} µs"
    )
    if best.p99_us <= GOOD_P99_US and best.max_us <= LATE_MAX_US:
        return Finding(name, "good", text, "", figures)
    if trial.with_realtime is None:
        advice = "get real-time permission (see there), and close what keeps the processors busy"
    else:
        advice = "close what keeps the processors busy; see kernel, CPU frequency and power saving"
    status: Status = "bad" if best.p99_us > BAD_P99_US else "warning"
    return Finding(name, status, text, advice, figures)


def _figures(prefix: str, late: Lateness) -> dict[str, Figure]:
    return {
        f"{prefix}_p50_us": late.p50_us,
        f"{prefix}_p99_us": late.p99_us,
        f"{prefix}_max_us": late.max_us,
        f"{prefix}_count": late.count,
    }
