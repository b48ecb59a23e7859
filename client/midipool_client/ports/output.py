"""What one port of the engine is told: clock, click, notes and where its clock is. Pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from midipool.click import Click, ClickSettings
from midipool.clock_map import ClockMap
from midipool.daw.said_place import SongPositionUnit
from midipool.midi_clock import MidiClock, MidiEvent
from midipool.timeline_chain import TimelineChain
from midipool_client.clock_keeper import ClockChange
from midipool_client.engine.messages import Spool
from midipool_client.engine.sinks import SinkChoice
from midipool_client.ports.offset import PortOffset
from midipool_client.sharing.options import SharingSettings
from midipool_native.spooler import DISCARD_ALL_US, Rewrite

AHEAD_US = 3_000_000
# A change takes effect behind what the engine may have taken out already, and what is on its way.
MARGIN_US = 25_000
SENT_KEPT_US = 2_000_000


@dataclass(frozen=True, slots=True)
class PortOptions:
    """What a port is for."""

    choice: SinkChoice = SinkChoice()  # noqa: RUF009 (immutable)
    clock: bool = True
    """Whether it gets the clock."""
    notes: bool = True
    """Whether it gets what the others play."""
    lead: bool = True
    """Whether what arrives there may lead the room."""
    share: bool = True
    """Whether notes that arrive there go to the others."""
    click: bool = False
    """Whether it gets the click."""
    offset_ms: float = 0.0
    """How much later than its time everything on it comes."""
    own_offset: bool = False
    """Whether that was said for this very port, so that the settings' does not count."""
    continue_every_bar: bool = False
    song_position: SongPositionUnit = "auto"
    """What the DAW counts in a song position: sixteenths, as MIDI says, or clocks."""
    sharing: SharingSettings = SharingSettings()  # noqa: RUF009 (immutable)


