"""Which MIDI bytes are due at which room time: a timeline expanded for one device.

F8 comes 24 times a beat. A device is brought onto the song by F2 (song position) and FA or FB,
a little before the F8 that they belong to (MIDI 1.0 asks for time to cue up). Before that it gets
FC if it runs. docs/midi.md says which bytes come when, and why.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import NamedTuple

from midipool.meter import BEAT, CLOCKS_PER_BEAT, CLOCKS_PER_SIXTEENTH
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain

CLOCK, START, CONTINUE, STOP = b"\xf8", b"\xfa", b"\xfb", b"\xfc"
CUE_LEAD_US = 2_000
START_LEAD_US = 1_000
# The epoch of a device that is in the song, but nobody knows where.
LOST = -2
# A device this close to where it should be is caught up tick by tick instead of being stopped.
CATCH_UP_TICKS = CLOCKS_PER_BEAT


class MidiEvent(NamedTuple):
    """Bytes and the room time, in µs, at which they are due."""

    time_us: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Device:
    """What the device believes after the bytes that it got."""

    running: bool = False
    next_tick: int = 0
    epoch: int = -1


def song_position_bytes(song_tick: int) -> bytes:
    """F2 with the song position of a tick (MIDI 1.0: 14 bits, LSB first, in sixteenths)."""
    sixteenths = song_tick // CLOCKS_PER_SIXTEENTH % 16384
    return bytes((0xF2, sixteenths & 0x7F, sixteenths >> 7))


def tick_beats(tick: int) -> int:
    """Micro-beats of a tick, rounded up: the first at which it is due."""
    return -(-tick * BEAT // CLOCKS_PER_BEAT)


def song_tick(timeline: Timeline, tick: int) -> int:
    """The tick of the song that elapsed tick `tick` is, loops folded."""
    return timeline.song_beats(tick_beats(tick)) * CLOCKS_PER_BEAT // BEAT


class MidiClock:
    """Expands a chain of timelines into MIDI events, and knows what the device was told.

    `follow` says what holds from a time on, `extend` returns the events up to another. What was
    returned for later than a new `follow` must be discarded by the caller.
    """

    def __init__(self, continue_every_bar: bool = False) -> None:
        self._continue_every_bar = continue_every_bar
        self._chain: TimelineChain | None = None
        self._from_us = 0
        self._planned_us = 0
        self._log: deque[tuple[MidiEvent, Device]] = deque()
        self._device = Device()
        self._before_log = Device()
        self._expected: set[int] = set()
        """Epochs that we knew of before they began, so that the device can be there at once."""

    def follow(self, chain: TimelineChain, from_us: int, lost: bool = False) -> None:
        """Take `chain` for true from `from_us` on.

        With `lost`, what the device got last is not known: it is stopped, and cued at once.
        """
        while self._log and self._log[-1][0].time_us >= from_us:
            self._log.pop()
        self._device = self._log[-1][1] if self._log else self._before_log
        if lost:
            self._device = replace(self._device, running=True, epoch=LOST)
            self._expected.clear()
        in_time = {
            t.epoch for t in chain.timelines if t.origin_time_us >= from_us and _jumps(chain, t)
        }
        self._expected = {e for e in self._expected | in_time if e >= self._device.epoch}
        self._chain = chain
        self._from_us = self._planned_us = from_us

    def extend(self, until_us: int) -> list[MidiEvent]:
        """The events that are due from where the last call ended to before `until_us`."""
        if self._chain is None or until_us <= self._planned_us:
            return []
        plan = _Plan(
            self._device,
            self._expected,
            self._from_us,
            self._planned_us,
            self._continue_every_bar,
        )
        # A cue that is due before the end may belong to a tick just behind it.
        plan.walk(self._chain, until_us + CUE_LEAD_US)
        # A cue belongs together with its first clock: leave all of it for the next call.
        end_us = until_us
        for cue_us, entry_us in reversed(plan.cues):
            end_us = cue_us if cue_us < end_us <= entry_us else end_us
        steps = [step for step in plan.steps if step[0].time_us < end_us]
        self._log.extend(steps)
        self._device = steps[-1][1] if steps else self._device
        self._planned_us = end_us
        return [event for event, _ in steps]

    def forget_before(self, time_us: int) -> None:
        """Events before `time_us` have surely been sent."""
        while self._log and self._log[0][0].time_us < time_us:
            self._before_log = self._log.popleft()[1]

    def shift(self, by_us: int) -> None:
        """The room's clock shows `by_us` more."""
        self._log = deque(
            (MidiEvent(event.time_us + by_us, event.data), device) for event, device in self._log
        )
        self._from_us += by_us
        self._planned_us += by_us
        if self._chain is not None:
            self._chain = self._chain.moved_by(by_us)


