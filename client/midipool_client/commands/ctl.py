"""`midipool-client ctl`: all that the page shows and does, for shells and scripts."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from midipool_client.commands import ctl_learn
from midipool_client.commands.lazy import LazyParser

if TYPE_CHECKING:
    from midipool_client.page.words import RequestWord

OWN_WORDS = ("state", "watch", "send", "api", "learn", "learned")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command; in whole once it is typed."""
    assert isinstance(parser, LazyParser)
    parser.fill = _fill


def _fill(parser: argparse.ArgumentParser) -> None:
    from midipool_client.page.words import request_words

    parser.add_argument(
        "--device-name",
        "--device",
        default="midiPool",
        metavar="NAME",
        help="of the client that is meant, where several run (%(default)s)",
    )
    words = parser.add_subparsers(required=True, metavar="WORD", parser_class=LazyParser)
    _add_looking(words)
    ctl_learn.add_options(words)
    for word in request_words(OWN_WORDS).values():
        text = word.about[0].lower() + word.about[1:].rstrip(".")
        made = words.add_parser(word.word, help=text, description=word.about)
        assert isinstance(made, LazyParser)
        made.fill = _filler(word)


def _add_looking(words: Any) -> None:
    part = {"nargs": "?", "default": "", "metavar": "PART"}
    state = words.add_parser("state", help="show all that the page shows, or a part: mixer.strips")
    state.add_argument("part", **part)
    state.add_argument("--json", action="store_true", help="as JSON; of a whole part")
    state.set_defaults(run=_state)
    watch = words.add_parser("watch", help="a line for each change, until Ctrl-C")
    watch.add_argument("part", **part)
    watch.add_argument("--json", action="store_true", help="the page's own messages, a line each")
    watch.add_argument(
        "--meters", action="store_true", help="levels too (peak/RMS in dB), 21 times a second"
    )
    watch.set_defaults(run=_watch)
    send = words.add_parser("send", help="any message of the page's API, as JSON")
    send.add_argument("message", help='{"type": "set_mix", "master_db": -3}; - reads it from stdin')
    send.set_defaults(run=_send)
    api = words.add_parser("api", help="where programs find the page's HTTP, for a shell's `eval`")
    api.add_argument("--json", action="store_true", help="as JSON")
    api.set_defaults(run=_api)


def _filler(word: "RequestWord") -> Callable[[argparse.ArgumentParser], None]:
    def fill(parser: argparse.ArgumentParser) -> None:
        for field in word.required:
            parser.add_argument(field.name, metavar=field.name.upper(), help=field.rule)
        for field in word.optional:
            parser.add_argument(*field.options, dest=field.name, metavar="VALUE", help=field.rule)
        parser.set_defaults(run=lambda options: _request(word, options))

    return fill


def _request(word: "RequestWord", options: argparse.Namespace) -> int:
    from midipool_client.page.words import request_of

    given = {f.name: getattr(options, f.name) for f in word.fields}
    request = request_of(word, {name: text for name, text in given.items() if text is not None})
    if word.tag == "ballot" and "vote" not in request:
        request["vote"] = _running_vote(options.device_name)
    return _ask(options.device_name, request)


def _running_vote(device: str) -> int:
    from midipool.errors import Unavailable

    vote = _known(device)["state"]["conduct"]["vote"]
    if vote is None:
        raise Unavailable("the room does not vote on anything now")
    return int(vote["vote"])


def _send(options: argparse.Namespace) -> int:
    from midipool.errors import InvalidValue

    text = sys.stdin.read() if options.message == "-" else options.message
    try:
        request = json.loads(text)
    except ValueError as error:
        raise InvalidValue("message", f"is not JSON: {error}") from None
    if not isinstance(request, dict):
        raise InvalidValue("message", 'must be an object, such as {"type": "start"}')
    return _ask(options.device_name, request)


def _ask(device: str, request: dict[str, Any]) -> int:
    from midipool_client.control import ask

    print(ask(device, do="request", request={"id": 1, **request}))
    return 0


def _known(device: str) -> dict[str, Any]:
    from midipool_client.control import ask

    known: dict[str, Any] = json.loads(ask(device, do="state"))
    return known


def _state(options: argparse.Namespace) -> int:
    from midipool.errors import InvalidValue
    from midipool_client.page.state_words import flat, song_in_words

    known = _known(options.device_name)
    state, part = known["state"], options.part
    if options.json:
        if part and part not in state:
            raise InvalidValue("part", f"must be one of {', '.join(state)}, not {part!r}")
        print(json.dumps(state[part] if part else state, indent=2))
        return 0
    lines = [f"{path}: {text}" for path, text in flat(state).items() if path.startswith(part)]
    if not lines:
        raise InvalidValue("part", f"nothing in the state begins with {part!r}; see `ctl state`")
    if part in ("", "transport"):
        print("song: " + song_in_words(state["transport"]["timelines"], known["room_us"]))
    print("\n".join(lines))
    return 0


def _watch(options: argparse.Namespace) -> int:
    from midipool_client.control import listen

    words = {"do": "watch", "meters": options.meters}
    said = listen(options.device_name, None, **words)
    for line in said if options.json else _watched(said, options.part):
        print(line, flush=True)
    return 0


def _watched(said: Iterator[str], part: str) -> Iterator[str]:
    """Lines for people: the state's, then those that are others, and levels."""
    from midipool_client.page.state_words import differences, flat, level_in_words

    state: dict[str, Any] = {}
    before: dict[str, str] = {}
    for text in said:
        match json.loads(text):
            case {"type": "meters", "levels": levels}:
                yield "  ".join(f"{name} {level_in_words(*of)}" for name, of in levels.items())
                continue
            case {"type": "snapshot", "state": changed} | {"type": "delta", "changed": changed}:
                state |= changed
        after = {path: text for path, text in flat(state).items() if path.startswith(part)}
        yield from differences(before, after)
        before = after


def _api(options: argparse.Namespace) -> int:
    import shlex

    from midipool_client.control import ask

    api = json.loads(ask(options.device_name, do="api"))
    if options.json:
        print(json.dumps(api))
        return 0
    print(f"MIDIPOOL_API={shlex.quote(api['address'])}")
    print(f"MIDIPOOL_AUTH={shlex.quote('@' + api['header_file'])}")
    return 0