class PortOutput:
    """Turns timelines and clock maps into what the engine must be told of one port.

    `room_us` is the room's time now. The port's own time is that minus its offset: what is due at
    a room time leaves when the port's time has come there.
    """

    def __init__(
        self,
        options: PortOptions = PortOptions(),
        port: int = 0,
        click: ClickSettings | None = None,
    ) -> None:
        self.port = port
        self.options = options
        self.engine_latency_us = 0
        self.offset = PortOffset(options.offset_ms * 1000)
        self._click_allowed = True
        self._clock = MidiClock(options.continue_every_bar)
        self._click = Click(click or ClickSettings())
        self._following = False
        # The engine keeps the room clock that it began with: rewriting what it has queued in the
        # terms of another one would double or lose what it sends in the meantime.
        self._engine_behind_us = 0
        self._room_map: ClockMap | None = None
        self._told: ClockMap | None = None
        """The map that the engine has."""
        self._was_moving = False
        self._planned: deque[MidiEvent] = deque()

    # ---- what to play ----

    def follow(self, chain: TimelineChain, room_us: int, now_ns: int, lost: bool = False) -> Spool:
        """Play `chain` from now on."""
        from_us = self._safe_us(room_us, now_ns)
        self._clock.follow(chain, from_us, lost)
        self._click.follow(chain, from_us, lost)
        self._following = True
        while self._planned and self._planned[-1].time_us >= from_us:
            self._planned.pop()
        discard_from_us = DISCARD_ALL_US if lost else from_us - self._engine_behind_us
        click = Rewrite(self._clicks(room_us, now_ns), discard_from_us)
        return Spool(
            self._ticks(room_us, now_ns),
            discard_from_us=discard_from_us,
            click=click if self._clicking else None,
            port=self.port,
        )

    def engine_is_new(
        self, chain: TimelineChain, room_us: int, now_ns: int, map: ClockMap, lost: bool
    ) -> Spool:
        """An engine that knows nothing; with `lost` one before it left the device somewhere."""
        self._engine_behind_us = 0
        self._room_map = map
        if not lost:
            self._clock = MidiClock(self.options.continue_every_bar)
            self._click = Click(self._click.settings)
            self._planned.clear()
        spool = self.follow(chain, room_us, now_ns, lost)
        return structs.replace(spool, clock_map=self._engine_map(now_ns))

    def fill(self, room_us: int, now_ns: int) -> Spool | None:
        """More events when time has gone on, and the map when an offset has arrived."""
        ticks = self._ticks(room_us, now_ns) if self._following else []
        clicks = self._clicks(room_us, now_ns) if self._following else []
        moving, arrived = self.offset.moving(now_ns), False
        arrived, self._was_moving = self._was_moving and not moving, moving
        if not ticks and not clicks and not arrived:
            return None
        return Spool(
            ticks,
            click=Rewrite(clicks) if clicks else None,
            clock_map=self._engine_map(now_ns) if arrived else None,
            port=self.port,
        )

    def set_click(
        self, click: ClickSettings, chain: TimelineChain, room_us: int | None, now_ns: int
    ) -> Spool | None:
        """Let the click sound otherwise from now on."""
        if click == self._click.settings:
            return None
        self._click.settings = click
        if room_us is None or not self._following or not self._clicking:
            return None
        return self._click_anew(chain, room_us, now_ns)

    def switch_click(
        self, on: bool, chain: TimelineChain, room_us: int | None, now_ns: int
    ) -> Spool | None:
        """Have the click from now on, or no more; what sounds of it is ended."""
        was = self._clicking
        self.options = replace(self.options, click=on)
        return self._click_changed(was, chain, room_us, now_ns)

    def allow_click(
        self, allowed: bool, chain: TimelineChain, room_us: int | None, now_ns: int
    ) -> Spool | None:
        """The same for the room's graph, without which no port has it."""
        was, self._click_allowed = self._clicking, allowed
        return self._click_changed(was, chain, room_us, now_ns)

    def notes(self, rewrite: Rewrite) -> Spool:
        """Play notes, given in room time."""
        events = [(time_us - self._engine_behind_us, data) for time_us, data in rewrite.events]
        discard_us = rewrite.discard_from_us
        if discard_us is not None and discard_us > DISCARD_ALL_US:
            discard_us -= self._engine_behind_us
        return Spool(notes=Rewrite(events, discard_us), port=self.port)

    # ---- when ----

    def clock_changed(self, change: ClockChange, now_ns: int) -> Spool | None:
        """A new map; None when the engine has one as good.

        Another clock that counts room time now changes nothing of what is queued.
        """
        self._room_map = change.map
        if change.shift_us:
            self._shift(change.shift_us)
        elif self._engine_knows(now_ns):
            return None
        return Spool(clock_map=self._engine_map(now_ns), port=self.port)

    def _shift(self, by_us: int) -> None:
        self._clock.shift(by_us)
        self._click.shift(by_us)
        self._planned = deque(MidiEvent(e.time_us + by_us, e.data) for e in self._planned)
        self._engine_behind_us += by_us

    def set_offset_ms(self, offset_ms: float, now_ns: int, playing: bool) -> Spool | None:
        """Move the port; smoothly while the song plays."""
        if offset_ms * 1000 == self.offset.target_us:
            return None
        self.offset.set(offset_ms * 1000, now_ns, at_once=not playing)
        self._was_moving = self.offset.moving(now_ns)
        if self._room_map is None:
            return None
        return Spool(clock_map=self._engine_map(now_ns), port=self.port)

    def map(self, now_ns: int) -> ClockMap | None:
        """Host time to room time as this port has it; None before the clock is known."""
        return self.offset.map(self._room_map, now_ns) if self._room_map is not None else None

    def sent_until(self, room_us: int, now_ns: int) -> Sequence[MidiEvent]:
        """Clock events that left since the last call, with the room times that they were for."""
        port_us = self._port_us(room_us, now_ns)
        sent: list[MidiEvent] = []
        while self._planned and self._planned[0].time_us <= port_us:
            sent.append(self._planned.popleft())
        return sent

    # ---- inside ----

    @property
    def _clicking(self) -> bool:
        return self.options.click and self._click_allowed

    def _click_changed(
        self, was: bool, chain: TimelineChain, room_us: int | None, now_ns: int
    ) -> Spool | None:
        on, settings = self._clicking, self._click.settings
        if on == was or room_us is None or not self._following:
            return None
        if on:
            return self._click_anew(chain, room_us, now_ns)
        self._click.settings = structs.replace(settings, volume=0)
        spool = self._click_anew(chain, room_us, now_ns)
        self._click.settings = settings
        return spool

    def _click_anew(self, chain: TimelineChain, room_us: int, now_ns: int) -> Spool:
        from_us = self._safe_us(room_us, now_ns)
        self._click.follow(chain, from_us)
        clicks = self._next_clicks(room_us, now_ns)
        return Spool(click=Rewrite(clicks, from_us - self._engine_behind_us), port=self.port)

    def _port_us(self, room_us: int, now_ns: int) -> int:
        return room_us - round(self.offset.at(now_ns))

    def _safe_us(self, room_us: int, now_ns: int) -> int:
        """From here on nothing has left yet."""
        return self._port_us(room_us, now_ns) + MARGIN_US + self.engine_latency_us

    def _ticks(self, room_us: int, now_ns: int) -> list[tuple[int, bytes]]:
        if not self.options.clock:
            return []
        port_us = self._port_us(room_us, now_ns)
        self._clock.forget_before(port_us - 1_000_000)
        events = self._clock.extend(port_us + AHEAD_US)
        self._planned.extend(events)
        while self._planned and self._planned[0].time_us < port_us - SENT_KEPT_US:
            self._planned.popleft()
        return self._for_engine(events)

    def _clicks(self, room_us: int, now_ns: int) -> list[tuple[int, bytes]]:
        if not self._clicking:
            return []
        return self._next_clicks(room_us, now_ns)

    def _next_clicks(self, room_us: int, now_ns: int) -> list[tuple[int, bytes]]:
        port_us = self._port_us(room_us, now_ns)
        self._click.forget_before(port_us - 1_000_000)
        return self._for_engine(self._click.extend(port_us + AHEAD_US))

    def _for_engine(self, events: list[MidiEvent]) -> list[tuple[int, bytes]]:
        return [(e.time_us - self._engine_behind_us, e.data) for e in events]

    def _engine_map(self, now_ns: int) -> ClockMap:
        assert self._room_map is not None
        self._told = self._map_for_engine(self._room_map, now_ns)
        return self._told

    def _engine_knows(self, now_ns: int) -> bool:
        if self._told is None or self._room_map is None or self.offset.moving(now_ns):
            return False
        return self._told.is_as_good(self._map_for_engine(self._room_map, now_ns), now_ns)

    def _map_for_engine(self, room: ClockMap, now_ns: int) -> ClockMap:
        map = self.offset.map(room, now_ns)
        return replace(map, room_ns=map.room_ns - self._engine_behind_us * 1000)
