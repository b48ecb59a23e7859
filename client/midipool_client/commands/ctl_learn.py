"""`midipool-client ctl learn`: what a controller or a pedal does."""

import argparse
import json
from collections.abc import Iterator
from typing import Any

GESTURES = ("tap", "play", "record")


def add_options(words: Any) -> None:
    """Describe `learn` and `learned`."""
    from typing import get_args

    from midipool_client.controllers.target import How

    learn = words.add_parser(
        "learn",
        help="let the controller that is moved next do something",
        description="Then move a controller or press a pedal that is connected to midi_control. "
        "`learn strip bass gain`, `learn mix send-mute`, `learn tempo --from 80 --to 160`, "
        "`learn start`, `learn locate 17`, `learn bypass-effect 3`, `learn effect 3 drive`; "
        "`learn tap` taps the tempo, `learn play` starts and stops, `learn record` records.",
    )
    learn.add_argument("words", nargs="+", metavar="WORD", help="as ctl has them, and which field")
    learn.add_argument("--from", dest="low", type=float, metavar="VALUE", help="at its lower end")
    learn.add_argument("--to", dest="high", type=float, metavar="VALUE", help="at its upper end")
    learn.add_argument("--how", choices=get_args(How), default="auto", help="see docs/controllers")
    learn.add_argument(
        "--source", default="", metavar="cc:1:7", help="take this one, wait for none"
    )
    learn.set_defaults(run=_learn)
    learned = words.add_parser("learned", help="what controllers do")
    learned.set_defaults(run=_learned)


def target_of(words: list[str]) -> tuple[dict[str, Any], str]:
    """(request, field) of `strip bass gain`; raises InvalidValue."""
    from midipool.errors import InvalidValue
    from midipool_client.page.words import request_of, request_words

    if words[0] in GESTURES:
        if len(words) > 1:
            raise InvalidValue("learn", f"{words[0]} stands alone")
        return {"type": words[0]}, ""
    word = request_words().get(words[0])
    if word is None:
        raise InvalidValue("learn", f"{words[0]!r} is no word of ctl; see `ctl --help`")
    required, rest = [field.name for field in word.required], words[1:]
    if len(rest) > len(required) + 1:
        raise InvalidValue("learn", f"too many words: {' '.join(rest[len(required) + 1 :])}")
    # A value of a field that holds several, as an effect's, is named where that field would stand.
    named = rest[len(required) :]
    if required and not named and len(rest) == len(required):
        last = word.field(required[-1])
        if last is not None and last.has_names:
            named, rest = rest[-1:], rest[:-1]
    texts = dict(zip(required, rest, strict=False))
    return request_of(word, texts), named[0] if named else ""


def _learn(options: argparse.Namespace) -> int:
    from midipool_client.control import ask

    device = options.device_name
    request, field = target_of(options.words)
    learn = {
        "type": "learn",
        "id": 1,
        "request": request,
        "field": field,
        "how": options.how,
        "low": options.low,
        "high": options.high,
        "source": options.source,
    }
    before = _controllers(device)["learned"]
    ask(device, do="request", request=learn)
    if not options.source:
        print("move a controller or press a pedal at midi_control (Ctrl-C: none)", flush=True)
    try:
        learned = _wait(device)
    except KeyboardInterrupt:
        ask(device, do="request", request={"type": "learn_end", "id": 1})
        return 130
    new = [one for one in learned if one not in before]
    print("\n".join(map(_in_words, new)) or "nothing was learned")
    return 0 if new or options.source else 1


def _wait(device: str) -> list[dict[str, Any]]:
    """What is learned when learning is over."""
    from midipool_client.control import listen

    for part in _parts(listen(device, None, do="watch")):
        if not part["learning"]:
            return list(part["learned"])
    return []


def _parts(said: Iterator[str]) -> Iterator[dict[str, Any]]:
    for text in said:
        message = json.loads(text)
        parts = message.get("state") or message.get("changed") or {}
        if "controllers" in parts:
            yield parts["controllers"]


def _controllers(device: str) -> dict[str, Any]:
    from midipool_client.control import ask

    part: dict[str, Any] = json.loads(ask(device, do="state"))["state"]["controllers"]
    return part


def _in_words(one: dict[str, Any]) -> str:
    how = f" ({one['how']})" if one["how"] else ""
    waits = ", once it is moved to where the value is" if one["waits"] else ""
    return f"{one['source']}: {one['does']}{how}{waits}"


def _learned(options: argparse.Namespace) -> int:
    part = _controllers(options.device_name)
    print("\n".join(map(_in_words, part["learned"])) or "no controller does anything yet")
    if part["problem"]:
        print(f"the last one did nothing: {part['problem']}")
    return 0
