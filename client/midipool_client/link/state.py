"""What the bridge sees of a Link session, and what it has done to it. Pure."""

from dataclasses import dataclass

from midipool.messages import TransportCommand


@dataclass(frozen=True, slots=True)
class LinkState:
    """A Link session at one instant of the host's clock."""

    host_ns: int
    beat_us: int
    """Tempo: µs of Link's clock to the beat."""
    beats: int
    """Micro-beats at `host_ns` since the session's beat 0, from which every peer counts bars."""
    playing: bool
    playing_since_ns: int
    """Host time at which `playing` was asked for."""
    peers: int
    """Others in the session."""
    clock_rate: float = 1.0
    """µs of Link's clock to one of the host's."""

    def beats_at(self, host_ns: int) -> float:
        """Micro-beats since the session's beat 0 at `host_ns`, at the tempo of now."""
        elapsed_us = (host_ns - self.host_ns) * self.clock_rate / 1000
        return self.beats + elapsed_us * 1e6 / self.beat_us

    def time_of(self, beats: int) -> int:
        """Host time, in ns, of a beat at the tempo of now."""
        ahead_us = (beats - self.beats) * self.beat_us / 1e6
        return self.host_ns + round(ahead_us * 1000 / self.clock_rate)


@dataclass(frozen=True, slots=True)
class SetLink:
    """Change the Link session, all at once; None leaves a value as it is."""

    host_ns: int
    """The instant at which tempo and phase hold."""
    beat_us: int | None = None
    phase_beats: int | None = None
    """Micro-beats since the bar line, in bars of `bar_beats`."""
    bar_beats: int = 4_000_000
    playing: bool | None = None
    playing_at_ns: int = 0
    """Host time at which the peers start or stop."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Send the room a command (its `id` is 0), and tell the bridge what it answers."""

    command: TransportCommand


@dataclass(frozen=True, slots=True)
class Note:
    """Tell the player."""

    text: str


Action = SetLink | Ask | Note
