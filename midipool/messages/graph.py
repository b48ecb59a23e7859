"""Who hears whom in a room, and what is asked of it."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from midipool.audio.strips import LEAST_DB, MOST_DB
from midipool.errors import InvalidValue
from midipool.messages.fields import CommandId, MemberKind, Message, Name
from midipool.midi_kinds import Kind

MAX_GROUPS = 32
MAX_GROUP_MEMBERS = 64
MAX_LINK_RULES = 512
LEAST_FILTER_HZ, MOST_FILTER_HZ = 20, 20_000
GROUP_RULE = "`@` and 1 to 32 letters, digits, `_`, `.` or `-`; not `@all` or `@click`"

Medium = Literal["audio", "midi"]

GroupName = Annotated[
    str,
    Meta(
        max_length=33,
        pattern=r"^@(?!(?:all|click)$)[A-Za-z0-9_.-]{1,32}$(?!\n)",
        description=GROUP_RULE,
    ),
]
LinkGain = Annotated[float, Meta(ge=LEAST_DB, le=MOST_DB)]
FilterHz = Annotated[float, Meta(ge=0, le=MOST_FILTER_HZ, description="0 is off; 20 Hz to 20 kHz")]
AudioChannels = Annotated[
    tuple[Annotated[int, Meta(ge=1, le=4)], ...], Meta(max_length=4, description="1 to 4")
]
MidiChannels = Annotated[
    tuple[Annotated[int, Meta(ge=1, le=16)], ...], Meta(max_length=16, description="1 to 16")
]
MidiKinds = Annotated[tuple[Kind, ...], Meta(max_length=6)]
GraphRevision = Annotated[int, Meta(ge=0, le=2**53)]


class GraphNode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member as the graph sees it."""

    name: Name
    """Its name in the room."""
    kind: MemberKind = "player"
    """What it takes in and gives out, as `hello.kind` said; of who may not be heard `listener`."""
    of: Name | None = None
    """Of what is no member, the member that it belongs to: who records, of a recorder."""


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name for several nodes."""

    name: GroupName
    """With its `@`."""
    members: Annotated[tuple[Name, ...], Meta(max_length=MAX_GROUP_MEMBERS)]
    """Without any, there is no such group."""


class LinkRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which links there are beside the usual ones; of several that fit, the last holds."""

    source: Name
    """A node, `@click`, a group, or `@all`."""
    target: Name
    """A node, a group, or `@all`."""
    medium: Medium
    """Of which links."""
    linked: bool = True
    """False: the target hears nothing of the source."""
    gain_db: LinkGain = 0.0
    """Of audio: beside the gain of the listener's own strip."""
    channels: MidiChannels = ()
    """Those that the target gets: of audio 1 to 4, of MIDI 1 to 16; none is all."""
    kinds: MidiKinds = ()
    """Of MIDI: kinds of messages that the target gets; none is all."""
    high_pass_hz: FilterHz = 0.0
    """Of audio: what is lower is cut off, with 12 dB an octave; 0 is off."""
    low_pass_hz: FilterHz = 0.0
    """Of audio: what is higher is cut off, with 12 dB an octave; 0 is off."""

    def __post_init__(self) -> None:
        """Raises InvalidValue."""
        if self.medium == "audio" and not all(channel <= 4 for channel in self.channels):
            raise InvalidValue("channels", "of audio must be 1 to 4")
        if self.medium == "audio" and self.kinds:
            raise InvalidValue("kinds", "are for MIDI, not for audio")
        if self.medium == "midi" and self.gain_db:
            raise InvalidValue("gain_db", "is for audio, not for MIDI")
        self._check_filter()

    def _check_filter(self) -> None:
        for field in ("high_pass_hz", "low_pass_hz"):
            hz = getattr(self, field)
            if hz and self.medium == "midi":
                raise InvalidValue(field, "is for audio, not for MIDI")
            if 0 < hz < LEAST_FILTER_HZ:
                raise InvalidValue(field, "must be 20 Hz to 20 kHz, or 0: off")
        if 0 < self.low_pass_hz <= self.high_pass_hz:
            text = f"must be above high_pass_hz, {self.high_pass_hz:g} Hz: nothing would be heard"
            raise InvalidValue("low_pass_hz", text)


