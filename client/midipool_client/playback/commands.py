"""What a shell, or whoever else reaches the client, may ask of what plays recordings."""

from typing import Annotated, Any

import msgspec

from midipool.errors import InvalidValue
from midipool.meter import BarNumber, Loop
from midipool_client.playback.opened import Wanted
from midipool_client.playback.player import TakePlayer


class Play(msgspec.Struct, tag_field="do", tag="take_play", forbid_unknown_fields=True):
    """Play a recording into the room; without a name go on after a pause."""

    name: str = ""
    from_bar: BarNumber = 1
    loop: tuple[BarNumber, BarNumber] | None = None
    at_bar: BarNumber | None = None
    mute: list[str] = []
    set_tempo: bool = False


class Pause(msgspec.Struct, tag_field="do", tag="take_pause", forbid_unknown_fields=True):
    """Be silent."""


class Seek(msgspec.Struct, tag_field="do", tag="take_seek", forbid_unknown_fields=True):
    """Go on from a bar."""

    bar: BarNumber


class Repeat(msgspec.Struct, tag_field="do", tag="take_loop", forbid_unknown_fields=True):
    """Repeat bars, or none."""

    loop: tuple[BarNumber, BarNumber] | None = None


class Mute(msgspec.Struct, tag_field="do", tag="take_mute", forbid_unknown_fields=True):
    """Silence these tracks and no others."""

    tracks: Annotated[list[str], msgspec.Meta(max_length=256)] = []


class Stop(msgspec.Struct, tag_field="do", tag="take_stop", forbid_unknown_fields=True):
    """Leave the room."""


Command = Play | Pause | Seek | Repeat | Mute | Stop
TAGS = {kind.__struct_config__.tag for kind in (Play, Pause, Seek, Repeat, Mute, Stop)}


async def obey(player: TakePlayer, words: dict[str, Any]) -> str:
    """Do it; what was done. Raises MidiPoolError."""
    try:
        asked: Command = msgspec.convert(words, Command)
    except msgspec.ValidationError as error:
        raise InvalidValue("take", str(error)) from None
    match asked:
        case Play(name=""):
            return await player.go_on()
        case Play():
            wanted = Wanted(
                asked.name,
                asked.from_bar,
                loop_of(asked.loop),
                asked.at_bar,
                asked.mute,
                asked.set_tempo,
            )
            return await player.play(wanted)
        case Pause():
            return await player.pause()
        case Seek(bar=bar):
            return await player.seek(bar)
        case Repeat(loop=loop):
            return await player.repeat(loop_of(loop))
        case Mute(tracks=tracks):
            return await player.mute(tracks)
        case Stop():
            return await player.stop()


def loop_of(bars: tuple[int, int] | None) -> Loop | None:
    """`(5, 9)` repeats bars 5 to 8; raises InvalidValue."""
    return None if bars is None else Loop(*bars)
