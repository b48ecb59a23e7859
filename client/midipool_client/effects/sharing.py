"""Boards that members give to one another, as lines of the room's chat."""

from midipool.effects.lines import line_of, newest, preset_in
from midipool.effects.presets import Preset
from midipool.errors import Unavailable
from midipool.messages import MAX_LINE_CHARACTERS
from midipool_client.effects.rack import Rack, Talk


async def share(rack: Rack, place: str, name: str) -> None:
    """Say a board to the room; raises MidiPoolError."""
    line = line_of(name, rack.boards.board(place), MAX_LINE_CHARACTERS)
    await _talk(rack).say(line)


def shared(rack: Rack, name: str) -> Preset:
    """The newest of that name that was said; raises MidiPoolError."""
    return newest(_talk(rack).lines, name)


def shared_names(rack: Rack) -> list[str]:
    """Of all that were said, the newest last."""
    lines = [] if rack.talk is None else rack.talk.lines
    return list(dict.fromkeys(p.name for line in lines if (p := preset_in(line)) is not None))


def _talk(rack: Rack) -> Talk:
    if rack.talk is None:
        raise Unavailable("there is no room to share effects with")
    return rack.talk
