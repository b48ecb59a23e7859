"""What a client sends."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from midipool.messages.access import (
    AccessCommand,
    InvitationText,
    Password,
)
from midipool.messages.audio import AudioReport
from midipool.messages.chat import Retell, Say
from midipool.messages.command import Command
from midipool.messages.fields import (
    MAX_TIMELINES,
    Bpm,
    CommandId,
    EngineState,
    MemberKind,
    Message,
    Microseconds,
    Mode,
    Name,
    Nanoseconds,
    Token,
    VoteId,
)
from midipool.messages.graph import (
    HandGraph,
    HearOnly,
    LinkNodes,
    ResetGraph,
    SetGroup,
    SetRecorder,
    UnlinkNodes,
)
from midipool.messages.media import MediaOffer
from midipool.messages.midi import Midi
from midipool.messages.modules import ModuleCommand, ModuleHealth
from midipool.messages.snapshots import LoadRoom, MyPart, SaveRoom
from midipool.messages.songs import (
    AddSong,
    ChangeSong,
    HandSongs,
    LoadSong,
    MoveSong,
    RemoveSong,
)
from midipool.meter import Loop, Meter, Position
from midipool.timeline import CountInBars, RoomTimeUs, Timeline


class Hello(Message, tag="hello", frozen=True):
    """The first message of a connection; answered by `welcome`, or by `error` and a close."""

    version: int
    """Protocol version that the client speaks."""
    name: Name
    """What others see; no two members of a room share one."""
    role: Literal["member", "remote"] = "member"
    """A *remote* conducts or looks on without being a member, and never brings a room to life."""
    token: Token = ""
    """From an earlier `welcome`: takes that member's place again after a broken connection. A
    remote with a member's token acts for that member."""
    capabilities: Annotated[list[Name], Meta(max_length=32)] = msgspec.field(default_factory=list)
    """Optional parts of the protocol that the client understands: `chat`, `songs`, `snapshots`,
    `going_down`, `access`, `graph`, `modules`."""
    password: Password | None = None
    """Of a room that has one."""
    invitation: InvitationText = ""
    """Lets in without a password, as what it says."""
    kind: MemberKind = "player"
    """What the member is, in the room's graph too: programs are a `module`, which passes on what it
    hears, an `instrument`, which only plays, or an `analyzer`, which only hears."""


class Start(Command, tag="start", frozen=True):
    """Play from bar 1."""

    since: RoomTimeUs | None = None
    """Room time at which the sender's own song was at bar 1, beat 1: the song joins it on the way.
    At most 5 s ago and 60 s ahead, and only at `now`."""
    count_in_bars: CountInBars = 0
    """Bars that are clicked before the song begins. Not together with `since`."""


class Stop(Command, tag="stop", frozen=True):
    """Stop; the song keeps its position."""


class Continue(Command, tag="continue", frozen=True):
    """Play on from where the song is."""

    since: RoomTimeUs | None = None
    """Room time at which the sender's own song went on from there, as for `start`."""
    count_in_bars: CountInBars = 0
    """Bars that are clicked before the song goes on. Not together with `since`."""


class SetTempo(Command, tag="tempo", frozen=True, kw_only=True):
    """Change the tempo, at once or in an even ramp."""

    bpm: Bpm
    """Beats (quarter notes) a minute; kept to 0.001."""
    ramp_bars: Annotated[int, Meta(ge=0, le=1000)] = 0
    """Bars that the ramp takes; 0 changes at once. A stopped room changes at once."""


class Locate(Command, tag="locate", frozen=True, kw_only=True):
    """Move the song to a position."""

    position: Position
    """Bar and beat, both from 1."""
    since: RoomTimeUs | None = None
    """Room time at which the sender's own song was there, as for `start`."""


class SetLoop(Command, tag="loop", frozen=True, kw_only=True):
    """Repeat some bars, or none."""

    loop: Loop | None
    """From the start of `start_bar` to the start of `end_bar`; null ends the loop."""


