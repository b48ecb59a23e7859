"""Networks with Link sessions and a room between them, on virtual time."""

from collections.abc import Callable
from dataclasses import dataclass, field

from msgspec.structs import replace

from midipool.clock_map import ClockMap
from midipool.messages import Error, Ok, SetTempo, TransportCommand
from midipool.meter import BEAT
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool.transport import apply, begins_us, check_since
from midipool_client.link.bridge import LinkBridge, Policy
from midipool_client.link.link_clock import LinkClock
from midipool_client.link.link_tempo import MINUTE_US, beat_us_of
from midipool_client.link.state import Ask, LinkState, Note, SetLink

MS, SECOND = 1_000_000, 1_000_000_000
LEAD_US = 150_000
POLL_NS = 20 * MS


@dataclass
class SimRoom:
    """A room: what it is asked for happens one lead time later."""

    now_ns: int = 1000 * SECOND
    """Room time, which is also the true time."""
    chain: TimelineChain = field(default_factory=lambda: TimelineChain((Timeline(),)))
    asked: list[TransportCommand] = field(default_factory=list)
    refuse: Callable[[TransportCommand], bool] = lambda command: False

    @property
    def now_us(self) -> int:
        return self.now_ns // 1000

    @property
    def timeline(self) -> Timeline:
        return self.chain.at(self.now_us)

    def conduct(self, command: TransportCommand) -> Timeline:
        """Somebody in the room gives a command."""
        check_since(command, self.now_us)
        at_us = self.now_us + LEAD_US
        at_us = begins_us(self.chain.at(at_us), command, at_us)
        timeline = apply(self.chain.at(at_us), command, at_us)
        timeline = replace(timeline, revision=self.chain.revision + 1)
        self.chain = self.chain.then(timeline)
        return timeline

    def ask(self, command: TransportCommand, answer: Callable[[Ok | Error | None], None]) -> None:
        self.asked.append(command)
        stale = command.epoch is not None and command.epoch != self.chain.last.epoch
        if stale or self.refuse(command):
            answer(Error("stale_epoch" if stale else "not_leader", "no"))
            return
        new = self.conduct(command)
        answer(Ok(0, new.origin_time_us, new.revision, new.epoch))

    def tempi(self) -> list[float]:
        return [c.bpm for c in self.asked if isinstance(c, SetTempo)]


@dataclass
class SimSession:
    """The Link session of one network, on a clock that all of its peers share."""

    beat_us: int = 500_000
    beat_zero_us: float = 0.0
    """Link's time of the session's beat 0."""
    playing: bool = False
    playing_since_us: int = 0
    peers: int = 0
    set_at_us: list[tuple[int, SetLink]] = field(default_factory=list)

    def beats_at(self, link_us: float) -> float:
        return (link_us - self.beat_zero_us) * BEAT / self.beat_us

    def set_tempo(self, bpm: float, link_us: float) -> None:
        """As a Link peer's user does: the beat at `link_us` stays."""
        beats = self.beats_at(link_us)
        self.beat_us = beat_us_of(bpm)
        self.beat_zero_us = link_us - beats * self.beat_us / BEAT

    def play(self, playing: bool, link_us: float) -> None:
        self.playing, self.playing_since_us = playing, round(link_us)

    @property
    def bpm(self) -> float:
        return MINUTE_US / self.beat_us


class Lan:
    """A network: a bridge on a host with a clock of its own, and the session of its DAWs."""

    def __init__(
        self,
        room: SimRoom,
        policy: Policy = "room-wins",
        ppm: float = 0.0,
        link_ppm: float = 0.0,
        bpm: float = 120.0,
        peers: int = 1,
        founded_s: float = 10.0,
    ) -> None:
        self.room = room
        self.bridge = LinkBridge(policy)
        self.notes: list[str] = []
        self.map_error_ns = 0
        self._ppm, self._link_ppm = ppm, link_ppm
        zero_us = self.link_us - founded_s * 1e6
        self.session = SimSession(beat_us_of(bpm), zero_us, peers=peers)
        self.clock = LinkClock(self.host_ns, round(self.link_us))

    @property
    def host_ns(self) -> int:
        return round((self.room.now_ns - 1000 * SECOND) * (1 + self._ppm * 1e-6)) + 77 * SECOND

    @property
    def link_us(self) -> float:
        return 77e6 + (self.host_ns - 77 * SECOND) / 1000 * (1 + self._link_ppm * 1e-6)

    @property
    def clock_map(self) -> ClockMap:
        drift = 1 / (1 + self._ppm * 1e-6) - 1
        return ClockMap(self.host_ns, self.room.now_ns + self.map_error_ns, drift=drift)

    def snapshot(self) -> LinkState:
        self.clock.add(self.host_ns, round(self.link_us))
        s = self.session
        return LinkState(
            self.host_ns,
            s.beat_us,
            round(s.beats_at(round(self.link_us))),
            s.playing,
            self.clock.host_ns(s.playing_since_us),
            s.peers,
            self.clock.rate,
        )

    def poll(self) -> None:
        clock_map = self.clock_map
        for action in self.bridge.poll(self.snapshot(), self.room.chain, clock_map):
            match action:
                case SetLink():
                    self.set(action)
                case Ask(command=command):
                    self._ask(command)
                case Note(text=text):
                    self.notes.append(text)

    def _ask(self, command: TransportCommand) -> None:
        def answered(answer: Ok | Error | None) -> None:
            self.bridge.answered(command, answer if isinstance(answer, Ok) else None)

        self.room.ask(command, answered)

    def set(self, change: SetLink) -> None:
        """As the library does."""
        s, at_us = self.session, self.clock.link_us(change.host_ns)
        s.set_at_us.append((round(self.link_us), change))
        if change.beat_us is not None:
            s.set_tempo(MINUTE_US / change.beat_us, at_us)
        if change.phase_beats is not None:
            bar = change.bar_beats
            ahead = (change.phase_beats - s.beats_at(at_us) + bar / 2) % bar - bar / 2
            s.beat_zero_us -= round(ahead * s.beat_us / BEAT)
        if change.playing is not None:
            s.play(change.playing, self.clock.link_us(change.playing_at_ns))

    def off_us(self) -> float:
        """By how much the session's bars are off the room's in truth, in µs."""
        timeline = self.room.timeline
        bar = timeline.meter.bar_beats
        off = self.session.beats_at(self.link_us) - timeline.song_beats_at(self.room.now_us)
        return ((off + bar / 2) % bar - bar / 2) * self.session.beat_us / BEAT


def run(lans: list[Lan], ns: int, each: Callable[[], None] = lambda: None) -> None:
    """Time passes; `each` is called after every poll."""
    room = lans[0].room
    end_ns = room.now_ns + ns
    while room.now_ns < end_ns:
        room.now_ns += POLL_NS
        for lan in lans:
            lan.poll()
        each()


def held(lans: list[Lan], ns: int) -> float:
    """The most that any session is off while time passes, in µs."""
    worst = 0.0

    def look() -> None:
        nonlocal worst
        worst = max(worst, *(abs(lan.off_us()) for lan in lans))

    run(lans, ns, look)
    return worst
