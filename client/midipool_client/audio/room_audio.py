"""A member's audio: joins the engine to the room. The edge where time is read."""

import asyncio
import logging
from collections import Counter
from dataclasses import replace
from typing import Protocol

import msgspec

from midipool.audio.listening import Listening
from midipool.audio.strips import Mix as OwnMix
from midipool.clock_map import ClockMap
from midipool.graph.graph import Link
from midipool.graph.part import EVERYTHING, GraphPart
from midipool.messages import (
    MAX_HEARINGS,
    AudioReport,
    AudioStream,
    Dropped,
    HeardBy,
    Hearing,
    MediaKey,
    MediaOfferFrom,
    MemberInfo,
    Message,
    Welcome,
)
from midipool.timeline_chain import TimelineChain
from midipool_client.audio.answers import Ears, answer_all
from midipool_client.audio.engine_messages import (
    AudioConfig,
    AudioReady,
    Mix,
    NoSeat,
    OwnStrip,
    Rare,
    RoomClock,
    Seat,
    Tape,
    Voices,
)
from midipool_client.audio.hearing import MemberHearing, voice_link
from midipool_client.audio.options import AudioOptions
from midipool_client.audio.process import AudioProcess
from midipool_client.audio.room_bars import RoomBars
from midipool_client.audio.room_paths import RoomPaths
from midipool_client.audio.sending import Sending
from midipool_native import host_clock

log = logging.getLogger(__name__)

