"""A member's connection: kept up, made again when it breaks, with clock probes beside it."""

import asyncio
import contextlib
import logging
from collections import deque
from typing import Protocol

from midipool.clock_sync import ProbeSample
from midipool.errors import InvalidMessage, Refused, Unavailable
from midipool.messages import (
    ClockProbe,
    ClockReply,
    Hello,
    MemberStatus,
    Message,
    ServerMessage,
    Welcome,
)
from midipool_client.clock_socket import ClockSocket
from midipool_client.probe_schedule import ProbeSchedule
from midipool_client.room_url import RoomUrl
from midipool_client.server_link import Disconnected, ServerLink
from midipool_native import host_clock

log = logging.getLogger(__name__)

STATUS_S = 1.0
RETRY_S = (0.1, 0.25, 0.5, 1.0, 2.0)
# What does not become otherwise by trying again.
FATAL_REFUSALS = {
    *("bad_version", "bad_room", "closed", "banned"),
    *("password_needed", "bad_password", "bad_invitation", "invitation_needed"),
}
MAX_UNSENT = 1024


class Member(Protocol):
    """What a session tells, and asks, whoever it is for."""

    def hello(self) -> Hello:
        """How to introduce oneself."""

    def status(self) -> MemberStatus | None:
        """What to report; None before the clock is measured."""

    def welcomed(self, welcome: Welcome) -> None:
        """The server let us in."""

    def received(self, message: ServerMessage) -> None:
        """Anything but a welcome and a clock reply came."""

    def probed(self, sample: ProbeSample, new_way: bool) -> None:
        """A clock probe came back; `new_way` when probes went another way until now."""

    def jitter_ns(self) -> int | None:
        """Of the probes, as far as it is known."""

    def disconnected(self) -> None:
        """The server is away."""


class RoomSession:
    """Stays in a room until cancelled."""

    def __init__(self, url: RoomUrl, member: Member) -> None:
        self.url = url
        self._member = member
        self._probes = ProbeSchedule(host_clock.now_ns())
        self._unsent: deque[Message] = deque(maxlen=MAX_UNSENT)
        self._to_send = asyncio.Event()
        self._connected = False
        self.waiting = ""
        """Why we are not in yet, for people: a host has to let us in."""
        self.server_host: str | None = None
        """Address of the server that we are or were connected to."""

    @property
    def connected(self) -> bool:
        """Whether the server is there."""
        return self._connected

    @property
    def udp_answers(self) -> bool:
        """Whether clock probes go by UDP."""
        return self._probes.udp_answers(host_clock.now_ns())

    def send(self, message: Message) -> bool:
        """Send in order, without waiting; False while the server is away."""
        if self._connected:
            self._unsent.append(message)
            self._to_send.set()
        return self._connected

    async def run(self) -> None:
        """Stay connected; raises Unavailable or Refused if the room cannot be joined at first."""
        joined, tries = False, 0
        while True:
            try:
                async with ServerLink(self.url, self._member.hello()) as link:
                    link.on_waiting = self._wait
                    welcome = await link.hello()
                    self.waiting = ""
                    log.info("joined %s as %s", self.url, self._member.hello().name)
                    joined, tries = True, 0
                    await self._converse(link, welcome)
                    reason = "the connection ended"
            except Disconnected as error:
                reason = str(error)
            except (Unavailable, Refused) as error:
                if not joined or (isinstance(error, Refused) and error.code in FATAL_REFUSALS):
                    raise
                reason = str(error)
            self._member.disconnected()
            if tries == 0:
                log.warning("%s; playing on, and connecting again", reason)
            await asyncio.sleep(RETRY_S[min(tries, len(RETRY_S) - 1)])
            tries += 1

    def _wait(self, text: str) -> None:
        self.waiting = text

    async def _converse(self, link: ServerLink, welcome: Welcome) -> None:
        self._connected = True
        self.server_host = link.peer_host()
        self._member.welcomed(welcome)
        helpers = [
            asyncio.create_task(self._send_all(link)),
            asyncio.create_task(self._probe(link, welcome)),
            asyncio.create_task(self._report()),
        ]
        for helper in helpers:
            helper.add_done_callback(_log_failure)
        try:
            async for message in link.incoming():
                self._take(message)
        except InvalidMessage as error:
            raise Disconnected(f"the server sent what is no message: {error}") from None
        finally:
            self._connected = False
            self._unsent.clear()
            for task in helpers:
                task.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)

    def _take(self, message: ServerMessage) -> None:
        if not isinstance(message, ClockReply):
            self._member.received(message)
        elif not self.udp_answers:
            t4_ns = host_clock.now_ns()
            sample = ProbeSample(message.t1_ns, message.t2_ns, message.t3_ns, t4_ns)
            self._member.probed(sample, new_way=False)

    async def _send_all(self, link: ServerLink) -> None:
        while True:
            await self._to_send.wait()
            self._to_send.clear()
            while self._unsent:
                await link.send(self._unsent.popleft())

    async def _report(self) -> None:
        while True:
            status = self._member.status()
            if status is not None:
                self.send(status)
            await asyncio.sleep(STATUS_S if status is not None else 0.1)

    # ---- the clock ----

    async def _probe(self, link: ServerLink, welcome: Welcome) -> None:
        where = link.peer_address(welcome.clock_port)
        self._probes = ProbeSchedule(host_clock.now_ns(), by_udp=where is not None)
        with contextlib.ExitStack() as stack:
            clock = None
            if where is not None:
                clock = ClockSocket(*where, welcome.clock_id, self._udp_sample)
                stack.callback(clock.close)
            while True:
                now_ns = host_clock.now_ns()
                if clock is not None:
                    clock.probe()
                if not self._probes.udp_answers(now_ns):
                    # Past the others that wait: a probe is about time.
                    await link.send(ClockProbe(t1_ns=host_clock.now_ns()))
                next_ns = self._probes.next_after(now_ns, self._member.jitter_ns())
                await asyncio.sleep(max(next_ns - host_clock.now_ns(), 0) * 1e-9)

    def _udp_sample(self, sample: ProbeSample) -> None:
        new_way = not self._probes.udp_answers(sample.t4_ns)
        self._probes.udp_answered_ns = sample.t4_ns
        self._member.probed(sample, new_way)


def _log_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("a part of the session failed", exc_info=task.exception())
