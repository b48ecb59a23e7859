"""What each command does to a timeline, and when."""

from msgspec.structs import replace

from midipool.errors import InvalidValue
from midipool.messages import (
    Bpm,
    Command,
    Continue,
    Locate,
    Name,
    SetLoop,
    SetMeter,
    SetTempo,
    SongId,
    Start,
    Stop,
    TransportCommand,
)
from midipool.meter import MAX_BAR, Loop, Meter, Position, parse_meter
from midipool.snapshot.timeline import TimelineSection
from midipool.tempo import mbpm_of, steady_beats_after, steady_time_to
from midipool.timeline import Ramp, Timeline

MAX_SINCE_AGE_US = 5_000_000
MAX_SINCE_AHEAD_US = 60_000_000


class BeginSong(Command, tag="song_begin", frozen=True, kw_only=True):
    """What `song_load` comes to: the song as it was when that was asked for. Never sent."""

    song: SongId
    name: Name
    bpm: Bpm
    meter: Meter
    loop: Loop | None


class Recall(Command, tag="recall", frozen=True, kw_only=True):
    """What `room_load` comes to: a document that was checked. Never sent."""

    load: int
    """Which document."""
    name: str
    """For people."""
    section: TimelineSection | None
    """What it says of the timeline; None leaves that as it is."""


Change = TransportCommand | BeginSong | Recall
"""What changes a timeline."""


def needs_bar_line(command: Change) -> bool:
    """Whether a command of a playing room waits for a bar line even when it is meant for now."""
    if isinstance(command, Recall):
        return command.section is not None
    return isinstance(command, SetMeter | BeginSong)


def check_since(command: Change, now_us: int) -> None:
    """Raise InvalidValue unless `since` can be meant by one who sends the command at `now_us`."""
    since_us = _since(command)
    if since_us is None:
        return
    if command.at != "now":
        raise InvalidValue("since", "goes with at `now` only: it says when that was")
    if _count_in_bars(command):
        raise InvalidValue("count_in_bars", "does not go with `since`: leave one of them out")
    if not now_us - MAX_SINCE_AGE_US <= since_us <= now_us + MAX_SINCE_AHEAD_US:
        age, ahead = MAX_SINCE_AGE_US // 1_000_000, MAX_SINCE_AHEAD_US // 1_000_000
        rule = f"must be at most {age} s ago and {ahead} s ahead, in room time"
        raise InvalidValue("since", rule)


def begins_us(base: Timeline, command: Change, at_us: int) -> int:
    """Room time at which a command that is agreed upon for `at_us` happens.

    That is later with a `since` that lies ahead, and with bars to count in, of `base`'s meter and
    tempo. A song that plays goes on over a `continue`, and is not counted in.
    """
    if base.playing and isinstance(command, Continue):
        return at_us
    if (since_us := _since(command)) is not None:
        return max(at_us, since_us)
    if base.playing:
        return at_us
    return at_us + steady_time_to(base.mbpm, _count_in_bars(command) * base.meter.bar_beats)


def stops_first(base: Timeline, command: Change) -> bool:
    """Whether the song is stopped for a count-in: it stands while bars are clicked."""
    return base.playing and isinstance(command, Start) and command.count_in_bars > 0


def waits(command: Change) -> bool:
    """Whether a command can begin later than it is agreed upon for."""
    return _since(command) is not None or _count_in_bars(command) > 0


def replaces(base: Timeline, newer: Change, waiting: Change) -> bool:
    """Whether `newer` makes a command void that waits for its `since` or is being counted in.

    A stop cancels a start that has not happened; another start takes its place; and so does
    a locate with a locate.
    """
    match waiting:
        case Locate():
            return isinstance(newer, Locate)
        case Start() | Continue():
            goes_on = base.playing and isinstance(newer, Continue)
            return isinstance(newer, Start | Stop | Continue) and not goes_on
    return False


def counted_on(
    before: Timeline, after: Timeline, waiting: Change, at_us: int, begins_us: int
) -> int:
    """When a `waiting` command begins after `before` was changed to `after` at room time `at_us`.

    A count-in goes on: in another tempo its beats that are left take another time, and in another
    meter its bars begin anew.
    """
    bars = _count_in_bars(waiting)
    if bars and after.meter != before.meter:
        return at_us + steady_time_to(after.mbpm, bars * after.meter.bar_beats)
    if bars and after.mbpm != before.mbpm:
        left_beats = steady_beats_after(before.mbpm, begins_us - at_us)
        return at_us + steady_time_to(after.mbpm, left_beats)
    return begins_us


def counted_from(newer: Change, waiting: Change) -> Change:
    """`waiting` as it goes on after `newer`: who locates during a count-in wants to begin there."""
    if isinstance(newer, Locate) and isinstance(waiting, Start) and waiting.count_in_bars:
        return Continue(id=waiting.id, count_in_bars=waiting.count_in_bars)
    return waiting


