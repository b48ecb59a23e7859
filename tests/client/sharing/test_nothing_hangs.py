"""Whatever happens to who plays, no note sounds for ever."""

from collections import deque
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.messages import MAX_MIDI_EVENTS, Midi, MidiFrom, TimedMidi
from midipool.midi_kinds import KINDS
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.sharing.options import ChannelMap, HearAs, MidiFilter, SharingSettings
from midipool_client.sharing.sharing import MidiSharing
from midipool_server.midi_relay import MidiRelay
from tests.client.sharing.note_port import NotePort, at
from tests.midipool.strategies import commands, conduct

SECOND = 1_000_000
BEND, MIDDLE = b"\xe0\x00\x50", b"\xe0\x00\x40"
PEDAL, NO_PEDAL = b"\xb0\x40\x7f", b"\xb0\x40\x00"
PROGRAM = b"\xc0\x05"
SYSEX = b"\xf0\x7d\x01\xf7"

SENDERS = {1: "bass", 2: "keys"}
LISTENER = 9

hear_as = st.sampled_from(
    [HearAs("now"), HearAs("grid", lines=4), HearAs("grid", lines=24), HearAs("bars", bars=1)]
)
kinds = st.sampled_from([frozenset(KINDS), frozenset({"notes"}), frozenset(KINDS) - {"notes"}])
channels = st.sampled_from([frozenset(range(1, 17)), frozenset({1})])
filters = st.builds(MidiFilter, kinds, channels)
# Two channels that become one, and one that is moved away.
maps = st.sampled_from([ChannelMap(), ChannelMap(((1, 2),)), ChannelMap(((1, 5), (2, 5)))])
sharing_settings = st.builds(
    SharingSettings, share=filters, share_map=maps, hear=filters, hear_map=maps, hear_as=hear_as
)
keys = st.sampled_from((60, 61))
played_messages = st.one_of(
    st.builds(lambda c, k: bytes((0x90 | c, k, 64)), st.integers(0, 1), keys),
    st.builds(lambda c, k: bytes((0x80 | c, k, 64)), st.integers(0, 1), keys),
    st.builds(lambda c, k: bytes((0x90 | c, k, 0)), st.integers(0, 1), keys),
    st.sampled_from([PEDAL, NO_PEDAL, BEND, MIDDLE, PROGRAM, SYSEX]),
    st.sampled_from([b"\xb0\x7b\x00", b"\xb0\x79\x00", b"\xb0\x78\x00", b"\xd1\x30"]),
)


@dataclass(frozen=True)
class Step:
    wait_us: int
    who: int
    what: str
    messages: tuple[bytes, ...] = ()


KINDS_OF_STEP = ["play", "play", "play", "rude", "leave", "freeze", "crowd", "flood", "crash"]
steps = st.builds(
    Step,
    st.sampled_from([0, 100, 5_000, 30_000, 200_000, 700_000]),
    st.sampled_from([*SENDERS]),
    st.sampled_from([*KINDS_OF_STEP, "deliver", "command", "shift"]),
    st.lists(played_messages, max_size=6).map(tuple),
)


