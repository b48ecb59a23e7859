"""A tick lost, doubled, out of order, or none at all is noticed, and nothing else is."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from midipool.midi_clock import CLOCK, MidiClock
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from tests.soak.ticks import SILENT_US, Event, TickWatch
from tests.soak.truth import SongTruth
from tests.soak.violation import Calm, Violation

S = 1_000_000
PLAYING = Timeline(origin_time_us=S, playing=True, revision=1, epoch=1)
FASTER = Timeline(
    origin_time_us=10 * S, origin_beats=18_000_000, playing=True, mbpm=140_000, revision=2, epoch=1
)
ELSEWHERE = replace(FASTER, origin_beats=40_000_000, mbpm=120_000, epoch=2)
STOPPED = replace(FASTER, playing=False, epoch=2)
END_US = 30 * S


def played(*timelines: Timeline) -> list[Event]:
    """What a device hears of them that knows all in time."""
    clock = MidiClock()
    clock.follow(TimelineChain((Timeline(), *timelines)), 0)
    return [(event.time_us, event.data) for event in clock.extend(END_US)]


def watch(*timelines: Timeline, calm: Calm | None = None, far: bool = False) -> TickWatch:
    song = SongTruth()
    for timeline in timelines:
        song.learn(timeline, timeline.origin_time_us - 100_000)
    return TickWatch("s00", song, calm or Calm(), far)


def judged(events: list[Event], *timelines: Timeline, calm: Calm | None = None) -> list[Violation]:
    made = watch(*timelines, calm=calm)
    return made.take(events) + made.look(END_US)


CHANGES = [(PLAYING,), (PLAYING, FASTER), (PLAYING, ELSEWHERE), (PLAYING, STOPPED)]


@pytest.mark.parametrize("timelines", CHANGES)
def test_what_is_right_is_right(timelines: tuple[Timeline, ...]) -> None:
    assert judged(played(*timelines), *timelines) == []


@pytest.mark.parametrize("late_us", [-3_000, 3_000, 8_000])
def test_so_is_what_is_a_little_late(late_us: int) -> None:
    events = [(time_us + late_us, data) for time_us, data in played(PLAYING, FASTER)]
    assert judged(events, PLAYING, FASTER) == []


def test_a_client_whose_clock_is_off_plays_what_that_says() -> None:
    events = [(time_us - 25_000, data) for time_us, data in played(PLAYING, FASTER)]
    assert judged(events, PLAYING, FASTER)
    made = watch(PLAYING, FASTER)
    made.clock_off_us = 25_000
    assert made.take(events) == []


def nth_clock(events: list[Event], after_us: int) -> int:
    return next(n for n, (t, data) in enumerate(events) if t >= after_us and data == CLOCK)


def lose_one(events: list[Event], at: int) -> list[Event]:
    return events[:at] + events[at + 1 :]


def double_one(events: list[Event], at: int) -> list[Event]:
    return events[: at + 1] + events[at:]


@pytest.mark.parametrize("at_us", [5 * S, 10 * S, 10 * S + 200_000, 20 * S])
@pytest.mark.parametrize(("harm", "found"), [(lose_one, "tick lost"), (double_one, "tick doubled")])
def test_a_single_one_is_noticed_also_amid_a_change_of_tempo(
    at_us: int, harm: Callable[[list[Event], int], list[Event]], found: str
) -> None:
    events = played(PLAYING, FASTER)
    harmed = harm(events, nth_clock(events, at_us))
    [violation] = judged(harmed, PLAYING, FASTER)
    assert (violation.invariant, violation.who) == (found, "s00")
    assert violation.at_us >= at_us
    assert "1.00 ticks" in violation.seen


@pytest.mark.parametrize(("gap_us", "told"), [(10_000, 0), (-6 * S, 1)])
def test_what_jack_kept_from_the_listener_is_forgiven_once(gap_us: int, told: int) -> None:
    events = played(PLAYING)
    at = nth_clock(events, 15 * S)
    made = watch(PLAYING)
    made.miss([(events[at][0] - gap_us, events[at][0] - gap_us + 21_000)])
    assert len(made.take(lose_one(events, at))) == told
    assert made.forgiven == 1
    # The next one is not.
    again = nth_clock(events, 25 * S)
    made = watch(PLAYING)
    made.miss([(events[at][0] - 10_000, events[at][0] + 11_000)])
    assert len(made.take(lose_one(lose_one(events, again), at))) == 1


def test_what_only_seemed_to_be_missed_is_taken_back() -> None:
    """Behind an xrun JACK's frames are late for some seconds, and then are not."""
    events = played(PLAYING)
    late = [(t + 19_000 if 15 * S < t < 19 * S else t, data) for t, data in events]
    late.sort(key=lambda event: event[0])
    made = watch(PLAYING)
    made.miss([(15 * S - 30_000, 15 * S)])
    assert made.take(late) == []
    assert made.forgiven == 0
    # Another one that is doubled behind it is no such thing.
    made = watch(PLAYING)
    made.miss([(15 * S - 30_000, 15 * S)])
    [violation] = made.take(double_one(late, nth_clock(late, 22 * S)))
    assert violation.invariant == "tick doubled"


def test_it_is_told_once_and_again_when_it_is_another_time() -> None:
    events = played(PLAYING, FASTER)
    events = lose_one(events, nth_clock(events, 4 * S))
    events = lose_one(events, nth_clock(events, 20 * S))
    told = [violation.seen for violation in judged(events, PLAYING, FASTER)]
    assert len(told) == 2
    assert "-1" in told[0]
    assert "-2" in told[1]


def test_what_comes_before_an_earlier_one_is_noticed() -> None:
    events = played(PLAYING)
    at = nth_clock(events, 5 * S)
    events[at], events[at + 1] = events[at + 1], events[at]
    assert [v.invariant for v in judged(events, PLAYING)] == ["out of order"]


def test_silence_while_the_room_plays_is_noticed() -> None:
    events = [event for event in played(PLAYING) if event[0] < END_US - SILENT_US - S]
    assert [v.invariant for v in judged(events, PLAYING)] == ["tick lost"]


def test_clocks_while_the_room_stands_are_noticed() -> None:
    assert [v.invariant for v in judged(played(PLAYING), PLAYING, STOPPED)] == ["tick doubled"]


def test_a_device_that_was_not_moved_is_noticed() -> None:
    [violation] = judged(played(PLAYING), PLAYING, replace(ELSEWHERE))
    assert violation.invariant == "tick lost"


def test_who_is_excused_is_judged_again_later() -> None:
    calm = Calm()
    calm.excuse("s00", 5 * S, 9 * S)
    events = played(PLAYING)
    harmed = lose_one(events, nth_clock(events, 6 * S))
    [violation] = judged(harmed, PLAYING, calm=calm)
    assert violation.at_us > 9 * S
    calm.excuse("s00", 5 * S, END_US)
    assert judged(harmed, PLAYING, calm=calm) == []


def test_a_port_that_went_begins_anew_with_its_first_cue() -> None:
    made = watch(PLAYING)
    events = played(PLAYING)
    assert made.take(events[:200]) == []
    made.lose_track()
    clock = MidiClock()
    clock.follow(TimelineChain((Timeline(), PLAYING)), 12 * S)
    assert made.take([(e.time_us, e.data) for e in clock.extend(END_US)]) == []
    assert made.cues == 2
