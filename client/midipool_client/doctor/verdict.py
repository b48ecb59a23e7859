"""What all findings mean together: can one play, and is p99 <= 1 ms to be expected? Pure."""

from collections.abc import Sequence

from midipool_client.doctor.finding import Figure, Finding
from midipool_client.doctor.midi import MidiLook
from midipool_client.doctor.network import NetworkLook, clock_error_us
from midipool_client.doctor.timers import RealtimeTrial

NAME = "verdict"
LIMIT_US = 1000.0
NO_URL = "with a server: midipool-client doctor ws://HOST:PORT/ROOM"


def port_error_us(midi: MidiLook | None, trial: RealtimeTrial | None) -> float | None:
    """How late bytes are at the port, p99, in µs; None when it is not known.

    JACK puts them at the nearest frame, where only an xrun moves them; rtmidi sends them when a
    thread wakes up.
    """
    if midi is not None and midi.jack is not None:
        jack = midi.jack
        frame_us = 1_000_000 / jack.sample_rate
        return frame_us + (jack.period_frames * frame_us if jack.xruns else 0)
    return trial.best.p99_us if trial is not None else None


def judge(checks: Sequence[Finding], port_us: float | None, network: NetworkLook | None) -> Finding:
    """The verdict; without `network`, of this machine alone."""
    bad = [finding.name for finding in checks if finding.status == "bad"]
    if bad:
        text = f"it cannot be played like this: {', '.join(bad)}"
        return Finding(NAME, "bad", text, "do what is advised there, and run this again")
    warnings = [finding.name for finding in checks if finding.status == "warning"]
    if network is None:
        return _of_this_machine(warnings, port_us)
    return _expectation(warnings, port_us, network)


def _of_this_machine(warnings: list[str], port_us: float | None) -> Finding:
    figures: dict[str, Figure] = {"port_p99_us": _rounded(port_us), "p99_within_1_ms": None}
    if port_us is None or port_us > LIMIT_US:
        exact = "not known" if port_us is None else f"{port_us / 1000:.1f} ms off"
        return Finding(NAME, "warning", f"its ports are {exact} (p99)", NO_URL, figures)
    text = f"this machine can play: bytes are up to {port_us:.0f} µs off at its port (p99)"
    if warnings:
        text += f"; not as it should be: {', '.join(warnings)}"
    return Finding(NAME, "good", text, NO_URL, figures)


def _expectation(warnings: list[str], port_us: float | None, network: NetworkLook) -> Finding:
    estimate = network.probed.estimate if network.probed is not None else None
    figures: dict[str, Figure] = {"port_p99_us": _rounded(port_us)}
    if estimate is None or port_us is None:
        what = "the clock" if estimate is None else "how late bytes are at the port"
        text = f"whether ticks are within 1 ms (p99) cannot be said: {what} was not measured"
        advice = "see clock probes and clock" if estimate is None else "see timers"
        return Finding(NAME, "unknown", text, advice, {**figures, "p99_within_1_ms": None})
    likely_us = clock_error_us(estimate) + port_us
    worst_us = estimate.error_bound_ns / 1000 + port_us
    figures |= {"likely_us": round(likely_us, 1), "worst_us": round(worst_us, 1)}
    if likely_us > LIMIT_US:
        text = f"ticks within 1 ms (p99) cannot be expected, but {likely_us / 1000:.1f} ms"
        advice = _where_to_begin(port_us, likely_us, warnings)
        return Finding(NAME, "warning", text, advice, {**figures, "p99_within_1_ms": False})
    text = f"ticks within 1 ms (p99) can be expected: about {likely_us / 1000:.2f} ms"
    if worst_us > LIMIT_US:
        text += (
            f", if delays there and back are alike; what they differ by, halved, comes on top "
            f"(at most {worst_us / 1000:.1f} ms in all), and no probe can see it"
        )
    if warnings:
        text += f"; not as it should be: {', '.join(warnings)}"
    return Finding(NAME, "good", text, "", {**figures, "p99_within_1_ms": True})


def _where_to_begin(port_us: float, likely_us: float, warnings: list[str]) -> str:
    begin = "this machine" if port_us > likely_us / 2 else "the network, whose delay varies"
    hints = f"; see {', '.join(warnings)}" if warnings else ""
    return f"begin with {begin}{hints}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
