"""What a page asks for about recordings. Pure."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from midipool.meter import BarNumber, Loop
from midipool_client.page.request import Request
from midipool_client.recording.names import MOST_NAME

TakeName = Annotated[str, Meta(min_length=1, max_length=MOST_NAME)]
"""A recording's; what else it may be is said when it is used."""
Files = Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=256)]


class RecordStart(Request, tag="record_start", frozen=True, kw_only=True):
    """Record everybody, from the next bar line on."""

    format: Literal["flac", "wav"] = "flac"
    quota_gb: Annotated[float, Meta(gt=0)] | None = None
    """End when all recordings take so much."""


class RecordStop(Request, tag="record_stop", frozen=True, kw_only=True):
    """End the recording."""


class RenameTake(Request, tag="rename_take", frozen=True, kw_only=True):
    """Give a recording another name."""

    take: TakeName
    new: TakeName


class DeleteTake(Request, tag="delete_take", frozen=True, kw_only=True):
    """Delete a recording for good."""

    take: TakeName


class PlayTake(Request, tag="play_take", frozen=True, kw_only=True):
    """Play a recording into the room, as a further participant."""

    take: TakeName
    from_bar: BarNumber = 1
    """Of the recording, whose bars begin with 1."""
    loop: Loop | None = None
    at_bar: BarNumber | None = None
    """Begin with this bar of the room's song; null is the next one."""
    mute: Files = msgspec.field(default_factory=list)
    """Tracks' files."""
    set_tempo: bool = False
    """Set the room to the recording's tempo and meter first."""


class PauseTake(Request, tag="pause_take", frozen=True, kw_only=True):
    """Let the recording that is played be silent; it keeps its bar."""


class ResumeTake(Request, tag="resume_take", frozen=True, kw_only=True):
    """Go on with the recording on the next bar line: after a pause, or from bar 1 after its end."""


class SeekTake(Request, tag="seek_take", frozen=True, kw_only=True):
    """Go on from another bar of the recording, on the room's next bar line."""

    bar: BarNumber


class LoopTake(Request, tag="loop_take", frozen=True, kw_only=True):
    """Repeat bars of the recording, or none."""

    loop: Loop | None


class MuteTake(Request, tag="mute_take", frozen=True, kw_only=True):
    """Silence these tracks of the recording, and no others."""

    files: Files


class StopTake(Request, tag="stop_take", frozen=True, kw_only=True):
    """Let the recording leave the room."""


TakeRequest = (
    RecordStart
    | RecordStop
    | RenameTake
    | DeleteTake
    | PlayTake
    | PauseTake
    | ResumeTake
    | SeekTake
    | LoopTake
    | MuteTake
    | StopTake
)
