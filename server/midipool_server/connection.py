"""One client's WebSocket: a bounded outbox, a rate limit, and an end that always comes."""

import asyncio
import ipaddress
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiohttp import WSCloseCode, WSMsgType, web

from midipool import messages
from midipool.messages import Closing, Message
from midipool_server.outbox import Outbox
from midipool_server.public_address import Network, client_address, is_in, public_address
from midipool_server.rate_limit import RateLimit

log = logging.getLogger(__name__)

OUTBOX_SIZE = 256
MESSAGES_A_SECOND = 50.0
MESSAGE_BURST_S = 4.0
BAD_MESSAGE_COST = 5.0
# Batches of played notes come every 5 ms; what they hold is limited by the relay.
MIDI_MESSAGES_A_SECOND = 1000.0
MIDI_MESSAGE_BURST_S = 2.0
CLOSE_PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection may send."""

    messages_a_second: float = MESSAGES_A_SECOND
    midi_messages_a_second: float = MIDI_MESSAGES_A_SECOND

    def of_messages(self) -> RateLimit:
        """Of all but MIDI."""
        burst = self.messages_a_second * MESSAGE_BURST_S
        return RateLimit(self.messages_a_second, burst, "max_messages")

    def of_midi(self) -> RateLimit:
        """Of MIDI."""
        burst = self.midi_messages_a_second * MIDI_MESSAGE_BURST_S
        return RateLimit(self.midi_messages_a_second, burst, "max_midi_messages")


class Connection:
    """Sends and receives messages; never waits for a client that does not read.

    `private`: nobody on the way can read it, as far as can be seen from here.
    `closing` says that it is being ended from here; `ended` is set by whoever serves it, when
    that is over.
    """

    def __init__(
        self,
        id: int,
        socket: web.WebSocketResponse,
        request: web.Request,
        proxies: Sequence[Network] = (),
        limits: Limits = Limits(),
    ) -> None:
        self.id = id
        self.limit = limits.of_messages()
        self.midi_limit = limits.of_midi()
        self.address = client_address(request.headers, request.remote or "", proxies)
        """Of who speaks, also behind a proxy of ours."""
        self._socket = socket
        self._transport = request.transport
        self.private = _is_private(request, proxies)
        self._outbox = Outbox(request.transport, lambda: not socket.closed, OUTBOX_SIZE)
        self._goodbye: asyncio.Future[Closing] = asyncio.get_running_loop().create_future()
        self.closing = False
        self.about: dict[str, object] = {"connection": id}
        """What lines of the log about it name."""
        self.overflowed = False
        """Whether it was ended because it does not read."""
        self.ended = asyncio.Event()

    @property
    def crowded(self) -> bool:
        """Whether the outbox is more than half full: what is left is for the room's timeline."""
        return len(self._outbox) > OUTBOX_SIZE // 2

    @property
    def unsent(self) -> int:
        """How many messages wait in the outbox."""
        return len(self._outbox)

    def send(self, message: Message) -> None:
        """Queue a message; a client whose outbox is full is dropped."""
        self.send_encoded(messages.encode(message))

    def send_encoded(self, data: bytes, can_wait: bool = False) -> None:
        """Queue a message that is already encoded, so that a broadcast is encoded once."""
        if not self.closing and not self._outbox.put(data, can_wait):
            self.drop("it does not read what it is sent")

    def close(self, reason: str, again: bool = True) -> None:
        """Say why, after what is queued, and end the connection."""
        if self.closing:
            return
        self.closing = True
        if not self._goodbye.done():
            self._goodbye.set_result(Closing(reason=reason, again=again))

    def drop(self, reason: str) -> None:
        """End the connection of a client that would not hear why."""
        log.warning("cut: %s", reason, extra=self.about)
        self.closing = self.overflowed = True
        self._goodbye.cancel()
        self._abort()

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def run_outbox(self) -> None:
        """Say goodbye, after what is queued, when the connection is closed from here."""
        try:
            await self._say_goodbye(await self._goodbye)
        finally:
            self._outbox.close()

    async def _say_goodbye(self, closing: Closing) -> None:
        try:
            async with asyncio.timeout(CLOSE_PATIENCE_S):
                await self._outbox.written()
                await self._socket.send_str(messages.encode(closing).decode())
                code = WSCloseCode.GOING_AWAY if closing.again else WSCloseCode.POLICY_VIOLATION
                await self._socket.close(code=code, message=closing.reason.encode()[:120])
        except (TimeoutError, ConnectionError):
            self._abort()

    @property
    def left(self) -> bool:
        """Whether the client itself closed the connection in order."""
        return self._socket.close_code == WSCloseCode.OK and not self.closing

    async def incoming(self) -> AsyncIterator[str | bytes]:
        """Texts that arrive, until the connection ends."""
        async for message in self._socket:
            if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                yield message.data


def _is_private(request: web.Request, proxies: Sequence[Network]) -> bool:
    """Whether it came by TLS, to us or to a proxy that is trusted, or from this machine."""
    trusted = is_in(request.remote or "", proxies)
    address = public_address(request.headers, request.secure, trusted)
    if request.secure or (address is not None and address.secure):
        return True
    try:
        sender = ipaddress.ip_address(request.remote or "")
    except ValueError:
        return False
    return (getattr(sender, "ipv4_mapped", None) or sender).is_loopback
