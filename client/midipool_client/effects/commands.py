"""What a shell, or whoever else reaches the client, may ask of the boards."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from midipool.effects import presets
from midipool.effects.board import Board, Boards, Effect
from midipool.effects.kinds import kind_of
from midipool.effects.parameters import Value
from midipool.errors import InvalidValue, Unavailable
from midipool_client.effects import words
from midipool_client.effects.messages import Pitch
from midipool_client.effects.rack import Rack
from midipool_client.effects.sharing import share, shared

SETTLE_S, LOOK_S = 20.0, 0.02
TUNER_S = 1.5


class _Asked(msgspec.Struct, tag_field="do", forbid_unknown_fields=True, frozen=True):
    """The base of all that may be asked."""


class Show(_Asked, tag="effects_show", frozen=True):
    """All boards, and how they do."""


class _OnBoard(_Asked, frozen=True):
    board: str


class Add(_OnBoard, tag="effects_add", frozen=True):
    """One more effect, last or at a position from 1."""

    kind: str
    position: int | None = None
    values: Mapping[str, Value] = {}


class Remove(_OnBoard, tag="effects_remove", frozen=True):
    """One effect less."""

    position: int


class Move(_OnBoard, tag="effects_move", frozen=True):
    """An effect to another position."""

    position: int
    to: int


class Bypass(_OnBoard, tag="effects_bypass", frozen=True):
    """An effect is passed by, or not."""

    position: int
    bypass: bool = True


class Set(_OnBoard, tag="effects_set", frozen=True):
    """Values of an effect."""

    position: int
    values: Mapping[str, Value]


class Clear(_OnBoard, tag="effects_clear", frozen=True):
    """No effects."""


class Save(_OnBoard, tag="effects_save", frozen=True):
    """The board becomes a preset."""

    name: str


class Load(_OnBoard, tag="effects_load", frozen=True):
    """A preset becomes the board."""

    name: str


class Export(_OnBoard, tag="effects_export", frozen=True):
    """The board as JSON."""

    name: str = "board"


class Import(_OnBoard, tag="effects_import", frozen=True):
    """JSON, ours or RTJam's, becomes the board."""

    json: str


class Share(_OnBoard, tag="effects_share", frozen=True):
    """The board is said to the room."""

    name: str


class Take(_OnBoard, tag="effects_take", frozen=True):
    """What somebody shared becomes the board."""

    name: str


class Tuner(_Asked, tag="effects_tuner", frozen=True):
    """What an own channel's note is; 0 listens no more."""

    channel: int


Asked = (
    Show
    | Add
    | Remove
    | Move
    | Bypass
    | Set
    | Clear
    | Save
    | Load
    | Export
    | Import
    | Share
    | Take
    | Tuner
)


async def obey(rack: Rack | None, said: dict[str, Any]) -> str:
    """Do it; how it stands then, for people. Raises MidiPoolError."""
    if rack is None:
        raise Unavailable("this client has no audio to put effects on: it runs with --no-audio")
    try:
        asked: Asked = msgspec.convert(said, Asked)
    except msgspec.ValidationError as error:
        raise InvalidValue("effects", str(error)) from None
    match asked:
        case Show():
            return words.rack_in_words(rack)
        case Tuner():
            return await _tune(rack, asked.channel)
        case Export():
            preset = presets.preset_of(asked.name, rack.boards.board(asked.board))
            return presets.to_json(preset).decode()
        case Save():
            board = rack.boards.board(asked.board)
            await asyncio.to_thread(rack.folder.keep, presets.preset_of(asked.name, board))
            return f"kept as {asked.name}"
        case Share():
            await share(rack, asked.board, asked.name)
            return f"the room has it as {asked.name}"
    before = rack.boards.board(asked.board)
    board, notes = await _changed(rack, before, asked)
    check_channel(rack, asked.board, board)
    rack.set_boards(rack.boards.with_board(asked.board, board))
    await _settled(rack)
    return "\n".join([*words.board_in_words(rack, asked.board), *notes])


async def _changed(rack: Rack, board: Board, asked: _OnBoard) -> tuple[Board, list[str]]:
    """The board then, and what there is to say of it; raises MidiPoolError."""
    match asked:
        case Add():
            return added(rack.boards, board, asked.kind, asked.position, asked.values), []
        case Remove():
            return board.without(board.at(asked.position).id), []
        case Move():
            return board.with_moved(board.at(asked.position).id, asked.to), []
        case Bypass():
            return board.with_bypass(board.at(asked.position).id, asked.bypass), []
        case Set():
            return board.with_values(board.at(asked.position).id, asked.values), []
        case Load():
            preset = await asyncio.to_thread(rack.folder.preset, asked.name)
            return presets.board_of(preset, rack.boards.next_id), []
        case Take():
            return presets.board_of(shared(rack, asked.name), rack.boards.next_id), []
        case Import():
            preset, notes = presets.from_json(asked.json.encode())
            return presets.board_of(preset, rack.boards.next_id), notes
    return Board(), []


def added(
    boards: Boards,
    board: Board,
    kind: str,
    position: int | None,
    values: Mapping[str, Value],
) -> Board:
    """The board with one more; raises InvalidValue."""
    spec = kind_of(kind)
    checked = {name: spec.check(name, value) for name, value in values.items()}
    effect = Effect(id=boards.next_id, kind=kind, values=checked)
    return board.with_added(effect, position)


def check_channel(rack: Rack, place: str, board: Board) -> None:
    """Raises InvalidValue for a board on a channel that there is not."""
    if place.isdigit() and int(place) > rack.channels and board.effects:
        rule = f"there is no own channel {place}: --channels is {rack.channels}"
        raise InvalidValue("board", rule)


async def _settled(rack: Rack) -> None:
    """Until it is heard, or somebody has to wait too long."""
    for _ in range(round(SETTLE_S / LOOK_S)):
        if rack.settled:
            return
        await asyncio.sleep(LOOK_S)


async def _tune(rack: Rack, channel: int) -> str:
    if not 0 <= channel <= rack.channels:
        raise InvalidValue("channel", f"must be 1 to {rack.channels}, or 0, not {channel}")
    anew = rack.tuner != channel
    rack.tune(channel)
    if channel == 0:
        return "the tuner is off"
    for _ in range(round(SETTLE_S / LOOK_S)):
        status = rack.status
        if rack.problem:
            raise Unavailable(rack.problem)
        if status is not None and status.pitch is not None:
            break
        await asyncio.sleep(LOOK_S)
    # One that has just begun to listen has heard too little yet.
    for _ in range(round(TUNER_S / LOOK_S) if anew else 0):
        if status is not None and status.pitch is not None and status.pitch.hz:
            break
        await asyncio.sleep(LOOK_S)
        status = rack.status
    pitch = None if status is None else status.pitch
    return words.pitch_in_words(pitch or Pitch())
