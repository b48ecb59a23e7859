"""The edge to the LAN: what is announced there over multicast DNS, and what others announce.

Without a network, or where multicast cannot be had, nothing is announced or found, a line in the
log says so, and it is tried again.
"""

import asyncio
import contextlib
import ipaddress
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import ifaddr
from zeroconf import (
    BadTypeInNameException,
    Error,
    ServiceListener,
    Zeroconf,
)
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from midipool.errors import InvalidValue
from midipool.lan.announcement import SERVICE, Announcement, label_of, read_txt
from midipool.lan.finds import Finds

log = logging.getLogger(__name__)
# What it warns of is expected: an address that is not ready, a packet that makes no sense.
logging.getLogger("zeroconf").setLevel(logging.ERROR)

LOOK_S = 3.0
"""How often it is seen whether interfaces came or went, or another thing is to be said."""
HOST_TTL_S, OTHER_TTL_S = 120, 300
"""So long others believe in an end that vanished without a word."""
GOODBYE_S = 1.0
RESOLVE_MS = 2000
MOST_AT_ONCE, MOST_WAITING = 64, 1024

Interface = ipaddress.IPv4Interface | ipaddress.IPv6Interface
Joined = str | int | tuple[tuple[str, int, int], int]
"""An interface as zeroconf takes it."""


def own_interfaces(host: str = "") -> list[tuple[str, Interface]]:
    """Address, as others use it, and network of each interface that is not loopback's.

    With the address of one host only that: what listens there alone is not reached elsewhere.
    """
    wanted = None if host in ("", "0.0.0.0", "::") else host.partition("%")[0]
    found: list[tuple[str, Interface]] = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            interface = ipaddress.ip_interface(f"{text}/{ip.network_prefix}")
            if interface.is_loopback or (host == "0.0.0.0" and interface.version == 6):
                continue
            if wanted in (None, text):
                zoned = interface.version == 6 and interface.is_link_local
                found.append((f"{text}%{adapter.name}" if zoned else text, interface))
    return found


def is_loopback(host: str) -> bool:
    """Whether what listens at this host, or is reached there, is on this machine alone."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower() == "localhost"


async def announce(what: Callable[[], Announcement | None], port: int, host: str = "") -> None:
    """Announce until cancelled, then say goodbye. What is listens at `host`, empty for everywhere.

    `what` is asked now and then; None is nothing for now.
    """
    async with _Announced(port, host) as announced:
        while True:
            try:
                await announced.say(what())
            except (OSError, Error, BadTypeInNameException) as error:
                announced.complain(str(error) or type(error).__name__)
            await asyncio.sleep(LOOK_S)


@contextlib.asynccontextmanager
async def announcing(
    what: Callable[[], Announcement | None], port: int, host: str = ""
) -> AsyncIterator[None]:
    """Announce beside something else; what is on this machine alone is not announced."""
    if is_loopback(host):
        yield
        return
    task = asyncio.create_task(announce(what, port, host))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class _Announced:
    """What is said now, and on which interfaces."""

    def __init__(self, port: int, host: str) -> None:
        self._port, self._host = port, host
        self._zeroconf: AsyncZeroconf | None = None
        self._info: AsyncServiceInfo | None = None
        self._said: tuple[Announcement, tuple[str, ...]] | None = None
        self._complaint = ""

    async def __aenter__(self) -> "_Announced":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    def complain(self, text: str) -> None:
        """Say once why it cannot be announced."""
        if text != self._complaint:
            self._complaint = text
            log.warning("not announced on the LAN: %s", text)

    async def say(self, what: Announcement | None) -> None:
        """Let this be announced; raises OSError, and zeroconf's Error."""
        addresses = tuple(address for address, _ in own_interfaces(self._host))
        if what is None or not addresses:
            await self._close()
            return
        if self._said == (what, addresses):
            # An address that was still being made sure of may be ready now.
            assert self._zeroconf is not None
            await self._zeroconf.async_update_interfaces()
            return
        renamed = self._said is None or self._said[0].name != what.name
        if renamed or self._said is None or self._said[1] != addresses:
            await self._close()
        if self._info is None:
            await self._begin(what, addresses)
        else:
            assert self._zeroconf is not None
            self._info = _info(self._info.name, what, addresses, self._port)
            await (await self._zeroconf.async_update_service(self._info))
        self._said, self._complaint = (what, addresses), ""

    async def _begin(self, what: Announcement, addresses: tuple[str, ...]) -> None:
        self._zeroconf = AsyncZeroconf(interfaces=_interfaces(addresses))
        try:
            info = _info(f"{label_of(what.name)}.{SERVICE}", what, addresses, self._port)
            told = await self._zeroconf.async_register_service(
                info, allow_name_change=True, strict=False
            )
            await told
        except BaseException:
            await self._close()
            raise
        self._info = info
        log.info("announced on the LAN as %r", info.name.removesuffix(f".{SERVICE}"))

    async def _close(self) -> None:
        zeroconf, self._zeroconf, self._info, self._said = self._zeroconf, None, None, None
        if zeroconf is not None:
            with contextlib.suppress(TimeoutError, OSError, Error):
                async with asyncio.timeout(GOODBYE_S):
                    await zeroconf.async_close()