def apply(base: Timeline, command: Change, time_us: int, beats: int | None = None) -> Timeline:
    """The timeline after `command` at room time `time_us`, which is elapsed beat `beats` of `base`.

    Pass `beats` when the instant was chosen by its beat (a bar line), so that no rounding of
    `time_us` moves the song off it. Raises InvalidValue.
    """
    now = going_on(base, time_us, beats)
    match command:
        case Start(count_in_bars=bars):
            begun = _jump(now, beats=_on_the_way(base, now, command, 0), playing=True)
            return replace(begun, count_in_bars=bars)
        case Stop():
            return _jump(_at_target_tempo(now), beats=now.origin_beats, playing=False)
        case Continue() if now.playing:
            return now
        case Continue(count_in_bars=bars):
            here = _on_the_way(base, now, command, now.origin_beats)
            return replace(_jump(now, beats=here, playing=True), count_in_bars=bars)
        case Locate(position=position):
            there = now.meter.beats_of(position)
            if now.playing:
                there = _on_the_way(base, now, command, there)
            return _jump(now, beats=there, playing=now.playing)
        case SetTempo(bpm=bpm, ramp_bars=ramp_bars):
            return _with_tempo(now, mbpm_of(bpm), ramp_bars)
        case SetLoop(loop=loop):
            return replace(now, loop=loop)
        case SetMeter(meter=meter):
            return _with_meter(now, meter)
        case BeginSong():
            begun = _jump(now, beats=0, playing=now.playing)
            mbpm = mbpm_of(command.bpm)
            return replace(begun, mbpm=mbpm, ramp=None, meter=command.meter, loop=command.loop)
        case Recall(section=section):
            return now if section is None else _recalled(now, section)


def going_on(base: Timeline, time_us: int, beats: int | None = None) -> Timeline:
    """`base` as it is, seen from a new origin at `time_us`, with a higher revision."""
    elapsed_beats = base.beats_at(time_us) if beats is None else beats
    return replace(
        base,
        origin_time_us=time_us,
        origin_beats=base.song_beats(elapsed_beats),
        mbpm=base.mbpm_at(time_us),
        ramp=base.ramp_left_at(time_us) if base.playing else None,
        revision=base.revision + 1,
        count_in_bars=0,
    )


def _recalled(now: Timeline, section: TimelineSection) -> Timeline:
    """A room that plays plays on from there; in one that stands a ramp is over."""
    begun = _jump(now, beats=section.beats, playing=now.playing)
    ramp = section.timeline_ramp()
    begun = replace(begun, mbpm=section.mbpm, ramp=ramp, meter=parse_meter(section.meter))
    begun = replace(begun, loop=section.timeline_loop())
    return begun if now.playing else _at_target_tempo(begun)


def _since(command: Change) -> int | None:
    return command.since if isinstance(command, Start | Continue | Locate) else None


def _count_in_bars(command: Change) -> int:
    return command.count_in_bars if isinstance(command, Start | Continue) else 0


def _on_the_way(base: Timeline, now: Timeline, command: Change, beats: int) -> int:
    """Where a song is now that was at song beat `beats` at the command's `since`."""
    since_us = _since(command)
    if since_us is None or since_us >= now.origin_time_us:
        return beats
    if base.playing and base.ramp is not None:
        passed = base.beats_at(now.origin_time_us) - base.beats_at(since_us)
    else:
        passed = steady_beats_after(now.mbpm, now.origin_time_us - since_us)
    # It begins in front of the loop's end or behind it, and that decides whether it enters.
    return replace(now, origin_beats=beats).song_beats(beats + passed)


def _jump(now: Timeline, beats: int, playing: bool) -> Timeline:
    return replace(now, origin_beats=beats, playing=playing, epoch=now.epoch + 1)


def _at_target_tempo(now: Timeline) -> Timeline:
    """A ramp does not survive a stop: the room goes on at the tempo it was meant to reach."""
    return replace(now, mbpm=now.ramp.to_mbpm, ramp=None) if now.ramp else now


def _with_tempo(now: Timeline, mbpm: int, ramp_bars: int) -> Timeline:
    if ramp_bars == 0 or not now.playing or mbpm == now.mbpm:
        return replace(now, mbpm=mbpm, ramp=None)
    return replace(now, ramp=Ramp(mbpm, ramp_bars * now.meter.bar_beats))


def _with_meter(now: Timeline, meter: Meter) -> Timeline:
    """One meter holds for the whole song: the bar keeps its number and starts anew.

    So the song position moves to where that bar lies in the new meter, which is where a DAW set
    to the new meter has it.
    """
    if meter == now.meter:
        return now
    bar = now.meter.position_at(now.origin_beats).bar
    if bar > MAX_BAR:
        raise InvalidValue("meter", "the song is past the last bar; locate first")
    beats = meter.beats_of(Position(bar))
    return replace(now, meter=meter, origin_beats=beats, epoch=now.epoch + 1)
