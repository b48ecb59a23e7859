"""The one timeline that a room shares: which song beat it is at which room time.

A timeline is an immutable value that holds from `origin_time_us` on, until a newer one takes over.
*Elapsed* beats run on through loops; *song* beats are where the song is, folded into the loop.
"""

from typing import Annotated, Any

import msgspec

from midipool import tempo
from midipool.meter import Loop, Meter, Position, song_position

Mbpm = Annotated[int, msgspec.Meta(ge=int(tempo.MIN_BPM * 1000), le=int(tempo.MAX_BPM * 1000))]
# Room times and beats stay so far from the ends of int64 that C can count them in ns.
RoomTimeUs = Annotated[int, msgspec.Meta(ge=-(2**52), le=2**52)]
SongBeats = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
CountInBars = Annotated[int, msgspec.Meta(ge=0, le=8)]


class Ramp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tempo that moves evenly to `to_mbpm` over `length_beats` from the timeline's origin."""

    to_mbpm: Mbpm
    length_beats: Annotated[int, msgspec.Meta(ge=1, le=2**48)]


class Timeline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Song beats over room time, from `origin_time_us` on."""

    origin_time_us: RoomTimeUs = 0
    origin_beats: SongBeats = 0
    playing: bool = False
    mbpm: Mbpm = 120_000
    ramp: Ramp | None = None
    meter: Meter = Meter()
    loop: Loop | None = None
    revision: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    epoch: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0
    count_in_bars: CountInBars = 0
    """Bars clicked before `origin_time_us`, while the song still stands."""

    def beats_at(self, time_us: int) -> int:
        """Elapsed beats at `time_us`, rounded down; a stopped timeline stays at its origin."""
        if not self.playing:
            return self.origin_beats
        elapsed_us = time_us - self.origin_time_us
        if self.ramp is None or elapsed_us < 0:
            return self.origin_beats + tempo.steady_beats_after(self.mbpm, elapsed_us)
        ramp = self.ramp
        return self.origin_beats + tempo.ramp_beats_after(
            self.mbpm, ramp.to_mbpm, ramp.length_beats, elapsed_us
        )

    def time_at(self, beats: int) -> int:
        """First room µs at which `beats_at` has reached `beats`; only while playing."""
        ahead = beats - self.origin_beats
        if self.ramp is None or ahead <= 0:
            return self.origin_time_us + tempo.steady_time_to(self.mbpm, ahead)
        ramp = self.ramp
        return self.origin_time_us + tempo.ramp_time_to(
            self.mbpm, ramp.to_mbpm, ramp.length_beats, ahead
        )

    def mbpm_at(self, time_us: int) -> int:
        """Tempo at `time_us`, in milli-BPM."""
        if self.ramp is None:
            return self.mbpm
        passed = self.beats_at(time_us) - self.origin_beats
        return tempo.ramp_mbpm_after(self.mbpm, self.ramp.to_mbpm, self.ramp.length_beats, passed)

    def ramp_left_at(self, time_us: int) -> Ramp | None:
        """What is left of the ramp at `time_us`, as a ramp that starts there."""
        if self.ramp is None:
            return None
        left = self.ramp.length_beats - (self.beats_at(time_us) - self.origin_beats)
        return Ramp(self.ramp.to_mbpm, left) if left > 0 else None

    def song_beats(self, elapsed_beats: int) -> int:
        """Where the song is after `elapsed_beats`: folded into the loop once it was played through.

        A song that starts behind the loop's end plays on and never enters it, as in a DAW.
        """
        if self.loop is None:
            return elapsed_beats
        start = self.meter.bar_start(self.loop.start_bar)
        end = self.meter.bar_start(self.loop.end_bar)
        if elapsed_beats < end or self.origin_beats >= end:
            return elapsed_beats
        return start + (elapsed_beats - start) % (end - start)

    def song_beats_at(self, time_us: int) -> int:
        """Where the song is at `time_us`."""
        return self.song_beats(self.beats_at(time_us))

    def position_at(self, time_us: int) -> Position:
        """Bar and count at `time_us`."""
        return self.meter.position_at(self.song_beats_at(time_us))

    def bar_line_from(self, elapsed_beats: int) -> int:
        """First bar line, in elapsed beats, at or after `elapsed_beats`."""
        bar = self.meter.bar_beats
        return -(-elapsed_beats // bar) * bar

    def next_bar_line(self, time_us: int) -> int:
        """First bar line, in elapsed beats, that comes at or after `time_us`."""
        bar = self.meter.bar_beats
        # The line itself may lie within the microsecond, a little behind what `beats_at` says.
        line = self.bar_line_from(max(self.beats_at(time_us) - bar + 1, self.origin_beats))
        while self.time_at(line) < time_us:
            line += bar
        return line

    def moved_by(self, shift_us: int) -> "Timeline":
        """The same timeline on a room clock that shows `shift_us` more."""
        return msgspec.structs.replace(self, origin_time_us=self.origin_time_us + shift_us)

    def describe_at(self, time_us: int) -> dict[str, Any]:
        """Position and tempo at `time_us` in JSON's terms, for people and for `status --json`."""
        beats = self.song_beats_at(time_us)
        where = self.meter.position_at(beats)
        return {
            "playing": self.playing,
            "bpm": self.mbpm_at(time_us) / 1000,
            "meter": str(self.meter),
            "position": {
                "bar": where.bar,
                "beat": where.beat,
                "song_position": song_position(beats),
            },
            "loop": None if self.loop is None else [self.loop.start_bar, self.loop.end_bar],
            "revision": self.revision,
            "epoch": self.epoch,
        }
