"""A client without sockets, ports or waiting: follower, clock output and an engine's spooler."""

from collections.abc import Callable
from dataclasses import dataclass, field

from midipool.clock_map import ClockMap
from midipool.clock_sync import ProbeSample
from midipool.messages import BarPosition, BarSync, Message, Welcome
from midipool.meter import song_position
from midipool.midi_clock import MidiEvent
from midipool.timeline import Timeline
from midipool_client.clock_keeper import ClockChange
from midipool_client.engine.messages import Spool
from midipool_client.follower import Action, Follow, RoomFollower, Send
from midipool_client.ports.output import PortOutput

MS, SECOND = 1_000_000, 1_000_000_000
WIRE_NS = 200_000
STEP_NS = 5 * MS
FILL_NS = 200 * MS


@dataclass
class Engine:
    """What the spooler in C does: a queue in room time, emptied by the newest map."""

    queue: list[tuple[int, bytes]] = field(default_factory=list)
    map: ClockMap | None = None
    sent: list[tuple[int, bytes]] = field(default_factory=list)
    """(host ns, bytes) as they left."""

    def take(self, spool: Spool) -> None:
        if spool.clock_map is not None:
            self.map = spool.clock_map
        while (
            spool.discard_from_us is not None
            and self.queue
            and self.queue[-1][0] >= spool.discard_from_us
        ):
            self.queue.pop()
        for event in spool.events:
            assert not self.queue or event[0] >= self.queue[-1][0], "spooled out of order"
            self.queue.append(event)

    def run_to(self, host_ns: int) -> None:
        while self.queue and self.map is not None:
            due_ns = self.map.local_at(self.queue[0][0] * 1000)
            if due_ns >= host_ns:
                return
            self.sent.append((due_ns, self.queue.pop(0)[1]))

    def events(self, from_ns: int = 0) -> list[MidiEvent]:
        """What left, in host µs, for a device to hear."""
        return [MidiEvent(ns // 1000, data) for ns, data in self.sent if ns >= from_ns]


@dataclass
class Client:
    """Follower, output and engine joined as the player joins them, on a virtual host clock."""

    now_ns: int = 100 * SECOND
    room_at: Callable[[int], int] = lambda host_ns: host_ns
    """The room's clock, in ns, at a host time."""
    follower: RoomFollower = field(default_factory=RoomFollower)
    output: PortOutput = field(default_factory=PortOutput)
    engine: Engine | None = field(default_factory=Engine)
    sent: list[Message] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    probing: bool = True

    @property
    def room_us(self) -> int:
        """What the room's clock really shows."""
        return self.room_at(self.now_ns) // 1000

    def do(self, actions: list[Action]) -> list[Action]:
        self.actions += actions
        for action in actions:
            room_us = self.follower.keeper.room_us(self.now_ns)
            assert isinstance(action, Send) or room_us is not None
            match action:
                case ClockChange():
                    if (spool := self.output.clock_changed(action, self.now_ns)) is not None:
                        self._submit(spool)
                case Follow(chain=chain, lost=lost) if room_us is not None:
                    self._submit(self.output.follow(chain, room_us, self.now_ns, lost))
                case Send(message=message):
                    self.sent.append(message)
        return actions

    def welcome(self, *timelines: Timeline, clock_id: str = "aa", fresh: bool = False) -> None:
        message = Welcome(
            version=1,
            room="jam",
            clock_id=clock_id,
            clock_port=1,
            token="70",
            fresh=fresh,
            timelines=list(timelines),
            members=[],
        )
        self.do(self.follower.welcome(message, self.now_ns))

    def hear(self, timeline: Timeline) -> list[Action]:
        """The server announces a timeline."""
        return self.do(self.follower.bar_sync(bar_sync(timeline), self.now_ns))

    def run(self, ns: int) -> None:
        """Time passes: probes, filling, and the engine at work."""
        end_ns = self.now_ns + ns
        while self.now_ns < end_ns:
            self.now_ns += STEP_NS
            if self.engine is not None:
                self.engine.run_to(self.now_ns)
            if self.probing and self.now_ns % (3 * STEP_NS) == 0:
                self._probe()
            room_us = self.follower.keeper.room_us(self.now_ns)
            if self.now_ns % FILL_NS == 0 and room_us is not None:
                spool = self.output.fill(room_us, self.now_ns)
                if spool is not None:
                    self._submit(spool)

    def crash_engine(self) -> None:
        self.engine = None

    def start_engine(self, lost: bool = True) -> None:
        keeper = self.follower.keeper
        room_us = keeper.room_us(self.now_ns)
        self.engine = Engine()
        if keeper.map is not None and room_us is not None:
            chain = self.follower.chain
            new = self.output.engine_is_new(chain, room_us, self.now_ns, keeper.map, lost)
            self._submit(new)

    def _probe(self) -> None:
        t1 = self.now_ns - 2 * WIRE_NS
        there = self.room_at(self.now_ns - WIRE_NS)
        self.do(self.follower.probe(ProbeSample(t1, there, there, self.now_ns), self.now_ns))

    def _submit(self, spool: Spool) -> None:
        if self.engine is not None:
            self.engine.take(spool)


def bar_sync(timeline: Timeline) -> BarSync:
    """The announcement of a timeline at its origin."""
    where = timeline.meter.position_at(timeline.origin_beats)
    position = BarPosition(where.bar, where.beat, song_position(timeline.origin_beats))
    return BarSync(
        target_send_timestamp=timeline.origin_time_us,
        bpm=timeline.mbpm / 1000,
        position=position,
        meter=timeline.meter,
        loop=timeline.loop,
        playing=timeline.playing,
        revision=timeline.revision,
        epoch=timeline.epoch,
        timeline=timeline,
    )
