"""The member's MIDI ports: what the room plays goes out, what the player does comes in."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from midipool.click import ClickSettings
from midipool.daw.lead_role import Mode
from midipool.errors import InvalidValue
from midipool.messages import Error, Members, Message, MidiFrom, Ok, RoomMode, TransportCommand
from midipool.timeline_chain import TimelineChain
from midipool_client.clock_keeper import ClockChange, ClockKeeper
from midipool_client.engine.messages import Heard, Ready
from midipool_client.engine.process import EngineProcess
from midipool_client.engine.sinks import Hear
from midipool_client.ports.member_port import MemberPort
from midipool_client.ports.output import PortOptions
from midipool_native import host_clock

log = logging.getLogger(__name__)

FILL_S = 0.5
MIN_POLL_S, MAX_POLL_S = 0.002, 0.5
# How much of the newest measurement goes into what we take for the room's lead time.
LEAD_GAIN = 0.3
MAX_LEAD_US = 2_000_000


class Room(Protocol):
    """What the ports need of the room."""

    @property
    def chain(self) -> TimelineChain:
        """Its timelines."""

    @property
    def keeper(self) -> ClockKeeper:
        """Its clock."""

    def ask(self, command: TransportCommand, answer: Callable[[Ok | Error | None], None]) -> None:
        """Send a command; `answer` is called once, with None when no answer will come."""

    def send(self, message: Message) -> None:
        """Send anything else."""


class MidiPorts:
    """Joins the ports to the engine and the room."""

    def __init__(
        self,
        room: Room,
        options: Sequence[PortOptions],
        lead: Mode = "auto",
        click: ClickSettings | None = None,
    ) -> None:
        self.ports = [MemberPort(index, o, lead, click) for index, o in enumerate(options)]
        self.engine = EngineProcess([o.choice for o in options], self._ready, self._heard)
        self.on_control: Hear = lambda events: None
        """Told what arrives at the input for controllers."""
        self._room = room
        self._lead_us = 150_000.0
        self._members = Members([])
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Keep the engine running and filled; raises Unavailable if there is no port at first."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.engine.run())
            group.create_task(self._keep_filled())
            group.create_task(self._keep_polled())

    # ---- the room ----

    def follow(self, chain: TimelineChain, lost: bool, ours: bool) -> None:
        """The room has other timelines; with `lost` the devices' place in the song is unknown."""
        now_ns, room_us = self._now()
        if room_us is None:
            raise AssertionError("a timeline without a clock")
        for port in self.ports:
            self.engine.submit(port.output.follow(chain, room_us, now_ns, lost))
            port.input.room_changed(chain, ours)
        self._changed.set()

    def clock_changed(self, change: ClockChange) -> None:
        """The room's clock is known better."""
        now_ns = host_clock.now_ns()
        for port in self.ports:
            if change.shift_us:
                port.notes.shift(change.shift_us)
            self.engine.submit(port.output.clock_changed(change, now_ns))

    def received(self, message: MidiFrom) -> None:
        """Another member plays."""
        now_ns, room_us = self._now()
        for port in self.ports:
            now_us = port.time_us(now_ns)
            if now_us is not None and room_us is not None:
                port.notes.received(message, now_us, self._room.chain)
                self._poll(port, now_ns, room_us)
        self._changed.set()

    def room_mode(self, message: RoomMode) -> None:
        """Who may change the room. Where every change is a vote, small ones are left out."""
        for port in self.ports:
            port.input.keep_phase(message.mode != "vote")

    def members(self, message: Members) -> None:
        """Somebody came or went."""
        now_ns = host_clock.now_ns()
        for port in self.ports:
            now_us = port.time_us(now_ns)
            if now_us is not None:
                port.notes.members(self._members, message, now_us)
        self._members = message
        self._changed.set()

    def disconnected(self) -> None:
        """The server is away."""
        now_ns = host_clock.now_ns()
        for port in self.ports:
            now_us = port.time_us(now_ns)
            if now_us is not None:
                port.notes.disconnected(now_us)
        self._changed.set()

    @property
    def early_us(self) -> float:
        """How far ahead of room time the earliest port plays."""
        return max(0.0, *(-port.output.offset.target_us for port in self.ports))

    def set_offset_ms(self, port: int, offset_ms: float) -> None:
        """Trim a port."""
        now_ns, room_us = self._now()
        playing = room_us is not None and self._room.chain.at(room_us).playing
        self.engine.submit(self.ports[port].output.set_offset_ms(offset_ms, now_ns, playing))

    def set_click(self, click: ClickSettings) -> None:
        """Let the click sound otherwise."""
        now_ns, room_us = self._now()
        for port in self.ports:
            self.engine.submit(port.output.set_click(click, self._room.chain, room_us, now_ns))

    def allow_click(self, allowed: bool) -> None:
        """Whether the room's graph has us hear the click, at the ports that have it."""
        now_ns, room_us = self._now()
        for port in self.ports:
            spool = port.output.allow_click(allowed, self._room.chain, room_us, now_ns)
            self.engine.submit(spool)

    def switch_click(self, port: int, on: bool) -> None:
        """Let a port have the click, or no more; raises InvalidValue."""
        if not 0 <= port < len(self.ports):
            raise InvalidValue("port", f"must be 1 to {len(self.ports)}, not {port + 1}")
        now_ns, room_us = self._now()
        output = self.ports[port].output
        self.engine.submit(output.switch_click(on, self._room.chain, room_us, now_ns))

    def _now(self) -> tuple[int, int | None]:
        now_ns = host_clock.now_ns()
        return now_ns, self._room.keeper.room_us(now_ns)

    # ---- the engine ----

    def _ready(self, ready: Ready) -> None:
        port = self.ports[ready.port]
        now_ns, room_us = self._now()
        map = self._room.keeper.map
        spool = port.ready(ready, self._room.chain, room_us, now_ns, map)
        self.engine.submit(spool)

    async def _keep_filled(self) -> None:
        while True:
            now_ns, room_us = self._now()
            if room_us is not None:
                for port in self.ports:
                    self.engine.submit(port.output.fill(room_us, now_ns))
            await asyncio.sleep(FILL_S)

    def _heard(self, heard: Heard) -> None:
        if heard.control:
            self.on_control(heard.events)
            return
        port = self.ports[heard.port]
        now_ns, room_us = self._now()
        if room_us is not None:
            commands, messages = port.heard(heard.events, room_us, now_ns)
            self._ask(port, commands, room_us)
            for message in messages:
                self._room.send(message)
            self._changed.set()

    async def _keep_polled(self) -> None:
        while True:
            self._changed.clear()
            now_ns, room_us = self._now()
            wait_s = MAX_POLL_S
            for port in self.ports:
                if room_us is not None:
                    self._poll(port, now_ns, room_us)
                    wait_s = min(wait_s, port.wait_s(now_ns))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(wait_s, MIN_POLL_S)):
                    await self._changed.wait()

    def _poll(self, port: MemberPort, now_ns: int, room_us: int) -> None:
        polled = port.poll(self._room.chain, room_us, now_ns)
        self._ask(port, polled.commands, room_us)
        for message in polled.messages:
            self._room.send(message)
        self.engine.submit(polled.spool)
        for complaint in polled.complaints:
            log.warning("MIDI: %s", complaint)

    # ---- commands ----

    def _ask(self, port: MemberPort, commands: list[TransportCommand], room_us: int) -> None:
        for command in commands:

            def answered(answer: Ok | Error | None, command: TransportCommand = command) -> None:
                if isinstance(answer, Ok):
                    self._measure_lead(answer.target_send_timestamp - room_us)
                elif isinstance(answer, Error):
                    port.input.refused(command, answer.message)

            self._room.ask(command, answered)

    def _measure_lead(self, lead_us: int) -> None:
        """How far ahead the room agrees upon changes: seen from when we ask to when they apply."""
        self._lead_us += LEAD_GAIN * (min(max(lead_us, 0), MAX_LEAD_US) - self._lead_us)
        for port in self.ports:
            port.input.set_lead_us(round(self._lead_us))
