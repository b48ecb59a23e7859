"""Goes the way to a server step by step, without joining a room."""

import asyncio
import os
import socket
import time
from dataclasses import replace

import aiohttp
import msgspec

from midipool import messages
from midipool.errors import Refused, Unavailable
from midipool.messages import Welcome
from midipool_client.doctor.clock_probing import ClockProbing
from midipool_client.doctor.network import NetworkLook, Probed, Reached, Stopped
from midipool_client.doctor.within import within
from midipool_client.room_url import RoomUrl
from midipool_client.server_link import ServerLink

STEP_S = 4.0
MAX_HEALTH_BYTES = 64 * 1024


class Health(msgspec.Struct, frozen=True):
    """What GET /healthz says, as far as it is looked at."""

    status: str
    rooms: int
    clock_port: int | None = None
    clock_id: str | None = None
    stun_ports: list[int] = []


class _Stop(Exception):
    """A step failed."""

    def __init__(self, step: str, text: str, advice: str) -> None:
        super().__init__(text)
        self.stopped = Stopped(step, text, advice)


class NetworkLooking:
    """One way to one server."""

    def __init__(self, url: RoomUrl, kernel_timestamps: bool = True) -> None:
        self._url = url
        self._kernel_timestamps = kernel_timestamps
        self._reached = Reached(f"{url.host}:{url.port}", url.room)
        self._peer: tuple[str | int, ...] = ()
        self._stun_ports: list[int] = []

    def look(self) -> NetworkLook:
        """Go as far as it goes; takes up to half a minute."""
        stopped, probed = None, None
        try:
            self._find()
            probed = asyncio.run(self._reach())
        except _Stop as stop:
            stopped = stop.stopped
        stun = tuple((str(self._peer[0]), port) for port in self._stun_ports if self._peer)
        return NetworkLook(self._reached, stopped, probed, self._kernel_timestamps, stun)

    def _find(self) -> None:
        """Ask for the name by itself: a resolver may take its time and cannot be stopped."""
        host, port = self._url.host, self._url.port
        advice = "correct the host's name, and see whether this machine has a network"
        try:
            found = within(STEP_S, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except TimeoutError:
            raise _Stop("name", f"no answer for {host!r} within {STEP_S:g} s", advice) from None
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise _Stop("name", f"there is no host named {host!r} ({why})", advice) from None
        addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
        self._reached = replace(self._reached, addresses=addresses)

    async def _reach(self) -> Probed | None:
        await self._connect()
        health = await self._ask_health()
        self._stun_ports = health.stun_ports
        self._reached = replace(self._reached, rooms=health.rooms, clock_port=health.clock_port)
        try:
            async with ServerLink(self._url, messages.hello("doctor", role="remote")) as link:
                welcome = await self._introduce(link)
                clock_id = health.clock_id
                if welcome is not None:
                    clock_id = welcome.clock_id
                    self._reached = replace(
                        self._reached, room_exists=True, clock_port=welcome.clock_port
                    )
                return await self._probe(clock_id, link if welcome is not None else None)
        except Unavailable as error:
            advice = "a proxy in front of the server must pass WebSockets on"
            raise _Stop("WebSocket", str(error), advice) from None

    async def _connect(self) -> None:
        host, port = self._url.host, self._url.port
        begin_s = time.monotonic()
        try:
            async with asyncio.timeout(STEP_S):
                _, writer = await asyncio.open_connection(host, port)
        except TimeoutError:
            text = f"{host}:{port} does not answer within {STEP_S:g} s"
            advice = "correct the address; a firewall may be in the way, here or there"
            raise _Stop("TCP", text, advice) from None
        except OSError as error:
            text = f"{host}:{port} cannot be reached ({_reason(error)})"
            advice = f"start midipool-server there, or correct the address; is TCP {port} open?"
            raise _Stop("TCP", text, advice) from None
        self._peer = writer.get_extra_info("peername")
        self._reached = replace(self._reached, connect_ms=(time.monotonic() - begin_s) * 1000)
        writer.close()

    async def _ask_health(self) -> Health:
        address = self._url.http("healthz")
        timeout = aiohttp.ClientTimeout(total=STEP_S)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as http,
                http.get(address, allow_redirects=False) as answer,
            ):
                body = await answer.content.read(MAX_HEALTH_BYTES)
                status = answer.status
            if status == 200:
                return msgspec.json.decode(body, type=Health)
            raise _not_ours(f"{address} answers with HTTP status {status}")
        except TimeoutError:
            text = f"{address} does not answer within {STEP_S:g} s"
            raise _not_ours(text) from None
        except aiohttp.ClientConnectorCertificateError as error:
            text = f"its certificate is not valid: {error.certificate_error}"
            advice = "have the server's certificate renewed, or use the name that it is for"
            raise _Stop("HTTP", text, advice) from None
        except aiohttp.ClientConnectorSSLError as error:
            text = f"it speaks no TLS that we know: {error}"
            raise _Stop("HTTP", text, "use ws:// in place of wss://, or another port") from None
        except (aiohttp.ClientError, OSError) as error:
            raise _not_ours(f"{address}: {error}") from None
        except msgspec.DecodeError as error:
            raise _not_ours(f"{address} answers, but not as ours does ({error})") from None

    async def _introduce(self, link: ServerLink) -> Welcome | None:
        """The server's welcome; None in a room that nobody is in, where a remote gets none."""
        try:
            welcome = await link.hello()
        except Refused as refused:
            if refused.code == "no_such_room":
                # The version is looked at before the room.
                self._reached = replace(self._reached, version=messages.hello("x").version)
                return None
            advice = _ADVICE.get(refused.code, "do what it says")
            raise _Stop("WebSocket", f"the server refuses us: {refused.text}", advice) from None
        self._reached = replace(self._reached, version=welcome.version)
        return welcome

    async def _probe(self, clock_id: str | None, link: ServerLink | None) -> Probed | None:
        port = self._reached.clock_port
        if clock_id is None or (not port and link is None):
            return None
        probing = ClockProbing(clock_id)
        if port:
            family = socket.AF_INET6 if len(self._peer) == 4 else socket.AF_INET
            await probing.by_udp(family, (self._peer[0], port, *self._peer[2:]))
        if link is not None:
            await probing.by_websocket(link)
        return probing.result()


def _reason(error: OSError) -> str:
    """In the system's words; where several addresses were tried there may be none."""
    return os.strerror(error.errno) if error.errno else str(error)


_ADVICE = {
    "bad_version": "update whichever is older, here or there",
    "bad_room": "choose another name for the room",
    "closed": "try again later",
}


def _not_ours(text: str) -> _Stop:
    return _Stop("HTTP", text, "correct the address: this is not midipool-server's port")
