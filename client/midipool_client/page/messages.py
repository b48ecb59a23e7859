"""What a page and the client say to one another: strict JSON, tagged by `type`. Pure.

docs/page.md and docs/page.schema.json are made from these structs. Room commands are those of the
room's own protocol, and are answered here in the same way: by their `id`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from midipool.audio.profiles import ProfileName
from midipool.audio.strips import LEAST_DB, MOST_CHANNELS, MOST_DB
from midipool.errors import InvalidMessage
from midipool.messages import (
    AccessCommand,
    AddSong,
    Ballot,
    ChangeSong,
    CommandId,
    Continue,
    HearOnly,
    LinkNodes,
    LoadSong,
    Locate,
    Message,
    ModuleCommand,
    MoveSong,
    Name,
    RemoveSong,
    ResetGraph,
    Say,
    SetGroup,
    SetLoop,
    SetMeter,
    SetMode,
    SetTempo,
    Start,
    Stop,
    UnlinkNodes,
)
from midipool.messages.codec import rule_in_words
from midipool_client.effects.places import BoardName
from midipool_client.join_choice import JoinChoice
from midipool_client.page.effects_requests import EffectsRequest
from midipool_client.page.learn_requests import LearnRequest
from midipool_client.page.request import Request
from midipool_client.page.state import Changed, State
from midipool_client.page.take_requests import TakeRequest

MAX_PAGE_BYTES = 64 * 1024

Decibels = Annotated[float, Meta(ge=LEAST_DB, le=MOST_DB)]


class Join(Request, tag="join", frozen=True, kw_only=True):
    """Go into a room; only while the client is in none."""

    server: Annotated[str, Meta(max_length=1024)]
    """`HOST`, `HOST:PORT`, the whole address `ws://HOST:PORT/ROOM`, or an invitation's link."""
    room: Annotated[str, Meta(max_length=64)] = ""
    """Its name; empty with a whole address."""
    name: Annotated[str, Meta(max_length=64)]
    """What the others see."""
    password: Annotated[str, Meta(max_length=128)] = ""
    """Of a room that has one."""
    choice: JoinChoice = JoinChoice()
    """With which devices; it is kept for the next time."""


class LookForDevices(Request, tag="look_for_devices", frozen=True, kw_only=True):
    """See anew what devices there are; only while the client is in no room."""


class CheckDevices(Request, tag="check_devices", frozen=True, kw_only=True):
    """Open sound devices to see the input's level, also others than before; likewise."""

    choice: JoinChoice = JoinChoice()
    hear_yourself: bool = False
    """Whether the input comes out."""


class EndCheck(Request, tag="end_check", frozen=True, kw_only=True):
    """Close them again."""


class Leave(Request, tag="leave", frozen=True, kw_only=True):
    """Leave the room, for another one; only of a client that was started without a room."""


class SetStrip(Request, tag="set_strip", frozen=True, kw_only=True):
    """Change what is given of another player's strip."""

    member: Name
    gain_db: Decibels | UnsetType = UNSET
    pan: Annotated[float, Meta(ge=-1, le=1)] | UnsetType = UNSET
    """-1 is left, 1 is right."""
    mute: bool | UnsetType = UNSET
    solo: bool | UnsetType = UNSET


class SetChannel(Request, tag="set_channel", frozen=True, kw_only=True):
    """Change what is given of a channel of one's own input."""

    channel: Annotated[int, Meta(ge=1, le=MOST_CHANNELS)]
    gain_db: Decibels | UnsetType = UNSET
    """As it is sent, and monitored."""
    pan: Annotated[float, Meta(ge=-1, le=1)] | UnsetType | None = UNSET
    """In the own mix; null is where it lies by itself."""
    mute: bool | UnsetType = UNSET
    """For the room alone."""
    solo: bool | UnsetType = UNSET
    """In the own mix alone."""


class SetMix(Request, tag="set_mix", frozen=True, kw_only=True):
    """Change what is given of the master's and one's own strip."""

    master_db: Decibels | UnsetType = UNSET
    monitor_db: Decibels | UnsetType | None = UNSET
    """Own input in the own mix; null is off."""
    send_db: Decibels | UnsetType = UNSET
    """Own input as the room gets it."""
    send_mute: bool | UnsetType = UNSET
    send_channels: Literal[1, 2, 4] | UnsetType | None = UNSET
    """Fewer than there are; null is all of them."""


class SetListening(Request, tag="set_listening", frozen=True, kw_only=True):
    """Change what is given of how soon the others are heard."""

    profile: ProfileName | UnsetType = UNSET
    bars: Annotated[int, Meta(ge=1, le=16)] | UnsetType = UNSET
    max_latency_ms: Annotated[float, Meta(ge=5, le=1000)] | UnsetType = UNSET


