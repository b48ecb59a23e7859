"""`midipool-client room URL songs`: the room's song list."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from midipool.messages import AddSong, ChangeSong, Song, SongEdit
    from midipool.song_book import SongBook
    from midipool_client.remote import Remote
    from midipool_client.room_url import RoomUrl

WHICH = "its number in the list, its name, or how that begins"


def add_options(actions: Any, acting: argparse.ArgumentParser, at: argparse.ArgumentParser) -> None:
    """Describe the action."""
    songs = actions.add_parser("songs", help="the song list: show, change, load")
    songs.set_defaults(acting_as=None)
    whats = songs.add_subparsers(metavar="WHAT", dest="what", title="what to do (none: show it)")
    add = whats.add_parser("add", help="put a song into the list", parents=[acting])
    add.add_argument("name", metavar="NAME")
    add.add_argument("--tempo", type=float, default=120.0, metavar="BPM", help="(%(default)g)")
    add.add_argument("--meter", default="4/4", help="(%(default)s)")
    add.add_argument("--before", metavar="SONG", help="put it in front of this one, not at the end")
    change = whats.add_parser("change", help="change what is given of a song", parents=[acting])
    change.add_argument("song", metavar="SONG", help=WHICH)
    change.add_argument("--name")
    change.add_argument("--tempo", type=float, metavar="BPM")
    change.add_argument("--meter")
    for one in (add, change):
        one.add_argument("--loop", nargs="+", metavar="START END | off", help="bars that repeat")
        one.add_argument("--key", help="such as F#m")
        one.add_argument("--notes", metavar="FILE", help="Markdown; - reads it from stdin")
    move = whats.add_parser("move", help="put a song at another place", parents=[acting])
    move.add_argument("song", metavar="SONG", help=WHICH)
    move.add_argument("place", type=int, metavar="NUMBER", help="that it has then")
    for what, text, parents in (
        ("remove", "take a song out of the list", [acting]),
        ("load", "set tempo, meter and loop to a song's, at bar 1", [at]),
        ("show", "a song with its notes", []),
    ):
        one = whats.add_parser(what, help=text, parents=parents)
        one.add_argument("song", metavar="SONG", help=WHICH)
    out = whats.add_parser("export", help="write the list to a file, as JSON")
    out.add_argument("file", metavar="FILE", help="- writes it to stdout")
    text = "add the songs of a file; change those of the same name"
    into = whats.add_parser("import", help=text, parents=[acting])
    into.add_argument("file", metavar="FILE", help="- reads stdin")
    into.add_argument("--replace", action="store_true", help="have these in place of the list")


def run(url: "RoomUrl", options: argparse.Namespace) -> int:
    """Do it; raises MidiPoolError."""
    asyncio.run(_run(url, options))
    return 0


async def _run(url: "RoomUrl", options: argparse.Namespace) -> None:
    from midipool_client.remote import Remote

    async with Remote(url, options.acting_as, ("songs",)) as remote:
        book = await _book(remote)
        match options.what or "list":
            case "list":
                print(_in_words(book))
            case "show":
                print(_shown(book.which(options.song)))
            case "export":
                _export(book, options.file)
            case "import":
                await _import(remote, book, options)
            case "load":
                await _load(remote, book, options)
            case _:
                await remote.ask(_edit(book, options))


async def _book(remote: "Remote") -> "SongBook":
    """The room's list, which comes behind the welcome; raises Unavailable."""
    from midipool.messages import Songs
    from midipool.song_book import SongBook

    told = await remote.told(Songs, "songs", "song lists")
    return SongBook(told.songs, told.loaded)


def _in_words(book: "SongBook") -> str:
    loaded = None if book.loaded is None else book.loaded.song
    lines = [
        f"{'*' if song.id == loaded else ' '}{number:3d}  {_line(song)}"
        for number, song in enumerate(book.songs, 1)
    ]
    return "\n".join(lines) or "no songs yet: room URL songs add NAME"


def _line(song: "Song") -> str:
    words = [f"{song.bpm:g} BPM", str(song.meter)]
    words += [song.key] if song.key else []
    words += [f"loop {song.loop}"] if song.loop else []
    words += ["notes"] if song.notes else []
    return f"{song.name}  ({', '.join(words)})"


def _shown(song: "Song") -> str:
    return f"{_line(song)}\n\n{song.notes}".rstrip()


