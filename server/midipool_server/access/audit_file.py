"""The audit log's file: a line of JSON for each event, turned over before it grows too long."""

import datetime
import logging
import os
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

import msgspec

from midipool.errors import Unavailable
from midipool_server.access.audit import AuditEvent
from midipool_server.rate_limit import RateLimit

log = logging.getLogger(__name__)

MAX_BYTES, OLD_FILES = 10_000_000, 5
# Who is refused all the time does not push out who was let in.
REFUSED_A_SECOND, REFUSED_BURST = 2.0, 100.0


class AuditFile:
    """Written to at once; a full disk is said once, and stops nobody."""

    def __init__(self, path: Path) -> None:
        """Raises Unavailable."""
        try:
            self._handler = _OwnerOnly(path, maxBytes=MAX_BYTES, backupCount=OLD_FILES)
        except OSError as error:
            text = f"the audit log {path} cannot be written ({error.strerror})"
            raise Unavailable(f"{text}: give --audit-log another") from None
        self._limit = RateLimit(REFUSED_A_SECOND, REFUSED_BURST)
        self._left_out = 0

    def write(self, event: AuditEvent) -> None:
        """One line."""
        if event.what == "refused" and not self._limit.allow(time.monotonic_ns() // 1000):
            self._left_out += 1
            return
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        line = {"time": now, **msgspec.to_builtins(event)}
        if event.what == "refused" and self._left_out:
            line["refused_before"], self._left_out = self._left_out, 0
        text = msgspec.json.encode(line).decode()
        self._handler.emit(logging.LogRecord("audit", logging.INFO, "", 0, text, None, None))

    def close(self) -> None:
        """Nothing more is written."""
        self._handler.close()


class _OwnerOnly(RotatingFileHandler):
    """A file that its owner alone can read: it holds names and addresses."""

    _failed = False

    def _open(self) -> IO[str]:  # type: ignore[override]
        file = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(file, "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:
        """It is full, or gone."""
        if not self._failed:
            self._failed = True
            log.exception("the audit log cannot be written any more")
