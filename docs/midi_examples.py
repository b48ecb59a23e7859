"""Byte sequences for the MIDI page, made by running midipool.midi_clock on real commands.

Time 0 is the instant that an example is about.
"""

from collections.abc import Callable, Iterable, Sequence

from midipool import messages, transport
from midipool.meter import BEAT, Loop, Meter, Position
from midipool.midi_clock import CLOCK, MidiClock, MidiEvent, tick_beats
from midipool.timeline import Ramp, Timeline
from midipool.timeline_chain import TimelineChain

NOW_US = 60_000_000
BAR_US = 2_000_000
STOPPED = Timeline()
# 120 BPM in 4/4; bar 15 begins at NOW_US.
PLAYING = Timeline(origin_time_us=NOW_US - 14 * BAR_US, playing=True, revision=1, epoch=1)
WORDS = {0xF8: "clock", 0xFA: "start", 0xFB: "continue", 0xFC: "stop"}
# Of longer runs of clocks only the first and the last are written out.
LONG_RUN = 10


def _applied(base: Timeline, command: messages.TransportCommand, bar_line: bool = False) -> str:
    """A command at time 0; `bar_line` when the instant is one."""
    return _table(_sent(base, command, bar_line), -25, 45)


def _sent(
    base: Timeline, command: messages.TransportCommand, bar_line: bool = False
) -> list[MidiEvent]:
    beats = base.beats_at(NOW_US) if bar_line else None
    chain = TimelineChain((base,)).then(transport.apply(base, command, NOW_US, beats))
    return _play(chain)


def _play(chain: TimelineChain, from_us: int = 0, each_bar: bool = False) -> list[MidiEvent]:
    clock = MidiClock(continue_every_bar=each_bar)
    clock.follow(chain, from_us)
    return clock.extend(NOW_US + 10 * BAR_US)


def _interrupted(
    before: Timeline, after: TimelineChain, late_us: int, lost: bool = False
) -> list[MidiEvent]:
    """What a device gets that plays `before` and is told of `after` at `late_us`."""
    clock = MidiClock()
    clock.follow(TimelineChain((before,)), 0)
    told_us = NOW_US + late_us
    played = [event for event in clock.extend(told_us + BAR_US) if event.time_us < told_us]
    clock.follow(after, told_us, lost)
    return [*played, *clock.extend(told_us + 2 * BAR_US)]


def stop() -> str:
    """Stop."""
    return _applied(PLAYING, messages.Stop(id=1))


def continue_() -> str:
    """Stopped between two sixteenths, then continued."""
    stopped = transport.apply(PLAYING, messages.Stop(id=1), NOW_US - 1_990_000)
    return _table(_sent(stopped, messages.Continue(id=2)), -25, 150)


def tempo() -> str:
    """From 120 to 60 BPM, between two ticks."""
    base = PLAYING.moved_by(-10_000)
    return _applied(base, messages.SetTempo(id=1, bpm=60))


def ramp() -> str:
    """The times of some beats in a ramp of a bar from 120 to 240 BPM."""
    ramped = Timeline(
        origin_time_us=NOW_US, playing=True, mbpm=120_000, ramp=Ramp(240_000, 4 * BEAT)
    )
    rows = [["beat", "time in ms", "tempo in BPM", "to the next clock, in ms"], ["--:"] * 4]
    for beat in range(6):
        time_us = ramped.time_at(beat * BEAT)
        step_us = ramped.time_at(tick_beats(beat * 24 + 1)) - time_us
        bpm = ramped.mbpm_at(time_us) / 1000
        rows.append(
            [str(beat), f"{(time_us - NOW_US) / 1000:.3f}", f"{bpm:.3f}", f"{step_us / 1000:.3f}"]
        )
    return _lines(rows)


def loop() -> str:
    """The end of a loop."""
    looped = Timeline(
        origin_time_us=NOW_US - 4 * BAR_US, origin_beats=16 * BEAT, playing=True, loop=Loop(5, 9)
    )
    return _table(_play(TimelineChain((looped,))), -25, 45)


