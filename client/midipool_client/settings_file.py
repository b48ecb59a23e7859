"""The file of the user's settings: read with its errors by line, changed wholly or not at all."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from midipool.errors import InvalidValue, Unavailable
from midipool_client.json_places import Place, line_of
from midipool_client.settings_rules import broken_rules

MAX_BYTES = 1 << 20
LOCK_PAUSE_S = 0.005


def read(path: Path) -> dict[str, Any]:
    """What the file holds, checked; nothing where there is none.

    Raises InvalidValue, which names the file and the line, and Unavailable when it cannot be read.
    """
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
    for place, rule in broken_rules(data):
        raise _broken(path, line_of(text, place), f"{'.'.join(place) or 'the file'} {rule}")
    return data  # type: ignore[no-any-return]


def _text(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _broken(path, line, "is not UTF-8") from error


def _broken(path: Path, line: int, what: str) -> InvalidValue:
    return InvalidValue(str(path), f"line {line}: {what}; correct it, or move the file away")


def change(path: Path, changes: Mapping[Place, Any], patience_s: float) -> dict[str, Any]:
    """Put values, by where they are, on top of what others have put there; what it holds then.

    Waits for another client that is saving, up to `patience_s`. Raises InvalidValue when the file
    is broken, and Unavailable when it cannot be written; then it is as it was.
    """
    try:
        # A link to a file elsewhere stays one, and everybody locks beside the same file.
        path = Path(os.path.realpath(path))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(path.with_name(f"{path.name}.lock"), patience_s):
            data = read(path)
            for place, value in changes.items():
                put(data, place, value)
            _write(path, data)
    except OSError as error:
        raise Unavailable(f"cannot save the settings: {error}") from error
    return data


def put(data: dict[str, Any], place: Place, value: Any) -> None:
    """Set a value, or with None take it away, and what is empty then."""
    name, *inner = place
    if inner:
        put(data.setdefault(name, {}), tuple(inner), value)
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
