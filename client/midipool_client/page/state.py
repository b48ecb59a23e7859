"""What a page shows, in parts; and which of them are others than a page was told. Pure."""

from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from midipool.audio.listening import Listening
from midipool.audio.strips import OwnChannel, Strip
from midipool.messages import (
    ChatLine,
    Door,
    Group,
    Hearing,
    LoadedSong,
    Medium,
    MemberAccess,
    MemberKind,
    MemberStatus,
    ModuleProgram,
    ModuleState,
    Role,
    RoomMode,
    RoomModule,
    Song,
    Vote,
)
from midipool.timeline import Timeline
from midipool_client.join_choice import JoinChoice
from midipool_client.page.controllers_state import ControllersPart
from midipool_client.page.effects_state import EffectKinds, EffectsNow, EffectsPart
from midipool_client.page.take_state import PlayedNow, RecordingNow, TakeView
from midipool_client.page_settings import PageSettings
from midipool_client.recent_rooms import RecentRoom


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """The base of the state's parts."""


class Session(Part, frozen=True, kw_only=True):
    """Where the client is."""

    phase: Literal["choosing", "joining", "in_room"] = "choosing"
    room: str = ""
    """The room's address; while choosing, the one to begin with, if any."""
    name: str = ""
    """Our own there."""
    connected: bool = False
    """Whether the server answers; the song goes on without it."""
    problem: str = ""
    """For people: why there is no room, or no sound."""
    going_down: str = ""
    """For people: the server said that it ends soon."""
    can_leave: bool = False
    recent: list[RecentRoom] = []


class SoundDeviceName(Part, frozen=True, kw_only=True):
    """A device of the system's."""

    name: str
    """By which it can be chosen."""
    channels: int
    usual: bool
    """Whether it is the system's own choice."""


class WayIn(Part, frozen=True, kw_only=True):
    """What to join with, while there is no room. What `check` hears is in the mixer's part."""

    choice: JoinChoice = JoinChoice()
    """What was taken the last time."""
    looking: bool = False
    """Whether devices are looked for."""
    jack: str = ""
    """The JACK server, for people; empty where none runs."""
    inputs: list[SoundDeviceName] = []
    outputs: list[SoundDeviceName] = []
    midi_ports: list[str] = []
    problem: str = ""
    """Why there are no devices, for people."""
    check: Literal["off", "starting", "running", "unavailable"] = "off"
    """The sound devices that are tried."""
    hear_yourself: bool = False


class NearbyServer(Part, frozen=True, kw_only=True):
    """A server on this LAN, as it announces itself."""

    name: str
    server: str
    """Its address, for `join`."""
    rooms: list[str] = []
    """Those that it tells of; the one that it was opened for first."""
    more_rooms: int = 0
    problem: str = ""
    """Why one cannot join there, for people."""


class NearbyPart(Part, frozen=True, kw_only=True):
    """Who is on this LAN, while there is no room."""

    servers: list[NearbyServer] = []
    players: list[str] = []
    problem: str = ""
    """Why nobody can be found."""


class Change(Part, frozen=True, kw_only=True):
    """Who changed what."""

    by: str | None
    """A member; null is somebody who is none."""
    text: str
    at_us: int
    """Room time."""


class Transport(Part, frozen=True, kw_only=True):
    """The room's song: the timeline in force, and those agreed upon for later."""

    timelines: list[Timeline] = []
    clock_known: bool = False


class Conduct(Part, frozen=True, kw_only=True):
    """Who may change the room, what is voted on, and who changed what, the newest last."""

    mode: RoomMode = RoomMode(mode="open")
    vote: Vote | None = None
    result: str = ""
    """How the last vote came out."""
    changes: list[Change] = []


class AccessPart(Part, frozen=True, kw_only=True):
    """Who may do what in the room, and who may come in."""

    known: bool = False
    """Whether the room has roles."""
    role: Role = "player"
    """Our own."""
    muted: bool = False
    """Whether nobody hears us."""
    members: list[MemberAccess] = []
    door: Door = "open"
    has_password: bool = False
    waiting: list[str] = []
    """Who waits to be let in; told to hosts."""
    banned: list[str] = []
    """Told to hosts."""
    invitation: str = ""
    """The link that was made last, here; empty once it was taken back here."""


class StripView(Part, frozen=True, kw_only=True):
    """Another player in the mix."""

    member: str
    connected: bool
    strip: Strip
    heard: bool
    """Whether it sounds, by mute and solo of all."""
    linked: bool = True
    """Whether the room's graph has us hear it."""
    kind: MemberKind = "player"
    """`module`, `instrument` and `analyzer` are programs."""
    module: ModuleState | None = None
    """How it does, if the server runs it."""
    why: str = ""
    """What is wrong with it, for people."""


class ChannelView(Part, frozen=True, kw_only=True):
    """A channel of one's own input."""

    channel: int
    """From 1 on."""
    strip: OwnChannel
    pan: float
    """Where it is in the own mix, also when nothing is said of it."""
    heard: bool
    """Whether it sounds in the own mix, by monitor and solo."""


class ClickPort(Part, frozen=True, kw_only=True):
    """A MIDI port that may have the click."""

    name: str
    on: bool


class MixerPart(Part, frozen=True, kw_only=True):
    """The own mix."""

    audio: Literal["off", "starting", "running", "unavailable"] = "off"
    device: str = ""
    """For people: where sound goes, or why there is none."""
    listening: Listening = Listening()
    strips: list[StripView] = []
    channels: list[ChannelView] = []
    """One's own input."""
    meters: list[str] = []
    """Whose levels a frame of meters holds, in order: `input` as a whole, `master`, each of
    `channels`, then members."""
    meters_of: int = 0
    """Counts changes of `meters`; each frame says to which it belongs."""
    clicks: list[ClickPort] = []
    """The own MIDI ports, and which have the click."""
    click_volume: float = 1.0
    click_only_count_in: bool = False
    not_saved: str = ""
    """Why the mix is not kept for the next time; empty while it is."""