def meter() -> str:
    """From 4/4 to 7/8 on a bar line."""
    return _applied(PLAYING, messages.SetMeter(id=1, meter=Meter(7, 8)), bar_line=True)


def late_join() -> str:
    """A device that was told nothing before, in the middle of bar 14."""
    return _table(_play(TimelineChain((PLAYING,)), NOW_US - BAR_US // 2), -2_000, 45)


def behind() -> str:
    """A slower tempo heard of late: the device waits."""
    slower = transport.apply(PLAYING, messages.SetTempo(id=1, bpm=60), NOW_US)
    chain = TimelineChain((PLAYING,)).then(slower)
    return _table(_interrupted(PLAYING, chain, 50_000), -25, 190)


def ahead() -> str:
    """A faster tempo heard of late: the device is caught up."""
    faster = transport.apply(PLAYING, messages.SetTempo(id=1, bpm=240), NOW_US)
    chain = TimelineChain((PLAYING,)).then(faster)
    return _table(_interrupted(PLAYING, chain, 50_000), -25, 75)


def late_locate() -> str:
    """A locate heard of 40 ms late."""
    moved = transport.apply(PLAYING, messages.Locate(id=1, position=Position(17)), NOW_US)
    chain = TimelineChain((PLAYING,)).then(moved)
    return _table(_interrupted(PLAYING, chain, 40_000), -25, 2_045)


def lost() -> str:
    """An engine that was started anew while the song plays."""
    chain = TimelineChain((PLAYING,))
    return _table(_interrupted(PLAYING, chain, 30_000, lost=True), -25, 170)


def every_bar() -> str:
    """--continue-every-bar, at a bar line."""
    return _table(_play(TimelineChain((PLAYING,)), each_bar=True), -25, 45)


def past_the_end() -> str:
    """Locate to the sixteenth behind song position 16383."""
    return _applied(PLAYING, messages.Locate(id=1, position=Position(1025)))


def odd_bar_line() -> str:
    """Joining a room in 5/32, where bar 16 begins between two sixteenths."""
    odd = Timeline(origin_time_us=NOW_US - 15 * 312_500, playing=True, meter=Meter(5, 32), epoch=1)
    return _table(_play(TimelineChain((odd,)), NOW_US - 50_000), -60, 110)


PARTS: dict[str, Callable[[], str]] = {
    "start": lambda: _applied(STOPPED, messages.Start(id=1)),
    "restart": lambda: _applied(PLAYING, messages.Start(id=1)),
    "stop": stop,
    "continue": continue_,
    "locate": lambda: _applied(PLAYING, messages.Locate(id=1, position=Position(17))),
    "tempo": tempo,
    "ramp": ramp,
    "loop": loop,
    "meter": meter,
    "late join": late_join,
    "behind": behind,
    "ahead": ahead,
    "late locate": late_locate,
    "lost": lost,
    "every bar": every_bar,
    "past the end": past_the_end,
    "odd bar line": odd_bar_line,
}


def _table(events: Iterable[MidiEvent], from_ms: float, to_ms: float) -> str:
    """Events around time 0; in long runs of clocks the middle ones are counted."""
    shown = [e for e in events if from_ms <= (e.time_us - NOW_US) / 1000 <= to_ms]
    rows = [["ms", "bytes", ""], ["--:", "---", "---"]]
    while shown:
        run = _run_of_clocks(shown)
        if len(run) > LONG_RUN:
            hidden = ["…", "F8", f"{len(run) - 2} more"]
            rows += [_row(run[0]), hidden, _row(run[-1])]
        else:
            run = run or shown[:1]
            rows += [_row(event) for event in run]
        shown = shown[len(run) :]
    return _lines(rows)


def _run_of_clocks(events: Sequence[MidiEvent]) -> Sequence[MidiEvent]:
    count = next((n for n, event in enumerate(events) if event.data != CLOCK), len(events))
    return events[:count]


def _row(event: MidiEvent) -> list[str]:
    status = event.data[0]
    word = WORDS.get(status) or f"song position {event.data[1] + (event.data[2] << 7)}"
    return [f"{(event.time_us - NOW_US) / 1000:.3f}", event.data.hex(" ").upper(), word]


def _lines(rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
