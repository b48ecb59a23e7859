"""A member of a room that has audio and no MIDI. The edge where time is read."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from midipool import messages
from midipool.errors import Unavailable
from midipool.messages import (
    BarSync,
    GraphNews,
    HeardBy,
    MediaKey,
    MediaOfferFrom,
    MemberKind,
    Members,
    Message,
    RoomGraph,
    ServerMessage,
    Welcome,
)
from midipool_client.audio.options import AudioOptions
from midipool_client.audio.room_audio import RoomAudio
from midipool_client.clock_keeper import ClockChange
from midipool_client.follower import Action, Follow, RoomFollower, Send
from midipool_client.in_room import InRoom
from midipool_client.known_graph import KnownGraph
from midipool_client.room_session import RoomSession
from midipool_client.room_url import RoomUrl
from midipool_native import host_clock

LOOK_S = 0.1


class AudioMember(InRoom):
    """Joins a room and stays in it until cancelled."""

    kind: MemberKind = "player"
    """What it is in the room's graph."""

    def __init__(self, url: RoomUrl, name: str, audio: AudioOptions) -> None:
        self.name = name
        self.follower = RoomFollower()
        self.audio = RoomAudio(self, audio, "midiPool")
        self.graph = KnownGraph()
        self._session = RoomSession(url, self)

    async def run(self) -> None:
        """Raises Unavailable or Refused if the room cannot be joined, or audio had, at first."""
        try:
            async with asyncio.TaskGroup() as group:
                for part in self.parts():
                    group.create_task(part)
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None

    def parts(self) -> list[Coroutine[Any, Any, None]]:
        """What runs as long as it does."""
        return [self._session.run(), self.audio.run(), self._watch_engine()]

    async def _watch_engine(self) -> None:
        engine = self.audio.engine
        while True:
            if engine.state == "unavailable":
                raise Unavailable(engine.problem or "the audio engine does not start")
            await asyncio.sleep(LOOK_S)

    # ---- what audio and the session see ----

    def send(self, message: Message) -> None:
        """Say something to the room."""
        self._session.send(message)

    def hello(self) -> messages.Hello:
        """How we introduce ourselves."""
        token = self.follower.token
        return messages.hello(self.name, token=token, capabilities=("graph",), kind=self.kind)

    def welcomed(self, welcome: Welcome) -> None:
        """The server let us in."""
        self.do(self.follower.welcome(welcome, host_clock.now_ns()))
        self.graph.welcomed(welcome)
        self.audio.welcomed(welcome, self._session.server_host)
        self.audio.members(welcome.members)

    def received(self, message: ServerMessage) -> None:
        """The server says something."""
        match message:
            case BarSync():
                self.do(self.follower.bar_sync(message, host_clock.now_ns()))
            case Members():
                self.do(self.follower.member_list(message))
                self.audio.members(message.members)
            case MediaKey():
                self.audio.new_key(message)
            case MediaOfferFrom():
                self.audio.offered(message)
            case HeardBy():
                self.audio.heard_by(message)
            case RoomGraph() | GraphNews():
                self.graph.told(message)
                self.audio.route(self.graph.part(self.name))
            case _:
                pass

    def disconnected(self) -> None:
        """The server is away: the others are heard on."""
        self.follower.disconnected()

    def do(self, actions: list[Action]) -> None:
        """What follows from what came."""
        for action in actions:
            match action:
                case ClockChange():
                    self.audio.clock_changed(action.shift_us)
                case Follow(chain=chain):
                    self.audio.followed(chain)
                case Send(message=message):
                    self._session.send(message)
