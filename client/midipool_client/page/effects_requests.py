"""What a page asks of the boards of effects. Pure."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from midipool.effects.parameters import Value
from midipool_client.effects.places import BoardName
from midipool_client.page.request import Request

# A number is one that the state tells; a name is the board's, the kind's, and which of these it is
# from the left: `own/screamer`, `1/delay/2`. It is right whatever preset is loaded.
EffectId = (
    Annotated[int, Meta(ge=1)]
    | Annotated[str, Meta(pattern=r"^(?:[1-4]|own|master)/[a-z0-9_]{1,32}(?:/[1-9][0-9]?)?$")]
)
Position = Annotated[int, Meta(ge=1)]
PresetName = Annotated[str, Meta(max_length=64)]
KindName = Annotated[str, Meta(max_length=32)]


class AddEffect(Request, tag="add_effect", frozen=True, kw_only=True):
    """Put one more effect on a board."""

    board: BoardName
    kind: KindName
    position: Position | UnsetType = UNSET
    """From 1; last without it."""
    values: Mapping[str, Value] = {}


class RemoveEffect(Request, tag="remove_effect", frozen=True, kw_only=True):
    """Take an effect away."""

    effect: EffectId


class MoveEffect(Request, tag="move_effect", frozen=True, kw_only=True):
    """Put an effect to another position of its board."""

    effect: EffectId
    position: Position


class BypassEffect(Request, tag="bypass_effect", frozen=True, kw_only=True):
    """Pass an effect by, or use it again."""

    effect: EffectId
    bypass: bool


class SetEffect(Request, tag="set_effect", frozen=True, kw_only=True):
    """Set values of an effect."""

    effect: EffectId
    values: Mapping[str, Value]


class SavePreset(Request, tag="save_preset", frozen=True, kw_only=True):
    """Keep a board as a preset."""

    board: BoardName
    name: PresetName


class LoadPreset(Request, tag="load_preset", frozen=True, kw_only=True):
    """Make a preset the board."""

    board: BoardName
    name: PresetName


class DeletePreset(Request, tag="delete_preset", frozen=True, kw_only=True):
    """Forget a preset."""

    name: PresetName


class ImportBoard(Request, tag="import_board", frozen=True, kw_only=True):
    """Make a preset's JSON, ours or RTJam's, the board."""

    board: BoardName
    json: Annotated[str, Meta(max_length=12_000)]


class ShareBoard(Request, tag="share_board", frozen=True, kw_only=True):
    """Say a board to the room, as a line of its chat."""

    board: BoardName
    name: PresetName


class TakeBoard(Request, tag="take_board", frozen=True, kw_only=True):
    """Make what somebody shared the board."""

    board: BoardName
    name: PresetName


class SetTuner(Request, tag="set_tuner", frozen=True, kw_only=True):
    """Listen to the note of an own channel, from 1; 0 to none."""

    channel: Annotated[int, Meta(ge=0, le=4)]


EffectsRequest = (
    AddEffect
    | RemoveEffect
    | MoveEffect
    | BypassEffect
    | SetEffect
    | SavePreset
    | LoadPreset
    | DeletePreset
    | ImportBoard
    | ShareBoard
    | TakeBoard
    | SetTuner
)
