"""A member of a room: session, clock and ports joined together. The edge where time is read."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

import msgspec

from midipool import messages
from midipool.click import ClickSettings
from midipool.daw.lead_role import Mode
from midipool.errors import Unavailable
from midipool.graph.part import EVERYTHING
from midipool.messages import (
    CAPABILITIES,
    Access,
    AtTheDoor,
    AudioStream,
    BarSync,
    Chat,
    ChatNews,
    Error,
    GoingDown,
    GraphNews,
    HeardBy,
    Invitation,
    MediaKey,
    MediaOfferFrom,
    MemberKind,
    Members,
    MemberStatus,
    Message,
    Midi,
    MidiFrom,
    ModuleNews,
    Modules,
    MyPart,
    Ok,
    PartGiven,
    PartWanted,
    RoomGraph,
    RoomMode,
    ServerMessage,
    SetRecorder,
    SongGone,
    SongLoaded,
    SongPut,
    Songs,
    TransportCommand,
    Vote,
    VoteResult,
    Welcome,
)
from midipool_client import tokens
from midipool_client.audio.options import AudioOptions
from midipool_client.audio.room_audio import RoomAudio
from midipool_client.clock_keeper import ClockChange
from midipool_client.commander import Asked, Commander
from midipool_client.effects import commands as effects_commands
from midipool_client.effects.rack import Rack
from midipool_client.follower import Action, Follow, RoomFollower, Send
from midipool_client.in_room import InRoom
from midipool_client.known_access import KnownAccess
from midipool_client.known_chat import KnownChat
from midipool_client.known_graph import KnownGraph
from midipool_client.known_modules import KnownModules
from midipool_client.known_songs import KnownSongs
from midipool_client.playback import commands as take_commands
from midipool_client.playback.player import TakePlayer
from midipool_client.playing import until_one_ends
from midipool_client.ports.midi_ports import MidiPorts
from midipool_client.ports.output import PortOptions
from midipool_client.recording import commands as record_commands
from midipool_client.recording.recorder import Recorder
from midipool_client.room_session import RoomSession
from midipool_client.room_talk import RoomTalk
from midipool_client.room_url import RoomUrl
from midipool_client.room_votes import RoomVotes
from midipool_client.room_words import mode_in_words, vote_in_words
from midipool_native import host_clock
from midipool_native.effects import EffectsMemory

log = logging.getLogger(__name__)

LOOK_S = 0.2
ASLEEP_NS = 250_000_000


class OwnPart(Protocol):
    """A client's settings, as the room's document has them."""

    def said(self) -> bytes:
        """For `my_part`."""

    def given(self, message: PartGiven) -> None:
        """Somebody loaded a document."""


class Player(InRoom):
    """Joins a room and stays in it until cancelled."""

    def __init__(
        self,
        url: RoomUrl,
        name: str,
        ports: Sequence[PortOptions],
        lead: Mode = "auto",
        click: ClickSettings | None = None,
        audio: AudioOptions | None = None,
    ) -> None:
        self.url = url
        self.name = name
        self.follower = RoomFollower()
        self.ports = MidiPorts(self, ports, lead, click)
        self.audio, self.effects = _audio_of(self, audio, ports[0].choice.device_name)
        self.recorder = Recorder(self, self.audio.engine) if self.audio is not None else None
        self.takes = TakePlayer(self)
        self.going_down = ""
        """For people: the server said that it ends soon."""
        self.link_peers: int | None = None
        """Others in the Link session of our network; None without a bridge."""
        self.on_joined: Callable[[], None] = lambda: None
        """Called each time that the server lets us in."""
        self.own_part: OwnPart | None = None
        """What we add to the room's document; None where there are no settings."""
        self._session = RoomSession(url, self)
        self._commander = Commander()
        self.votes = RoomVotes()
        self.chat = KnownChat()
        self.songs = KnownSongs()
        self.access = KnownAccess()
        self.kind: MemberKind = "player"
        """What we are in the room's graph."""
        self.graph = KnownGraph()
        self.modules = KnownModules()
        self.part = EVERYTHING
        """What we hear, and who hears us."""
        self._asleep_ns = host_clock.asleep_ns()
        self._parts: list[Coroutine[Any, Any, None]] = []

    def add(self, part: Coroutine[Any, Any, None]) -> None:
        """Let `part` run as long as the player does; before `run`."""
        self._parts.append(part)

    async def run(self) -> None:
        """Play; raises Unavailable or Refused if the room cannot be joined at first."""
        parts = [self.ports.run(), self._session.run(), self._notice_sleep(), self.takes.run()]
        parts += self._parts
        if self.audio is not None:
            parts.append(self.audio.run())
        if self.recorder is not None:
            parts.append(self.recorder.run())
        if self.effects is not None:
            parts.append(self.effects.run())
        try:
            await until_one_ends(parts)
        finally:
            if self.recorder is not None:
                self.recorder.close()

    # ---- what the ports and the session see ----

    @property
    def room_name(self) -> str:
        """What the room is called."""
        return self.url.room

    @property
    def hearing(self) -> AudioOptions:
        """How the others are heard here, or would be."""
        return AudioOptions() if self.audio is None else self.audio.options

    def tell_clock(self) -> None:
        """Let the audio engine have the room's clock once more."""
        if self.audio is not None:
            self.audio.tell_clock()

    def ask(self, command: TransportCommand, answer: Callable[[Ok | Error | None], None]) -> None:
        """Send a command under an id of our own; `answer` is called once."""
        if not self._session.send(self._commander.number(command, answer)):
            self._commander.disconnected()

    def conduct(self, command: Asked, answer: Callable[[Ok | Error | None], None]) -> None:
        """The same for what a person asks for, which the ports follow as they do others'."""
        if not self._session.send(self._commander.number(command, answer, from_port=False)):
            self._commander.disconnected()

    @property
    def waiting(self) -> str:
        """Why we are not in yet, for people; empty where nobody has to let us in."""
        return self._session.waiting

    @property
    def server_host(self) -> str | None:
        """Address of the server that we are or were connected to."""
        return self._session.server_host

    @property
    def sends(self) -> AudioStream | None:
        """What the others get of us; None while that is nothing."""
        return None if self.audio is None else self.audio.stream

    @property
    def connected(self) -> bool:
        """Whether the server is there."""
        return self._session.connected

    def send(self, message: Message) -> None:
        """Send what has no answer."""
        if isinstance(message, Midi):
            if self.recorder is not None:
                own = MidiFrom(self.name, message.events)
                self.recorder.played(self.name, self.part.taped(own).events)
            if self.access.is_silent(self.name) or not self.part.plays_to_somebody:
                return
        self._session.send(message)

    def hello(self) -> messages.Hello:
        """How we introduce ourselves."""
        token, invitation = self.follower.token, self.url.invitation
        if not token and invitation:
            # Who came by an invitation before and comes again counts once, by this.
            token = dict(tokens.load(self.url)).get(self.name, "")
        return messages.hello(
            self.name,
            token=token,
            capabilities=CAPABILITIES,
            password=self.url.password,
            invitation=invitation,
            kind=self.kind,
        )

    def welcomed(self, welcome: Welcome) -> None:
        """The server let us in."""
        self.going_down = ""
        self._keep_token(welcome)
        self.votes.welcomed(welcome)
        self.graph.welcomed(welcome)
        self.modules.welcomed(welcome)
        self._route()
        self.on_joined()
        self.do(self.follower.welcome(welcome, host_clock.now_ns()))
        self.ports.members(Members(welcome.members))
        self.ports.room_mode(self.follower.mode)
        if self.audio is not None:
            self.audio.welcomed(welcome, self._session.server_host)
            self.audio.members(welcome.members)
        if self.recorder is not None and self.recorder.current is not None:
            self.records(True)

    def records(self, is_so: bool) -> None:
        """Let the room's graph have our recorder as a node, as long as we record."""
        if self.graph.has_recorders and self.connected:
            self.conduct(SetRecorder(id=0, recording=is_so), _say_why_not)

    def received(self, message: ServerMessage) -> None:
        """The server says something."""
        match message:
            case BarSync():
                self.do(self.follower.bar_sync(message, host_clock.now_ns()))
            case Members():
                self.do(self.follower.member_list(message))
                self.ports.members(message)
                if self.audio is not None:
                    self.audio.members(message.members)
            case MediaKey() if self.audio is not None:
                self.audio.new_key(message)
            case MediaOfferFrom() if self.audio is not None:
                self.audio.offered(message)
            case HeardBy() if self.audio is not None:
                self.audio.heard_by(message)
            case MidiFrom():
                self.ports.received(self.part.heard(message))
                if self.recorder is not None:
                    self.recorder.played(message.name, self.part.taped(message).events)
            case RoomMode():
                self.do(self.follower.room_mode(message))
                self.ports.room_mode(message)
                log.info("the room's mode: %s", mode_in_words(message))
            case Chat():
                if (retell := self.chat.told(message)) is not None:
                    self._session.send(retell)
            case ChatNews(line=line):
                self.chat.news(line)
            case Songs() | SongPut() | SongGone() | SongLoaded():
                for hand in self.songs.told(message):
                    self._session.send(hand)
            case Access() | AtTheDoor() | Invitation():
                self._access_told(message)
            case RoomGraph() | GraphNews():
                if (handed := self.graph.told(message)) is not None:
                    self._session.send(handed)
                self._route()
            case Modules() | ModuleNews():
                self.modules.told(message)
            case PartWanted(gather=gather) if self.own_part is not None:
                self._session.send(MyPart(gather, self.own_part.said()))
            case PartGiven() if self.own_part is not None:
                self.own_part.given(message)
            case Vote():
                self.votes.running = message
                log.info("%s", vote_in_words(message))
            case VoteResult():
                self.votes.over(message)
                log.info("%s", self.votes.result)
            case GoingDown(reason=reason, in_s=in_s):
                self.going_down = f"{reason} (in {in_s:g} s at most): playing on without it"
                log.warning("%s", self.going_down)
            case Ok() | Error():
                if not self._commander.answered(message) and isinstance(message, Error):
                    log.warning("the server refuses: %s", message.message)
            case _:
                pass

    def _access_told(self, message: Access | AtTheDoor | Invitation) -> None:
        before = self.access.of(self.name)
        self.access.told(message)
        now = self.access.of(self.name)
        if now.role != before.role:
            log.info("you are a %s in this room", now.role)
        if now.muted != before.muted:
            log.warning("a host has %s you", "muted" if now.muted else "unmuted")
        if self.audio is not None:
            self.audio.silence(self.access.silent())

    def disconnected(self) -> None:
        """The server is away: play on."""
        self.follower.disconnected()
        self.ports.disconnected()
        self._commander.disconnected()

    def _keep_token(self, welcome: Welcome) -> None:
        """Let `midipool-client room` in a shell of the same user act for us."""
        try:
            tokens.save(self.url, self.name, welcome.token)
        except Unavailable as error:
            log.warning("a shell cannot act for you: %s", error)

    # ---- what follows ----

    def _route(self) -> None:
        """Hear, and be heard, as the room's graph says."""
        part, self.part = self.part, self.graph.part(self.name)
        if part == self.part:
            return
        self.ports.allow_click(self.part.click)
        if self.audio is not None:
            self.audio.route(self.part)

    def do(self, actions: list[Action]) -> None:
        """What follows from what came."""
        for action in actions:
            match action:
                case ClockChange():
                    self.ports.clock_changed(action)
                    if self.recorder is not None and action.shift_us:
                        self.recorder.shifted(action.shift_us)
                    if self.audio is not None:
                        self.audio.clock_changed(action.shift_us)
                case Follow(chain=chain, lost=lost):
                    self.ports.follow(chain, lost, self._commander.is_ours(chain.revision))
                    if self.audio is not None:
                        self.audio.followed(chain)
                    if self.recorder is not None:
                        self.recorder.followed(chain)
                case Send(message=message):
                    self._session.send(message)

    async def _notice_sleep(self) -> None:
        while True:
            asleep_ns = host_clock.asleep_ns()
            slept_ns, self._asleep_ns = asleep_ns - self._asleep_ns, asleep_ns
            if slept_ns > ASLEEP_NS:
                log.warning("this machine slept for %.1f s", slept_ns * 1e-9)
                self.do(self.follower.slept(slept_ns, host_clock.now_ns()))
            await asyncio.sleep(LOOK_S)

    async def asked(self, words: dict[str, Any]) -> str:
        """What a shell of the same user wants (control.py); raises MidiPoolError."""
        if str(words.get("do", "")).startswith("effects_"):
            return await effects_commands.obey(self.effects, words)
        if words.get("do") in take_commands.TAGS:
            return await take_commands.obey(self.takes, words)
        if self.recorder is None:
            raise Unavailable("this client has no audio to record: it runs with --no-audio")
        return await record_commands.obey(self.recorder, words)

    def bpm(self) -> float:
        """The song's tempo now."""
        now_us = self.room_us()
        return 120.0 if now_us is None else self.chain.at(now_us).mbpm_at(now_us) / 1000

    def status(self) -> MemberStatus | None:
        """How our clock and our ports do; None before the clock is measured."""
        status, engine = super().status(), self.ports.engine
        if status is None:
            return None
        return msgspec.structs.replace(
            status,
            engine=engine.state,
            ticks=engine.ticks,
            late_ticks=engine.late_ticks,
            tick_jitter_us=engine.tick_jitter_us,
            early_us=self.ports.early_us,
            link_peers=self.link_peers,
        )


def _say_why_not(answer: Ok | Error | None) -> None:
    if isinstance(answer, Error):
        log.warning("the room's graph does not show that you record: %s", answer.message)


def _audio_of(
    player: Player, options: AudioOptions | None, device: str
) -> tuple[RoomAudio | None, Rack | None]:
    """What hears and is heard, and its effects."""
    if options is None:
        return None, None
    try:
        memory = EffectsMemory.create()
    except Unavailable as error:
        log.warning("no effects: %s", error)
        return RoomAudio(player, options, device), None
    audio = RoomAudio(player, options, device, effects_fd=memory.fd)
    talk = RoomTalk(player)
    return audio, Rack(device, options.channels, audio.engine, memory, player.bpm, talk=talk)
