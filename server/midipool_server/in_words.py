"""Commands in words, for those who vote on them. Pure."""

from midipool.messages import (
    Continue,
    Locate,
    SetLoop,
    SetMeter,
    SetMode,
    SetTempo,
    Start,
    Stop,
)
from midipool.transport import BeginSong, Change, Recall


def in_words(command: Change | SetMode) -> str:
    """What a command asks for, as one would say it: `tempo 132.5`."""
    if isinstance(command, SetMode):
        return f"mode {command.mode}" + (f" {command.leader}" if command.leader else "")
    return _words(command) + (", on the bar line" if command.at == "bar" else "")


def _words(command: Change) -> str:
    match command:
        case Start(count_in_bars=bars):
            return f"start{_counted(bars)}"
        case Stop():
            return "stop"
        case Continue(count_in_bars=bars):
            return f"continue{_counted(bars)}"
        case SetTempo(bpm=bpm, ramp_bars=0):
            return f"tempo {_bpm(bpm)}"
        case SetTempo(bpm=bpm, ramp_bars=bars):
            return f"tempo {_bpm(bpm)} over {_bars(bars)}"
        case Locate(position=position):
            return f"locate {position}"
        case SetLoop(loop=None):
            return "loop off"
        case SetLoop(loop=loop):
            return f"loop {loop}"
        case SetMeter(meter=meter):
            return f"meter {meter}"
        case BeginSong(name=name, bpm=bpm, meter=meter):
            return f"song {name} ({_bpm(bpm)} BPM, {meter})"
        case Recall(name=name):
            return f"load {name}"


def _counted(bars: int) -> str:
    return f", after {_bars(bars)} of count-in" if bars else ""


def _bars(bars: int) -> str:
    return "1 bar" if bars == 1 else f"{bars} bars"


def _bpm(bpm: float) -> str:
    return f"{round(bpm, 3):.7g}"
