"""One port of a member, out and in. Pure: host time comes in, batches and messages go out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from midipool.click import ClickSettings
from midipool.clock_map import ClockMap
from midipool.daw.lead_role import Mode
from midipool.messages import Midi, TransportCommand
from midipool.timeline_chain import TimelineChain
from midipool_client.engine.messages import Ready, Spool
from midipool_client.ports.input import PortInput
from midipool_client.ports.notes import PortNotes
from midipool_client.ports.output import PortOptions, PortOutput

# A complaint that comes back sooner is no news.
SAY_AGAIN_US = 10_000_000


@dataclass(frozen=True, slots=True)
class Polled:
    """What time brought."""

    commands: list[TransportCommand]
    messages: list[Midi]
    spool: Spool | None = None
    complaints: Sequence[str] = ()
    """What is wrong with what arrives; each is said once."""


class MemberPort:
    """Output, input and notes of a port, joined."""

    def __init__(
        self, index: int, options: PortOptions, lead: Mode, click: ClickSettings | None
    ) -> None:
        self.output = PortOutput(options, index, click)
        self.input = PortInput(lead if options.lead else None, options.song_position)
        self.notes = PortNotes(options.sharing, plays=options.notes, shares=options.share)
        self._was_ready = False
        self._said_us: dict[str, int] = {}
        """When each complaint was last heard."""

    def time_us(self, now_ns: int) -> int | None:
        """The port's own time; None before the clock is known."""
        map = self.output.map(now_ns)
        return map.room_at(now_ns) // 1000 if map is not None else None

    def ready(
        self,
        ready: Ready,
        chain: TimelineChain,
        room_us: int | None,
        now_ns: int,
        map: ClockMap | None,
    ) -> Spool | None:
        """The engine has this port (again)."""
        self.output.engine_latency_us = self.notes.lane.latency_us = ready.latency_us
        # The first one joins like anybody; a device is stopped only if we started it.
        lost, self._was_ready = self._was_ready, True
        if lost:
            self.notes.lane.start_again()
        if map is None or room_us is None:
            return None
        return self.output.engine_is_new(chain, room_us, now_ns, map, lost)

    def heard(
        self, events: Sequence[tuple[int, bytes]], room_us: int, now_ns: int
    ) -> tuple[list[TransportCommand], list[Midi]]:
        """(host ns, bytes) arrived: commands for the room, and notes for the others."""
        map = self.output.map(now_ns)
        if map is None:
            return [], []
        # An echo can only be told from a command by what was sent before.
        self.input.sent(self.output.sent_until(room_us, now_ns))
        timed = [(map.room_at(host_ns) // 1000, data) for host_ns, data in events]
        commands, played = self.input.heard(timed)
        return commands, self.notes.heard(played, map.room_at(now_ns) // 1000)

    def wait_s(self, now_ns: int) -> float:
        """How long `poll` has nothing to do unless something happens."""
        now_us = self.time_us(now_ns)
        times = [self.input.next_deadline(), self.notes.next_deadline()]
        due_us = min((time_us for time_us in times if time_us is not None), default=None)
        return math.inf if now_us is None or due_us is None else (due_us - now_us) / 1e6

    def poll(self, chain: TimelineChain, room_us: int, now_ns: int) -> Polled:
        """What time brings."""
        now_us = self.time_us(now_ns)
        if now_us is None:
            return Polled([], [])
        self.input.sent(self.output.sent_until(room_us, now_ns))
        commands = self.input.poll(now_us)
        messages, rewrite = self.notes.poll(now_us, chain)
        spool = self.output.notes(rewrite) if rewrite is not None else None
        return Polled(commands, messages, spool, self._new_complaints(now_us))

    def _new_complaints(self, now_us: int) -> list[str]:
        recent = {text: us for text, us in self._said_us.items() if now_us - us < SAY_AGAIN_US}
        complaints = self.input.complaints
        self._said_us = {**recent, **dict.fromkeys(complaints, now_us)}
        return [text for text in complaints if text not in recent]
