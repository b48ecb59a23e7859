"""The WebSocket to a server: connect, say hello, exchange messages."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from types import TracebackType

import aiohttp

from midipool import messages
from midipool.errors import InvalidMessage, MidiPoolError, Refused, Unavailable
from midipool.messages import Closing, Error, Hello, Message, ServerMessage, Waiting, Welcome
from midipool_client.room_url import RoomUrl

log = logging.getLogger(__name__)

CONNECT_S = 5.0
HEARTBEAT_S = 5.0
MAX_REPLY_BYTES = 1 << 20


class Disconnected(MidiPoolError):
    """The connection ended; the text says why, as far as it is known."""


class ServerLink:
    """One connection, used as an async context manager."""

    def __init__(self, url: RoomUrl, hello: Hello) -> None:
        self.url = url
        self._hello = hello
        self.on_waiting: Callable[[str], None] = lambda text: None
        """Called when a host has to let us in first."""
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def __aenter__(self) -> "ServerLink":
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
        )
        try:
            async with asyncio.timeout(CONNECT_S):
                self._socket = await self._http.ws_connect(
                    str(self.url),
                    heartbeat=HEARTBEAT_S,
                    max_msg_size=MAX_REPLY_BYTES,
                    ssl=_trust(self.url),
                )
        except BaseException as error:
            await self._http.close()
            raise _in_words(error, self.url) from None
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._socket is not None:
            with contextlib.suppress(TimeoutError, aiohttp.ClientError):
                async with asyncio.timeout(1.0):
                    await self._socket.close()
        if self._http is not None:
            await self._http.close()

    async def hello(self) -> Welcome:
        """Introduce ourselves; raises Refused, or Unavailable when it is no midiPool server."""
        await self.send(self._hello)
        try:
            async with asyncio.timeout(CONNECT_S) as patience:
                async for message in self.incoming():
                    match message:
                        case Error():
                            raise Refused(message.code, message.message, message.field)
                        case Welcome():
                            return message
                        case Waiting():
                            patience.reschedule(None)
                            log.info("%s", message.text)
                            self.on_waiting(message.text)
        except (TimeoutError, InvalidMessage):
            pass
        raise Unavailable(f"{self.url} does not answer as a midiPool server")

    async def send(self, message: Message) -> None:
        """Send a message; a broken connection shows when reading."""
        assert self._socket is not None
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            await self._socket.send_str(messages.encode(message).decode())

    async def incoming(self) -> AsyncIterator[ServerMessage]:
        """Messages that arrive; raises Disconnected when the server says goodbye."""
        assert self._socket is not None
        async for frame in self._socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                continue
            message = messages.decode_server(frame.data)
            if isinstance(message, Closing):
                if not message.again:
                    raise Refused("closed", message.reason)
                raise Disconnected(message.reason)
            yield message

    def peer_host(self) -> str | None:
        """Address of the host that we are connected to."""
        assert self._socket is not None
        peer = self._socket.get_extra_info("peername")
        return str(peer[0]) if peer else None

    def peer_address(self, port: int) -> tuple[socket.AddressFamily, tuple[str | int, ...]] | None:
        """Family and address of UDP `port` on the host that we are connected to."""
        assert self._socket is not None
        peer = self._socket.get_extra_info("peername")
        if not peer or not port:
            return None
        family = socket.AF_INET6 if len(peer) == 4 else socket.AF_INET
        return family, (peer[0], port, *peer[2:])


def _trust(url: RoomUrl) -> ssl.SSLContext | bool:
    """Whose certificates are taken; raises OSError."""
    if not url.certificate:
        return True
    context = ssl.create_default_context(cafile=url.certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _in_words(error: BaseException, url: RoomUrl) -> BaseException:
    where = f"{url.host}:{url.port}"
    match error:
        case TimeoutError():
            return Unavailable(f"{where} does not answer within {CONNECT_S:g} s")
        case aiohttp.WSServerHandshakeError():
            return Unavailable(f"{where} is not a midiPool server (HTTP {error.status})")
        case aiohttp.ClientConnectorDNSError():
            return Unavailable(f"there is no host named {url.host!r}")
        case aiohttp.ClientConnectorError():
            reason = error.os_error.strerror or str(error.os_error)
            return Unavailable(f"no server at {where} ({reason}); start midipool-server")
        case aiohttp.ClientError() | OSError():
            return Unavailable(f"{where}: {error}")
    return error
