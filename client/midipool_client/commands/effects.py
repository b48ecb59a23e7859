"""`midipool-client effects`: effects on own channels and on what is heard, while playing."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

BOARD = "1 to 4 (one own channel), own (all of them) or master (what you hear)"
TUNER_PAUSE_S = 0.15


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    what = parser.add_subparsers(required=True, metavar="WHAT")
    what.add_parser("kinds", help="all kinds, and what can be set").set_defaults(run=_kinds)
    _running(what.add_parser("show", help="all boards, and how they do"), "show")
    add = _on_board(what, "add", "put one more on a board")
    add.add_argument("kind", metavar="KIND", help="as `effects kinds` lists them")
    add.add_argument("values", nargs="*", metavar="NAME=VALUE")
    add.add_argument("--at", type=int, dest="position", metavar="N", help="position (last)")
    for word, text in (("remove", "take one away"), ("bypass", "pass one by"), ("on", "use it")):
        command = _on_board(what, word, text)
        command.add_argument("position", type=int, metavar="N")
    move = _on_board(what, "move", "to another position")
    move.add_argument("position", type=int, metavar="N")
    move.add_argument("to", type=int, metavar="TO")
    change = _on_board(what, "set", "turn its knobs")
    change.add_argument("position", type=int, metavar="N")
    change.add_argument("values", nargs="+", metavar="NAME=VALUE")
    _on_board(what, "clear", "take all away")
    export = _on_board(what, "export", "write a board as JSON")
    export.add_argument("file", nargs="?", metavar="FILE", help="(standard output)")
    bring = _on_board(what, "import", "read a board, also RTJam's, from JSON")
    bring.add_argument("file", metavar="FILE", help="- is standard input")
    _presets(what.add_parser("preset", help="boards that are kept"))
    tuner = _running(what.add_parser("tuner", help="the note of an own channel"), "tuner")
    tuner.add_argument("channel", type=int, metavar="CHANNEL", help="from 1; 0 switches it off")
    tuner.add_argument("--watch", action="store_true", help="go on until interrupted")


def _presets(parser: argparse.ArgumentParser) -> None:
    what = parser.add_subparsers(required=True, metavar="WHAT")
    what.add_parser("list", help="their names").set_defaults(run=_list)
    delete = what.add_parser("delete", help="forget one")
    delete.add_argument("name", metavar="NAME")
    delete.set_defaults(run=_delete)
    for word, text in (
        ("save", "keep a board as one"),
        ("load", "make one the board"),
        ("share", "say a board to the room, in its chat"),
        ("take", "make what somebody shared the board"),
    ):
        command = _on_board(what, word, text)
        command.add_argument("name", metavar="NAME")


def _running(parser: argparse.ArgumentParser, word: str) -> argparse.ArgumentParser:
    parser.add_argument(
        "--device", default="midiPool", metavar="NAME", help="your device name (%(default)s)"
    )
    parser.set_defaults(run=_ask, word=word)
    return parser


def _on_board(what: Any, word: str, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = what.add_parser(word, help=text)
    parser.add_argument("board", metavar="BOARD", help=BOARD)
    return _running(parser, word)


def _ask(options: argparse.Namespace) -> int:
    from midipool_client.control import ask

    words: dict[str, Any] = {}
    for name in ("board", "kind", "position", "to", "name", "channel"):
        if (value := getattr(options, name, None)) is not None:
            words[name] = value
    if getattr(options, "values", None):
        words["values"] = _values_of(options.values)
    word = str(options.word)
    if word in ("bypass", "on"):
        words["bypass"], word = word == "bypass", "bypass"
    if word == "import":
        words["json"] = _text_of(options.file)
    if word == "tuner" and options.channel:
        return _tune(options.device, options.channel, options.watch)
    said = ask(options.device, do=f"effects_{word}", **words)
    if word == "export" and options.file:
        _write(options.file, said)
    else:
        print(said)
    return 0


def _tune(device: str, channel: int, watch: bool) -> int:
    from midipool_client.control import ask

    try:
        while True:
            print(ask(device, do="effects_tuner", channel=channel), flush=True)
            if not watch:
                return 0
            time.sleep(TUNER_PAUSE_S)
    finally:
        ask(device, do="effects_tuner", channel=0)


def _values_of(words: list[str]) -> dict[str, float | str]:
    from midipool.errors import InvalidValue

    values: dict[str, float | str] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise InvalidValue("values", f"must be like time=300, not {word}")
        try:
            values[name] = float(text)
        except ValueError:
            is_file = name == "file" and text
            values[name] = str(Path(text).expanduser().absolute()) if is_file else text
    return values


def _text_of(file: str) -> str:
    from midipool.errors import Unavailable

    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(f"{file} cannot be read: {error}") from None


def _write(file: str, text: str) -> None:
    from midipool.errors import Unavailable

    try:
        Path(file).write_text(text)
    except OSError as error:
        raise Unavailable(f"{file} cannot be written: {error.strerror}") from None


def _kinds(options: argparse.Namespace) -> int:
    from midipool_client.effects.words import kinds_in_words

    print("\n".join(kinds_in_words()))
    return 0


def _list(options: argparse.Namespace) -> int:
    from midipool_client.effects.folder import EffectsFolder

    folder = EffectsFolder()
    print("\n".join(folder.names()) or f"no presets yet; they will be in {folder.folder}")
    return 0


def _delete(options: argparse.Namespace) -> int:
    from midipool_client.effects.folder import EffectsFolder

    EffectsFolder().delete(options.name)
    return 0