def _export(book: "SongBook", file: str) -> None:
    from midipool.errors import Unavailable
    from midipool_client.song_file import exported

    data = exported(book.songs)
    if file == "-":
        print(data.decode(), end="")
        return
    try:
        Path(file).write_bytes(data)
    except OSError as error:
        raise Unavailable(f"{file} cannot be written: {error.strerror}") from None


async def _import(remote: "Remote", book: "SongBook", options: argparse.Namespace) -> None:
    from midipool.messages import RemoveSong
    from midipool_client.song_file import imported, is_same

    wanted = imported(_read(options.file, "file"))
    for song in book.songs if options.replace else ():
        await remote.ask(RemoveSong(id=1, song=song.id))
    left = [] if options.replace else list(book.songs)
    added = changed = 0
    for wish in wanted:
        known = next((s for s in left if s.name.casefold() == wish.name.casefold()), None)
        if known is None:
            await remote.ask(wish)
            added += 1
            continue
        left.remove(known)
        if not is_same(known, wish):
            await remote.ask(_changed_to(known, wish))
            changed += 1
    print(f"{added} added, {changed} changed")


async def _load(remote: "Remote", book: "SongBook", options: argparse.Namespace) -> None:
    from midipool.messages import LoadSong

    await remote.ask(LoadSong(id=1, at=options.at, song=book.which(options.song).id))


def _edit(book: "SongBook", options: argparse.Namespace) -> "SongEdit":
    """What is asked for; raises Refused, InvalidValue."""
    from midipool.errors import InvalidValue
    from midipool.messages import MoveSong, RemoveSong

    match options.what:
        case "add":
            return _checked(_added(book, options))
        case "change":
            return _checked(_changed(book, options))
        case "remove":
            return RemoveSong(id=1, song=book.which(options.song).id)
    song = book.which(options.song)
    if not 1 <= options.place <= len(book.songs):
        raise InvalidValue("NUMBER", f"must be 1 to {len(book.songs)}")
    others = [other for other in book.songs if other is not song]
    before = others[options.place - 1].id if options.place <= len(others) else None
    return MoveSong(id=1, song=song.id, before=before)


def _checked(edit: "SongEdit") -> "SongEdit":
    """What the server would refuse is refused here, without a way there; raises InvalidMessage."""
    from midipool import messages

    messages.decode_client(messages.encode(edit))
    return edit


def _added(book: "SongBook", options: argparse.Namespace) -> "AddSong":
    from midipool.messages import AddSong
    from midipool.meter import parse_meter

    return AddSong(
        id=1,
        name=options.name,
        bpm=options.tempo,
        meter=parse_meter(options.meter),
        loop=_loop_of(options.loop) if options.loop else None,
        key=options.key or "",
        notes=_notes(options.notes) if options.notes else "",
        before=book.which(options.before).id if options.before else None,
    )


def _changed(book: "SongBook", options: argparse.Namespace) -> "ChangeSong":
    from msgspec import UNSET

    from midipool.messages import ChangeSong
    from midipool.meter import parse_meter

    song = book.which(options.song)
    return ChangeSong(
        id=1,
        song=song.id,
        revision=song.revision,
        name=UNSET if options.name is None else options.name,
        bpm=UNSET if options.tempo is None else options.tempo,
        meter=UNSET if options.meter is None else parse_meter(options.meter),
        loop=UNSET if options.loop is None else _loop_of(options.loop),
        key=UNSET if options.key is None else options.key,
        notes=UNSET if options.notes is None else _notes(options.notes),
    )


def _changed_to(known: "Song", wanted: "AddSong") -> "ChangeSong":
    from midipool.messages import EDITED, ChangeSong

    fields = {name: getattr(wanted, name) for name in EDITED}
    return ChangeSong(id=1, song=known.id, revision=known.revision, **fields)


def _loop_of(words: list[str]) -> Any:
    from midipool_client.commands.room import loop_of

    return loop_of(words)


def _notes(file: str) -> str:
    from midipool.errors import InvalidValue

    try:
        return _read(file, "notes").decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise InvalidValue("notes", f"{file} is no UTF-8 text") from None


def _read(file: str, what: str) -> bytes:
    from midipool.errors import InvalidValue

    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise InvalidValue(what, f"{file} cannot be read: {error.strerror}") from None
