"""The room as Link needs it: tempo and phase in the bar, in host time. Pure."""

from dataclasses import dataclass

from midipool.clock_map import ClockMap
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.link.link_tempo import beat_us_of
from midipool_client.link.state import LinkState

RAMP_STEP_NS = 50_000_000


@dataclass(frozen=True, slots=True)
class Goal:
    """A timeline, and its place in the bar at one instant."""

    timeline: Timeline
    host_ns: int
    phase_beats: int | None
    """Micro-beats since the bar line; None if the song stands."""

    def error_us(self, link: LinkState) -> float | None:
        """By how much Link's bars are behind, in µs."""
        if self.phase_beats is None:
            return None
        bar = self.timeline.meter.bar_beats
        behind = (self.phase_beats - link.beats_at(self.host_ns) + bar / 2) % bar - bar / 2
        return behind * link.beat_us / 1e6


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room's timelines at one instant of the host's clock."""

    chain: TimelineChain
    clock: ClockMap
    host_ns: int

    @property
    def room_us(self) -> int:
        """Room time of the instant."""
        return self.clock.room_at(self.host_ns) // 1000

    @property
    def timeline(self) -> Timeline:
        """The timeline in force."""
        return self.chain.at(self.room_us)

    @property
    def coming_start(self) -> Timeline | None:
        """The start that is agreed upon, if the song does not play yet."""
        if self.timeline.playing:
            return None
        room_us = self.room_us
        later = [t for t in self.chain.timelines if t.origin_time_us > room_us and t.playing]
        return later[0] if later else None

    @property
    def ramping(self) -> bool:
        """Whether the tempo moves."""
        timeline = self.timeline
        return timeline.playing and timeline.ramp_left_at(self.room_us) is not None

    def host_time(self, room_us: int) -> int:
        """Host time, in ns, of a room time."""
        return self.clock.local_at(room_us * 1000)

    def goal(self) -> "Goal":
        """What Link is to agree with: the room now, or the start that it is coming to."""
        start = self.coming_start
        timeline, at_us = (start, start.origin_time_us) if start else (self.timeline, self.room_us)
        at_ns = self.host_time(at_us) if start else self.host_ns
        song_beats = timeline.song_beats_at(at_us)
        phase = song_beats % timeline.meter.bar_beats if timeline.playing else None
        return Goal(timeline, at_ns, phase)

    def beat_us(self, timeline: Timeline, clock_rate: float) -> int:
        """Link's tempo on which a timeline's beats come when the room has them.

        The drift between the room's clock, the host's and Link's is in it. On a ramp it is the
        tempo of the middle of the next step, which keeps the end of the step in phase.
        """
        step_us = RAMP_STEP_NS // 2000 if timeline is self.timeline and self.ramping else 0
        bpm = timeline.mbpm_at(self.room_us + step_us) / 1000
        return beat_us_of(bpm * (1 + self.clock.drift) / clock_rate)
