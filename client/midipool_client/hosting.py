"""A server of our own, as a program beside us: the client's code knows nothing of the server's."""

import asyncio
import contextlib
import importlib.util
import socket
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from midipool.errors import Unavailable
from midipool_client.room_url import RoomUrl
from midipool_native.lan import own_interfaces

SERVER = "midipool_server"
READY_S = 15.0
END_S = 4.0
READY = "page: "
"""What the server's last line begins with before it waits for members."""


class Hosting:
    """An async context manager: the server runs as long as the context lasts, and as we live."""

    def __init__(self, room: str, port: int, title: str = "", announce: bool = True) -> None:
        self.room, self.port = room, port
        self._words = server_words(room, port, title, announce)
        self._announce = announce
        self._process: asyncio.subprocess.Process | None = None
        self._draining: asyncio.Task[None] | None = None
        self._last = ""

    async def __aenter__(self) -> Self:
        """Raises Unavailable."""
        if importlib.util.find_spec(SERVER) is None:
            raise Unavailable(
                "there is no midipool-server on this machine: install midiPool whole, or join a "
                "server of somebody else's (midipool-client discover)"
            )
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            SERVER,
            *self._words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us; it ends when we do
        )
        try:
            async with asyncio.timeout(READY_S):
                await self._until_ready()
        except BaseException as error:
            await self._end()
            if isinstance(error, TimeoutError):
                text = f"midipool-server is not ready within {READY_S:g} s"
                raise Unavailable(text) from None
            raise
        self._draining = asyncio.create_task(self._drain())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._end()

    @property
    def addresses(self) -> list[str]:
        """Those at which others find it, the likeliest first."""
        return [address for address, _ in own_interfaces(listen_host())]

    @property
    def url(self) -> str:
        """Its room, as all on this LAN reach it; on a machine without one, as we do."""
        return str(self._url(self.addresses[0] if self.addresses else "127.0.0.1"))

    def in_words(self) -> list[str]:
        """For whoever opened it."""
        url = self._url(self.addresses[0] if self.addresses else "127.0.0.1")
        listed = "choose it where their midipool-client lists it, or: " if self._announce else ""
        lines = [
            f"room {self.room} is open: {url}",
            f"others: {listed}midipool-client join {url} --name NAME",
            f"its page: {url.http(f'rooms/{self.room}')}",
            "it has no TLS: who can listen in on this network can read the chat and the room's "
            "key, and so hear it. For the internet see docs/hosting.md",
        ]
        if not self.addresses:
            lines.insert(1, "this machine has no network: nobody else can come")
        return lines

    async def wait(self) -> None:
        """Until the server ends by itself: raises Unavailable."""
        assert self._process is not None
        assert self._draining is not None
        await self._draining
        code = await self._process.wait()
        raise Unavailable(f"midipool-server ended ({code}): {self._last}")

    def _url(self, host: str) -> RoomUrl:
        return RoomUrl(secure=False, host=host, port=self.port, room=self.room)

    async def _until_ready(self) -> None:
        while not self._last.startswith(READY):
            if not await self._read_line():
                text = self._last.removeprefix("midipool-server: ")
                raise Unavailable(text or "midipool-server does not start")

    async def _drain(self) -> None:
        while await self._read_line():
            print(self._last, file=sys.stderr, flush=True)  # noqa: T201 (the server's own words)

    async def _read_line(self) -> bool:
        """False at the end of its output."""
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            line = await self._process.stdout.readline()
        except ValueError:
            return True  # longer than anything that it says
        if text := line.decode(errors="replace").strip():
            self._last = text
        return bool(line)

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        for end in (process.terminate, process.kill):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(END_S):
                    await process.wait()
                break
            with contextlib.suppress(ProcessLookupError):
                end()
        await process.wait()
        if self._draining is not None:
            await asyncio.gather(self._draining, return_exceptions=True)


def listen_host() -> str:
    """Everywhere; IPv6 as well where there is some."""
    return "::" if socket.has_dualstack_ipv6() else "0.0.0.0"


def server_words(room: str, port: int, title: str, announce: bool) -> Sequence[str]:
    """The server's command line."""
    return [
        f"--host={listen_host()}",
        f"--port={port}",
        "--plain-text",
        "--list-rooms",
        f"--announce-room={room}",
        *([f"--announce-name={title}"] if title else []),
        "--announce" if announce else "--no-announce",
        "--until-input-ends",
        "--drain-s=0",
        "--log-level=warning",
    ]
