"""Tempo, meter, loop and position of a room, as a snapshot has them. Pure."""

from typing import Annotated

import msgspec
from msgspec import Meta

from midipool.errors import InvalidValue
from midipool.messages import Bpm
from midipool.meter import BEAT, BarNumber, Loop, Meter, parse_meter
from midipool.tempo import mbpm_of
from midipool.timeline import Ramp, Timeline

# Song beats end at 2**53 micro-beats, and a bar of 1/32 has 125,000.
_Bar = Annotated[int, Meta(ge=1, le=2**36)]
_Beat = Annotated[float, Meta(ge=1, lt=65)]
_RampBeats = Annotated[float, Meta(gt=0, le=2**48 / BEAT)]


class Place(msgspec.Struct, frozen=True):
    """Where the song is: a bar, and a beat of it with decimals, both from 1."""

    bar: _Bar
    beat: _Beat = 1.0


class Bars(msgspec.Struct, frozen=True):
    """Bars that repeat."""

    start_bar: BarNumber
    end_bar: BarNumber

    def __post_init__(self) -> None:
        Loop(self.start_bar, self.end_bar)


class RampLeft(msgspec.Struct, frozen=True):
    """A tempo on its way."""

    to: Bpm
    beats: _RampBeats
    """Quarter notes until it is there."""


class TimelineSection(msgspec.Struct, frozen=True, kw_only=True):
    """The song's tempo, meter, loop and position; raises InvalidValue."""

    tempo: Bpm
    meter: str = "4/4"
    position: Place = Place(1)
    ramp: RampLeft | None = None
    loop: Bars | None = None

    def __post_init__(self) -> None:
        meter = parse_meter(self.meter)
        if self.position.beat >= meter.numerator + 1:
            rule = f"is in no bar of {meter}: its beats are 1 to {meter.numerator}"
            raise InvalidValue("position", rule)
        if self.beats > 2**53:
            raise InvalidValue("position", "is too far: no song is that long")

    @property
    def mbpm(self) -> int:
        """The tempo in milli-BPM."""
        return mbpm_of(self.tempo)

    @property
    def beats(self) -> int:
        """The position in song beats."""
        meter = parse_meter(self.meter)
        return meter.bar_start(self.position.bar) + _beats(
            self.position.beat - 1, meter.count_beats
        )

    def timeline_loop(self) -> Loop | None:
        """The loop as a timeline has it."""
        return None if self.loop is None else Loop(self.loop.start_bar, self.loop.end_bar)

    def timeline_ramp(self) -> Ramp | None:
        """The ramp as a timeline has it."""
        ramp = self.ramp
        return None if ramp is None else Ramp(mbpm_of(ramp.to), max(1, _beats(ramp.beats, BEAT)))


def section_of(timeline: Timeline, at_us: int) -> TimelineSection:
    """A timeline as it is at a room time."""
    ramp = timeline.ramp_left_at(at_us) if timeline.playing else None
    loop = timeline.loop
    return TimelineSection(
        tempo=timeline.mbpm_at(at_us) / 1000,
        meter=str(timeline.meter),
        position=place_of(timeline.meter, timeline.song_beats_at(at_us)),
        ramp=None if ramp is None else RampLeft(ramp.to_mbpm / 1000, ramp.length_beats / BEAT),
        loop=None if loop is None else Bars(loop.start_bar, loop.end_bar),
    )


def place_of(meter: Meter, beats: int) -> Place:
    """Song beats as a bar and its beat, exactly."""
    bar, rest = divmod(beats, meter.bar_beats)
    return Place(bar + 1, round(1 + rest / meter.count_beats, 8))


def _beats(count: float, unit_beats: int) -> int:
    return round(count * unit_beats)