class SetMeter(Command, tag="meter", frozen=True, kw_only=True):
    """Change the meter on a bar line; the bar keeps its number."""

    meter: Meter
    """N/1 to N/32."""


class SetMode(Message, tag="mode", frozen=True):
    """Say who may change the room; answered by `ok` or `error`."""

    id: CommandId
    """Chosen by the sender, repeated in the answer."""
    mode: Mode
    """`open`: everybody; `leader`: one member; `vote`: more than half; `locked`: nobody."""
    leader: Name | None = None
    """Who leads; with `leader` and only then."""


class Ballot(Message, tag="ballot", frozen=True):
    """A member's answer to the running vote; the newest counts. Answered by `ok` or `error`."""

    id: CommandId
    """Chosen by the sender, repeated in the answer."""
    vote: VoteId
    """Which vote, from the `vote` message."""
    yes: bool
    """Whether the member agrees."""


class Takeover(Message, tag="takeover", frozen=True):
    """A member hands the timeline it plays on to a room that has none, in the new room clock."""

    timelines: Annotated[list[Timeline], Meta(min_length=1, max_length=MAX_TIMELINES)]
    """The one in force and those agreed upon for later."""
    mode: Mode = "open"
    """The room's mode, as the member heard it last."""
    leader: Name | None = None
    """Who led the room."""
    locked_by: Name | None = None
    """Who had locked the room."""


class ClockProbe(Message, tag="clock_probe", frozen=True):
    """A clock probe over the WebSocket, for as long as UDP does not answer."""

    t1_ns: Nanoseconds
    """The client's clock when it sent the probe; repeated in the reply."""


class MemberStatus(Message, tag="member_status", frozen=True, omit_defaults=False):
    """How a member's clock does; about once a second."""

    round_trip_us: Microseconds
    """Least round trip of the recent probes."""
    error_bound_us: Microseconds
    """The clock offset is right to within this."""
    drift_ppm: Annotated[float, Meta(ge=-1e6, le=1e6)]
    """How much faster the room's clock runs than the member's."""
    jitter_us: Microseconds
    """Mean delay of the probes above the least."""
    offset_us: Microseconds
    """Room clock minus the member's clock."""
    probes: Literal["udp", "websocket"] = "udp"
    """What carries the probes."""
    engine: EngineState = "starting"
    """State of the MIDI engine."""
    ticks: Annotated[int, Meta(ge=0)] = 0
    """Clock bytes (F8) put on the port so far."""
    late_ticks: Annotated[int, Meta(ge=0)] = 0
    """Those that came later than their port allows."""
    tick_jitter_us: Annotated[float, Meta(ge=0, le=1e7)] = 0.0
    """The most that one came later than it was due, of about the last second."""
    early_us: Annotated[float, Meta(ge=0, le=1e6)] = 0.0
    """How far ahead of room time its earliest port plays: the room tells it of changes sooner."""
    link_peers: Annotated[int, Meta(ge=0)] | None = None
    """Others in the Link session of the member's network; null without a bridge."""
    module: ModuleHealth | None = None
    """How a module keeps up; null of a player."""


ClientMessage = (
    Hello
    | Start
    | Stop
    | Continue
    | SetTempo
    | Locate
    | SetLoop
    | SetMeter
    | SetMode
    | Ballot
    | Takeover
    | ClockProbe
    | MemberStatus
    | Midi
    | AudioReport
    | MediaOffer
    | Say
    | Retell
    | AddSong
    | ChangeSong
    | RemoveSong
    | MoveSong
    | LoadSong
    | HandSongs
    | AccessCommand
    | LinkNodes
    | UnlinkNodes
    | HearOnly
    | SetGroup
    | SetRecorder
    | ResetGraph
    | HandGraph
    | SaveRoom
    | LoadRoom
    | MyPart
    | ModuleCommand
)
TransportCommand = Start | Stop | Continue | SetTempo | Locate | SetLoop | SetMeter
