"""Boards and presets of a running client, as its page shows and asks for them."""

import asyncio
from dataclasses import dataclass, field

from midipool.effects import presets
from midipool.effects.board import Board
from midipool.errors import InvalidValue, Unavailable
from midipool_client.effects.commands import added, check_channel
from midipool_client.effects.rack import Rack
from midipool_client.effects.sharing import share, shared, shared_names
from midipool_client.page.effects_requests import (
    AddEffect,
    BypassEffect,
    DeletePreset,
    EffectsRequest,
    ImportBoard,
    LoadPreset,
    MoveEffect,
    RemoveEffect,
    SavePreset,
    SetEffect,
    SetTuner,
    ShareBoard,
    TakeBoard,
)
from midipool_client.page.effects_state import (
    BoardView,
    EffectKinds,
    EffectsNow,
    EffectsPart,
    board_title,
    effects_of,
    kinds_view,
    places,
)

KINDS_VIEW: EffectKinds = kinds_view()
_NONE, _NOT_NOW = EffectsPart(), EffectsNow()


@dataclass
class EffectsView:
    """Looks at a rack as long as a page does."""

    _names: list[str] = field(default_factory=list)
    _names_s: float = 0.0

    def boards(self, rack: Rack | None, now_s: float, again_s: float = 2.0) -> EffectsPart:
        """Boards and presets; presets are read anew now and then."""
        if rack is None:
            return _NONE
        if now_s >= self._names_s:
            self._names, self._names_s = rack.folder.names(), now_s + again_s
        found = {} if rack.status is None else rack.status.found
        problems = {e.id: rack.problem_of(e.id) for e in rack.boards.all_effects()}
        return EffectsPart(
            available=True,
            problem=rack.problem or rack.not_saved,
            boards=[
                BoardView(
                    board=place,
                    title=board_title(place),
                    effects=effects_of(rack.boards, place, problems, found),
                )
                for place in places(rack.channels)
            ],
            presets=self._names,
            shared=shared_names(rack),
            channels=rack.channels,
            tuner=rack.tuner,
        )

    def now(self, rack: Rack | None, rate: int) -> EffectsNow:
        """How they do."""
        status = None if rack is None else rack.status
        if rack is None or status is None:
            return _NOT_NOW
        own, master = ([i.older_frames for i in rack.inserts] + [0, 0])[:2]
        pitch = status.pitch
        return EffectsNow(
            running=True,
            load=round(status.load, 3),
            late=rack.late,
            own_later_ms=round(own * 1e3 / rate, 2),
            master_later_ms=round(master * 1e3 / rate, 2),
            hz=0.0 if pitch is None else pitch.hz,
            note="" if pitch is None else pitch.note,
            cents=0.0 if pitch is None else pitch.cents,
        )

    async def ask(self, rack: Rack | None, request: EffectsRequest) -> None:
        """Do what a page asks for; raises MidiPoolError."""
        if rack is None:
            raise Unavailable("there is no audio to put effects on")
        self._names_s = 0.0
        match request:
            case SetTuner():
                if request.channel > rack.channels:
                    raise InvalidValue("channel", f"must be {rack.channels} at most")
                rack.tune(request.channel)
            case SavePreset():
                board = rack.boards.board(request.board)
                preset = presets.preset_of(request.name, board)
                await asyncio.to_thread(rack.folder.keep, preset)
            case DeletePreset():
                await asyncio.to_thread(rack.folder.delete, request.name)
            case AddEffect():
                board = rack.boards.board(request.board)
                at = request.position if isinstance(request.position, int) else None
                board = added(rack.boards, board, request.kind, at, request.values)
                _put(rack, request.board, board)
            case LoadPreset():
                preset = await asyncio.to_thread(rack.folder.preset, request.name)
                _put(rack, request.board, presets.board_of(preset, rack.boards.next_id))
            case ShareBoard():
                await share(rack, request.board, request.name)
            case TakeBoard():
                preset = shared(rack, request.name)
                _put(rack, request.board, presets.board_of(preset, rack.boards.next_id))
            case ImportBoard():
                preset, _ = presets.from_json(request.json.encode())
                _put(rack, request.board, presets.board_of(preset, rack.boards.next_id))
            case _:
                effect = request.effect
                id = effect if isinstance(effect, int) else rack.boards.id_of(effect)
                place = rack.boards.place_of(id)
                _put(rack, place, _changed(rack.boards.board(place), request, id))


def _put(rack: Rack, place: str, board: Board) -> None:
    check_channel(rack, place, board)
    rack.set_boards(rack.boards.with_board(place, board))


def _changed(
    board: Board, request: RemoveEffect | MoveEffect | BypassEffect | SetEffect, id: int
) -> Board:
    match request:
        case RemoveEffect():
            return board.without(id)
        case MoveEffect():
            return board.with_moved(id, request.position)
        case BypassEffect():
            return board.with_bypass(id, request.bypass)
        case SetEffect():
            return board.with_values(id, request.values)
