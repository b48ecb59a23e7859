"""Networks on virtual time: probes of a host clock against a room clock, seeded, nothing waits.

True time is the host's clock. Each network says how long a probe takes, each way.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from midipool.clock_steering import ClockSteering
from midipool.clock_sync import ClockEstimate, ClockSync, ProbeSample

# A client steers by its estimate when it has seen so many probes.
ENOUGH_SAMPLES = 12
US, MS, SECOND = 1_000, 1_000_000, 1_000_000_000
# A host that has been up for a while, against a room clock that counts from somewhere else.
HOST_BEGIN_NS = 5_000 * SECOND
ROOM_OFFSET_NS = 77_777 * SECOND + 123_456

Delay = Callable[[random.Random, int], float | None]
"""ns on the way for a packet that leaves at a host time; None when it is lost."""


def quiet(base_ms: float = 0.1, noise_us: float = 10.0) -> Delay:
    return lambda rng, at_ns: base_ms * MS + rng.expovariate(1 / (noise_us * US))


def jittery(delay_ms: float, jitter_ms: float, loss: float) -> Delay:
    def delay(rng: random.Random, at_ns: int) -> float | None:
        ns = rng.uniform(delay_ms - jitter_ms, delay_ms + jitter_ms) * MS
        return None if rng.random() < loss else ns

    return delay


def bursty(base_ms: float, queue_ms: float, every_s: float, busy_s: float) -> Delay:
    """Queues that build up for a while, and are empty in between."""

    def delay(rng: random.Random, at_ns: int) -> float | None:
        queue_ns = rng.expovariate(1 / (queue_ms * MS))
        busy = at_ns % int(every_s * SECOND) < busy_s * SECOND
        return base_ms * MS + rng.expovariate(1 / (20 * US)) + (queue_ns if busy else 0)

    return delay


def rerouted(before: Delay, after: Delay, at_s: float) -> Delay:
    """A path that becomes another one `at_s` after the start."""
    change_ns = HOST_BEGIN_NS + int(at_s * SECOND)
    return lambda rng, at_ns: (before if at_ns < change_ns else after)(rng, at_ns)


@dataclass(frozen=True)
class Network:
    """Two directions, and a room clock that runs `drift` faster than the host's."""

    up: Delay
    down: Delay
    drift: float = 0.0
    jump_at_s: float = float("inf")
    jump_ns: int = 0

    def room_at(self, host_ns: float) -> int:
        """What the room's clock really shows."""
        elapsed = host_ns - HOST_BEGIN_NS
        jumped = self.jump_ns if elapsed >= self.jump_at_s * SECOND else 0
        return round(host_ns) + ROOM_OFFSET_NS + jumped + round(elapsed * self.drift)

    def probe(self, rng: random.Random, t1_ns: int) -> ProbeSample | None:
        """One probe sent at `t1_ns`; None when it or its answer is lost."""
        up = self.up(rng, t1_ns)
        if up is None:
            return None
        there_ns = t1_ns + up
        back_ns = there_ns + 20 * US
        down = self.down(rng, round(back_ns))
        if down is None:
            return None
        t2, t3 = self.room_at(there_ns), self.room_at(back_ns)
        return ProbeSample(t1_ns, t2, t3, round(back_ns + down))


def probing_times(seconds: float) -> Iterator[int]:
    """A burst of 20 at 15 ms, then 20 a second for 12 s, then 10 a second."""
    now_ns, sent = HOST_BEGIN_NS, 0
    while now_ns < HOST_BEGIN_NS + seconds * SECOND:
        yield now_ns
        sent += 1
        eager = now_ns < HOST_BEGIN_NS + 12 * SECOND
        now_ns += 15 * MS if sent < 20 else 50 * MS if eager else 100 * MS


@dataclass
class Heard:
    """What a client made of a network: estimates as they came, and what its map showed."""

    estimates: list[ClockEstimate] = field(default_factory=list)
    errors: list[tuple[float, int]] = field(default_factory=list)
    """(seconds since the start, ns by which the steered map was off), every 50 ms."""
    sync: ClockSync = field(default_factory=ClockSync)
    steering: ClockSteering = field(default_factory=ClockSteering)

    def errors_from(self, from_s: float, to_s: float = float("inf")) -> list[int]:
        """Absolute errors in a stretch of time."""
        return [abs(error) for at_s, error in self.errors if from_s <= at_s < to_s]


def samples_of(network: Network, seconds: float, seed: int) -> list[ProbeSample]:
    """All answered probes, in the order in which answers arrive."""
    rng = random.Random(seed)
    samples = [network.probe(rng, t1_ns) for t1_ns in probing_times(seconds)]
    return sorted((s for s in samples if s is not None), key=lambda s: s.t4_ns)


def listen(network: Network, seconds: float, seed: int = 1) -> Heard:
    """Run a client on a network: each probe updates the estimate and the map that is heard."""
    heard = Heard()
    look_ns = HOST_BEGIN_NS
    for sample in samples_of(network, seconds, seed):
        while look_ns < sample.t4_ns:
            _look(heard, network, look_ns)
            look_ns += 50 * MS
        heard.sync.add(sample)
        estimate = heard.sync.estimate(sample.t4_ns)
        assert estimate is not None
        heard.estimates.append(estimate)
        if heard.sync.samples >= ENOUGH_SAMPLES or heard.steering.map is not None:
            heard.steering.update(estimate, sample.t4_ns)
    return heard


def _look(heard: Heard, network: Network, host_ns: int) -> None:
    if heard.steering.map is not None:
        error_ns = heard.steering.map.room_at(host_ns) - network.room_at(host_ns)
        heard.errors.append(((host_ns - HOST_BEGIN_NS) / SECOND, error_ns))
