"""A room in this process, on real time, with a bridge on a host of the lab."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from midipool.clock_map import ClockMap
from midipool.messages import Error, Ok, TransportCommand
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.link.bridge import LinkBridge, Policy
from midipool_client.link.runner import LinkRunner
from midipool_client.link.session import LinkSession
from midipool_client.link.state import LinkState
from midipool_native import host_clock
from tests.client.link.simulation import SimRoom
from tests.netlab import Host
from tests.netlab.namespaces import entered

ROOM_IS_AHEAD_NS = 5_000_000_000_000


class LiveRoom(SimRoom):
    """A room whose clock is ahead of the host's, and faster by `ppm`."""

    def __init__(self, ppm: float = 0.0) -> None:
        super().__init__()
        now_ns = host_clock.now_ns()
        self.clock = ClockMap(now_ns, now_ns + ROOM_IS_AHEAD_NS, drift=ppm * 1e-6)
        self.chain = TimelineChain((Timeline(),))

    @property
    def now_us(self) -> int:
        return self.clock.room_at(host_clock.now_ns()) // 1000

    @property
    def bpm(self) -> float:
        return self.timeline.mbpm / 1000

    def off_us(self, link: LinkState) -> float:
        """By how much a session's bars are off this room's, in µs."""
        room_us = self.clock.room_at(link.host_ns) // 1000
        timeline = self.chain.at(room_us)
        bar = timeline.meter.bar_beats
        off = link.beats - timeline.song_beats_at(room_us)
        return ((off + bar / 2) % bar - bar / 2) * link.beat_us / 1e6


@dataclass(frozen=True)
class Clock:
    """A clock as it is measured."""

    map: ClockMap | None


class Member:
    """What a player offers the bridge."""

    def __init__(self, room: LiveRoom) -> None:
        self.room = room
        self.keeper = Clock(room.clock)
        self.link_peers: int | None = None

    @property
    def chain(self) -> TimelineChain:
        return self.room.chain

    def ask(self, command: TransportCommand, answer: Callable[[Ok | Error | None], None]) -> None:
        self.room.ask(command, answer)


def session_on(host: Host) -> LinkSession:
    """A Link session of this process on a host: its sockets and threads stay there."""
    with entered(host.name):
        session = LinkSession()
    session.enable()
    return session


class App:
    """The bridge of a member: what Link's test plan calls the app."""

    def __init__(self, host: Host, room: LiveRoom, policy: Policy = "room-wins") -> None:
        self.room = room
        self.bridge = LinkBridge(policy)
        self.session = session_on(host)
        self.runner = LinkRunner(self.session, self.bridge, Member(room))
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.runner.run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._task is not None
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self.session.close()


async def until(done: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Wait for a condition; the bridges run meanwhile."""
    async for _ in for_a_while(timeout_s):
        if done():
            return
    raise AssertionError("it did not happen in time")


async def for_a_while(seconds: float, every_s: float = 0.005) -> AsyncIterator[None]:
    """Look again and again for some time, for what must hold all along."""
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        yield
        await asyncio.sleep(every_s)
