"""Where a recording is in the room's time: begun on bar lines, looped, moved, paused. Pure.

It goes with the room: it waits until the song plays, stops with it, and goes on with its next bar
on the bar line with which the song does. `now_us` is room time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from midipool.meter import Loop
from midipool.timeline_chain import TimelineChain
from midipool_client.playback.pieces import TakePiece
from midipool_client.playback.room_song import break_us, song_bar_us
from midipool_client.playback.song import TakeSong
from midipool_client.recording.start import LEAD_US, first_bar_line_us, with_past

# So long before it is heard something else is agreed upon: what comes sooner is with the engine.
AHEAD_US = 600_000
# Told so far into the future, and again before it is over.
TOLD_US = 8_000_000
FORGET_US = 2_000_000

Phase = Literal["waiting", "playing", "paused", "ended"]


@dataclass(frozen=True, slots=True)
class Run:
    """From `room_us` on the recording plays from `take_us`, until `end_us` if that is known."""

    room_us: int
    take_us: int
    end_us: int | None = None


class TakePlan:
    """Follows the room's timelines; `pieces` says what the engine is to play."""

    def __init__(
        self, song: TakeSong, from_bar: int = 1, loop: Loop | None = None, at_bar: int | None = None
    ) -> None:
        """`at_bar`: begin with that bar of the room's song. Raises InvalidValue."""
        self.song = song
        self.loop: Loop | None = None
        self._loop_us: tuple[int, int] | None = None
        self._wanted_us: int | None = song.start_of(from_bar, "from")
        """Where it begins, or goes on, with the next bar line."""
        self._at_bar = at_bar
        self._paused_us: int | None = None
        self._runs: list[Run] = []
        self._coming_us: int | None = None
        """Room time at which what is wanted begins."""
        self._chain: TimelineChain | None = None
        self._set_loop(loop)

    # ---- what people want ----

    def pause(self, now_us: int) -> None:
        """Be silent as soon as can be; it goes on with the bar in which that is."""
        if self._paused_us is not None:
            return
        at_us = self._wanted_us if self._wanted_us is not None else self.place(now_us)
        self._paused_us = self.song.bars_us[self.song.bar_at(at_us or 0) - 1]
        self._wanted_us = self._at_bar = self._coming_us = None
        end_us = now_us + AHEAD_US // 2
        self._runs = [replace(r, end_us=end_us) for r in self._begun(now_us)]

    def go_on(self, now_us: int) -> None:
        """With the next bar line, after a pause or from bar 1 after the end."""
        if self._paused_us is not None:
            self._wanted_us, self._paused_us = self._paused_us, None
        elif self.phase(now_us) == "ended":
            self._wanted_us = 0
        self.look(now_us)

    def seek(self, bar: int, now_us: int) -> None:
        """With the next bar line go on from there; raises InvalidValue."""
        start_us = self.song.start_of(bar)
        if self._paused_us is not None:
            self._paused_us = start_us
        else:
            self._wanted_us = start_us
            self._again(now_us)

    def repeat(self, loop: Loop | None, now_us: int) -> None:
        """Repeat these bars from now on, or none; raises InvalidValue.

        Who is behind the loop's end plays on, and never enters it.
        """
        if loop is not None:
            self.song.loop_us(loop)
        place_us = self.place(now_us)
        self._set_loop(loop)
        if place_us is not None and self._paused_us is None:
            self._runs = [Run(now_us, place_us)]
        self._again(now_us)

    # ---- what the room says ----

    def follow(self, chain: TimelineChain, now_us: int) -> None:
        """The room has other timelines."""
        past = self._chain
        self._chain = (chain if past is None else with_past(past, chain)).since(now_us - FORGET_US)
        self._again(now_us)

    def shift(self, by_us: int) -> None:
        """The room's clock shows so much more."""
        self._chain = self._chain and self._chain.moved_by(by_us)
        self._coming_us = None if self._coming_us is None else self._coming_us + by_us
        self._runs = [
            Run(r.room_us + by_us, r.take_us, None if r.end_us is None else r.end_us + by_us)
            for r in self._runs
        ]

    def look(self, now_us: int) -> None:
        """Time passes."""
        self._come(now_us)
        begun = self._begun(now_us)
        later = [run for run in self._runs if run.room_us > now_us]
        self._runs = [*begun, *later]
        if begun and not later and begun[0].end_us is not None and begun[0].end_us <= now_us:
            self._stopped(begun[0], now_us)
        elif not later and self._wanted_us is not None:
            self._again(now_us)

    # ---- where it is ----

    def place(self, now_us: int) -> int | None:
        """Where it plays, µs into the recording; None while it does not."""
        run = next(iter(self._begun(now_us)), None)
        if run is None or (run.end_us is not None and now_us >= run.end_us):
            return None
        return self._place(run, now_us)

    def phase(self, now_us: int) -> Phase:
        """What it does."""
        if self._paused_us is not None:
            return "paused"
        place_us = self.place(now_us)
        if place_us is not None and place_us < self._end_of(self._begun(now_us)[0]):
            return "playing"
        if self._wanted_us is not None or self.begins_us(now_us) is not None:
            return "waiting"
        return "ended"

    def bar(self, now_us: int) -> int:
        """The bar that plays, or with which it will go on."""
        place_us = self.place(now_us)
        if self._paused_us is not None:
            place_us = self._paused_us
        if place_us is None:
            place_us = self._runs[-1].take_us if self._runs else self._wanted_us
        return self.song.bar_at(min(place_us or 0, self.song.length_us - 1))

    def begins_us(self, now_us: int) -> int | None:
        """Room time at which it goes on, if that is to come."""
        return next((run.room_us for run in self._runs if run.room_us > now_us), None)

    def next_bar(self, now_us: int) -> int | None:
        """The bar with which it goes on, if that is to come."""
        later = next((run for run in self._runs if run.room_us > now_us), None)
        return None if later is None else self.song.bar_at(later.take_us)

    def beside(self, now_us: int) -> str:
        """Why it does not go with the room's bars; empty when it does, or does not play."""
        at_us = self.begins_us(now_us) or now_us
        if self._chain is None or not self._runs or self._paused_us is not None:
            return ""
        place_us = min(self._place(self._runs[-1], at_us), self.song.length_us - 1)
        return self.song.beside(self._chain.at(at_us), at_us, place_us)

    def pieces(self, now_us: int) -> list[TakePiece]:
        """What is played from a little before now on, as far as it is told."""
        from_us, until_us = now_us - FORGET_US, now_us + TOLD_US
        found: list[TakePiece] = []
        for number, run in enumerate(self._runs):
            ends = [later.room_us for later in self._runs[number + 1 :]]
            ends += [] if run.end_us is None else [run.end_us]
            found += self._pieces_of(run, from_us, min([until_us, *ends]))
        return found

    # ---- inside ----

    def _set_loop(self, loop: Loop | None) -> None:
        self._loop_us = None if loop is None else self.song.loop_us(loop)
        self.loop = loop

    def _begun(self, now_us: int) -> list[Run]:
        return [run for run in self._runs if run.room_us <= now_us][-1:]

    def _come(self, now_us: int) -> None:
        if self._coming_us is not None and self._coming_us <= now_us:
            self._wanted_us = self._at_bar = self._coming_us = None

    def _place(self, run: Run, now_us: int) -> int:
        at_us = run.take_us + max(now_us - run.room_us, 0)
        if self._loop_us is None or run.take_us >= self._loop_us[1]:
            return min(at_us, self.song.length_us)
        start_us, end_us = self._loop_us
        return at_us if at_us < end_us else start_us + (at_us - start_us) % (end_us - start_us)

    def _end_of(self, run: Run) -> int:
        """Where it ends, or goes back to the loop's begin."""
        looped = self._loop_us is not None and run.take_us < self._loop_us[1]
        return self._loop_us[1] if looped and self._loop_us else self.song.length_us

    def _pieces_of(self, run: Run, from_us: int, until_us: int) -> Iterator[TakePiece]:
        at_us = max(run.room_us, from_us)
        while at_us < until_us:
            place_us, end_us = self._place(run, at_us), self._end_of(run)
            if place_us >= end_us:
                return
            stop_us = min(at_us + end_us - place_us, until_us)
            yield TakePiece(at_us, stop_us, place_us)
            at_us = stop_us

    def _stopped(self, run: Run, now_us: int) -> None:
        """The song stopped, or a pause began."""
        self._runs = []
        if self._paused_us is not None:
            return
        if self._wanted_us is None and run.end_us is not None:
            place_us = self._place(run, run.end_us)
            if place_us < self.song.length_us:
                self._wanted_us = self.song.bar_from(place_us)
        self._again(now_us)

    def _again(self, now_us: int) -> None:
        """Lay what is to come by the room's timelines as they are."""
        self._come(now_us)
        self._coming_us = None
        chain, begun = self._chain, self._begun(now_us)
        self._runs = begun
        if chain is None or self._paused_us is not None:
            return
        self._runs = begun = [replace(run, end_us=None) for run in begun]
        if begun:
            self._end_with_song(chain, begun[-1], now_us)
        if self._wanted_us is not None:
            self._begin(chain, self._wanted_us, now_us)

    def _end_with_song(self, chain: TimelineChain, run: Run, now_us: int) -> None:
        """It ends where the song stops or jumps out of its bar, and goes on with the next."""
        end_us = break_us(chain, run.room_us)
        if end_us is None:
            return
        if end_us <= now_us:
            place_us = self._place(run, end_us)
            self._runs = []
            if self._wanted_us is None and place_us < self.song.length_us:
                self._wanted_us = self.song.bar_from(place_us)
            return
        self._runs = [replace(run, end_us=end_us)]
        line_us = first_bar_line_us(chain, max(end_us, now_us + AHEAD_US) - LEAD_US)
        if self._wanted_us is None and line_us is not None:
            place_us = self.song.bar_from(self._place(run, end_us))
            if place_us < self.song.length_us:
                self._runs.append(Run(line_us, place_us))

    def _begin(self, chain: TimelineChain, take_us: int, now_us: int) -> None:
        after_us = now_us + AHEAD_US
        if self._at_bar is not None:
            line_us = song_bar_us(chain, after_us, self._at_bar)
        else:
            line_us = first_bar_line_us(chain, after_us - LEAD_US)
        if line_us is None:
            return
        if self._runs and self._runs[-1].end_us is None:
            self._runs[-1] = replace(self._runs[-1], end_us=line_us)
        end_us = break_us(chain, line_us)
        self._runs.append(Run(line_us, take_us, end_us))
        self._coming_us = line_us