class MemberHealth(Part, frozen=True, kw_only=True):
    """How a player's clock and ears do."""

    name: str
    me: bool
    connected: bool
    state: Literal["good", "watch", "bad"] = "good"
    words: str = ""
    """What is wrong with it, if anything is."""
    status: MemberStatus | None = None
    hears: list[Hearing] = []


class Health(Part, frozen=True, kw_only=True):
    """How all players' links do."""

    state: Literal["good", "watch", "bad"] = "good"
    words: str = ""
    """Whose link is the problem, for people."""
    xruns: int = 0
    members: list[MemberHealth] = []
    known: bool = False
    """False while the server does not tell."""


class RecordingPart(Part, frozen=True, kw_only=True):
    """What is recorded, and which recording is played into the room."""

    can_record: bool = False
    """Whether there is audio to record."""
    now: RecordingNow | None = None
    playing: PlayedNow | None = None


class Takes(Part, frozen=True, kw_only=True):
    """All recordings of this user, the newest first, and the room that there is for more."""

    takes: list[TakeView] = []
    size_bytes: int = 0
    free_bytes: int = 0
    """0 while it is not known."""
    quota_gb: float | None = None
    """Recording ends when all of them take so much; null is no limit but the disk's."""
    problem: str = ""
    """Why they cannot be listed."""


class TalkPart(Part, frozen=True, kw_only=True):
    """The room's chat."""

    known: bool = False
    """False while the server tells nothing of a chat."""
    lines: list[ChatLine] = []
    """The newest, in order."""


class SongsPart(Part, frozen=True, kw_only=True):
    """The room's song list."""

    known: bool = False
    """False while the server tells nothing of one."""
    songs: list[Song] = []
    loaded: LoadedSong | None = None
    """Which song the room plays."""


class NodeView(Part, frozen=True, kw_only=True):
    """Somebody, or something, in the room's graph."""

    name: str
    """`@click` is the click."""
    kind: MemberKind | Literal["click"]
    gives: list[Medium]
    takes: list[Medium]
    passes_on: bool
    """Whether what it hears is heard in what it gives: two of these are linked by name alone."""


class LinkView(Part, frozen=True, kw_only=True):
    """`target` hears `source`."""

    key: str
    """`SOURCE -> TARGET MEDIUM`."""
    source: str
    target: str
    medium: Medium
    gain_db: float
    channels: list[int]
    kinds: list[str]
    high_pass_hz: float
    """0 is off."""
    low_pass_hz: float
    """0 is off."""


class GraphPart(Part, frozen=True, kw_only=True):
    """Who hears whom."""

    known: bool = False
    """False while the server tells nothing of a graph."""
    nodes: list[NodeView] = []
    links: list[LinkView] = []
    groups: list[Group] = []
    rules: int = 0
    """How many there are beside what is usual."""


class ModulesPart(Part, frozen=True, kw_only=True):
    """Programs that the server runs in the room."""

    known: bool = False
    """False while the server tells nothing of them."""
    programs: list[ModuleProgram] = []
    """What hosts can add."""
    modules: list[RoomModule] = []


class State(msgspec.Struct, frozen=True, kw_only=True):
    """All that a page shows but meters."""

    session: Session = Session()
    way_in: WayIn = WayIn()
    nearby: NearbyPart = NearbyPart()
    transport: Transport = Transport()
    conduct: Conduct = Conduct()
    mixer: MixerPart = MixerPart()
    health: Health = Health()
    talk: TalkPart = TalkPart()
    songs: SongsPart = SongsPart()
    access: AccessPart = AccessPart()
    graph: GraphPart = GraphPart()
    modules: ModulesPart = ModulesPart()
    effects: EffectsPart = EffectsPart()
    effects_now: EffectsNow = EffectsNow()
    effect_kinds: EffectKinds = EffectKinds()
    recording: RecordingPart = RecordingPart()
    takes: Takes = Takes()
    controllers: ControllersPart = ControllersPart()
    page: PageSettings = PageSettings()


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """Some parts of the state."""

    session: Session | UnsetType = UNSET
    way_in: WayIn | UnsetType = UNSET
    nearby: NearbyPart | UnsetType = UNSET
    transport: Transport | UnsetType = UNSET
    conduct: Conduct | UnsetType = UNSET
    mixer: MixerPart | UnsetType = UNSET
    health: Health | UnsetType = UNSET
    talk: TalkPart | UnsetType = UNSET
    songs: SongsPart | UnsetType = UNSET
    access: AccessPart | UnsetType = UNSET
    graph: GraphPart | UnsetType = UNSET
    modules: ModulesPart | UnsetType = UNSET
    effects: EffectsPart | UnsetType = UNSET
    effects_now: EffectsNow | UnsetType = UNSET
    effect_kinds: EffectKinds | UnsetType = UNSET
    recording: RecordingPart | UnsetType = UNSET
    takes: Takes | UnsetType = UNSET
    controllers: ControllersPart | UnsetType = UNSET
    page: PageSettings | UnsetType = UNSET


def changed(before: State, after: State) -> Changed | None:
    """The parts that are others now; None if there are none."""
    parts: Mapping[str, msgspec.Struct] = {
        name: getattr(after, name)
        for name in State.__struct_fields__
        if getattr(after, name) != getattr(before, name)
    }
    return Changed(**parts) if parts else None  # type: ignore[arg-type]
