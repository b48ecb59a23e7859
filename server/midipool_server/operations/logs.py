"""The log: lines for people or objects for programs, each with room and member where known."""

import contextvars
import json
import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import msgspec

ABOUT = ("room", "member", "connection")
"""What a line is about, beside what it says."""
_about: contextvars.ContextVar[Mapping[str, object]] = contextvars.ContextVar("about")
_NOTHING: Mapping[str, object] = MappingProxyType({})
# What needs no quotes in a line: no space, no line end, no escape sequence.
_PLAIN = re.compile(r"[\w.:/@+-]+", re.ASCII)


def about(**what: object) -> None:
    """Lines of this task, and of those that it begins, are about this too."""
    _about.set({**_about.get(_NOTHING), **what})


@contextmanager
def only_about(**what: object) -> Iterator[None]:
    """Lines from here to the end of the context are about this, whoever's task it was begun by."""
    token = _about.set(what)
    try:
        yield
    finally:
        _about.reset(token)


def set_up(level: str, style: str) -> None:
    """Log to standard error from now on."""
    handler = logging.StreamHandler()
    handler.addFilter(_with_about)
    handler.setFormatter(JsonLines() if style == "json" else TextLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("aiohttp.server").addFilter(_no_fault_of_ours)


def _with_about(record: logging.LogRecord) -> bool:
    """What the record itself says comes before what its task is about."""
    for name, value in _about.get(_NOTHING).items():
        if not hasattr(record, name):
            setattr(record, name, value)
    return True


def _no_fault_of_ours(record: logging.LogRecord) -> bool:
    """A request that is no HTTP is its sender's fault: nobody fills the log with tracebacks."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None or type(error).__module__ != "aiohttp.http_exceptions":
        return True
    record.levelno, record.levelname, record.exc_info = logging.DEBUG, "DEBUG", None
    record.msg, record.args = "a request that is no HTTP: %s", (type(error).__name__,)
    return logging.getLogger().isEnabledFor(logging.DEBUG)


def _found(record: logging.LogRecord) -> dict[str, object]:
    found = {name: getattr(record, name, None) for name in ABOUT}
    return {name: value for name, value in found.items() if value is not None}


class TextLines(logging.Formatter):
    """`2026-11-28 18:40:01,123 INFO joined room=jam member=drums`: one line, whatever the names."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        said = _one_line(record.getMessage())
        words = [f"{when},{record.msecs:03.0f}", record.levelname, said]
        words += [f"{name}={_quoted(value)}" for name, value in _found(record).items()]
        line = " ".join(words)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonLines(logging.Formatter):
    """One object a line: time, level, logger, message, what it is about, and the exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The object."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        told: dict[str, object] = {
            "time": f"{seconds}.{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_found(record),
        }
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(told).decode()


def _one_line(text: str) -> str:
    """A text in which nothing ends the line or commands a terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _quoted(value: object) -> str:
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)
