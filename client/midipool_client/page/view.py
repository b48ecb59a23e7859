"""A running player as its page shows it: the edge between the client and the state."""

from collections.abc import Sequence

import msgspec

from midipool.graph.graph import Graph
from midipool.graph.nodes import CLICK, MEDIA
from midipool.messages import Hearing, MemberInfo
from midipool_client.live_settings import Playing
from midipool_client.page.health import health_of
from midipool_client.page.state import (
    AccessPart,
    Change,
    ChannelView,
    ClickPort,
    Conduct,
    GraphPart,
    Health,
    LinkView,
    MixerPart,
    ModulesPart,
    NodeView,
    Session,
    SongsPart,
    StripView,
    TalkPart,
    Transport,
)
from midipool_client.player import Player
from midipool_client.ports.output import PortOptions


class RoomDescription(msgspec.Struct, frozen=True):
    """What a server says of a room at /api/rooms/NAME, as far as a page shows it."""

    members: list[MemberInfo] = []
    hears: dict[str, list[Hearing]] = {}
    changes: list[Change] = []


def session_of(player: Player, can_leave: bool) -> Session:
    """Where the client is."""
    joined = bool(player.follower.token)
    return Session(
        phase="in_room" if joined else "joining",
        room=str(player.url),
        name=player.name,
        connected=player.connected,
        problem="" if joined else player.waiting,
        going_down=player.going_down,
        can_leave=can_leave,
    )


def transport_of(player: Player) -> Transport:
    """The room's song."""
    room_us = player.room_us()
    chain = player.chain if room_us is None else player.chain.since(room_us)
    return Transport(timelines=list(chain.timelines), clock_known=room_us is not None)


def conduct_of(player: Player, room: RoomDescription | None) -> Conduct:
    """Who may change the room, and who did."""
    return Conduct(
        mode=player.follower.mode,
        vote=player.votes.running,
        result=player.votes.result,
        changes=[] if room is None else room.changes,
    )


def talk_of(player: Player) -> TalkPart:
    """What is said."""
    return TalkPart(known=player.chat.known, lines=player.chat.lines)


def songs_of(player: Player) -> SongsPart:
    """The room's song list."""
    book = player.songs.book
    return SongsPart(known=player.songs.known, songs=book.songs, loaded=book.loaded)


def access_of(player: Player) -> AccessPart:
    """Who may do what in the room."""
    known, name = player.access, player.name
    link = f"{player.url.http(player.url.room)}#invite={known.invitation}"
    return AccessPart(
        known=bool(known.access.members),
        role=known.role(name),
        muted=known.of(name).muted,
        members=known.access.members,
        door=known.access.door,
        has_password=known.access.has_password,
        waiting=known.at_the_door.waiting,
        banned=known.at_the_door.banned,
        invitation=link if known.invitation else "",
    )


def modules_of(player: Player) -> ModulesPart:
    """Programs of the server's in the room."""
    known = player.modules
    return ModulesPart(
        known=known.known, programs=known.programs, modules=list(known.modules.values())
    )


class GraphView:
    """The room's graph for a page; looked at anew when it is another one."""

    def __init__(self) -> None:
        self._graph: Graph | None = None
        self._part = GraphPart()

    def of(self, player: Player) -> GraphPart:
        """Who hears whom."""
        if not player.graph.known:
            return GraphPart()
        if self._graph is not player.graph.graph:
            self._graph = player.graph.graph
            self._part = graph_part(self._graph)
        return self._part


def graph_part(graph: Graph) -> GraphPart:
    """Who hears whom."""
    return GraphPart(
        known=True,
        nodes=[_node_view(graph, name) for name in (*graph.nodes, CLICK)],
        links=[
            LinkView(
                key=f"{link.source} -> {link.target} {link.medium}",
                source=link.source,
                target=link.target,
                medium=link.medium,
                gain_db=link.gain_db,
                channels=list(link.channels),
                kinds=list(link.kinds),
                high_pass_hz=link.high_pass_hz,
                low_pass_hz=link.low_pass_hz,
            )
            for link in graph.links()
        ],
        groups=list(graph.kept().groups),
        rules=len(graph.rules),
    )


def _node_view(graph: Graph, name: str) -> NodeView:
    ports = graph.ports(name)
    return NodeView(
        name=name,
        kind="click" if name == CLICK else graph.nodes[name],
        gives=[medium for medium in MEDIA if medium in ports.gives],
        takes=[medium for medium in MEDIA if medium in ports.takes],
        passes_on=ports.passes_on,
    )


def mixer_of(playing: Playing) -> MixerPart:
    """The own mix; who counts the orders of meters fills that in."""
    player, live = playing.player, playing.live
    mix, audio = live.listening.mix, player.audio
    others = [m for m in player.follower.members if m.name != player.name]
    channels = 0 if audio is None else audio.options.channels
    heard = mix.heard([m.name for m in others], channels)
    engine = None if audio is None else audio.engine
    modules = player.modules.modules
    return MixerPart(
        audio="off" if engine is None else engine.state,
        device="" if engine is None else engine.ready.text if engine.ready else engine.problem,
        listening=live.listening,
        strips=[
            StripView(
                member=member.name,
                connected=member.connected,
                strip=mix.strip_of(member.name),
                heard=member.name in heard.members,
                linked=player.part.audio_of(member.name) is not None,
                kind=member.kind,
                module=None if member.name not in modules else modules[member.name].state,
                why="" if member.name not in modules else modules[member.name].why,
            )
            for member in others
        ],
        channels=[
            ChannelView(
                channel=number,
                strip=mix.channel(number),
                pan=mix.channel(number).pan_of(number, channels),
                heard=number in heard.channels,
            )
            for number in range(1, channels + 1)
        ],
        clicks=[_click_port(port.output.options) for port in player.ports.ports],
        click_volume=live.click.volume,
        click_only_count_in=live.click.only_count_in,
        not_saved=live.problem,
    )


def _click_port(options: PortOptions) -> ClickPort:
    return ClickPort(name=options.choice.midi_port or options.choice.device_name, on=options.click)


def health_view(player: Player, room: RoomDescription | None) -> Health:
    """All links, by what the server knows, and we ourselves newer."""
    status = None if player.audio is None else player.audio.engine.status
    xruns = 0 if status is None else status.xruns
    members: Sequence[MemberInfo] = player.follower.members
    if room is None:
        return msgspec.structs.replace(health_of(members, {}, player.name, xruns), known=False)
    known = {member.name: member for member in room.members}
    fresh = [
        msgspec.structs.replace(member, status=known[member.name].status)
        if member.name in known
        else member
        for member in members
    ]
    hears = dict(room.hears)
    if player.audio is not None:
        hears[player.name] = player.audio.hears
    return health_of(fresh, hears, player.name, xruns)