class Jam:
    """Two players, a server, and a listener with a synthesizer at its port."""

    def __init__(self, settings: SharingSettings, layers: bool) -> None:
        self.now_us = 0
        self.chain = TimelineChain((Timeline(playing=True),))
        self.relay = MidiRelay()
        self.players = {id: MidiSharing(settings) for id in SENDERS}
        self.frozen: set[int] = set()
        self.crowded = False
        self.on_the_way: deque[MidiFrom] = deque()
        self.listener = MidiSharing(settings)
        self.port = NotePort(layers)

    def do(self, step: Step, command: object) -> None:
        self.wait(step.wait_us)
        player = self.players[step.who]
        match step.what:
            case "play":
                self.frozen.discard(step.who)
                self.send(step.who, player.heard(at(self.now_us, *step.messages), self.now_us))
            case "rude":
                events = [TimedMidi(self.now_us, data.hex()) for data in step.messages]
                self.send(step.who, [Midi(events)])
            case "flood":
                events = [TimedMidi(self.now_us, "903c40")] * MAX_MIDI_EVENTS
                self.send(step.who, [Midi(events)] * 20)
            case "leave":
                self.leave(step.who)
            case "freeze":
                self.frozen.add(step.who)
            case "crowd":
                self.crowded = not self.crowded
            case "crash":
                self.port.crash()
                self.port.turn(self.now_us)
            case "command":
                self.chain = conduct(self.chain, command, self.now_us + 150_000)  # type: ignore[arg-type]
            case "shift":
                self.listener.shift(1000)
                self.port.lane.shift(1000)
        if step.what == "deliver":
            self.deliver()

    def send(self, who: int, messages: list[Midi]) -> None:
        for message in messages:
            listening = {LISTENER: self.crowded}
            relayed = self.relay.take(self.now_us, who, SENDERS[who], message, listening)
            self.on_the_way += [r.message for r in relayed if isinstance(r.message, MidiFrom)]

    def leave(self, who: int) -> None:
        relayed = self.relay.gone(who, {LISTENER: self.crowded})
        self.on_the_way += [r.message for r in relayed if isinstance(r.message, MidiFrom)]
        self.deliver()
        self.port.put(self.listener.member_gone(SENDERS[who], self.now_us), self.now_us)

    def deliver(self) -> None:
        while self.on_the_way:
            message = self.on_the_way.popleft()
            events = [(e.time_us, bytes.fromhex(e.data)) for e in message.events]
            got = self.listener.received(
                message.name, events, self.now_us, self.chain, message.silence
            )
            self.port.put(got, self.now_us)

    def wait(self, wait_us: int) -> None:
        """Let time pass, and everybody do what it brings."""
        until_us = self.now_us + wait_us
        while True:
            times = [p.next_deadline() for id, p in self.players.items() if id not in self.frozen]
            times += [self.listener.next_deadline(), self.port.next_us]
            next_us = min((t for t in times if t is not None), default=until_us)
            self.now_us = min(max(next_us, self.now_us + 1), until_us)
            self.tick()
            if self.now_us >= until_us:
                return

    def tick(self) -> None:
        self.chain = self.chain.since(self.now_us)
        for id, player in self.players.items():
            if id not in self.frozen:
                self.send(id, player.poll(self.now_us, self.chain).messages)
        self.port.put(self.listener.poll(self.now_us, self.chain).events, self.now_us)
        self.port.turn(self.now_us)


scripts = st.lists(st.tuples(steps, commands), max_size=25)


@given(sharing_settings, st.booleans(), scripts)
@settings(max_examples=150, deadline=None)
def test_after_everybody_has_left_nothing_sounds(
    settings: SharingSettings, layers: bool, script: list[tuple[Step, object]]
) -> None:
    jam = Jam(settings, layers)
    for step, command in script:
        jam.do(step, command)
    for who in SENDERS:
        jam.frozen.add(who)
        jam.leave(who)
    jam.wait(SECOND)
    assert not jam.port.synthesizer.sounds
    assert jam.port.next_us is None
    assert jam.listener.next_deadline() is None


@given(sharing_settings, st.booleans(), scripts)
@settings(max_examples=150, deadline=None)
def test_after_everybody_has_gone_silent_no_note_sounds(
    settings: SharingSettings, layers: bool, script: list[tuple[Step, object]]
) -> None:
    jam = Jam(settings, layers)
    for step, command in script:
        jam.do(step, command)
    jam.frozen |= {*SENDERS}
    jam.deliver()
    # The stall, and a slow bar.
    jam.wait(60 * SECOND)
    assert not jam.port.synthesizer.notes
    assert jam.listener.next_deadline() is None
