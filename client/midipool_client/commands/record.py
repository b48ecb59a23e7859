"""`midipool-client record`: records the room, and looks after what was recorded."""

import argparse
from typing import TYPE_CHECKING

from midipool.errors import InvalidValue

if TYPE_CHECKING:
    from midipool_client.recording.manifest import Manifest

TRACKS = {
    "input": "input of {}",
    "effects": "input of {}, with effects",
    "mix": "mix",
    "player": "player {}",
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    what = parser.add_subparsers(required=True, metavar="WHAT")
    start = what.add_parser("start", help="record from the next bar line on")
    start.add_argument(
        "--format", choices=["flac", "wav"], default="flac", help="of the sounds, 24 bit (flac)"
    )
    start.add_argument(
        "--quota-gb",
        type=float,
        metavar="GB",
        help="end when all recordings take so much (default: when the disk is nearly full)",
    )
    start.set_defaults(run=_start)
    stop = what.add_parser("stop", help="end the recording")
    stop.set_defaults(run=_stop)
    _add_playing(what)
    for live in what.choices.values():
        live.add_argument(
            "--device", default="midiPool", metavar="NAME", help="your device name (%(default)s)"
        )
    what.add_parser("list", help="all recordings").set_defaults(run=_list)
    for word, run, text in (
        ("show", _show, "what is in one"),
        ("rename", _rename, "give one another name"),
        ("delete", _delete, "delete one"),
    ):
        command = what.add_parser(word, help=text)
        command.add_argument("name", metavar="NAME")
        if word == "rename":
            command.add_argument("new", metavar="NEW")
        command.set_defaults(run=run)


def _add_playing(what: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe what is done with a recording that is played into the room."""
    play = what.add_parser("play", help="play a recording into the room, as a further participant")
    play.add_argument("name", metavar="NAME", nargs="?", help="without one, go on after a pause")
    play.add_argument("--from", dest="from_bar", type=int, default=1, metavar="BAR", help="of it")
    play.add_argument(
        "--loop", nargs=2, type=int, metavar=("A", "B"), help="repeat bars A to B - 1"
    )
    play.add_argument(
        "--at", type=int, metavar="BAR", help="begin with this bar of the room's song (the next)"
    )
    play.add_argument(
        "--mute", action="append", default=[], metavar="TRACK", help="a track's number or name"
    )
    play.add_argument(
        "--set-tempo", action="store_true", help="set the room to the recording's tempo and meter"
    )
    play.set_defaults(run=_play)
    what.add_parser("pause", help="pause it; `play` goes on").set_defaults(run=_pause)
    seek = what.add_parser("seek", help="go on from another bar of it, on the next bar line")
    seek.add_argument("bar", type=int, metavar="BAR")
    seek.set_defaults(run=_seek)
    loop = what.add_parser("loop", help="repeat its bars A to B - 1; without them, no more")
    loop.add_argument("bars", type=int, nargs="*", metavar="BAR")
    loop.set_defaults(run=_loop)
    mute = what.add_parser("mute", help="silence these tracks of it, and no others")
    mute.add_argument("tracks", nargs="*", metavar="TRACK", help="a track's number or name")
    mute.set_defaults(run=_mute)
    what.add_parser("stop-playing", help="leave the room with it").set_defaults(run=_stop_playing)


def _ask(options: argparse.Namespace, do: str, **words: object) -> int:
    from midipool_client.control import ask

    print(ask(options.device, do=do, **words))
    return 0


def _play(options: argparse.Namespace) -> int:
    if options.name is None:
        return _ask(options, "take_play")
    return _ask(
        options,
        "take_play",
        name=options.name,
        from_bar=options.from_bar,
        loop=options.loop,
        at_bar=options.at,
        mute=options.mute,
        set_tempo=options.set_tempo,
    )


def _pause(options: argparse.Namespace) -> int:
    return _ask(options, "take_pause")


def _seek(options: argparse.Namespace) -> int:
    return _ask(options, "take_seek", bar=options.bar)


def _loop(options: argparse.Namespace) -> int:
    if len(options.bars) not in (0, 2):
        raise InvalidValue("loop", "takes two bars, as in `loop 5 9`, or none")
    return _ask(options, "take_loop", loop=options.bars or None)


def _mute(options: argparse.Namespace) -> int:
    return _ask(options, "take_mute", tracks=options.tracks)


def _stop_playing(options: argparse.Namespace) -> int:
    return _ask(options, "take_stop")


def _start(options: argparse.Namespace) -> int:
    return _ask(options, "record_start", format=options.format, quota_gb=options.quota_gb)


def _stop(options: argparse.Namespace) -> int:
    return _ask(options, "record_stop")


def _list(options: argparse.Namespace) -> int:
    import shutil

    from midipool_client.recording.library import Library, size_of

    library = Library()
    for name, manifest in library.all():
        size = size_of(library.folder / name) / 1e6
        print(f"{name}  {_in_words(manifest)}, {size:.1f} MB")
    if library.folder.is_dir():
        free = shutil.disk_usage(library.folder).free / 1e9
        print(f"{library.bytes() / 1e9:.2f} GB in {library.folder}, {free:.1f} GB free")
    else:
        print(f"nothing was recorded yet; recordings will be in {library.folder}")
    return 0


def _in_words(manifest: "Manifest") -> str:
    words = f"{manifest.state}, {manifest.seconds:.1f} s, {len(manifest.tracks)} tracks"
    return f"{words} ({manifest.why})" if manifest.why else words


def _show(options: argparse.Namespace) -> int:
    from midipool_client.recording.library import Library

    library = Library()
    manifest = library.show(options.name)
    print(library.path(options.name))
    print(f"{_in_words(manifest)}; {manifest.player} in {manifest.room}, {manifest.started}")
    bars = f"{_bars(manifest)} bars from bar {manifest.bar} of the song on"
    print(f"{bars}, {manifest.bpm:g} bpm, {manifest.meter}, {manifest.rate} Hz")
    for track in manifest.tracks:
        lost = f", {track.dropped_frames} frames lost" if track.dropped_frames else ""
        seconds = track.frames / (manifest.rate or 1)
        if track.missing_frames:
            lost += f", {track.missing_frames / (manifest.rate or 1):.1f} s missing"
        what = TRACKS[track.kind].format(track.name)
        print(f"  {track.file}  {what}, {seconds:.1f} s{lost}")
    if manifest.midi is not None:
        print(f"  {manifest.midi}  tempo, meter, markers and all MIDI")
    return 0


def _bars(manifest: "Manifest") -> int:
    from midipool.errors import MidiPoolError
    from midipool_client.playback.song import song_of

    try:
        return song_of(manifest).bars
    except MidiPoolError:
        return 0


def _rename(options: argparse.Namespace) -> int:
    from midipool_client.recording.library import Library

    Library().rename(options.name, options.new)
    return 0


def _delete(options: argparse.Namespace) -> int:
    from midipool_client.recording.library import Library

    Library().delete(options.name)
    return 0
