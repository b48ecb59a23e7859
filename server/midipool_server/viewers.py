"""Who looks at this server's pages: woken when something of what they see changes."""

import asyncio
import contextlib
from collections.abc import Iterator

from midipool.errors import Refused

MOST_VIEWERS = 200


class Viewers:
    """Pages that are open, by the room that they show; None is the list of rooms."""

    def __init__(self) -> None:
        self._open: dict[str | None, set[asyncio.Event]] = {}
        self._count = 0
        self.closing = False

    @property
    def count(self) -> int:
        """How many look."""
        return self._count

    @contextlib.contextmanager
    def watch(self, room: str | None) -> Iterator[asyncio.Event]:
        """An event that is set when the room changes; raises Refused when there are too many."""
        if self._count >= MOST_VIEWERS:
            raise Refused("too_many", "too many look at this server's pages now: try again later")
        event = asyncio.Event()
        self._open.setdefault(room, set()).add(event)
        self._count += 1
        try:
            yield event
        finally:
            self._count -= 1
            self._open[room].discard(event)
            if not self._open[room]:
                del self._open[room]

    def changed(self, room: str) -> None:
        """A room is another one now, has begun or ended."""
        for shown in (room, None):
            for event in self._open.get(shown, ()):
                event.set()

    def close(self) -> None:
        """The server ends: let all go."""
        self.closing = True
        for events in self._open.values():
            for event in events:
                event.set()
