"""What the server sends."""

from typing import Annotated

import msgspec
from msgspec import Meta

from midipool.messages.access import Access, AtTheDoor, Invitation, Waiting
from midipool.messages.audio import HeardBy
from midipool.messages.chat import Chat, ChatNews
from midipool.messages.fields import (
    Bpm,
    ClockId,
    CommandId,
    MemberKind,
    Message,
    Mode,
    Name,
    Nanoseconds,
    RoomName,
    Text,
    Token,
    VoteId,
)
from midipool.messages.from_client import MemberStatus
from midipool.messages.graph import GraphNews, RoomGraph
from midipool.messages.media import MediaKey, MediaOfferFrom, MediaSeat, SenderId
from midipool.messages.midi import MidiFrom
from midipool.messages.modules import ModuleNews, Modules
from midipool.messages.snapshots import PartGiven, PartWanted, RoomSaved
from midipool.messages.songs import SongGone, SongLoaded, SongPut, Songs
from midipool.meter import Loop, Meter
from midipool.timeline import RoomTimeUs, Timeline


class MemberInfo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member as others see it."""

    name: Name
    connected: bool = True
    """False while its connection is broken and its place is kept."""
    status: MemberStatus | None = None
    """The newest that it sent."""
    sender: SenderId | None = None
    """Its id in media datagrams; null on a server without a relay."""
    kind: MemberKind = "player"
    """As its `hello` said."""


class RoomMode(Message, tag="room_mode", frozen=True):
    """Who may change the room, sent when that changes."""

    mode: Mode
    """`open`: everybody; `leader`: one member; `vote`: more than half; `locked`: nobody."""
    leader: Name | None = None
    """Who leads the room, with `leader`."""
    locked_by: Name | None = None
    """Who locked the room, with `locked`."""


class Vote(Message, tag="vote", frozen=True):
    """A command that waits for the members' votes; sent when it begins and when a vote counts."""

    vote: VoteId
    """For `ballot`."""
    proposer: Name
    """Who asks for it."""
    text: str
    """For people: the command."""
    yes: list[Name]
    """Who agrees, of those connected."""
    no: list[Name]
    """Who does not, of those connected."""
    needed: int
    """It passes with so many that agree: more than half of those connected."""
    ends_us: RoomTimeUs
    """Room time at which it fails without a majority."""


class VoteResult(Message, tag="vote_result", frozen=True):
    """A vote is over."""

    vote: VoteId
    """Which one."""
    passed: bool
    """Whether the command applies."""
    reason: str
    """For people: how it came out."""


class Welcome(Message, tag="welcome", frozen=True):
    """The answer to `hello`: all that a member needs to play along."""

    version: int
    """Protocol version that the server speaks."""
    room: RoomName
    """The room's name."""
    clock_id: ClockId
    """Names the clock that room times are measured on. Another id is another clock."""
    clock_port: Annotated[int, Meta(ge=0, le=65535)]
    """UDP port, on the same host, that answers clock probes; 0 when there is none."""
    token: Token
    """For `hello.token` when the connection breaks."""
    fresh: bool
    """The room has no timeline of its own yet: a member that has one may send `takeover`."""
    timelines: list[Timeline]
    """The one in force and those agreed upon for later."""
    members: list[MemberInfo]
    """Everybody in the room, the new member among them."""
    mode: Mode = "open"
    """Who may change the room, as in `room_mode`."""
    leader: Name | None = None
    """Who leads the room, with `leader`."""
    locked_by: Name | None = None
    """Who locked the room, with `locked`."""
    vote: Vote | None = None
    """The running vote."""
    acts_for: Name | None = None
    """The member that a remote acts for, by the token in its `hello`."""
    media: MediaSeat | None = None
    """For audio; null for a remote, and on a server without a relay."""
    capabilities: list[Name] = msgspec.field(default_factory=list)
    """Optional parts of the protocol that the server understands: as in `hello`."""