class _Plan:
    """One walk along a chain, from `start_us` on."""

    def __init__(
        self,
        device: Device,
        expected: set[int],
        from_us: int,
        start_us: int,
        continue_every_bar: bool,
    ) -> None:
        self.steps: list[tuple[MidiEvent, Device]] = []
        self.cues: list[tuple[int, int]] = []
        self._first_device = self._device = device
        self._expected = expected
        self._from_us = from_us
        self._start_us = start_us
        self._continue_every_bar = continue_every_bar

    def walk(self, chain: TimelineChain, stop_us: int) -> None:
        for timeline, start, end in chain.spans(self._start_us):
            span_end = stop_us if end is None else min(end, stop_us)
            if timeline.playing:
                start = max(start, timeline.origin_time_us)
            # A device of a later epoch was started for what comes next.
            if start >= span_end or timeline.epoch < self._device.epoch:
                continue
            if timeline.playing:
                self._play(timeline, start, span_end)
            elif self._device.running:
                self._emit(start, STOP, replace(self._device, running=False))

    def _play(self, timeline: Timeline, start_us: int, stop_us: int) -> None:
        if self._device.running and self._astray(timeline):
            self._emit(start_us, STOP, replace(self._device, running=False))
        tick = self._catch_up(timeline, _first_tick(timeline, start_us), start_us)
        while (time_us := timeline.time_at(tick_beats(tick))) < stop_us:
            here = song_tick(timeline, tick)
            if self._on_course(timeline) and here == self._device.next_tick:
                self._tick(timeline, time_us)
                tick += 1
                continue
            tick = self._entry(timeline, tick)
            if timeline.time_at(tick_beats(tick)) >= stop_us:
                return
            self._enter(timeline, tick)

    def _catch_up(self, timeline: Timeline, tick: int, start_us: int) -> int:
        """Where a change came late: give the device the ticks it lacks, or let it wait."""
        behind = song_tick(timeline, tick) - self._device.next_tick
        if not self._on_course(timeline) or abs(behind) > self._catch_up_ticks(timeline):
            return tick
        for _ in range(behind):
            self._clock(start_us)
        return tick + max(-behind, 0)

    def _catch_up_ticks(self, timeline: Timeline) -> int:
        """How far off a device may be and still be caught up."""
        if self._in_time(timeline):
            return 1  # A change in time can differ by its rounding alone.
        if timeline.loop is None:
            return CATCH_UP_TICKS
        # In a loop, one that is a round ahead is as well behind.
        bars = timeline.loop.end_bar - timeline.loop.start_bar
        return min(CATCH_UP_TICKS, bars * _bar_ticks(timeline) // 2 - 1)

    def _on_course(self, timeline: Timeline) -> bool:
        return self._device.running and self._device.epoch == timeline.epoch

    def _astray(self, timeline: Timeline) -> bool:
        """Whether the device is not in this song, and will not be from its first tick on."""
        if self._device.epoch == LOST:
            return True
        return not self._on_course(timeline) and timeline.epoch not in self._expected

    def _in_time(self, timeline: Timeline) -> bool:
        """Whether we knew of a timeline before it began."""
        return timeline.origin_time_us >= self._from_us

    def _entry(self, timeline: Timeline, tick: int) -> int:
        """The first tick at which the device may be brought onto the song.

        A sixteenth, because song position counts in them, when the song itself just got there
        (start, locate, end of a loop) or the device was in it before. One that joins waits for a
        bar line.
        """
        lost = self._device.epoch == LOST
        on_time = lost or timeline.epoch in self._expected or self._on_course(timeline)
        while timeline.time_at(tick_beats(tick)) - START_LEAD_US < self._start_us:
            tick += 1
        bar_ticks = _bar_ticks(timeline)
        for candidate in range(tick, tick + bar_ticks + CLOCKS_PER_SIXTEENTH):
            here = song_tick(timeline, candidate)
            # In odd meters of 32nds a bar line lies between sixteenths: take the one behind.
            on_bar = here % bar_ticks < CLOCKS_PER_SIXTEENTH
            if here % CLOCKS_PER_SIXTEENTH == 0 and (on_time or on_bar):
                return candidate
        return tick  # A loop of a single 32nd has no sixteenth: its position is rounded down.

    def _enter(self, timeline: Timeline, tick: int) -> None:
        time_us = timeline.time_at(tick_beats(tick))
        here = song_tick(timeline, tick)
        cue_us = max(time_us - CUE_LEAD_US, self._start_us)
        start_us = time_us - START_LEAD_US
        self._take_back_after(cue_us)
        if self._device.running:
            self._emit(cue_us, STOP, replace(self._device, running=False))
        self._emit(cue_us, song_position_bytes(here), self._device)
        entered = Device(running=True, next_tick=here, epoch=timeline.epoch)
        self._emit(start_us, START if here == 0 else CONTINUE, entered)
        self.cues.append((cue_us, time_us))

    def _take_back_after(self, time_us: int) -> None:
        """What falls into a cue is void: clocks of the old place would count for the new one."""
        while self.steps and self.steps[-1][0].time_us > time_us:
            self.steps.pop()
        self._device = self.steps[-1][1] if self.steps else self._first_device

    def _tick(self, timeline: Timeline, time_us: int) -> None:
        if self._continue_every_bar and self._device.next_tick % _bar_ticks(timeline) == 0:
            due_us = time_us - START_LEAD_US
            just_entered = self.steps and self.steps[-1][0].data in (START, CONTINUE)
            if not just_entered and due_us >= self._start_us:
                self._emit(due_us, CONTINUE, self._device)
        self._clock(time_us)

    def _clock(self, time_us: int) -> None:
        device = self._device
        self._emit(time_us, CLOCK, replace(device, next_tick=device.next_tick + 1))

    def _emit(self, time_us: int, data: bytes, device: Device) -> None:
        self.steps.append((MidiEvent(time_us, data), device))
        self._device = device


def _jumps(chain: TimelineChain, timeline: Timeline) -> bool:
    """Whether the song starts or gets somewhere else with this timeline."""
    before = chain.at(timeline.origin_time_us - 1)
    return before is timeline or before.epoch != timeline.epoch


def _bar_ticks(timeline: Timeline) -> int:
    return timeline.meter.bar_beats * CLOCKS_PER_BEAT // BEAT


def _first_tick(timeline: Timeline, time_us: int) -> int:
    """The first tick that is due at or after `time_us`, and not before the origin."""
    beats = max(timeline.beats_at(time_us), timeline.origin_beats)
    tick = beats * CLOCKS_PER_BEAT // BEAT
    while tick_beats(tick) < timeline.origin_beats or timeline.time_at(tick_beats(tick)) < time_us:
        tick += 1
    return tick
