"""`midipool-client record`: records the room, and looks after what was recorded."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from midipool_client.recording.manifest import Manifest


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
    for parser in (start, stop):
        parser.add_argument(
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


def _start(options: argparse.Namespace) -> int:
    from midipool_client.control import ask

    words = {"format": options.format, "quota_gb": options.quota_gb}
    print(ask(options.device, do="record_start", **words))
    return 0


def _stop(options: argparse.Namespace) -> int:
    from midipool_client.control import ask

    print(ask(options.device, do="record_stop"))
    return 0


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
    print(f"from bar {manifest.bar}, {manifest.bpm:g} bpm, {manifest.meter}, {manifest.rate} Hz")
    for track in manifest.tracks:
        lost = f", {track.dropped_frames} frames lost" if track.dropped_frames else ""
        seconds = track.frames / (manifest.rate or 1)
        what = "mix" if track.kind == "mix" else f"{track.kind} of {track.name}"
        print(f"  {track.file}  {what}, {seconds:.1f} s{lost}")
    if manifest.midi is not None:
        print(f"  {manifest.midi}  tempo, meter, markers and all MIDI")
    return 0


def _rename(options: argparse.Namespace) -> int:
    from midipool_client.recording.library import Library

    Library().rename(options.name, options.new)
    return 0


def _delete(options: argparse.Namespace) -> int:
    from midipool_client.recording.library import Library

    Library().delete(options.name)
    return 0