class BarPosition(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the song is at a bar_sync's target."""

    bar: int
    beat: int
    song_position: Annotated[int, Meta(ge=0, le=16383)]
    """MIDI song position: sixteenths, modulo 16384."""


class BarSync(Message, tag="bar_sync", frozen=True):
    """What happens at one instant: a bar line, or a change of the timeline.

    A bar line is announced two bars or 500 ms ahead, whichever is longer; a change, and the bar
    lines right behind it, one lead time ahead. Each holds the whole timeline, so that one that is
    lost or late changes nothing that is heard.
    """

    target_send_timestamp: RoomTimeUs
    """Room time, in µs, at which the bar's first clock byte is due."""
    bpm: Bpm
    """Tempo at the target."""
    position: BarPosition
    """Position at the target."""
    meter: Meter
    """The room's meter."""
    loop: Loop | None
    """The room's loop."""
    playing: bool
    """Whether the song runs from the target on."""
    revision: int
    """Rises with every change of the timeline."""
    epoch: int
    """Rises with every start, stop, continue, locate and change of meter."""
    timeline: Timeline
    """The timeline that the target lies on."""


class Members(Message, tag="members", frozen=True):
    """Everybody in the room, sent when somebody joins, leaves, or loses the connection."""

    members: list[MemberInfo]


class Ok(Message, tag="ok", frozen=True):
    """A command, a mode or a ballot was accepted."""

    id: CommandId
    target_send_timestamp: RoomTimeUs
    """Room time at which it applies."""
    revision: int
    epoch: int


class Error(Message, tag="error", frozen=True):
    """Something was refused; the connection lives on unless `closing` follows."""

    code: str
    """For programs: one of the codes in docs/protocol.md."""
    message: str
    """For people: what is wrong and what to do."""
    field: str | None = None
    """Which field broke the rule."""
    id: CommandId | None = None
    """The command's, when it had one."""


class ClockReply(Message, tag="clock_reply", frozen=True):
    """The answer to `clock_probe`."""

    t1_ns: Nanoseconds
    t2_ns: Nanoseconds
    """Room clock when the probe arrived."""
    t3_ns: Nanoseconds
    """Room clock when the reply left."""


class Closing(Message, tag="closing", frozen=True):
    """The server ends this connection, and says why."""

    reason: str
    again: bool = True
    """Whether it makes sense to connect again."""


class GoingDown(Message, tag="going_down", frozen=True):
    """The server will end soon. The clock plays on, and members connect again by themselves."""

    reason: Text
    """For people."""
    in_s: Annotated[float, Meta(ge=0, le=86_400)]
    """It ends these connections then, or sooner once nobody is left."""


ServerMessage = (
    Welcome
    | BarSync
    | Members
    | RoomMode
    | Vote
    | VoteResult
    | Ok
    | Error
    | ClockReply
    | Closing
    | MidiFrom
    | HeardBy
    | MediaKey
    | MediaOfferFrom
    | Chat
    | ChatNews
    | Songs
    | SongPut
    | SongGone
    | SongLoaded
    | GoingDown
    | Access
    | AtTheDoor
    | Waiting
    | Invitation
    | RoomGraph
    | GraphNews
    | RoomSaved
    | PartWanted
    | PartGiven
    | Modules
    | ModuleNews
)

TRY_AGAIN = frozenset(
    {
        *("going_down", "server_full", "room_full", "name_taken", "no_such_room"),
        *("door_locked", "too_many_tries", "too_fast"),
    }
)
"""Who is not let in for one of these may be another time: it failed, and was not refused."""
ERROR_CODES = {
    "bad_message": "not a message of this protocol; `field` says where",
    "bad_version": "the two ends speak different versions of the protocol",
    "bad_value": "a value breaks a rule that depends on the room (a beat that the bar has not)",
    "hello_expected": "the first message must be `hello`, and only the first",
    "name_taken": "another member of the room has this name",
    "no_such_room": "no member is in a room of this name, and a remote does not make one",
    "room_full": "the room has as many members as the server allows",
    "server_full": "the server has as many rooms as it allows",
    "going_down": "the server goes down, and lets in only who comes back to a place in a room",
    "bad_room": "this cannot be the name of a room",
    "stale_epoch": "the transport was started, stopped or moved since the command was meant",
    "not_fresh": "a takeover came to a room that has a timeline",
    "not_leader": "the room has a leader, and only that member changes it",
    "locked": "the room is locked, and only who locked it can open it",
    "not_member": "only members vote, lock, talk and play, and a remote that acts for none is none",
    "no_such_song": "the song is not in the list, or the list has several of this name",
    "stale_song": "the song was changed since the change was meant",
    "bad_snapshot": "a document that was to be loaded breaks a rule; `field` says where",
    "snapshot_busy": "somebody else is loading a document, or it is saved too often: try again",
    "list_full": "the song list has as many songs, or as many notes, as it takes",
    "no_such_node": "the graph knows no member or group of this name",
    "link_exists": "the link is there already, and as it was asked for",
    "no_such_link": "there is no such link to take away",
    "circle": "the link would let a node hear itself; `message` has the way around",
    "graph_full": "the graph has as many groups, or links that are not as usual, as it takes",
    "help": "what one can type into the chat: asked for, and told to the asker alone",
    "no_such_module": "the room's list has no module of this name",
    "no_such_program": "the server's operator allows no program of this name in this room",
    "modules_full": "the room has as many modules as it takes",
    "vote_failed": "no majority agreed in time",
    "vote_running": "the room votes on something else, or already on this",
    "no_such_vote": "this vote is not running (any more)",
    "no_such_member": "no member of this name is connected, or it is the sender itself",
    "password_needed": "the room has a password, and the `hello` had none, nor an invitation",
    "bad_password": "this is not the room's password",
    "bad_invitation": "forged, of another room, out of date, taken back, or used up",
    "invitation_needed": "this server lets in who was invited, and nobody else",
    "too_many_tries": "too many wrong passwords or invitations from this address: wait",
    "banned": "a host of the room has banned this member",
    "door_locked": "the room's hosts let in nobody new",
    "turned_away": "a host did not let in who waited",
    "waiting": "who waits at the door cannot do anything yet",
    "not_host": "only hosts of the room do this",
    "listener": "listeners hear and talk, and do nothing else in the room",
    "muted": "a host has muted this member: nobody hears what it plays",
    "no_such_ban": "nobody of this name is banned",
    "last_host": "a room that has a host keeps one",
    "too_fast": "more messages or MIDI from one connection, or changes that wait, than are taken",
}
