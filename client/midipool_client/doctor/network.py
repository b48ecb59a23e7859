"""The way to a server, step by step, and how well its clock can be known. Pure."""

from dataclasses import dataclass
from statistics import fmean, median

from midipool.clock_sync import ClockEstimate
from midipool_client.doctor.finding import Figure, Finding, names_in_words, printable, unknown

PROBES = 50
ENOUGH_ANSWERS = 12
MUCH_LOSS = 0.1
LONG_ROUND_TRIP_MS = 250.0
# On the networks of the tests, 2 s after joining, the clock is off by 0.10 to 0.13 times the jitter
# or less in 97 of 100 cases, where it is off by more than 0.2 ms at all.
CLOCK_ERROR_PER_JITTER = 0.15
MS_NS = 1_000_000

STEPS = ("name", "TCP", "HTTP", "WebSocket")
ALL_STEPS = (*STEPS, "clock probes", "clock")


@dataclass(frozen=True, slots=True)
class Stopped:
    """The step that failed: the others were not tried."""

    step: str
    """One of STEPS."""
    text: str
    advice: str


@dataclass(frozen=True, slots=True)
class Reached:
    """What the server said; a step that was not come to holds None."""

    where: str
    """HOST:PORT"""
    room: str
    addresses: list[str] | None = None
    connect_ms: float | None = None
    rooms: int | None = None
    """Rooms on the server."""
    version: int | None = None
    """The protocol's."""
    room_exists: bool = False
    clock_port: int | None = None
    """0 is a server without UDP; None is one that does not say."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What became of the clock probes, by UDP or, if that was silent, by WebSocket."""

    udp_sent: int
    udp_answered: int
    websocket_answered: int
    round_trips_ns: list[int]
    estimate: ClockEstimate | None

    @property
    def by_udp(self) -> bool:
        """Whether UDP gets through well enough to measure a clock."""
        return self.udp_answered >= ENOUGH_ANSWERS


@dataclass(frozen=True, slots=True)
class NetworkLook:
    """The way to a server."""

    reached: Reached
    stopped: Stopped | None = None
    probed: Probed | None = None
    """None when there was nothing to probe with."""
    kernel_timestamps: bool = True
    stun: tuple[tuple[str, int], ...] = ()
    """Where the server answers STUN."""


def judge_network(look: NetworkLook) -> list[Finding]:
    """One finding for each of ALL_STEPS."""
    reached, stopped = look.reached, look.stopped
    if stopped is not None:
        number = STEPS.index(stopped.step)
        done = [_step(name, reached) for name in STEPS[:number]]
        failed = Finding(stopped.step, "bad", printable(stopped.text, 240), stopped.advice)
        rest = [
            unknown(name, f"not tried, because {stopped.step} failed")
            for name in ALL_STEPS[number + 1 :]
        ]
        return [*done, failed, *rest]
    steps = [_step(name, reached) for name in STEPS]
    return [*steps, judge_probes(look), judge_clock(look.probed)]


def _step(name: str, reached: Reached) -> Finding:
    """A step that succeeded."""
    where = printable(reached.where, 80)
    match name:
        case "name":
            addresses = reached.addresses or []
            text = f"the host is at {names_in_words(addresses)}"
            return Finding(name, "good", text, "", {"addresses": addresses})
        case "TCP":
            ms = reached.connect_ms or 0.0
            text = f"{where} takes connections, after {ms:.1f} ms"
            return Finding(name, "good", text, "", {"connect_ms": round(ms, 3)})
        case "HTTP":
            rooms = "1 room" if reached.rooms == 1 else f"{reached.rooms} rooms"
            text = f"a midiPool server with {rooms}"
            return Finding(name, "good", text, "", {"rooms": reached.rooms})
        case _:
            there = "somebody is in it" if reached.room_exists else "nobody is in it yet"
            text = (
                f"it speaks our protocol, version {reached.version}; room "
                f"'{printable(reached.room)}': {there}"
            )
            figures: dict[str, Figure] = {
                "version": reached.version,
                "room_exists": reached.room_exists,
            }
            return Finding(name, "good", text, "", figures)


def judge_probes(look: NetworkLook) -> Finding:
    """Does UDP get through to the server's clock?"""
    name, port, probed = "clock probes", look.reached.clock_port, look.probed
    if port is None:
        advice = "update the server, or run this again while somebody is in the room"
        return unknown(name, "the server does not say which UDP port answers them", advice)
    figures: dict[str, Figure] = {"port": port, "kernel_timestamps": look.kernel_timestamps}
    if port == 0:
        text = "the server answers none by UDP: the WebSocket carries them, with more jitter"
        return Finding(name, "warning", text, "start the server without --no-udp", figures)
    if probed is None:
        return unknown(name, "none was sent")
    lost = probed.udp_sent - probed.udp_answered
    figures |= {"sent": probed.udp_sent, "answered": probed.udp_answered, "lost": lost}
    stamps = "with" if look.kernel_timestamps else "without"
    text = (
        f"UDP port {port}: {probed.udp_answered} of {probed.udp_sent} answered, "
        f"{stamps} kernel timestamps"
    )
    if probed.udp_answered == 0:
        text = f"UDP port {port} does not answer: the WebSocket carries them, with more jitter"
        advice = f"let UDP {port} through: here outwards, on the server's side inwards"
        return Finding(name, "warning", text, advice, figures)
    if lost > MUCH_LOSS * probed.udp_sent:
        advice = "much is lost: use a cable instead of a radio link, and stop other traffic"
        return Finding(name, "warning", text, advice, figures)
    return Finding(name, "good", text, "", figures)


def judge_clock(probed: Probed | None) -> Finding:
    """How well is the server's clock known after two seconds?"""
    name = "clock"
    advice = "run this again while somebody is in the room: then the WebSocket can be asked"
    if probed is None or probed.estimate is None:
        return unknown(name, "not measured: no probe was answered", advice)
    estimate = probed.estimate
    answers = len(probed.round_trips_ns)
    if answers < ENOUGH_ANSWERS:
        text = f"not measured: {answers} answers are too few"
        return unknown(name, text, "see clock probes")
    round_trip_ms = median(probed.round_trips_ns) / MS_NS
    least_ms = min(probed.round_trips_ns) / MS_NS
    above_ms = fmean(probed.round_trips_ns) / MS_NS - least_ms
    bound_ms = estimate.error_bound_ns / MS_NS
    figures: dict[str, Figure] = {
        "carried_by": "udp" if probed.by_udp else "websocket",
        "round_trip_ms": round(round_trip_ms, 3),
        "least_round_trip_ms": round(least_ms, 3),
        "mean_above_least_ms": round(above_ms, 3),
        "jitter_ms": round(estimate.jitter_ns / MS_NS, 3),
        "offset_us": round(estimate.offset_ns / 1000),
        "error_bound_ms": round(bound_ms, 3),
    }
    text = (
        f"round trip {round_trip_ms:.2f} ms, least {least_ms:.2f} ms, on average "
        f"{above_ms:.2f} ms above it; known to within {bound_ms:.2f} ms"
    )
    if round_trip_ms > LONG_ROUND_TRIP_MS:
        return Finding(name, "warning", text, "use a server that is nearer", figures)
    return Finding(name, "good", text, "", figures)


def clock_error_us(estimate: ClockEstimate) -> float:
    """By how much the clock is likely to be off, in µs, where delays there and back are alike."""
    return estimate.jitter_ns / 1000 * CLOCK_ERROR_PER_JITTER
