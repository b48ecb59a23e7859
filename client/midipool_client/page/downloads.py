"""A recording as a file to keep: all of it as a ZIP, or one of its files. Read as it is sent.

What is asked for is looked up among the recordings and their files; no path is made of it.
"""

import asyncio
import logging
from collections.abc import Generator, Mapping
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from aiohttp import web

from midipool.errors import MidiPoolError
from midipool_client.recording.library import Library, is_live
from midipool_client.recording.manifest import FILE, Manifest

log = logging.getLogger(__name__)

CHUNK_BYTES = 1 << 18
TYPES = {
    ".flac": "audio/flac",
    ".wav": "audio/wav",
    ".mid": "audio/midi",
    ".json": "application/json",
}


async def download(
    request: web.Request, library: Library | None, headers: Mapping[str, str]
) -> web.StreamResponse:
    """The answer; `headers` go with it. Raises HTTPNotFound or HTTPConflict."""
    take, file = request.match_info["take"], request.match_info.get("file")
    name = take if file is not None else take.removesuffix(".zip")
    folder, manifest = await asyncio.to_thread(_found, library, name)
    if file is not None:
        return _one(folder, manifest, file, headers)
    if not take.endswith(".zip"):
        raise web.HTTPNotFound(reason="a recording ends with .zip here, or is NAME/FILE")
    return await _all(request, folder, name, manifest, headers)


def _found(library: Library | None, name: str) -> tuple[Path, Manifest]:
    try:
        if library is None:
            raise web.HTTPNotFound(reason="there are no recordings")
        manifest, folder = library.show(name), library.path(name)
    except MidiPoolError:
        raise web.HTTPNotFound(reason="there is no such recording") from None
    if is_live(folder):
        raise web.HTTPConflict(reason="it is being recorded: stop it first")
    return folder, manifest


def files_of(manifest: Manifest) -> list[str]:
    """What belongs to a recording."""
    midi = [] if manifest.midi is None else [manifest.midi]
    files = [*(track.file for track in manifest.tracks), *midi, FILE]
    # A manifest is a file that others may have written.
    return [name for name in files if name == Path(name).name and not name.startswith(".")]


def _one(
    folder: Path, manifest: Manifest, file: str, headers: Mapping[str, str]
) -> web.StreamResponse:
    path = folder / file if file in files_of(manifest) else None
    if path is None or path.is_symlink() or not path.is_file():
        raise web.HTTPNotFound(reason="the recording has no such file")
    kind = TYPES.get(path.suffix, "application/octet-stream")
    return web.FileResponse(path, headers={**headers, **_as_file(file), "Content-Type": kind})


def _as_file(name: str) -> dict[str, str]:
    """Names of recordings and of their files hold nothing that would have to be quoted."""
    plain = "".join(c for c in name if c.isascii() and (c.isalnum() or c in " ._-"))
    return {"Content-Disposition": f'attachment; filename="{plain}"'}


async def _all(
    request: web.Request, folder: Path, name: str, manifest: Manifest, headers: Mapping[str, str]
) -> web.StreamResponse:
    answer = web.StreamResponse(
        headers={**headers, **_as_file(f"{name}.zip"), "Content-Type": "application/zip"}
    )
    await answer.prepare(request)
    pieces = zipped(folder, name, files_of(manifest))
    try:
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            await answer.write(piece)
        await answer.write_eof()
    except ConnectionError:
        pass  # whoever asked has gone
    except OSError as error:
        log.warning("%s cannot be sent whole: %s", name, error)
        if request.transport is not None:
            request.transport.abort()
    finally:
        pieces.close()
    return answer


class _Sink:
    """What a ZIP is written into, piece by piece."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""

    def take(self) -> bytes:
        data = bytes(self._data)
        self._data.clear()
        return data


def zipped(folder: Path, name: str, files: list[str]) -> Generator[bytes, None, None]:
    """A ZIP of these files in a folder of that name; sound is not packed once more.

    Raises OSError in the middle, when the disk does.
    """
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_STORED) as archive:
        for file in files:
            path = folder / file
            if path.is_symlink() or not path.is_file():
                continue
            info = ZipInfo.from_file(path, f"{name}/{file}", strict_timestamps=False)
            with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as entry:
                while data := source.read(CHUNK_BYTES):
                    entry.write(data)
                    yield sink.take()
    yield sink.take()