class SetClick(Request, tag="set_click", frozen=True, kw_only=True):
    """Change what is given of the click, on all ports that have it."""

    volume: Annotated[float, Meta(ge=0, le=1)] | UnsetType = UNSET
    """Of the notes' velocity; at 0 nothing is sent."""
    only_count_in: bool | UnsetType = UNSET


class SwitchClick(Request, tag="switch_click", frozen=True, kw_only=True):
    """Let a MIDI port have the click, or no more; until the room is left."""

    on: bool
    port: Annotated[int, Meta(ge=1, le=64)] = 1
    """Which of `mixer.clicks`."""


class SetPage(Request, tag="set_page", frozen=True, kw_only=True):
    """Change what is given of how the page is set; it is kept, for all pages of this user."""

    count_in_bars: Annotated[int, Meta(ge=0, le=8)] | UnsetType = UNSET
    """That start and continue of the page have."""
    meters: Literal["pre", "post"] | UnsetType = UNSET
    """Before the faders, or behind them."""
    record_format: Literal["flac", "wav"] | UnsetType = UNSET
    quota_gb: Annotated[float, Meta(gt=0)] | UnsetType | None = UNSET
    """That all recordings may take; null is no limit but the disk's."""
    board: BoardName | UnsetType = UNSET
    """The board of effects that is shown."""


class Snapshot(Message, tag="snapshot", frozen=True, omit_defaults=False):
    """All of the state; the first message of each connection."""

    state: State


class HeardOnce(msgspec.Struct, frozen=True, array_like=True):
    """How one other player was heard at a time."""

    member: str
    latency_ms: float | None
    jitter_ms: float
    residual_loss: float


class HeardSoFar(Message, tag="heard_so_far", frozen=True, omit_defaults=False):
    """The last minutes of how the others are heard, a look each second; after the snapshot."""

    at_s: list[float]
    """Seconds since 1970, of each look."""
    heard: list[list[HeardOnce]]
    """What was seen then: member, latency_ms, jitter_ms, residual_loss."""


class Delta(Message, tag="delta", frozen=True, omit_defaults=False):
    """The parts of the state that are others now, each whole."""

    changed: Changed


class Done(Message, tag="done", frozen=True):
    """What was asked for has happened, or is agreed upon for the next bar line."""

    id: CommandId


class Refused(Message, tag="refused", frozen=True):
    """What was asked for has not happened."""

    text: str
    """For people: why, and what to do."""
    id: CommandId | None = None
    """The request's, when it had one."""
    field: str | None = None
    """Which field broke a rule."""


TalkRequest = Say | LoadSong | AddSong | ChangeSong | RemoveSong | MoveSong
GraphRequest = LinkNodes | UnlinkNodes | HearOnly | SetGroup | ResetGraph
RoomRequest = (
    Start
    | Stop
    | Continue
    | SetTempo
    | Locate
    | SetLoop
    | SetMeter
    | SetMode
    | Ballot
    | TalkRequest
    | AccessCommand
    | GraphRequest
    | ModuleCommand
)
MixRequest = SetStrip | SetChannel | SetMix | SetListening | SetClick | SwitchClick | SetPage
WayInRequest = Join | LookForDevices | CheckDevices | EndCheck
OwnRequest = EffectsRequest | TakeRequest | LearnRequest | WayInRequest | Leave
FromPage = RoomRequest | MixRequest | OwnRequest
ToPage = Snapshot | HeardSoFar | Delta | Done | Refused

_from_page: msgspec.json.Decoder[FromPage] = msgspec.json.Decoder(FromPage)
_encoder = msgspec.json.Encoder()


class _OnlyId(msgspec.Struct):
    id: CommandId | None = None


def decode(data: str) -> FromPage:
    """A page's message; raises InvalidMessage, with its `id` where that can be read."""
    if len(data) > MAX_PAGE_BYTES:
        raise InvalidMessage(f"longer than {MAX_PAGE_BYTES} bytes")
    try:
        return _from_page.decode(data)
    except msgspec.ValidationError as error:
        rule, _, path = str(error).partition(" - at `$")
        field = path.rstrip("`").lstrip(".") or None
        rule = rule_in_words(rule, field) if field else rule
        words = rule.replace("Expected `float`", "must be a number").replace("`", "")
        words = words if field is None or words.startswith(field) else f"{field}: {words}"
        raise InvalidMessage(words, field, _id_of(data)) from None
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError) as error:
        raise InvalidMessage(f"not a message of the page: {error}", None, _id_of(data)) from None


def encode(message: ToPage) -> str:
    """JSON text of a message."""
    return _encoder.encode(message).decode()


def _id_of(data: str) -> int | None:
    try:
        return msgspec.json.decode(data, type=_OnlyId).id
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
        return None
