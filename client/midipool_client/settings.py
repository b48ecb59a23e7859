"""The user's settings, in a JSON file: ports' offsets, click, how others are heard, controllers.

    {"ports": {"device:midiPool": {"offset_ms": 2.5}, "daw:Hydrogen": {"offset_ms": -12}},
     "click": {"volume": 0.8}, "hear": {"device:midiPool": {"profile": "safe"}}}

What midiPool does not know in it is kept. A file that breaks a rule is never written over.
"""

import contextlib
import fcntl
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from midipool.audio.listening import Listening
from midipool.click import ClickSettings
from midipool.errors import InvalidValue, Unavailable
from midipool_client import listening_settings
from midipool_client.controllers import kept
from midipool_client.controllers.target import Target
from midipool_client.join_choice import JoinChoice, choice_in
from midipool_client.page_settings import PageSettings, as_kept, page_settings_in
from midipool_client.recent_rooms import RecentRoom, recent_in, with_room

MAX_BYTES = 1 << 20
MAX_NAME = 256
MAX_OFFSET_MS = 1000
LOCK_PATIENCE_S = 2.0
LOCK_PAUSE_S = 0.005

_Path = tuple[str, ...]
_SPACE = re.compile(r"[ \t\n\r]*")


def default_path(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Where the settings are, by the platform's custom; XDG_CONFIG_HOME goes first everywhere.

    Raises Unavailable when the user has no home.
    """
    # XDG Base Directory Specification: a relative path is to be ignored.
    xdg = environ.get("XDG_CONFIG_HOME", "")
    if os.path.isabs(xdg):
        return Path(xdg, "midipool", "settings.json")
    home = environ.get("HOME") or os.path.expanduser("~")
    if not os.path.isabs(home):
        raise Unavailable("there is no home folder for the settings: set XDG_CONFIG_HOME")
    folder = "Library/Application Support" if platform == "darwin" else ".config"
    return Path(home, folder, "midipool", "settings.json")


class Settings:
    """What the user set. Changes are in the file after `save`."""

    def __init__(self, path: Path, data: dict[str, Any]) -> None:
        self.path = path
        self._data = data
        self._changes: dict[_Path, Any] = {}
        """Values by where they are in the file; None takes one away."""

    @classmethod
    def load(cls, path: Path | None = None) -> "Settings":
        """Read the settings; where there is no file, all is as by default.

        Raises InvalidValue, which names the file and the line, when the file is broken, and
        Unavailable when it cannot be read.
        """
        path = default_path(os.environ) if path is None else path
        return cls(path, _read(path))

    def offset_ms(self, device: str, daw: str | None = None) -> float:
        """How much later than its beat a port's bytes are due: the DAW's, else the device's."""
        ports = self._data.get("ports", {})
        names = [f"device:{device}"] if daw is None else [f"daw:{daw}", f"device:{device}"]
        offsets = (ports.get(name, {}).get("offset_ms") for name in names)
        return float(next((offset for offset in offsets if offset is not None), 0.0))

    def set_offset_ms(self, offset_ms: float | None, device: str, daw: str | None = None) -> None:
        """Set the DAW's offset if one is named, else the device's; None forgets it.

        Raises InvalidValue.
        """
        if offset_ms is not None:
            _check_offset(offset_ms)
        kind, name = ("device", device) if daw is None else ("daw", daw)
        if not 1 <= len(name) <= MAX_NAME:
            raise InvalidValue(kind, f"must have 1 to {MAX_NAME} characters")
        self._change(("ports", f"{kind}:{name}", "offset_ms"), offset_ms)

    @property
    def click(self) -> ClickSettings:
        """How the click sounds, and when."""
        return msgspec.convert(self._data.get("click", {}), ClickSettings)

    @click.setter
    def click(self, click: ClickSettings) -> None:
        # What is as before is left out, so that it stays what another client sets it to.
        before = self.click
        for name in ClickSettings.__struct_fields__:
            if getattr(click, name) != getattr(before, name):
                self._change(("click", name), getattr(click, name))

    def listening(self, device: str) -> Listening:
        """How the others are heard on a device."""
        return listening_settings.listening_in(self._data, device)

    def set_listening(self, listening: Listening, device: str) -> None:
        """Hear the others otherwise; raises InvalidValue."""
        if not 1 <= len(device) <= MAX_NAME:
            raise InvalidValue("device", f"must have 1 to {MAX_NAME} characters")
        before = self.listening(device)
        for place, value in listening_settings.changes(before, listening, device):
            self._change(place, value)

    def learned(self, device: str) -> dict[str, Target]:
        """What controllers do at a device, by their names."""
        return kept.learned_in(self._data, device)

    def set_learned(self, learned: Mapping[str, Target], device: str) -> None:
        """Let them do something else."""
        for place, value in kept.changes(self.learned(device), learned, device):
            self._change(place, value)

    @property
    def recent(self) -> list[RecentRoom]:
        """The rooms we were in last, the newest first."""
        return recent_in(self._data)

    def remember(self, room: RecentRoom) -> None:
        """We are in a room."""
        rooms = with_room(self.recent, room)
        if rooms != self.recent:
            self._change(("recent",), msgspec.to_builtins(rooms))

    @property
    def join_choice(self) -> JoinChoice:
        """With which devices a page joined last."""
        return choice_in(self._data)

    @join_choice.setter
    def join_choice(self, choice: JoinChoice) -> None:
        if choice != self.join_choice:
            said = msgspec.to_builtins(choice)
            usual = msgspec.to_builtins(JoinChoice())
            self._change(("join",), {k: v for k, v in said.items() if v != usual[k]} or None)

    @property
    def page(self) -> PageSettings:
        """How the page is set."""
        return page_settings_in(self._data)

    @page.setter
    def page(self, page: PageSettings) -> None:
        if page != self.page:
            self._change(("page",), as_kept(page))

    def save(self, patience_s: float = LOCK_PATIENCE_S) -> None:
        """Put the changes into the file, on top of what others have put there meanwhile.

        Waits for another client that is saving, up to `patience_s`. Raises InvalidValue when the
        file was broken meanwhile, and Unavailable when it cannot be written; then it is as it was,
        and the changes are still here.
        """
        if not self._changes:
            return
        try:
            # A link to a file elsewhere stays one, and everybody locks beside the same file.
            path = Path(os.path.realpath(self.path))
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _locked(path.with_name(f"{path.name}.lock"), patience_s):
                data = _read(path)
                for place, value in self._changes.items():
                    _put(data, place, value)
                _write(path, data)
        except OSError as error:
            raise Unavailable(f"cannot save the settings: {error}") from error
        self._data = data
        self._changes = {}

    def _change(self, place: _Path, value: Any) -> None:
        _put(self._data, place, value)
        self._changes[place] = value


def _read(path: Path) -> dict[str, Any]:
    """What the file holds, checked."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Unavailable(f"cannot read the settings: {error}") from error
    if len(content) > MAX_BYTES:
        raise InvalidValue(str(path), f"is larger than {MAX_BYTES} bytes")
    text = _text(path, content)
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise _broken(path, error.lineno, f"is not JSON ({error.msg})") from error
    except (ValueError, RecursionError) as error:
        raise _broken(path, 1, "holds a number too long or brackets too deep") from error
    for place, rule in _broken_rules(data):
        raise _broken(path, _line_of(text, place), f"{'.'.join(place) or 'the file'} {rule}")
    return data  # type: ignore[no-any-return]


def _text(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _broken(path, line, "is not UTF-8") from error


def _broken(path: Path, line: int, what: str) -> InvalidValue:
    return InvalidValue(str(path), f"line {line}: {what}; correct it, or move the file away")


def _broken_rules(data: Any) -> Iterator[tuple[_Path, str]]:
    """Where the settings break a rule, and which."""
    not_object = "must be an object: {...}"
    if not isinstance(data, dict):
        yield (), not_object
        return
    yield from listening_settings.broken_rules(data)
    yield from kept.broken_rules(data)
    ports, click = data.get("ports", {}), data.get("click", {})
    if not isinstance(ports, dict):
        yield ("ports",), not_object
        return
    for name, port in ports.items():
        if not isinstance(port, dict):
            yield ("ports", name), not_object
        elif (offset_ms := port.get("offset_ms")) is not None:
            try:
                _check_offset(offset_ms)
            except InvalidValue as error:
                yield ("ports", name, "offset_ms"), error.rule
    if not isinstance(click, dict):
        yield ("click",), not_object
        return
    for name in click.keys() & set(ClickSettings.__struct_fields__):
        try:
            msgspec.convert({name: click[name]}, ClickSettings)
        except msgspec.ValidationError as error:
            rule = getattr(error.__cause__, "rule", None)
            yield ("click", name), rule or f"is wrong: {str(error).partition(' - at ')[0]}"


def _check_offset(offset_ms: object) -> None:
    number = isinstance(offset_ms, int | float) and not isinstance(offset_ms, bool)
    if not (number and -MAX_OFFSET_MS <= offset_ms <= MAX_OFFSET_MS):  # type: ignore[operator]
        rule = f"must be a number of milliseconds from -{MAX_OFFSET_MS} to {MAX_OFFSET_MS}"
        raise InvalidValue("offset_ms", rule)


def _line_of(text: str, place: _Path) -> int:
    """The line, from 1, of a value in a text that is known to be JSON."""
    at = _skip(text, 0)
    for name in place:
        at = _member(text, at, name)
    return text.count("\n", 0, at) + 1


def _member(text: str, at: int, wanted: str) -> int:
    """Where the value of a member of the object at `at` begins; of doubles, the last counts."""
    decoder = json.JSONDecoder()
    found, at = at, _skip(text, at + 1)
    while text[at] != "}":
        name, at = decoder.raw_decode(text, at)
        value_at = _skip(text, _skip(text, at) + 1)
        found = value_at if name == wanted else found
        at = _skip(text, decoder.raw_decode(text, value_at)[1])
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _put(data: dict[str, Any], place: _Path, value: Any) -> None:
    """Set a value, or with None take it away, and what is empty then."""
    name, *inner = place
    if inner:
        _put(data.setdefault(name, {}), tuple(inner), value)
        if not data[name]:
            del data[name]
    elif value is None:
        data.pop(name, None)
    else:
        data[name] = value


@contextlib.contextmanager
def _locked(path: Path, patience_s: float) -> Iterator[None]:
    """Be alone. The lock's file stays: one that goes could be locked by two."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    text = f"cannot save the settings: another client holds {path}; try again"
                    raise Unavailable(text) from None
            time.sleep(LOCK_PAUSE_S)
        yield
    finally:
        os.close(file)


def _write(path: Path, data: dict[str, Any]) -> None:
    """Put the whole file in the old one's place, or leave that as it was."""
    try:
        content = _json(data)
    except RecursionError as error:
        raise InvalidValue(str(path), "holds brackets too deep to be written again") from error
    if len(content) > MAX_BYTES:
        raise InvalidValue(str(path), f"would be larger than {MAX_BYTES} bytes: remove ports")
    # We are alone, so one name will do, and what a crash left behind is replaced.
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    try:
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(file, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(file)
        new.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise


def _json(data: dict[str, Any]) -> bytes:
    try:
        return (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode()
    except UnicodeEncodeError:  # Half of a surrogate pair, which JSON may hold and UTF-8 may not.
        return json.dumps(data, indent=2).encode() + b"\n"