REPORT_S = 1.0
UNTOLD = 1 << 20


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
        effects_fd: int | None = None,
    ) -> None:
        self.options = options
        self._room = room
        config = AudioConfig(
            device_name,
            options.channels,
            options.media_port,
            device=options.device,
            effects_fd=effects_fd,
        )
        self.engine = process(config, self._ready, self._rare)
        self.engine.on_status = self.look
        self._paths = RoomPaths(self.engine, room.room_us, room.send)
        self._seat: Seat | None = None
        self._seat_told = False
        self._unseated = False
        """Whether the server has no place for our sound."""
        self._members: dict[str, MemberHearing] = {}
        self._sending = Sending()
        self._mix = OwnMix()
        self._part = EVERYTHING
        self._bars = RoomBars(options.bars)
        self._period = 0
        self._silent: frozenset[str] = frozenset()
        self._told_voices: Voices | None = None
        self._told_tape = Tape()
        self._told_map: ClockMap | None = None

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.engine.run())
            group.create_task(self._paths.run())
            group.create_task(self._keep_reporting())

    def listen(self, listening: Listening) -> None:
        """Hear the others otherwise from now on."""
        options = replace(
            self.options,
            profile=listening.profile,
            bars=listening.bars,
            max_latency_ms=listening.max_latency_ms,
        )
        if options != self.options:
            self.options = options
            self._bars.set_bars(options.bars)
            for member in self._members.values():
                member.set_profile(options)
            log.info("audio: %s", listening.in_words()[0])
            self._listen_again()
        mix, self._mix = self._mix, listening.mix
        if mix != self._mix:
            self._tell_mix()
            self._tell_voices()
            self._choose_encoding()

    def _listen_again(self) -> None:
        self._tell_pieces()
        self._tell_voices()
        self.report()

    # ---- what the room says ----

    def welcomed(self, welcome: Welcome, host: str | None) -> None:
        """We are in, with a place on the relay at `host` if the server has one."""
        media = welcome.media
        if media is None or host is None:
            self._seat, self._unseated = None, True
            self._paths.use(None)
            self.engine.tell(NoSeat())
            log.warning("no audio: the server has no relay (libsodium or --media-port is missing)")
            return
        self.engine.last_counter, self._unseated = 0, False
        self._tell_seat(Seat(media.key_id, bytes.fromhex(media.key), media.sender))
        stun = [] if media.stun_port is None else [(host, media.stun_port)]
        self._paths.use((host, media.port), stun)

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
        self._sending.keep(there)
        for name, sender in there.items():
            if name not in self._members:
                self._members[name] = MemberHearing(name, sender, self.options)
                self._members[name].set_link(*self._links_of(name))
                self._tell_device(self._members[name])
            self._members[name].sender = sender
        self._choose_encoding()
        self._tell_voices()
        self._send_to_listeners()
        self._paths.members([m.name for m in members if m.connected and m.name in self._members])

    def silence(self, names: frozenset[str]) -> None:
        """Hear nothing of these, and let nobody hear us if we are one of them."""
        if names != self._silent:
            self._silent = names
            self._tell_mix()
            self._tell_voices()

    def route(self, part: GraphPart) -> None:
        """The room's graph has us hear these, and be heard by those."""
        self._part = part
        for name, member in self._members.items():
            member.set_link(*self._links_of(name))
        self._tell_tape()
        self._choose_encoding()
        self._send_to_listeners()
        self._tell_voices()
        self.report()

    def _send_to_listeners(self) -> None:
        self._paths.send_to(self._sending.listeners(self._part, self._members))

    def _links_of(self, name: str) -> tuple[Link | None, Link | None]:
        return self._part.audio_of(name), self._part.taped_of(name)

    def offered(self, message: MediaOfferFrom) -> None:
        """Another one says where it can be reached."""
        self._paths.offered(message)

    def heard_by(self, message: HeardBy) -> None:
        """Another one says how it hears us, and what it sends."""
        words, wishes_otherwise = self._sending.heard_by(message)
        if words:
            log.warning("audio: %s", words)
        self._send_to_listeners()
        member = self._members.get(message.name)
        if member is not None and message.sends is not None and message.sends != member.stream:
            member.sends(message.sends)
            self._tell_voices()
        if wishes_otherwise:
            self._choose_encoding()

    def clock_changed(self, shift_us: int = 0) -> None:
        """The room's clock is known better, or is another one that shows `shift_us` more."""
        if shift_us:
            self._bars.shift(shift_us)
            self._told_map = None
        map = self._room.clock_map()
        if map is not None and not self._knows(map):
            self._told_map = map
            self.engine.tell(RoomClock(map))
            self._tell_pieces()

    def tell_clock(self) -> None:
        """Say it once more."""
        self._told_map = None
        self.clock_changed()

    def _knows(self, map: ClockMap) -> bool:
        """Whether the map that the engine has is as good as another one, for a while."""
        told = self._told_map
        return told is not None and told.is_as_good(map, host_clock.now_ns())

    def followed(self, chain: TimelineChain) -> None:
        """The room has other timelines."""
        now_us = self._room.room_us()
        if now_us is not None:
            self._bars.follow(chain, now_us)
            self._tell_pieces()
            self._tell_voices()

    # ---- what the engine says ----

    def _ready(self, ready: AudioReady) -> None:
        """It knows nothing: tell it all."""
        self._period = ready.period
        for member in self._members.values():
            self._tell_device(member)
        self._told_voices = self._told_map = None
        self._told_tape = Tape()
        self._sending.forget_told()
        self._bars.forget_told()
        self._tell_mix()
        self._tell_tape()
        self.clock_changed()
        if self._seat is not None:
            # An engine that died may have used more counters than it told of, and before it told
            # of any. The one before it began behind those of its own predecessor.
            used = max(self.engine.last_counter, self._seat.after)
            after = used + UNTOLD if self._seat_told else 0
            self._tell_seat(msgspec.structs.replace(self._seat, after=after))
            self._paths.begin()
        self._choose_encoding()
        self._answer()
        self._tell_voices()
        self.report()

    def _rare(self, rare: Rare) -> None:
        self._paths.came(rare)

    # ---- who looks ----

    @property
    def stream(self) -> AudioStream | None:
        """What we send now."""
        return self._sending.stream if self._seat is not None else None

    @property
    def hears(self) -> list[Hearing]:
        """How we hear the others now, those whom the graph has us hear, or record."""
        return [self._hearing(m) for m in self._members.values() if m.is_sent]

    def _hearing(self, member: MemberHearing) -> Hearing:
        member.reason = self._paths.reason(member.name)
        return member.hearing()

    # ---- time ----

    async def _keep_reporting(self) -> None:
        while True:
            await asyncio.sleep(REPORT_S)
            self.report()

    def _answer(self) -> None:
        """Say to each stream that is for us whether it can be heard."""
        engine, now_us = self.engine, host_clock.now_ns() // 1000
        ears = Ears(engine.state, engine.problem, engine.ready is not None, not self._unseated)
        if answer_all(self._members.values(), ears, engine.status, now_us):
            self._tell_voices()
            self.report()

    def look(self) -> None:
        """Take what the engine counted, and adapt the buffers to it."""
        self._answer()
        status, now_us = self.engine.status, self._room.room_us()
        if status is None or now_us is None:
            return
        waits = self._waits()
        if self._bars.delay is None:
            self._bars.follow(self._room.chain, now_us)
        self._tell_pieces()
        self._follow_period()
        waited = self._waiting_for_repair()
        for voice in status.voices:
            if (member := self._members.get(voice.name)) is not None:
                member.take(voice, now_us, self._bars.delay, status.xruns)
                self._paths.look(voice)
        if self._waits() != waits:
            self._tell_voices()
        if self._waiting_for_repair() - waited:
            self.report()

    def _waits(self) -> tuple[list[tuple[int, int]], int]:
        return [member.wait_us for member in self._members.values()], self._bars.keep_us

    def _waiting_for_repair(self) -> set[str]:
        return {name for name, member in self._members.items() if member.waits_for_repair}

    def _follow_period(self) -> None:
        ready = self.engine.ready
        if ready is not None and ready.period != self._period:
            self._period = ready.period
            for member in self._members.values():
                self._tell_device(member)
            self._choose_encoding()

    def report(self) -> None:
        """Tell the room how we hear the others, and what we send."""
        told = self._sending.stream is not None or not self.options.sends
        hears = [self._hearing(member) for member in self._members.values()]
        if self.engine.ready is not None and self._seat is not None and told:
            self._room.send(AudioReport(hears, self._sending.stream, self._dropped()))
        elif self._is_deaf:
            self._room.send(AudioReport(hears[:MAX_HEARINGS]))

    @property
    def _is_deaf(self) -> bool:
        """Whether we have a place in the room's sound, and nothing to hear it with (any more)."""
        is_gone = self.engine.ready is None and self.engine.restarts > 0
        return self._seat is not None and (is_gone or self.engine.state == "unavailable")

    def _dropped(self) -> Dropped:
        counts = Counter(self.engine.status.counts if self.engine.status is not None else {})
        return Dropped(
            forged=counts["forged"],
            replayed=counts["stale"],
            flooded=counts["flooded"],
            unknown=counts["unknown_sender"] + counts["unknown_key"],
            rubbish=counts["rubbish"] + counts["too_long"],
            crowded=counts["queue_full"] + counts["rare_full"],
        )

    # ---- what the engine is told ----

    def _choose_encoding(self) -> None:
        """Tell the engine what to send, if it is something else."""
        ready, before = self.engine.ready, self._sending.stream
        if ready is None or not self.options.sends:
            return
        channels = min(self._mix.send_channels or self.options.channels, self.options.channels)
        for message in self._sending.choose(self._part, channels, ready):
            self.engine.tell(message)
        if self._sending.stream != before:
            self.report()

    def _tell_seat(self, seat: Seat) -> None:
        self._seat, self._seat_told = seat, self.engine.ready is not None
        self.engine.tell(seat)

    def _tell_device(self, member: MemberHearing) -> None:
        if self.engine.ready is not None:
            member.device(self.engine.ready.period, self.engine.ready.rate)

    def _tell_mix(self) -> None:
        own, count = self._mix, self.options.channels
        channels = [(number, own.channel(number)) for number in range(1, count + 1)]
        strips = [OwnStrip(c.gain, c.pan_of(n, count), c.mute, c.solo) for n, c in channels]
        send = 0.0 if self._room.name in self._silent else own.send
        self.engine.tell(Mix(own.master, own.monitor, send, strips))

    def _tell_tape(self) -> None:
        """What a recording gets of our own input."""
        tape = Tape()
        if self._part.tape is not None:
            own = self._part.tape.audio.get(self._room.name)
            tape = Tape(None if own is None else voice_link(own))
        if tape != self._told_tape:
            self._told_tape = tape
            self.engine.tell(tape)

    def _tell_pieces(self) -> None:
        now_us = self._room.room_us()
        if self.options.profile != "bar" or now_us is None or self.engine.ready is None:
            return
        if (pieces := self._bars.pieces(now_us)) is not None:
            self.engine.tell(pieces)

    def _tell_voices(self) -> None:
        for name, member in self._members.items():
            member.strip, member.keep_us = self._mix.strip_of(name), self._bars.keep_us
        heard = [member for name, member in self._members.items() if name not in self._silent]
        voices = Voices([v for member in heard if (v := member.voice())])
        if voices != self._told_voices:
            self._told_voices = voices
            self.engine.tell(voices)
