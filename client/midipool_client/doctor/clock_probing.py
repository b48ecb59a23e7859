"""Asks a server's clock fifty times, by UDP and, where that is silent, by WebSocket."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

from midipool.clock_sync import ProbeSample
from midipool.errors import MidiPoolError
from midipool.messages import ClockProbe, ClockReply
from midipool_client.clock_keeper import ClockKeeper
from midipool_client.clock_socket import ClockSocket
from midipool_client.doctor.network import ENOUGH_ANSWERS, PROBES, Probed
from midipool_client.probe_schedule import ProbeSchedule
from midipool_client.server_link import ServerLink
from midipool_native import host_clock

LAST_ANSWER_S = 0.5


class ClockProbing:
    """Probes as a player sends them, and what they say of the clock; nobody joins a room."""

    def __init__(self, clock_id: str) -> None:
        self._clock_id = clock_id
        self._keeper = ClockKeeper()
        self._keeper.use_clock(clock_id)
        self._round_trips_ns: list[int] = []
        self._all_answered = asyncio.Event()
        self._waiting: set[int] = set()
        self._udp_sent = self._udp_answered = self._websocket_answered = 0

    async def by_udp(self, family: socket.AddressFamily, address: tuple[str | int, ...]) -> None:
        """Send them to a UDP port; takes two seconds."""
        clock = ClockSocket(family, address, self._clock_id, self._take)
        try:
            async for _ in _paced():
                clock.probe()
                self._udp_sent += 1
            await self._wait_for_the_last()
        finally:
            clock.close()
        self._udp_answered = len(self._round_trips_ns)

    async def by_websocket(self, link: ServerLink) -> None:
        """Send them as messages, unless UDP answered often enough; takes two seconds."""
        if self._udp_answered >= ENOUGH_ANSWERS:
            return
        self._keeper.forget()  # The other way has other delays.
        self._round_trips_ns.clear()
        listening = asyncio.create_task(self._listen(link))
        try:
            async for _ in _paced():
                t1_ns = host_clock.now_ns()
                self._waiting.add(t1_ns)
                await link.send(ClockProbe(t1_ns=t1_ns))
            await self._wait_for_the_last()
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        self._websocket_answered = len(self._round_trips_ns)

    def result(self) -> Probed:
        """What became of them."""
        return Probed(
            udp_sent=self._udp_sent,
            udp_answered=self._udp_answered,
            websocket_answered=self._websocket_answered,
            round_trips_ns=list(self._round_trips_ns),
            estimate=self._keeper.estimate,
        )

    def _take(self, sample: ProbeSample) -> None:
        if sample.round_trip_ns >= 0:
            self._round_trips_ns.append(sample.round_trip_ns)
            if len(self._round_trips_ns) == PROBES:
                self._all_answered.set()
            self._keeper.add(sample, host_clock.now_ns())

    async def _listen(self, link: ServerLink) -> None:
        with suppress(MidiPoolError):
            async for message in link.incoming():
                now_ns = host_clock.now_ns()
                if isinstance(message, ClockReply) and message.t1_ns in self._waiting:
                    self._waiting.remove(message.t1_ns)
                    self._take(ProbeSample(message.t1_ns, message.t2_ns, message.t3_ns, now_ns))

    async def _wait_for_the_last(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_ANSWER_S):
                await self._all_answered.wait()


async def _paced() -> AsyncIterator[None]:
    """Fifty turns at a player's pace."""
    schedule = ProbeSchedule(host_clock.now_ns())
    for _ in range(PROBES):
        now_ns = host_clock.now_ns()
        yield
        next_ns = schedule.next_after(now_ns)
        await asyncio.sleep(max(next_ns - host_clock.now_ns(), 0) * 1e-9)
