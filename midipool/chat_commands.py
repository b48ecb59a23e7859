"""Commands that are typed into the chat: `/tempo 132`."""

from collections.abc import Callable
from dataclasses import dataclass

from midipool import host_words, messages
from midipool.errors import InvalidMessage, InvalidValue, Refused
from midipool.messages import (
    Continue,
    HostCommand,
    Locate,
    SetLoop,
    SetMeter,
    SetTempo,
    Start,
    Stop,
    TransportCommand,
)
from midipool.meter import Loop, parse_meter, parse_position

HELP = (
    "/start [COUNT-IN BARS], /stop, /continue, /tempo BPM [RAMP BARS], /locate BAR[.BEAT], "
    "/loop START END, /loop off, /meter 7/8, /song NAME, /yes and /no to a vote; "
    f"// says a line that begins with a slash; {host_words.HELP}"
)


@dataclass(frozen=True, slots=True)
class Line:
    """It is no command, but something said."""

    text: str


@dataclass(frozen=True, slots=True)
class Vote:
    """An answer to the running vote, whichever that is."""

    yes: bool


@dataclass(frozen=True, slots=True)
class SongNamed:
    """Load a song by its name, or by its number in the list."""

    which: str


Meant = Line | Vote | SongNamed | TransportCommand | HostCommand


def parse(text: str, id: int) -> Meant:
    """What somebody means who types `text`; raises Refused and InvalidValue."""
    text = text.strip()
    if text.startswith("//"):
        return Line(text[1:])
    if not text.startswith("/"):
        return Line(text)
    name, _, rest = text[1:].partition(" ")
    read = COMMANDS.get(name.lower())
    if read is None:
        raise Refused("bad_value", f"/{name} is none of the commands: {HELP}", "text")
    meant = read(id, rest.strip())
    if not isinstance(meant, Line | Vote | SongNamed):
        _check(meant)
    return meant


def _check(command: TransportCommand | HostCommand) -> None:
    """Raise Refused for what a message of its own would be refused for."""
    try:
        messages.decode_client(messages.encode(command))
    except InvalidMessage as error:
        raise Refused("bad_value", error.text, error.field) from None


def _start(id: int, rest: str) -> Meant:
    return Start(id=id, count_in_bars=_whole(rest, "count-in bars") if rest else 0)


def _stop(id: int, rest: str) -> Meant:
    return Stop(id=id)


def _continue(id: int, rest: str) -> Meant:
    return Continue(id=id, count_in_bars=_whole(rest, "count-in bars") if rest else 0)


def _tempo(id: int, rest: str) -> Meant:
    bpm, _, bars = rest.partition(" ")
    try:
        number = float(bpm.replace(",", "."))
    except ValueError:
        raise InvalidValue("tempo", "say it in BPM: /tempo 132.5") from None
    return SetTempo(id=id, bpm=number, ramp_bars=_whole(bars, "ramp bars") if bars else 0)


def _locate(id: int, rest: str) -> Meant:
    return Locate(id=id, position=parse_position(rest))


def _loop(id: int, rest: str) -> Meant:
    if rest.lower() == "off":
        return SetLoop(id=id, loop=None)
    words = rest.split()
    if len(words) != 2:
        raise InvalidValue("loop", "say the first bar and the one behind it, or off: /loop 5 9")
    start, end = (_whole(word, "bar") for word in words)
    return SetLoop(id=id, loop=Loop(start, end))


def _meter(id: int, rest: str) -> Meant:
    return SetMeter(id=id, meter=parse_meter(rest))


def _song(id: int, rest: str) -> Meant:
    if not rest:
        raise InvalidValue("song", "say its name, or its number in the list: /song 3")
    return SongNamed(rest)


def _yes(id: int, rest: str) -> Meant:
    return Vote(True)


def _no(id: int, rest: str) -> Meant:
    return Vote(False)


def _help(id: int, rest: str) -> Meant:
    raise Refused("help", HELP)


def _whole(text: str, what: str) -> int:
    if not text.strip().isdecimal() or len(text) > 9:
        raise InvalidValue(what, f"must be a whole number, not {text.strip()!r}")
    return int(text)


COMMANDS: dict[str, Callable[[int, str], Meant]] = {
    "start": _start,
    "stop": _stop,
    "continue": _continue,
    "tempo": _tempo,
    "locate": _locate,
    "loop": _loop,
    "meter": _meter,
    "song": _song,
    "yes": _yes,
    "no": _no,
    "help": _help,
    **host_words.COMMANDS,
}