def _info(name: str, what: Announcement, addresses: tuple[str, ...], port: int) -> AsyncServiceInfo:
    return AsyncServiceInfo(
        SERVICE,
        name,
        port=port,
        properties=what.txt(),
        parsed_addresses=[address.partition("%")[0] for address in addresses],
        host_ttl=HOST_TTL_S,
        other_ttl=OTHER_TTL_S,
    )


def _interfaces(addresses: tuple[str, ...]) -> list[Joined]:
    """IPv6 is joined by the interface's index."""
    by_name = {adapter.name: adapter.index for adapter in ifaddr.get_adapters()}
    of_address = {
        ip.ip[0]: adapter.index
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
        if isinstance(ip.ip, tuple)
    }
    found: list[Joined] = []
    for address in addresses:
        text, _, zone = address.partition("%")
        index = by_name.get(zone) if zone else of_address.get(text)
        one = text if ":" not in text or index is None else index
        if one not in found:
            found.append(one)
    return found


# ---- who else is there ----


class Browser(ServiceListener):
    """Keeps `finds` true; `changed` is called when something in it is another."""

    def __init__(self, finds: Finds, changed: Callable[[], None]) -> None:
        self.finds = finds
        self._changed = changed
        self._resolving: dict[str, asyncio.Task[None]] = {}
        self._asking = asyncio.Semaphore(MOST_AT_ONCE)

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Somebody is there."""
        if len(self._resolving) >= MOST_WAITING:
            self.finds.left_out += 1
            return
        if (before := self._resolving.get(name)) is not None:
            before.cancel()
        task = asyncio.create_task(self._resolve(zc, name))
        self._resolving[name] = task
        task.add_done_callback(lambda done: self._resolved(name, done))

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Somebody says something else."""
        self.add_service(zc, type_, name)

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Somebody has gone."""
        if (task := self._resolving.pop(name, None)) is not None:
            task.cancel()
        self.finds.gone(name.casefold())
        self._changed()

    async def close(self) -> None:
        """Resolve no more."""
        tasks = list(self._resolving.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _resolved(self, name: str, task: "asyncio.Task[None]") -> None:
        if self._resolving.get(name) is task:
            del self._resolving[name]

    async def _resolve(self, zc: Zeroconf, name: str) -> None:
        try:
            info = AsyncServiceInfo(SERVICE, name)
            # What was announced whole is taken at once; only the rest is asked for, in turn.
            if not info.load_from_cache(zc):
                async with self._asking:
                    if not await info.async_request(zc, RESOLVE_MS):
                        return
            said = read_txt(name[: -len(SERVICE) - 1], info.properties)
        except (InvalidValue, Error, BadTypeInNameException, OSError) as error:
            log.debug("%r is passed over: %s", name, error)
            return
        self.finds.put(name.casefold(), said, _addresses(info), info.port or 0)
        self._changed()


def _addresses(info: Any) -> list[str]:
    return [str(address) for address in info.parsed_scoped_addresses()]


@contextlib.asynccontextmanager
async def browsing(changed: Callable[[], None]) -> AsyncIterator[Finds]:
    """What is found as long as the context lasts; raises OSError where there is no multicast."""
    own = own_interfaces()
    finds = Finds([interface.network for _, interface in own])
    if not own:
        yield finds
        return
    browser = Browser(finds, changed)
    async with AsyncZeroconf(interfaces=_interfaces(tuple(a for a, _ in own))) as zeroconf:
        looking = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE, listener=browser)
        try:
            yield finds
        finally:
            await looking.async_cancel()
            await browser.close()
