"""A room that real programs lead, as they were recorded: tests/recordings says what they send."""

from dataclasses import dataclass
from functools import cache

import pytest

from midipool.daw.parser import MidiParser
from midipool.daw.said_place import SongPositionUnit
from midipool.messages import Continue, Locate, SetTempo, Start, Stop, TransportCommand
from midipool.meter import Position
from tests.recordings.load import load

from .led_room import SECOND, LedRoom, led_room, off_us

MS = 1_000
BEGIN_US = SECOND
CLOCK, START, CONTINUE, STOP = b"\xf8", b"\xfa", b"\xfb", b"\xfc"
# FC and FB within this are a jump.
JUMP_US = 30 * MS
# A clock's first tick, a lead time, two trips, and a little.
LATE_US = 200 * MS
# The same of a program without clocks, which is given 250 ms to send one.
LATE_WITHOUT_CLOCK_US = 450 * MS


@dataclass(frozen=True)
class Program:
    """A recording, and what its program did."""

    name: str
    begins: tuple[int, ...]
    """The song's tick at each FA and FB."""
    asked: str
    """What the room is asked for, if it has the program's first tempo already."""
    changes: tuple[tuple[int, int, float], ...] = ()
    """(song, its tick, BPM from there on), in order."""
    unit: SongPositionUnit = "auto"
    bpm: float = 120

    def messages(self) -> list[tuple[int, bytes]]:
        recording, parser = load(self.name), MidiParser()
        return [
            (message.time_us, message.data)
            for event in recording.events
            for message in parser.feed(event.data, BEGIN_US + recording.time_us(event))
        ]

    def spans(self) -> list[tuple[int, int]]:
        """From when to when the song plays."""
        out: list[tuple[int, int]] = []
        began_us = None
        for time_us, data in self.messages():
            if data in (START, CONTINUE) and began_us is None:
                jumped = out and time_us - out[-1][1] < JUMP_US
                began_us = out.pop()[0] if jumped else time_us
            elif data == STOP and began_us is not None:
                out.append((began_us, time_us))
                began_us = None
        return out

    def songs(self) -> list[list[tuple[int, int]]]:
        """(time, tick of the song) of each clock from each FA and FB on."""
        out: list[list[tuple[int, int]]] = []
        begins, tick = iter(self.begins), None
        for time_us, data in self.messages():
            if data in (START, CONTINUE):
                tick = next(begins)
                out.append([])
            elif data == STOP:
                tick = None
            elif data == CLOCK and tick is not None:
                out[-1].append((time_us, tick))
                tick += 1
        return out


@cache
def led_by(program: Program, room_bpm: float) -> LedRoom:
    led = led_room(bpm=room_bpm, song_position=program.unit)
    messages = program.messages()
    return led.play(messages, messages[-1][0] + SECOND)


WORDS: dict[type[TransportCommand], str] = {
    Start: "start",
    Stop: "stop",
    Continue: "continue",
    Locate: "locate",
    SetTempo: "tempo",
}
# In Ardour 90 BPM were typed in while it stood, and 150 while it rolled.
TYPED = (3, 0, 90.0), (3, 146, 150.0)
# Its MMC says where it stands; its F2 counts clocks.
ARDOUR = Program(
    "ardour_all",
    (0, 384, 768, 0),
    "start stop locate locate continue locate stop locate locate"
    " start tempo locate tempo tempo stop locate",
    TYPED,
)
ARDOUR_CLOCK = Program(
    "ardour_clock",
    (0, 384, 768, 0),
    "start stop locate continue locate stop start tempo locate tempo tempo stop",
    TYPED,
    unit="clocks",
)
# It says where it will be two seconds on, and goes on from there.
JACK = Program(
    "jack_midi_clock",
    (0, 480, 864),
    "start tempo tempo stop locate tempo continue stop locate continue stop locate",
    ((0, 192, 150.0), (1, 0, 120.0)),
)
JACK_ALONE = Program(
    "jack_midi_clock_alone",
    (0, 213, 0),
    "start stop locate continue stop start stop",
    bpm=133.3,
)
IN_STEP = [ARDOUR, ARDOUR_CLOCK, JACK, JACK_ALONE]
JACK_JITTER = Program("jack_midi_clock_jitter", (0, 194, 0), "")
GIADA = Program("giada", (), "start stop start stop")
MUSE = Program("muse", (), "start stop start stop continue stop start stop")
ALL = [*IN_STEP, JACK_JITTER, GIADA, MUSE]


def named(program: Program) -> str:
    return program.name


def stretches(program: Program) -> list[tuple[float, list[tuple[int, int]]]]:
    """(BPM, clocks with their ticks) of each stretch of a song that has one tempo."""
    out = []
    bpm = program.bpm
    for number, song in enumerate(program.songs()):
        changes = [(tick, bpm) for at, tick, bpm in program.changes if at == number]
        first = song[0][1]
        ends = [first + tick for tick, _ in changes] + [first + len(song)]
        stretch = [clock for clock in song if clock[1] < ends[0]]
        if stretch:
            out.append((bpm, stretch))
        for (_, bpm), begin, end in zip(changes, ends, ends[1:], strict=False):
            out.append((bpm, [clock for clock in song if begin <= clock[1] < end]))
    return out


