"""A member's audio: joins the engine to the room. The edge where time is read."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable
from typing import Protocol

import msgspec

from midipool.audio.bars import BarDelay
from midipool.audio.profiles import ProfileName, encoding_for
from midipool.clock_map import ClockMap
from midipool.messages import (
    AudioReport,
    AudioStream,
    HeardBy,
    MediaKey,
    MediaOffer,
    MediaOfferFrom,
    MemberInfo,
    Message,
    Welcome,
)
from midipool.timeline_chain import TimelineChain
from midipool_client.audio.addresses import local_addresses
from midipool_client.audio.engine_messages import (
    Address,
    AudioConfig,
    AudioReady,
    Greet,
    NoSeat,
    Rare,
    Raw,
    RoomClock,
    Seat,
    Send,
    Voices,
    VoiceStatus,
    Ways,
)
from midipool_client.audio.hearing import MemberHearing, wishes_of
from midipool_client.audio.options import AudioOptions
from midipool_client.audio.paths import MediaPaths
from midipool_client.audio.process import AudioProcess
from midipool_native import host_clock

log = logging.getLogger(__name__)

GREET_S = 0.25
LOOK_S = 0.1
REPORT_S = 1.0
RELAY_LOST_NS = 3_000_000_000
UNTOLD = 1 << 20
PUNCH_S = 0.005
ADDRESSES_S = 2.0
# Somebody who sends is heard every few ms.
SILENT_US = 60_000


class Room(Protocol):
    """What audio needs of the room."""

    name: str

    @property
    def chain(self) -> TimelineChain:
        """Its timelines."""

    def room_us(self) -> int | None:
        """Its time now."""

    def clock_map(self) -> ClockMap | None:
        """Host time to its time."""

    def send(self, message: Message) -> None:
        """Say something."""


class RoomAudio:
    """Keeps the engine told, adapts the buffers, and reports how the others are heard."""

    def __init__(
        self,
        room: Room,
        options: AudioOptions,
        device_name: str,
        process: type[AudioProcess] = AudioProcess,
    ) -> None:
        self.options = options
        self._room = room
        config = AudioConfig(device_name, options.channels, options.media_port)
        self.engine = process(config, self._ready, self._rare)
        self._seat: Seat | None = None
        self._seat_told = False
        self._relay: Address | None = None
        self._relay_answered_ns: int | None = None
        self._members: dict[str, MemberHearing] = {}
        self._heard_by: dict[str, ProfileName] = {}
        self._stream: AudioStream | None = None
        self._bars: BarDelay | None = None
        self._told_voices: Voices | None = None
        self._paths: MediaPaths | None = None
        self._connected: set[str] = set()
        self._punch = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.engine.run())
            group.create_task(self._keep_greeting())
            group.create_task(self._keep_looking())
            group.create_task(self._keep_reporting())
            group.create_task(self._keep_punching())
            group.create_task(self._keep_finding_addresses())

    # ---- what the room says ----

    def welcomed(self, welcome: Welcome, host: str | None) -> None:
        """We are in, with a place on the relay at `host` if the server has one."""
        media = welcome.media
        if media is None or host is None:
            self._seat = self._relay = self._paths = None
            self.engine.tell(NoSeat())
            log.warning("no audio: the server has no relay (libsodium or --media-port is missing)")
            return
        self._relay, self._relay_answered_ns = (host, media.port), None
        self.engine.last_counter = 0
        self._tell_seat(Seat(media.key_id, bytes.fromhex(media.key), media.sender))
        self._begin_paths()

    def new_key(self, message: MediaKey) -> None:
        """Somebody has left: seal with another key."""
        if self._seat is not None:
            key = bytes.fromhex(message.key)
            self.engine.last_counter = 0
            self._tell_seat(Seat(message.key_id, key, self._seat.sender))

    def members(self, members: list[MemberInfo]) -> None:
        """Who is in the room."""
        there = {m.name: m.sender for m in members if m.sender is not None}
        there.pop(self._room.name, None)
        self._members = {name: m for name, m in self._members.items() if name in there}
        self._heard_by = {name: p for name, p in self._heard_by.items() if name in there}
        for name, sender in there.items():
            if name not in self._members:
                self._members[name] = MemberHearing(name, sender, self.options)
                self._tell_device(self._members[name])
            self._members[name].sender = sender
        self._connected = {m.name for m in members if m.connected and m.name in self._members}
        self._choose_encoding()
        self._tell_voices()
        if self._paths is not None:
            self._obey(self._paths.members(self._connected, _now_us()))

    def offered(self, message: MediaOfferFrom) -> None:
        """Another one says where it can be reached."""
        if self._paths is not None:
            self._obey(self._paths.offered(message, _now_us()))

    def heard_by(self, message: HeardBy) -> None:
        """Another one says how it hears us, and what it sends."""
        self._heard_by[message.name] = message.hearing.profile
        member = self._members.get(message.name)
        if member is not None and message.sends is not None:
            member.sends(message.sends)
            self._tell_voices()
        self._choose_encoding()

    def clock_changed(self, shift_us: int = 0) -> None:
        """The room's clock is known better, or is another one that shows `shift_us` more."""
        if shift_us and self._bars is not None:
            self._bars.shift(shift_us)
        map = self._room.clock_map()
        if map is not None:
            self.engine.tell(RoomClock(map))

    def followed(self, chain: TimelineChain) -> None:
        """The room has other timelines."""
        now_us = self._room.room_us()
        if self.options.profile == "bar" and now_us is not None:
            if self._bars is None:
                self._bars = BarDelay(self.options.bars, chain)
            self._bars.follow(chain, now_us)

    # ---- what the engine says ----

    def _ready(self, ready: AudioReady) -> None:
        """It knows nothing: tell it all."""
        for member in self._members.values():
            self._tell_device(member)
        self._stream = self._told_voices = None
        self.clock_changed()
        if self._seat is not None and self._relay is not None:
            # An engine that died may have used more counters than it told of, and before it told
            # of any. The one before it began behind those of its own predecessor.
            used = max(self.engine.last_counter, self._seat.after)
            after = used + UNTOLD if self._seat_told else 0
            self._tell_seat(msgspec.structs.replace(self._seat, after=after))
            self._begin_paths()
        self._choose_encoding()
        self._tell_voices()
        self.report()

    def _rare(self, rare: Rare) -> None:
        if rare.stun:
            if self._paths is not None:
                self._obey(self._paths.came(rare.source, rare.data, _now_us()))
        else:
            if self._relay_answered_ns is None:
                log.info("audio: the relay answers")
            self._relay_answered_ns = rare.received_ns

    # ---- time ----

    async def _keep_greeting(self) -> None:
        while True:
            now_us = self._room.room_us()
            if self._relay is not None and now_us is not None:
                self.engine.tell(Greet(self._relay, now_us))
            await asyncio.sleep(GREET_S)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    async def _keep_reporting(self) -> None:
        while True:
            await asyncio.sleep(REPORT_S)
            self.report()

    def look(self) -> None:
        """Take what the engine counted, and adapt the buffers to it."""
        status, now_us = self.engine.status, self._room.room_us()
        if status is None or now_us is None:
            return
        for voice in status.voices:
            if (member := self._members.get(voice.name)) is not None:
                member.take(voice, now_us, self._bars)
                member.reason = self._reason(voice.name)
                self._notice_silence(voice)
        self._tell_voices()

    def report(self) -> None:
        """Tell the room how we hear the others, and what we send."""
        if self.engine.ready is not None and self._seat is not None and self._stream is not None:
            hears = [member.hearing() for member in self._members.values()]
            self._room.send(AudioReport(hears, self._stream))

    def _notice_silence(self, voice: VoiceStatus) -> None:
        paths, silence_us = self._paths, voice.silence_us
        if paths is None or silence_us is None or silence_us < SILENT_US:
            return
        if paths.is_direct(voice.name) and voice.name in self._connected:
            self._obey(paths.silent(voice.name, _now_us()))

    def _reason(self, name: str) -> str:
        if self._paths is not None and (reason := self._paths.reason(name)):
            return reason
        now_ns, answered_ns = host_clock.now_ns(), self._relay_answered_ns
        if answered_ns is None or now_ns - answered_ns > RELAY_LOST_NS:
            return "the relay does not answer: UDP may be blocked"
        return "by the server's relay"

    # ---- paths ----

    def _begin_paths(self) -> None:
        """The socket or the relay is new: all paths are to be found anew."""
        if self._relay is None or self.engine.ready is None:
            return
        hosts = local_addresses(self.engine.ready.port, self._relay[0])
        self._paths = MediaPaths(hosts, self._relay, time.time_ns() // 1_000_000, _now_us())
        self.engine.tell(self._paths.ways())
        self._obey(self._paths.members(self._connected, _now_us()))

    def _obey(self, messages: Iterable[Raw | Ways | MediaOffer]) -> None:
        for message in messages:
            if isinstance(message, MediaOffer):
                self._room.send(message)
            else:
                self.engine.tell(message)
        self._punch.set()

    async def _keep_punching(self) -> None:
        while True:
            self._punch.clear()
            wait_s = LOOK_S
            if self._paths is not None and self.engine.ready is not None:
                now_us = _now_us()
                self._obey(self._paths.tick(now_us))
                self._punch.clear()
                wait_s = (self._paths.due_us(now_us) - now_us) / 1e6
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(wait_s, PUNCH_S)):
                    await self._punch.wait()

    async def _keep_finding_addresses(self) -> None:
        while True:
            await asyncio.sleep(ADDRESSES_S)
            paths, ready, relay = self._paths, self.engine.ready, self._relay
            if paths is not None and ready is not None and relay is not None:
                hosts = await asyncio.to_thread(local_addresses, ready.port, relay[0])
                self._obey(paths.addresses(hosts, _now_us()))

    # ---- what the engine is told ----

    def _choose_encoding(self) -> None:
        ready = self.engine.ready
        if ready is None:
            return
        wishes = wishes_of(self._heard_by)
        encoding = encoding_for(wishes, self.options.channels, ready.period, ready.rate)
        stream = AudioStream(
            self.options.channels,
            encoding.packet_frames,
            encoding.source_packets,
            encoding.repair_packets,
        )
        if stream != self._stream:
            self._stream = stream
            self.engine.tell(Send(encoding))
            self.report()

    def _tell_seat(self, seat: Seat) -> None:
        self._seat, self._seat_told = seat, self.engine.ready is not None
        self.engine.tell(seat)

    def _tell_device(self, member: MemberHearing) -> None:
        if self.engine.ready is not None:
            member.device(self.engine.ready.period, self.engine.ready.rate)

    def _tell_voices(self) -> None:
        voices = Voices([v for member in self._members.values() if (v := member.voice())])
        if voices != self._told_voices:
            self._told_voices = voices
            self.engine.tell(voices)


def _now_us() -> int:
    """For paths, which need no room time."""
    return host_clock.now_ns() // 1000
