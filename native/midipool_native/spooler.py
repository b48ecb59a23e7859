"""The spooler: events in room time, put on a port at the right host time by a sink in C."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from midipool.clock_map import ClockMap
from midipool.errors import InvalidValue
from midipool_native._rt import ffi, lib
from midipool_native.checks import OK, OUT_OF_RANGE, NativeError, check

DISCARD_ALL_US = -(2**62)
MAX_EVENT_BYTES = 256


@dataclass(frozen=True, slots=True)
class SpoolerStats:
    """Counts since the spooler was made; `max_late_ns` since the last call."""

    events: int
    ticks: int
    late: int
    dropped: int
    overtaken: int
    """Batches that came too late to take back a start or stop: the device is somewhere else."""
    queued: int
    running: bool
    max_late_ns: int


class Rewrite(NamedTuple):
    """What changes on a lane: what is queued for `discard_from_us` or later goes, events come."""

    events: list[tuple[int, bytes]]
    discard_from_us: int | None = None


class Spooler:
    """A queue of MIDI events with one producer (this object) and one sink."""

    def __init__(self) -> None:
        self.handle: Any = ffi.gc(lib.mp_spooler_new(), lib.mp_spooler_free)
        if self.handle == ffi.NULL:
            raise MemoryError

    def submit(
        self,
        events: Iterable[tuple[int, bytes]] = (),
        *,
        discard_from_us: int | None = None,
        notes: Rewrite | None = None,
        click: Rewrite | None = None,
        clock_map: ClockMap | None = None,
    ) -> None:
        """Commit, all at once: a new map, what to discard, and events in order.

        `notes` and `click` rewrite lanes of their own, which are played between the clock's events.
        An event has 1 to 256 bytes. Raises NativeError when the queue is full or a time or rate is
        one that no room has; then nothing of it was committed.
        """
        try:
            if clock_map is not None:
                check(lib.mp_spooler_set_map(self.handle, c_clock_map(clock_map)), "spooling")
            self._rewrite(lib.MP_LANE_CLOCK, events, discard_from_us)
            self._rewrite(lib.MP_LANE_NOTES, *(notes or Rewrite([])))
            self._rewrite(lib.MP_LANE_CLICK, *(click or Rewrite([])))
        except OverflowError:  # not even an int64
            lib.mp_spooler_rollback(self.handle)
            raise NativeError(OUT_OF_RANGE, "spooling") from None
        except BaseException:
            lib.mp_spooler_rollback(self.handle)
            raise
        lib.mp_spooler_commit(self.handle)

    def _rewrite(
        self, lane: int, events: Iterable[tuple[int, bytes]], discard_from_us: int | None
    ) -> None:
        if discard_from_us is not None:
            check(lib.mp_spooler_discard_from(self.handle, lane, discard_from_us), "spooling")
        for time_us, data in events:
            self._add(lane, time_us, data)

    def _add(self, lane: int, time_us: int, data: bytes) -> None:
        if not 1 <= len(data) <= MAX_EVENT_BYTES:
            raise InvalidValue("event", f"a spooled event has 1 to {MAX_EVENT_BYTES} bytes")
        event = ffi.new("mp_midi_event *", {"room_us": time_us, "size": len(data)})
        event.bytes[0 : len(data)] = data
        status = lib.mp_spooler_add(self.handle, lane, event)
        if status != OK:
            raise NativeError(status, "spooling")

    def wait_next(self, patience_ns: int) -> bytes | None:
        """Wait, without the interpreter's lock, for the next event to be due and take it."""
        event = ffi.new("mp_midi_event *")
        if not lib.mp_spooler_wait_next(self.handle, event, patience_ns):
            return None
        return bytes(event.bytes[0 : event.size])

    def stats(self) -> SpoolerStats:
        """What happened so far."""
        stats = ffi.new("mp_spooler_stats *")
        lib.mp_spooler_get_stats(self.handle, stats)
        return SpoolerStats(
            events=stats.events,
            ticks=stats.ticks,
            late=stats.late,
            dropped=stats.dropped,
            overtaken=stats.overtaken,
            queued=stats.queued,
            running=bool(stats.running),
            max_late_ns=stats.max_late_ns,
        )


def c_clock_map(clock_map: ClockMap) -> Any:
    """A ClockMap as C's struct."""
    return ffi.new(
        "mp_clock_map *",
        {
            "local_ns": clock_map.local_ns,
            "room_ns": clock_map.room_ns,
            "slew": clock_map.slew,
            "slew_end_ns": clock_map.slew_end_ns,
            "drift": clock_map.drift,
        },
    )