@pytest.mark.parametrize("program", ALL, ids=named)
@pytest.mark.parametrize("room_bpm", [120, 97])
def test_the_room_plays_while_the_program_does_and_only_then(
    program: Program, room_bpm: float
) -> None:
    led, spans = led_by(program, room_bpm), program.spans()
    late_us = LATE_US if program.begins else LATE_WITHOUT_CLOCK_US
    for (began_us, end_us), (next_us, _) in zip(spans, [*spans[1:], (10**9, 0)], strict=True):
        for time_us in range(began_us + late_us, end_us, 50 * MS):
            assert led.chain.at(time_us).playing
        for time_us in range(end_us + LATE_US + JUMP_US, min(next_us, led.now_us), 50 * MS):
            assert not led.chain.at(time_us).playing


@pytest.mark.parametrize("program", IN_STEP, ids=named)
@pytest.mark.parametrize("room_bpm", [120, 97])
def test_two_and_a_half_seconds_behind_any_change_it_is_in_step(
    program: Program, room_bpm: float
) -> None:
    led, in_step = led_by(program, room_bpm), 0
    for bpm, clocks in stretches(program):
        for time_us, tick in clocks:
            if time_us - clocks[0][0] > 2.5 * SECOND:
                assert off_us(led, time_us, tick) < MS
                assert abs(led.chain.at(time_us).mbpm / 1000 - bpm) <= 0.05
                in_step += 1
    assert in_step > 100


@pytest.mark.parametrize("program", IN_STEP, ids=named)
def test_a_song_whose_tempo_the_room_has_is_in_step_as_soon_as_it_is_heard(
    program: Program,
) -> None:
    led = led_by(program, program.bpm)
    began = set()
    for bpm, clocks in stretches(program):
        begins = clocks[0][1] in program.begins
        if begins and abs(led.chain.at(clocks[0][0] - 1).mbpm / 1000 - bpm) < 0.05:
            began.add(clocks[0][1])
            late = [c for c in clocks if c[0] - clocks[0][0] > LATE_US]
            assert all(off_us(led, *clock) < MS for clock in late)
    assert began == set(program.begins)


@pytest.mark.parametrize("program", [ARDOUR, ARDOUR_CLOCK, JACK], ids=named)
def test_a_song_at_another_tempo_is_in_step_half_a_second_later(program: Program) -> None:
    (_, clocks), *_ = stretches(program)
    led = led_by(program, 97)
    late = [clock for clock in clocks if clock[0] - clocks[0][0] > 500 * MS]
    assert all(off_us(led, *clock) < MS for clock in late)


@pytest.mark.parametrize("program", [p for p in ALL if p.asked], ids=named)
def test_nothing_is_asked_for_but_what_it_needs(program: Program) -> None:
    led = led_by(program, program.bpm)
    asked = " ".join(WORDS[type(command)] for _, command in led.commands)
    assert asked == program.asked
    assert led.refusals == []


def test_a_jitter_that_adds_up_is_followed_by_a_command_a_beat_at_most() -> None:
    led = led_by(JACK_JITTER, 120)
    seconds = sum(end_us - begin_us for begin_us, end_us in JACK_JITTER.spans()) / SECOND
    assert len(led.of(SetTempo)) < 2 * seconds + 3
    for song in JACK_JITTER.songs():
        assert max(off_us(led, *clock) for clock in song[48:]) < 60 * MS


def test_ardour_that_stands_has_the_room_where_it_stands() -> None:
    led = led_by(ARDOUR, 120)
    songs = ARDOUR.songs()
    for song, position in ((songs[1], Position(5)), (songs[3], Position(1))):
        before_us = song[0][0] - 100 * MS
        assert led.chain.at(before_us).position_at(before_us) == position


@pytest.mark.parametrize("name", ["ardour_all", "ardour_mmc"])
def test_ardour_is_where_its_mmc_says_at_a_frame_rate_that_it_does_not_say(name: str) -> None:
    # It stops at 19 s, which is 18 s and 29.92 frames.
    led = led_by(Program(name, (), ""), 120)
    positions = [each.position for _, each in led.commands if isinstance(each, Locate)]
    assert positions[:5] == [Position(3, 3), Position(5), Position(9), Position(10, 3), Position(1)]


def test_a_program_without_clocks_leads_from_where_the_room_is() -> None:
    led = led_by(MUSE, 120)
    (go_on,) = led.of(Continue)
    assert isinstance(go_on, Continue)
    assert go_on.since in [time_us for time_us, data in MUSE.messages() if data == CONTINUE]


def test_a_program_without_clocks_starts_when_it_said_so() -> None:
    led = led_by(GIADA, 120)
    for begin_us, end_us in GIADA.spans():
        timeline = led.chain.at(end_us)
        assert timeline.song_beats_at(end_us) == pytest.approx((end_us - begin_us) * 2, abs=10)
