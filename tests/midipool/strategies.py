"""Generators of what rooms are made of."""

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from midipool import transport
from midipool.errors import InvalidValue
from midipool.messages import (
    Continue,
    Locate,
    SetLoop,
    SetMeter,
    SetTempo,
    Start,
    Stop,
    TransportCommand,
)
from midipool.meter import Loop, Meter, Position
from midipool.timeline import Ramp, Timeline
from midipool.timeline_chain import TimelineChain

mbpms = st.integers(20_000, 999_000)
bpms = mbpms.map(lambda mbpm: mbpm / 1000)
denominators = st.sampled_from((1, 2, 4, 8, 16, 32))
meters = st.builds(Meter, numerator=st.integers(1, 16), denominator=denominators)
# Meters in which bars come by often, the smallest one among them.
short_meters = st.sampled_from([Meter(*m) for m in ((1, 32), (1, 16), (3, 32), (1, 4), (4, 4))])


@st.composite
def loops(draw: st.DrawFn, last_bar: int = 12) -> Loop:
    start = draw(st.integers(1, last_bar))
    return Loop(start, start + draw(st.integers(1, 4)))


@st.composite
def timelines(draw: st.DrawFn, meters: SearchStrategy[Meter] = meters) -> Timeline:
    """Timelines that play, at any origin within some hours."""
    meter = draw(meters)
    ramps = st.builds(
        Ramp, to_mbpm=mbpms, length_beats=st.integers(1, 20).map(lambda n: n * meter.bar_beats)
    )
    return Timeline(
        origin_time_us=draw(st.integers(-(10**10), 10**10)),
        origin_beats=draw(st.integers(0, 4 * 10**9)),
        playing=True,
        mbpm=draw(mbpms),
        ramp=draw(st.none() | ramps),
        meter=meter,
        loop=draw(st.none() | loops()),
    )


positions = st.builds(Position, bar=st.integers(1, 12) | st.integers(1020, 1030))


def _commands(meters: SearchStrategy[Meter]) -> SearchStrategy[TransportCommand]:
    ids = st.just(1)
    commands: list[SearchStrategy[TransportCommand]] = [
        st.builds(Start, id=ids),
        st.builds(Stop, id=ids),
        st.builds(Continue, id=ids),
        st.builds(SetTempo, id=ids, bpm=bpms, ramp_bars=st.integers(0, 3)),
        st.builds(Locate, id=ids, position=positions),
        st.builds(SetLoop, id=ids, loop=st.none() | loops(last_bar=4)),
        st.builds(SetMeter, id=ids, meter=meters),
    ]
    return st.one_of(commands)


commands = _commands(meters | short_meters)


@dataclass(frozen=True)
class Change:
    """A command, when a member hears of it, and how long before its time that is."""

    heard_us: int
    lead_us: int
    command: TransportCommand


@st.composite
def songs(draw: st.DrawFn, leads_us: SearchStrategy[int], changes: int = 8) -> list[Change]:
    """A start and what follows, over a few seconds."""
    small = st.booleans() if changes else st.just(False)
    meter = draw(st.just(Meter()) | short_meters)
    loop = draw(st.none() | loops(last_bar=3))
    # Heard of long before, so that the song starts with them.
    script = [Change(0, 30_000, SetMeter(id=1, meter=meter))]
    script += [Change(0, 40_000, SetLoop(id=1, loop=loop)), Change(0, 100_000, Start(id=1))]
    now_us = 0
    some = commands if draw(small) else _commands(st.just(meter))
    for _ in range(draw(st.integers(0, changes))):
        now_us += draw(st.integers(100_000, 900_000))
        script.append(Change(now_us, draw(leads_us), draw(some)))
    return script


def conduct(chain: TimelineChain, command: TransportCommand, at_us: int) -> TimelineChain:
    """The chain with a command put behind all that is agreed upon, as a room does."""
    at_us = max(at_us, chain.last.origin_time_us)
    base, beats = chain.last, None
    if base.playing and transport.needs_bar_line(command):
        beats = base.next_bar_line(at_us)
        at_us = base.time_at(beats)
    try:
        return chain.then(transport.apply(base, command, at_us, beats))
    except InvalidValue:
        return chain
