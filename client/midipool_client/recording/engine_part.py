"""The audio engine's part of a recording: which source fills which tap."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from midipool.clock_map import ClockMap
from midipool.errors import MidiPoolError
from midipool_client.audio.engine_messages import Record, Recorded
from midipool_client.recording.manifest import Kind
from midipool_client.recording.writer import Writer
from midipool_native import tap as taps
from midipool_native._rt import ffi
from midipool_native.audio import AudioCore, PlayerLink
from midipool_native.tap import Tap

END_S = 3.0
# More is not kept for bars.
MOST_LATER_US = 60_000_000
NOT_LATER: Mapping[int, int] = {}


class EngineRecording:
    """At most one recording at a time."""

    def __init__(self, core: AudioCore, rate: int, in_channels: int, out_channels: int) -> None:
        self._core, self._rate = core, rate
        self._own = {taps.INPUT: in_channels, taps.PLAYED: in_channels, taps.MIX: out_channels}
        self._writer: Writer | None = None
        self._folder = self._player = ""
        self._why = ""
        self._base_ns = 0
        self._clock_map: ClockMap | None = None
        self._own_taped = True
        self._own_taps: dict[int, Tap] = {}
        self._tracks: dict[tuple[str, int], Tap] = {}
        self._filled: dict[int, Tap] = {}
        self._until_ns: dict[int, int] = {}
        """Of an ending recording, by source: when what was played until the end was heard."""

    def begin(self, record: Record, effects: bool = False) -> None:
        """Write from now on; one that is being written ends. `effects`: own input has some."""
        self.end()
        if self._writer is not None:
            self._writer.wait(END_S)
        self._folder, self._why, self._player = record.folder, "", record.player
        self._base_ns = record.from_us * 1000
        self._writer = None
        if self._clock_map is None:
            self._why = "the room's clock is not known yet"
            return
        clock = self._clock_map, self._base_ns
        self._writer = Writer(
            Path(record.folder), record.format, self._rate, record.most_bytes, clock
        )
        self._add_own(self._writer, effects, whole=True)
        self._fill(taps.MIX, self._writer.add("mix", "mix", self._own[taps.MIX]))

    def follow_clock(self, clock_map: ClockMap) -> None:
        """The room's clock as it is now."""
        self._clock_map = clock_map
        if self._writer is not None:
            self._writer.clock = clock_map, self._base_ns

    def moved(self, from_us: int) -> None:
        """The room's clock will be another one, by which it began then."""
        self._base_ns = from_us * 1000

    def tape_own(self, link: PlayerLink | None) -> None:
        """What is recorded of own input, from the next `tend` on; None: nothing."""
        self._own_taped = link is not None
        if link is not None:
            self._core.set_own_tape(link)
            return
        for source in (taps.INPUT, taps.PLAYED):
            if source in self._filled:
                self._empty(source)

    def tend(
        self, heard: Iterable[tuple[int, str, int]], effects: bool = False, now_ns: int = 0
    ) -> None:
        """Who is recorded: (slot, name, channels); and whether own input has effects now."""
        writer = self._writer
        if writer is None or not self._filled:
            return
        if writer.why:
            self.end()
            return
        there = {slot: (name, channels) for slot, name, channels in heard}
        if self._until_ns:
            self._end_who_was_heard(there, now_ns)
            return
        self._add_own(writer, effects, whole=False)
        for slot in [s for s in self._filled if s not in self._own and s not in there]:
            self._empty(slot)
        for slot, who in there.items():
            if who not in self._tracks:
                try:
                    self._tracks[who] = writer.add(who[0], "player", who[1])
                except MidiPoolError as error:
                    writer.why = str(error)
                    return
            if self._filled.get(slot) is not self._tracks[who]:
                self._fill(slot, self._tracks[who])

    def end(self, later_us: Mapping[int, int] = NOT_LATER, now_ns: int = 0) -> None:
        """What was played until now is written; `status` says when.

        Who is heard so much later, by slot, goes on until then: a recording in `bar` would lack
        the others' last bars.
        """
        for source in list(self._filled):
            if source in self._own or not (later := later_us.get(source, 0)):
                self._empty(source)
            else:
                self._until_ns[source] = now_ns + min(later, MOST_LATER_US) * 1000
        if not self._until_ns:
            self._finish()

    def _end_who_was_heard(self, there: Mapping[int, tuple[str, int]], now_ns: int) -> None:
        for source, until_ns in list(self._until_ns.items()):
            who = there.get(source)
            stays = who is not None and self._tracks.get(who) is self._filled[source]
            if now_ns >= until_ns or not stays:
                self._empty(source)
        if not self._until_ns:
            self._finish()

    def _finish(self) -> None:
        self._tracks.clear()
        self._own_taps.clear()
        if self._writer is not None:
            self._writer.end()

    def close(self) -> None:
        """The engine ends."""
        self.end()
        if self._writer is not None:
            self._writer.wait(END_S)

    def status(self) -> Recorded | None:
        """How it stands; None: nothing was ever recorded."""
        if not self._folder:
            return None
        writer = self._writer
        if writer is None:
            return Recorded(self._folder, self._rate, [], True, self._why)
        return Recorded(self._folder, self._rate, writer.tracks(), writer.done, writer.why)

    def _add_own(self, writer: Writer, effects: bool, *, whole: bool) -> None:
        """Own input as it comes and, if it has effects, as the room gets it: from now on."""
        kinds: dict[int, Kind] = {taps.INPUT: "input"}
        if effects:
            kinds[taps.PLAYED] = "effects"
        for source, kind in kinds.items():
            if not self._own_taped or source in self._filled or not self._own[source]:
                continue
            if source not in self._own_taps:
                made = writer.add(self._player, kind, self._own[source], whole)
                self._own_taps[source] = made
            self._fill(source, self._own_taps[source])

    def _fill(self, source: int, tap: Tap) -> None:
        for other in [s for s, filled in self._filled.items() if filled is tap]:
            self._empty(other)
        self._core.set_tap(source, tap.handle)
        self._filled[source] = tap

    def _empty(self, source: int) -> None:
        self._core.set_tap(source, ffi.NULL)
        del self._filled[source]
        self._until_ns.pop(source, None)
