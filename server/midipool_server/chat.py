"""A room's chat: what is said, how much of it, and what of it is kept. Pure."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from msgspec.structs import replace

from midipool.errors import Refused
from midipool.messages import KEPT_LINES, Chat, ChatLine
from midipool_server.rate_limit import RateLimit

LINES_A_SECOND, LINE_BURST = 1.0, 8.0
ROOM_LINES_A_SECOND, ROOM_LINE_BURST = 10.0, 60.0
# Who comes and goes all the time does not push out what was said.
NOTICES_A_SECOND, NOTICE_BURST = 0.1, 20.0

Kind = Literal["said", "came", "left", "did"]


@dataclass(slots=True)
class RoomChat:
    """The newest lines. `unix_us` gives the wall-clock time of a room time."""

    unix_us: Callable[[int], int]
    keep_us: int
    """How long it takes what a member remembers of a room that was here before."""
    _begun_us: int | None = None
    _retold: bool = False
    _brought_back: bool = False
    _count: int = 0
    _lines: deque[ChatLine] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))
    _limits: dict[str, RateLimit] = field(default_factory=dict)
    _all: RateLimit = field(default_factory=lambda: RateLimit(ROOM_LINES_A_SECOND, ROOM_LINE_BURST))
    _notices: RateLimit = field(default_factory=lambda: RateLimit(NOTICES_A_SECOND, NOTICE_BURST))

    def begin(self, now_us: int) -> None:
        """Somebody is in the room, for the first time or again."""
        if self._begun_us is None:
            self._begun_us = now_us

    def check(self, now_us: int, name: str) -> None:
        """Count one more that a member says; raises Refused."""
        limit = self._limits.setdefault(name, RateLimit(LINES_A_SECOND, LINE_BURST))
        if not limit.allow(now_us):
            raise Refused("too_fast", "you say more than a line a second: wait a moment")
        if not self._all.allow(now_us):
            raise Refused("too_fast", "the room says more than 10 lines a second: wait a moment")

    def say(self, now_us: int, name: str, text: str) -> ChatLine:
        """A member says something, which was checked."""
        return self._add(now_us, "said", name, text)

    def notice(self, now_us: int, kind: Kind, name: str | None, text: str = "") -> ChatLine | None:
        """Somebody came, left or did something; None if there is too much of that."""
        return self._add(now_us, kind, name, text) if self._notices.allow(now_us) else None

    def retell(self, now_us: int, lines: list[ChatLine]) -> bool:
        """What a member remembers goes in front; False if it comes too late."""
        if not self._takes(now_us):
            return False
        self._retold = True
        unix_us = self.unix_us(now_us)
        known = {_meant(line) for line in self._lines}
        said = [line for line in lines if line.kind == "said" and _meant(line) not in known]
        both = [*(_retold(line, now_us, unix_us) for line in said), *self._lines]
        if self._brought_back:
            both.sort(key=lambda line: line.unix_ms)
        self._count = len(both)
        numbered = (replace(line, number=n) for n, line in enumerate(both, 1))
        self._lines = deque(numbered, maxlen=KEPT_LINES)
        return True

    @property
    def lines(self) -> list[ChatLine]:
        """What is kept, the newest last."""
        return list(self._lines)

    def bring_back(self, lines: list[ChatLine], shift_us: int) -> None:
        """Go on with what a server had kept that ended; members may know the newest of it."""
        self._lines.extend(replace(line, at_us=line.at_us + shift_us) for line in lines)
        self._count = max((line.number for line in lines), default=0)
        self._brought_back = bool(lines)

    def message(self, now_us: int) -> Chat:
        """What a member is told that joins."""
        return Chat(lines=list(self._lines), retell=self._takes(now_us))

    def forget(self, name: str) -> None:
        """A member has left for good."""
        self._limits.pop(name, None)

    def _takes(self, now_us: int) -> bool:
        begun_us = now_us if self._begun_us is None else self._begun_us
        return not self._retold and now_us - begun_us < self.keep_us

    def _add(self, now_us: int, kind: Kind, name: str | None, text: str) -> ChatLine:
        self._count += 1
        unix_ms = max(self.unix_us(now_us) // 1000, 0)
        line = ChatLine(self._count, kind, name, text, now_us, unix_ms)
        self._lines.append(line)
        return line


def _meant(line: ChatLine) -> tuple[str | None, str, int]:
    """By which a line is known again."""
    return line.name, line.text, line.unix_ms


def _retold(line: ChatLine, now_us: int, unix_us: int) -> ChatLine:
    """A line of the room that was: its room time was another clock's."""
    unix_ms = min(line.unix_ms, max(unix_us // 1000, 0))
    at_us = max(now_us - (unix_us - unix_ms * 1000), -(2**52))
    return replace(line, unix_ms=unix_ms, at_us=at_us, retold=True)
