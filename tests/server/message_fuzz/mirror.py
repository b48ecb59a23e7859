"""What a member knows of its room, by nothing but what it was told."""

from collections import Counter
from collections.abc import Iterable

from midipool import messages
from midipool.messages import (
    ERROR_CODES,
    Access,
    AtTheDoor,
    BarSync,
    Chat,
    ChatNews,
    Closing,
    Error,
    GraphNews,
    Invitation,
    Members,
    ModuleNews,
    Modules,
    Ok,
    RoomGraph,
    RoomMode,
    RoomModule,
    RoomSaved,
    SongGone,
    SongLoaded,
    SongPut,
    Songs,
    Welcome,
)
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.known_access import KnownAccess
from midipool_client.known_chat import KnownChat
from midipool_client.known_graph import KnownGraph
from midipool_client.known_modules import KnownModules
from midipool_client.known_songs import KnownSongs
from midipool_server.room import Room


class Mirror:
    """One member's."""

    def __init__(self) -> None:
        self.welcome: Welcome | None = None
        self.closing: Closing | None = None
        self.errors: Counter[str] = Counter()
        self.last_error: Error | None = None
        self.answered: Counter[int] = Counter()
        """By the id of a command."""
        self._chain = TimelineChain((Timeline(),))
        self._members: list[tuple[str, bool]] = []
        self._mode = RoomMode(mode="open")
        self._graph, self._songs = KnownGraph(), KnownSongs()
        self._access, self._chat = KnownAccess(), KnownChat()
        self._modules = KnownModules()

    def hear(self, data: bytes) -> None:
        """The server says something, which must be a message of the protocol."""
        message = messages.decode_server(data)
        match message:
            case Welcome():
                self.welcome = message
                self._chain = TimelineChain(tuple(message.timelines))
                self._members = [(m.name, m.connected) for m in message.members]
                self._mode = RoomMode(message.mode, message.leader, message.locked_by)
            case Closing():
                self.closing = message
            case Members():
                self._members = [(m.name, m.connected) for m in message.members]
            case RoomMode():
                self._mode = message
            case BarSync():
                self._chain = _followed(self._chain, message.timeline)
            case RoomGraph() | GraphNews():
                self._graph.told(message)
            case Modules() | ModuleNews():
                self._modules.told(message)
            case Songs() | SongPut() | SongGone() | SongLoaded():
                self._songs.told(message)
            case Access() | AtTheDoor() | Invitation():
                self._access.told(message)
            case Chat():
                self._chat.told(message)
            case ChatNews():
                self._chat.news(message.line)
            case Ok():
                self.answered[message.id] += 1
            case RoomSaved(left=0):
                self.answered[message.id] += 1
            case Error():
                self._error(message)

    def _error(self, error: Error) -> None:
        assert error.code in ERROR_CODES, error
        assert error.message, error
        assert len(messages.encode(error)) < 2_000, error
        self.errors[error.code] += 1
        self.last_error = error
        if error.id is not None:
            self.answered[error.id] += 1

    def differs(self, room: Room, now_us: int) -> dict[str, tuple[object, object]]:
        """(as told, as it is) of all that is not the same."""
        places = room.places.message().members
        book, known = room.songs.book, self.known(now_us)
        there: dict[str, object] = {
            "timeline": room.chain.at(now_us),
            "members": [(m.name, m.connected) for m in places],
            "mode": room.authority.message(),
            "graph": room.floor.graph,
            "songs": book.songs,
            "loaded": book.loaded,
            "access": room.access.message(),
            "modules": _states(room.modules.shown(now_us)),
            "chat": room.floor.chat.lines[-20:],
        }
        return {name: (known[name], there[name]) for name in there if known[name] != there[name]}

    def known(self, now_us: int) -> dict[str, object]:
        """All that is told to everybody who understands all."""
        return {
            "timeline": self._chain.at(now_us),
            "members": self._members,
            "mode": self._mode,
            "graph": self._graph.graph,
            "songs": self._songs.book.songs,
            "loaded": self._songs.book.loaded,
            "access": self._access.access,
            "modules": _states(self._modules.modules.values()),
            "chat": self._chat.lines[-20:],
        }


def _states(modules: Iterable[RoomModule]) -> list[tuple[object, ...]]:
    return [(m.name, m.program, m.options, m.state, m.again_us) for m in modules]


def _followed(chain: TimelineChain, timeline: Timeline) -> TimelineChain:
    if timeline in chain.timelines or timeline.revision < chain.revision:
        return chain
    after = chain.then(timeline)
    return TimelineChain(after.timelines[-64:])
