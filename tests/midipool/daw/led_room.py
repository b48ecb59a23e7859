"""A room on virtual time, led by what one DAW sends; its own clock goes back to that DAW."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from msgspec.structs import replace

from midipool import transport
from midipool.daw.lead_role import Mode
from midipool.daw.leader import Leader
from midipool.daw.parser import MidiMessage
from midipool.daw.said_place import SongPositionUnit
from midipool.errors import InvalidValue
from midipool.messages import TransportCommand
from midipool.meter import BEAT
from midipool.midi_clock import MidiClock, MidiEvent
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain

from .daw_script import DawScript
from .simulated_daw import TICKS

SECOND = 1_000_000
POLL_US = 5_000
AHEAD_US = 30_000


@dataclass
class LedRoom:
    """Carries messages, commands and timelines between a DAW, its Leader and a room."""

    leader: Leader
    lead_us: int = 150_000
    trip_us: int = 10_000
    """One way between member and room."""
    chain: TimelineChain = TimelineChain((Timeline(),))  # noqa: RUF009 (immutable)
    now_us: int = 0
    commands: list[tuple[int, TransportCommand]] = field(default_factory=list)
    """What the leader asked for, and when."""
    port: list[MidiEvent] = field(default_factory=list)
    """What came out of the port that the DAW listens to."""
    echo: list[tuple[int, bytes]] = field(default_factory=list)
    """What a DAW that follows will send."""
    refusals: list[str] = field(default_factory=list)
    _on_the_way: list[tuple[int, int, TransportCommand]] = field(default_factory=list)
    _told: list[tuple[int, int, bool]] = field(default_factory=list)
    _clock: MidiClock = field(default_factory=MidiClock)
    _due: list[MidiEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.leader.lead_us = self.lead_us + self.trip_us

    def play(self, messages: Iterable[tuple[int, bytes]], until_us: int) -> "LedRoom":
        """The DAW sends (time, bytes); all goes on until `until_us`."""
        for time_us, data in messages:
            self.wait(time_us)
            self._ask(self.leader.heard(MidiMessage(time_us, data)))
        self.wait(until_us)
        return self

    def wait(self, until_us: int) -> None:
        """Time goes by."""
        while self.now_us < until_us:
            self.now_us = min(self.now_us + POLL_US, until_us)
            self._room_works()
            self._port_works()
            self._ask(self.leader.poll(self.now_us))

    def conduct(self, command: TransportCommand) -> None:
        """Somebody else gives a command."""
        self._do(self.now_us, command, ours=False)

    def of(self, kind: type[TransportCommand]) -> list[TransportCommand]:
        return [command for _, command in self.commands if isinstance(command, kind)]

    def _ask(self, commands: list[TransportCommand]) -> None:
        for command in commands:
            assert command.id == 0
            self.commands.append((self.now_us, command))
            heappush(self._on_the_way, (self.now_us + self.trip_us, len(self.commands), command))

    def _room_works(self) -> None:
        while self._on_the_way and self._on_the_way[0][0] <= self.now_us:
            at_us, _, command = heappop(self._on_the_way)
            self._do(at_us, command, ours=True)
        while self._told and self._told[0][0] <= self.now_us:
            _, _, ours = heappop(self._told)
            self.leader.room_changed(self.chain, ours)

    def _do(self, now_us: int, command: TransportCommand, ours: bool) -> None:
        try:
            transport.check_since(command, now_us)
            at_us = max(now_us + self.lead_us, self.chain.last.origin_time_us)
            at_us = transport.begins_us(self.chain.last, command, at_us)
            self.chain = self.chain.then(transport.apply(self.chain.last, command, at_us))
        except InvalidValue as error:
            self.refusals.append(str(error))
            self.leader.refused(command, str(error))
            return
        self._clock.follow(self.chain, now_us + AHEAD_US)
        self._due = [event for event in self._due if event.time_us < now_us + AHEAD_US]
        heappush(self._told, (now_us + self.trip_us, self.chain.revision, ours))

    def _port_works(self) -> None:
        self._due += self._clock.extend(self.now_us + AHEAD_US)
        out = [event for event in self._due if event.time_us <= self.now_us]
        self._due = self._due[len(out) :]
        self._clock.forget_before(self.now_us)
        self.port += out
        self.leader.sent(out)


def led_room(
    bpm: float = 120,
    mode: Mode = "auto",
    lead_us: int = 150_000,
    song_position: SongPositionUnit = "auto",
    **timeline: object,
) -> LedRoom:
    """A room that nobody has changed yet."""
    first = replace(Timeline(mbpm=round(bpm * 1000)), **timeline)
    leader = Leader(mode, song_position=song_position)
    led = LedRoom(leader, lead_us=lead_us, chain=TimelineChain((first,)))
    led.leader.room_changed(led.chain, ours=False)
    return led


def played(led: LedRoom, daw: DawScript, more_us: int = 0) -> LedRoom:
    """All that the DAW sends, and some time behind it."""
    return led.play(daw.messages(), round(daw.now_us) + more_us)


def error_us(led: LedRoom, daw: DawScript, from_us: float, until_us: float = 1e12) -> float:
    """The worst that the room's song was off the DAW's, in µs, at the DAW's ticks."""
    worst = 0.0
    for time_us, tick in daw.played:
        if from_us <= time_us < until_us:
            worst = max(worst, off_us(led, round(time_us), tick))
    return worst


def off_us(led: LedRoom, time_us: int, tick: int) -> float:
    """How far the room's song, which must play, is off a tick of the DAW's at a time."""
    timeline = led.chain.at(time_us)
    assert timeline.playing
    ahead = timeline.song_beats_at(time_us) - tick * BEAT / TICKS
    return abs(ahead) * 60_000 / timeline.mbpm


def kinds(led: LedRoom) -> list[object]:
    return [type(command) for _, command in led.commands]