class LinkNodes(Message, tag="graph_link", frozen=True, kw_only=True):
    """Let `target` hear `source`, or change what is given of how; answered by `ok` or `error`."""

    id: CommandId
    """Chosen by the sender, repeated in the answer."""
    source: Name
    """A node, `@click`, a group, or `@all`."""
    target: Name
    """A node, a group, or `@all`."""
    medium: Medium | None = None
    """Null: both, or the one that the settings are for."""
    gain_db: LinkGain | UnsetType = UNSET
    """Of audio."""
    audio_channels: AudioChannels | UnsetType = UNSET
    """Those of the source that are heard; none is all."""
    high_pass_hz: FilterHz | UnsetType = UNSET
    """Of audio: what is lower is cut off, with 12 dB an octave; 0 is off."""
    low_pass_hz: FilterHz | UnsetType = UNSET
    """Of audio: what is higher is cut off, with 12 dB an octave; 0 is off."""
    midi_channels: MidiChannels | UnsetType = UNSET
    """Those that the target gets; none is all."""
    midi_kinds: MidiKinds | UnsetType = UNSET
    """Kinds of messages that the target gets; none is all."""


class UnlinkNodes(Message, tag="graph_unlink", frozen=True, kw_only=True):
    """Let `target` hear nothing of `source`; answered by `ok` or `error`."""

    id: CommandId
    """Chosen by the sender, repeated in the answer."""
    source: Name
    """A node, `@click`, a group, or `@all`."""
    target: Name
    """A node, a group, or `@all`."""
    medium: Medium | None = None
    """Null: both."""


class HearOnly(Message, tag="graph_hear", frozen=True, kw_only=True):
    """Let `target` hear these and nobody else, also none who joins later; answered by `ok` or
    `error`."""

    id: CommandId
    """Chosen by the sender, repeated in the answer."""
    target: Name
    """A node, a group, or `@all`."""
    sources: Annotated[tuple[Name, ...], Meta(max_length=MAX_GROUP_MEMBERS)]
    """Nodes, groups, `@click`; `@all` is as usual, without any the target hears nothing."""
    medium: Medium | None = None
    """Null: both."""


class SetGroup(Message, tag="graph_group", frozen=True, kw_only=True):
    """Name some nodes together, or, without members, no more; answered by `ok` or `error`.

    Links of a group hold for whoever is in it.
    """

    id: CommandId
    """Chosen by the sender, repeated in the answer."""
    name: GroupName
    """New, or a group's that is changed."""
    members: Annotated[tuple[Name, ...], Meta(max_length=MAX_GROUP_MEMBERS)]
    """All of them."""


class ResetGraph(Message, tag="graph_reset", frozen=True, kw_only=True):
    """Everyone hears everyone but themselves, as in a new room; groups stay. Answered by `ok` or
    `error`."""

    id: CommandId
    """Chosen by the sender, repeated in the answer."""


class SetRecorder(Message, tag="recorder", frozen=True, kw_only=True):
    """The member records the room from now on, or no more: as long as it does, its recorder is a
    node of the graph. Answered by `ok` or `error`."""

    id: CommandId
    """Chosen by the sender, repeated in the answer."""
    recording: bool
    """Whether it records."""


class HandGraph(Message, tag="graph_hand", frozen=True):
    """A member hands over groups and rules to a room that has none. No answer."""

    groups: Annotated[list[Group], Meta(max_length=MAX_GROUPS)]
    """As the member heard them last."""
    rules: Annotated[list[LinkRule], Meta(max_length=MAX_LINK_RULES)]
    """In order."""


class RoomGraph(Message, tag="graph", frozen=True, omit_defaults=False):
    """All of the graph: behind `welcome`."""

    revision: GraphRevision
    """Rises with every change."""
    nodes: list[GraphNode]
    """All members; `@click` is a node too."""
    groups: list[Group]
    """By name, several nodes."""
    rules: list[LinkRule]
    """In order. Usual is that everyone hears everyone but themselves and, where both pass on what
    they hear, one another."""
    hand: bool
    """Whether the room takes `graph_hand`."""


class GraphNews(Message, tag="graph_news", frozen=True):
    """What is different in the graph."""

    revision: GraphRevision
    """Of the graph after it; one more than before."""
    nodes: list[GraphNode] = msgspec.field(default_factory=list)
    """New, or of another kind."""
    gone: list[Name] = msgspec.field(default_factory=list)
    """Nodes that have left; rules and groups keep their names."""
    groups: list[Group] = msgspec.field(default_factory=list)
    """New or changed; without members it is no more."""
    dropped: list[int] = msgspec.field(default_factory=list)
    """Places, from 0, of rules that are no more."""
    rules: list[LinkRule] = msgspec.field(default_factory=list)
    """Those that come behind the others."""


GraphEdit = LinkNodes | UnlinkNodes | HearOnly | SetGroup | ResetGraph
