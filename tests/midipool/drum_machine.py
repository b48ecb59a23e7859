"""A drum machine that hears the click, a client that plays it, and what is due."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import strategies as st

from midipool.click import Click, ClickSettings
from midipool.midi_clock import MidiEvent
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain

from .strategies import Change, conduct

SECOND = 1_000_000
MARGIN_US = 25_000
PLANNED_US = 10_000
STOPPED = Timeline(origin_time_us=-SECOND)
DEFAULT = ClickSettings()


def playing(**changes: object) -> Timeline:
    return Timeline(**{"playing": True, "epoch": 1, "revision": 1, **changes})  # type: ignore[arg-type]


STEADY = playing()


class Hit(NamedTuple):
    """A note that was played."""

    time_us: int
    accent: bool


@dataclass
class DrumMachine:
    """Plays the notes of the click's default settings. Fails on what would hang or choke one."""

    hits: list[Hit] = field(default_factory=list)
    lengths_us: list[int] = field(default_factory=list)
    sounding: dict[int, int] = field(default_factory=dict)
    _time_us: int = -(2**62)

    def take(self, events: list[MidiEvent]) -> "DrumMachine":
        for time_us, (status, note, velocity) in events:
            assert time_us >= self._time_us, "events out of order"
            self._time_us = time_us
            assert status & 0x0F == DEFAULT.channel - 1
            if status & 0xF0 == 0x80:
                assert note in self.sounding, "an end of a note that does not sound"
                self.lengths_us.append(time_us - self.sounding.pop(note))
            else:
                assert status & 0xF0 == 0x90
                assert 1 <= velocity <= 127
                assert not self.sounding, "a click into the one before it"
                self.sounding[note] = time_us
                self.hits.append(Hit(time_us, note == DEFAULT.accent_note))
        return self


def chain_of(*timelines: Timeline) -> TimelineChain:
    return TimelineChain(timelines)


def expand(
    *timelines: Timeline, until_us: int, from_us: int = 0, click: Click | None = None
) -> list[Hit]:
    click = click or Click()
    click.follow(chain_of(*timelines), from_us)
    return DrumMachine().take(click.extend(until_us)).hits


def due_hits(chain: TimelineChain, from_us: int, until_us: int) -> list[Hit]:
    """The clicks of the song itself, worked out from the timelines' definition alone."""
    hits = []
    for timeline, start, end in chain.spans(from_us):
        if not timeline.playing:
            continue
        start = max(start, timeline.origin_time_us)
        stop = until_us if end is None else min(end, until_us)
        count = timeline.meter.count_beats
        for number in itertools.count(timeline.beats_at(start) // count):
            time_us = timeline.time_at(number * count)
            if time_us >= stop:
                break
            if time_us >= start and number * count >= timeline.origin_beats:
                song = timeline.song_beats(number * count)
                hits.append(Hit(time_us, timeline.meter.position_at(song).beat == 1))
    return hits


@dataclass
class Member:
    """A client with its engine: what was returned for later than a change is discarded."""

    steps_us: Iterator[int]
    click: Click = field(default_factory=Click)
    events: list[MidiEvent] = field(default_factory=list)
    planned_us: int = 0

    def follow(self, chain: TimelineChain, from_us: int) -> None:
        self.run_to(from_us + PLANNED_US)
        self.events = [e for e in self.events if e.time_us < from_us]
        self.click.follow(chain, from_us)
        self.planned_us = from_us

    def run_to(self, time_us: int) -> None:
        while self.planned_us < time_us:
            self.planned_us += next(self.steps_us)
            self.events += self.click.extend(self.planned_us)

    def heard(self, until_us: int) -> DrumMachine:
        self.run_to(until_us)
        return DrumMachine().take([e for e in self.events if e.time_us < until_us])


def perform(script: list[Change], steps_us: list[int]) -> tuple[Member, TimelineChain, int]:
    """Play a script to its end and some more; returns the chain as it was agreed upon."""
    member = Member(itertools.cycle(steps_us))
    chain, end_us = chain_of(STOPPED), 2 * SECOND
    member.follow(chain, 0)
    for change in script:
        chain = conduct(chain, change.command, change.heard_us + change.lead_us)
        member.follow(chain, change.heard_us + MARGIN_US)
        end_us = max(change.heard_us, chain.last.origin_time_us) + 2 * SECOND
    return member, chain, end_us


in_time = st.integers(MARGIN_US, 400_000)
any_steps = st.lists(st.integers(2_000, 700_000), min_size=1, max_size=5)
