"""Keeps a room in phase with a DAW's clock, by its tempo alone.

A phase error is worked off by a slightly other tempo over some two seconds, and then the true
tempo comes again. The error is looked at where a change would take effect, one lead time ahead,
on the timelines that will be in force there: so nothing oscillates, however long the lead is.
"""

from dataclasses import dataclass

from midipool.meter import BEAT, CLOCKS_PER_BEAT
from midipool.tempo import MAX_BPM, MIN_BPM
from midipool.timeline import Timeline

US_PER_MINUTE = 60_000_000
DEAD_BAND_US = 500.0
DEAD_BAND_MBPM, DEAD_BAND_SHARE = 50, 0.0002
WORK_OFF_US, WORK_OFF_BEATS = 2_000_000, 2
# Nobody hears a tempo that is off by less than this as another tempo that is wrong.
MOST_OFF = 0.1


@dataclass(frozen=True, slots=True)
class DawPhase:
    """Song beats of a DAW at one time, and its tempo."""

    time_us: float
    beats: float
    bpm: float

    def beats_at(self, time_us: float) -> float:
        """Song beats, in micro-beats, at another time."""
        return self.beats + (time_us - self.time_us) * self.bpm / 60

    def mbpm(self) -> int:
        """The tempo in milli-BPM, as near as a room can play it."""
        return round(1000 * min(max(self.bpm, MIN_BPM), MAX_BPM))


def phase_error(daw: DawPhase, room: Timeline, at_us: int) -> float:
    """Micro-beats that the DAW is ahead of the room at a time, the shorter way round a loop."""
    ahead = daw.beats_at(at_us) - room.song_beats_at(at_us)
    loop = room.loop
    if loop is None or room.origin_beats >= room.meter.bar_start(loop.end_bar):
        return ahead
    length = room.meter.bar_start(loop.end_bar) - room.meter.bar_start(loop.start_bar)
    return (ahead + length / 2) % length - length / 2


def other_tempo(mbpm: int, room_mbpm: int) -> bool:
    """Whether a DAW's tempo differs from a room's by more than the clock can be read wrongly."""
    band = max(DEAD_BAND_MBPM, DEAD_BAND_SHARE * room_mbpm)
    return abs(mbpm - room_mbpm) > band


class PhaseLock:
    """Says which tempo a playing room should take, if another one. Ask at any tick."""

    def __init__(self) -> None:
        self.attempts = 0
        """Corrections in a row after which the room was not in phase yet."""
        self._sign = 0
        """Which way an error is being worked off; 0 while none is."""
        self._true_mbpm = 0
        self._set_mbpm = 0
        self._before_mbpm = 0
        """The room's tempo before the first attempt."""
        self._late_us = 0
        """A correction that lasts longer than this has gone wrong."""

    @property
    def works(self) -> bool:
        """Whether an error is being worked off."""
        return self._sign != 0

    def steer(
        self, daw: DawPhase, room: Timeline, at_us: int, in_a_beat: bool = False
    ) -> int | None:
        """The tempo, in milli-BPM, to take at `at_us`, where `room` is in force; None: this one.

        A room that is off by a beat or more is not here to be steered. With `in_a_beat` an error
        is worked off as fast as that.
        """
        mbpm = self._wanted(daw, room, at_us, in_a_beat)
        if mbpm is None or mbpm == room.mbpm_at(at_us):
            return None
        self._set_mbpm = mbpm
        return mbpm

    def release(self, room: Timeline) -> int | None:
        """Stop steering: the true tempo, if `room` still has one that works off an error."""
        unfinished = self._sign != 0 and room.mbpm == self._set_mbpm != self._true_mbpm
        self._sign = self.attempts = 0
        return self._true_mbpm if unfinished else None

    def undo(self, room: Timeline) -> int | None:
        """Stop steering: the tempo that the room had before, if it was steered."""
        undone = self.attempts > 0 and room.mbpm != self._before_mbpm
        self._sign = self.attempts = 0
        return self._before_mbpm if undone else None

    def _wanted(self, daw: DawPhase, room: Timeline, at_us: int, in_a_beat: bool) -> int | None:
        error = phase_error(daw, room, at_us)
        error_us = error * 60 / daw.bpm
        mbpm = daw.mbpm()
        if self._sign and not other_tempo(mbpm, self._true_mbpm):
            # It is looked at once a tick: what half a tick more would bring is near enough.
            near = abs(self._set_mbpm - self._true_mbpm) * (BEAT / CLOCKS_PER_BEAT / 2) / mbpm
            if error * self._sign > near and at_us < self._late_us:
                return None
            self._sign = 0
            if abs(error_us) <= DEAD_BAND_US:
                self.attempts = 0
            return mbpm
        if abs(error_us) > DEAD_BAND_US:
            if self.attempts == 0:
                self._before_mbpm = room.mbpm_at(at_us)
            return self._correct(error, mbpm, daw.bpm, at_us, in_a_beat)
        self._sign = self.attempts = 0
        return mbpm if other_tempo(mbpm, room.mbpm_at(at_us)) else None

    def _correct(self, error: float, mbpm: int, bpm: float, at_us: int, in_a_beat: bool) -> int:
        self.attempts += 1
        self._sign = 1 if error > 0 else -1
        self._true_mbpm = mbpm
        beat_us = US_PER_MINUTE / bpm
        work_off_us = beat_us if in_a_beat else max(WORK_OFF_US, WORK_OFF_BEATS * beat_us)
        most = MOST_OFF * mbpm
        off = min(max(error * 60_000 / work_off_us, -most), most)
        self._late_us = at_us + round(1.5 * abs(error) * 60_000 / max(abs(off), 1e-9))
        lowest, highest = round(MIN_BPM * 1000), round(MAX_BPM * 1000)
        return min(max(mbpm + round(off), lowest), highest)


def beats_of_tick(tick: int) -> float:
    """Micro-beats of a tick of the song."""
    return tick * BEAT / CLOCKS_PER_BEAT
