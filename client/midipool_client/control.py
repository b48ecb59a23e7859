"""How a shell of the same user reaches a running client: a socket in a folder of the user's own.

One line of JSON there, {"do": "record_start", ...}; then a line {"text": ...}, several of them from
what goes on telling, or a line {"error": ...}.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import socket
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from pathlib import Path
from typing import Any

from midipool.errors import MidiPoolError, Refused, Unavailable
from midipool_client import tokens

log = logging.getLogger(__name__)

MOST_BYTES = 1 << 16
PATIENCE_S = 140.0
Handler = Callable[[dict[str, Any]], AsyncGenerator[str, None]]
"""Yields each text; an empty one says nothing, and lets a shell that is gone be noticed."""


def _folder() -> Path:
    folders = tokens.folders()
    if not folders:
        raise Unavailable("there is no folder for the client's socket: set XDG_RUNTIME_DIR")
    return folders[0].parent / "control"


def _file_name(device: str) -> str:
    return hashlib.sha256(device.encode()).hexdigest()[:24]


@contextlib.contextmanager
def _short(folder: Path) -> Iterator[str]:
    """A name of the folder that is short enough for a socket's address."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}"
    finally:
        os.close(handle)


async def serve(device: str, handle: Handler) -> None:
    """Answer until cancelled; raises Unavailable."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError):
            async with contextlib.aclosing(_answers(await reader.readline(), handle)) as answers:
                async for said in answers:
                    if reader.at_eof():
                        break
                    if said.get("text") != "":
                        writer.write(json.dumps(said).encode() + b"\n")
                        await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(answer, sock=_bound(device), limit=MOST_BYTES)
    path = _folder() / _file_name(device)
    ours = path.stat().st_ino
    try:
        await asyncio.Event().wait()
    finally:
        server.close()
        with contextlib.suppress(OSError):
            if path.stat().st_ino == ours:  # not that of a client that was started later
                path.unlink()


async def serve_or_warn(device: str, handle: Handler) -> None:
    """Answer if that can be; a client plays without it too."""
    try:
        await serve(device, handle)
    except Unavailable as error:
        log.warning("%s", error)
        await asyncio.Event().wait()


async def _answers(line: bytes, handle: Handler) -> AsyncGenerator[dict[str, str], None]:
    try:
        asked = json.loads(line)
        if not isinstance(asked, dict):
            raise ValueError
    except (ValueError, RecursionError):
        yield {"error": "that is not a line of JSON with an object"}
        return
    try:
        async with contextlib.aclosing(handle(asked)) as texts:
            async for text in texts:
                yield {"text": text}
    except MidiPoolError as error:
        yield {"error": str(error)}


def _bound(device: str) -> socket.socket:
    folder = _folder()
    sock = socket.socket(socket.AF_UNIX)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # A client that was killed leaves its socket behind; of two that run the newer one answers.
        (folder / _file_name(device)).unlink(missing_ok=True)
        with _short(folder) as short:
            sock.bind(f"{short}/{_file_name(device)}")
        (folder / _file_name(device)).chmod(0o600)
    except OSError as error:
        sock.close()
        raise Unavailable(f"no shell can reach this client: {folder}: {error.strerror}") from None
    return sock


def ask(device: str, **words: Any) -> str:
    """Have the running client do something; what it says. Raises MidiPoolError."""
    with contextlib.closing(listen(device, PATIENCE_S, **words)) as said:
        for text in said:
            return text
    raise Unavailable("the client ended before it answered")


def listen(device: str, patience_s: float | None, **words: Any) -> Generator[str, None, None]:
    """Each thing that the running client says, as long as it does; raises MidiPoolError."""
    absent = Unavailable(f"no midipool-client runs with the device name {device}: join a room")
    sock = socket.socket(socket.AF_UNIX)
    with sock:
        try:
            with _short(_folder()) as short:
                sock.settimeout(PATIENCE_S)
                sock.connect(f"{short}/{_file_name(device)}")
                sock.sendall(json.dumps(words).encode() + b"\n")
        except OSError:
            raise absent from None
        sock.settimeout(patience_s)
        yield from _lines(sock)


def _lines(sock: socket.socket) -> Iterator[str]:
    try:
        with sock.makefile("rb") as stream:
            for line in stream:
                said = json.loads(line)
                if "error" in said:
                    raise Refused("client", said["error"])
                yield str(said["text"])
    except TimeoutError:
        raise Unavailable("the client does not answer") from None
    except (OSError, ValueError):
        raise Unavailable("the client ended before it answered") from None
