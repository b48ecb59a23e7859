"""A member's paths: joins hole punching to the engine and the room. The edge where time is read."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence

from midipool.messages import MediaOffer, MediaOfferFrom
from midipool_client.audio.addresses import local_addresses
from midipool_client.audio.engine_messages import (
    Address,
    Greet,
    Rare,
    Raw,
    VoiceStatus,
    Ways,
)
from midipool_client.audio.paths import MediaPaths
from midipool_client.audio.process import AudioProcess
from midipool_native import host_clock

log = logging.getLogger(__name__)

GREET_S = 0.25
PUNCH_S = 0.005
IDLE_S = 0.1
ADDRESSES_S = 2.0
RELAY_LOST_NS = 3_000_000_000


class RoomPaths:
    """Greets the relay, finds direct paths, and tells the engine which way to send."""

    def __init__(
        self,
        engine: AudioProcess,
        room_us: Callable[[], int | None],
        send: Callable[[MediaOffer], None],
    ) -> None:
        self._engine = engine
        self._room_us = room_us
        self._send = send
        self._relay: Address | None = None
        self._stun: list[Address] = []
        self._relay_answered_ns: int | None = None
        self._paths: MediaPaths | None = None
        self._connected: set[str] = set()
        self._listeners: frozenset[str] | None = None
        self._said: dict[str, Address | str] = {}
        self._punch = asyncio.Event()
        self._asleep_until_us = 0

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_greeting())
            group.create_task(self._keep_punching())
            group.create_task(self._keep_finding_addresses())

    # ---- what happens ----

    def use(self, relay: Address | None, stun: Sequence[Address] = ()) -> None:
        """The room's server has this relay, or none, and more places that answer STUN."""
        self._stun = list(stun)
        self._relay, self._relay_answered_ns, self._paths = relay, None, None
        self.begin()

    def begin(self) -> None:
        """The socket or the relay is new: all paths are to be found anew."""
        if self._relay is None or self._engine.ready is None:
            return
        hosts = local_addresses(self._engine.ready.port, self._relay[0])
        generation = time.time_ns() // 1_000_000
        self._paths = MediaPaths(hosts, self._relay, generation, _now_us(), self._stun)
        self._paths.send_to(self._listeners)
        self._engine.tell(self._paths.ways())
        self._greet()  # what we send by the relay is passed on from then on
        self._obey(self._paths.members(self._connected, _now_us()))

    def members(self, connected: Collection[str]) -> None:
        """Who else is in the room, and connected."""
        self._connected = set(connected)
        if self._paths is not None:
            self._obey(self._paths.members(self._connected, _now_us()))
        self._say_paths()

    def send_to(self, listeners: frozenset[str] | None) -> None:
        """Only these hear us; None is everybody."""
        self._listeners = listeners
        if self._paths is not None:
            self._obey(self._paths.send_to(listeners))

    def offered(self, message: MediaOfferFrom) -> None:
        """Another one says where it can be reached."""
        if self._paths is not None:
            self._obey(self._paths.offered(message, _now_us()))

    def came(self, rare: Rare) -> None:
        """A STUN message, or an answer of the relay."""
        if not rare.stun:
            if self._relay_answered_ns is None:
                log.info("audio: the relay answers")
                self._greet()  # with its token, so that it gives us all
            self._relay_answered_ns = rare.received_ns
        elif self._paths is not None:
            self._obey(self._paths.came(rare.source, rare.data, _now_us()))

    def look(self, voice: VoiceStatus) -> None:
        """Leave a direct path on which nothing is heard."""
        silence_us = voice.direct_silence_us
        if self._paths is not None and silence_us is not None and voice.name in self._connected:
            self._obey(self._paths.heard(voice.name, silence_us, _now_us()))

    def reason(self, name: str) -> str:
        """Why a member's path is what it is, for people."""
        if self._paths is not None and (reason := self._paths.reason(name)):
            return reason
        answered_ns = self._relay_answered_ns
        if answered_ns is None or host_clock.now_ns() - answered_ns > RELAY_LOST_NS:
            return "the relay does not answer: UDP may be blocked"
        return "by the server's relay"

    # ---- time ----

    async def _keep_greeting(self) -> None:
        while True:
            self._greet()
            await asyncio.sleep(GREET_S)

    def _greet(self) -> None:
        now_us = self._room_us()
        if self._relay is not None and now_us is not None:
            self._engine.tell(Greet(self._relay, now_us))

    async def _keep_punching(self) -> None:
        while True:
            now_us, wait_s = _now_us(), IDLE_S
            self._asleep_until_us = 0
            if self._paths is not None and self._engine.ready is not None:
                self._obey(self._paths.tick(now_us))
                self._say_paths()
                wait_s = max((self._paths.due_us(now_us) - now_us) / 1e6, PUNCH_S)
            self._punch.clear()
            self._asleep_until_us = now_us + round(wait_s * 1e6)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._punch.wait()

    async def _keep_finding_addresses(self) -> None:
        while True:
            await asyncio.sleep(ADDRESSES_S)
            paths, ready, relay = self._paths, self._engine.ready, self._relay
            if paths is not None and ready is not None and relay is not None:
                hosts = await asyncio.to_thread(local_addresses, ready.port, relay[0])
                self._obey(paths.addresses(hosts, _now_us()))

    def _obey(self, messages: Iterable[Raw | Ways | MediaOffer]) -> None:
        for message in messages:
            if isinstance(message, MediaOffer):
                self._send(message)
            else:
                self._engine.tell(message)
        if self._paths is not None and self._paths.due_us(_now_us()) < self._asleep_until_us:
            self._punch.set()

    def _say_paths(self) -> None:
        """Say each path that is new; not that of a direct one the round trip is another."""
        before, self._said = self._said, {}
        for name in sorted(self._connected):
            reason = self.reason(name)
            direct = self._paths.direct(name) if self._paths is not None else None
            self._said[name] = direct or reason
            if self._said[name] != before.get(name):
                log.info("audio: %s: %s", name, reason)


def _now_us() -> int:
    """For paths, which need no room time."""
    return host_clock.now_ns() // 1000
