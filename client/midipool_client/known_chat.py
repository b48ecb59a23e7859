"""What a member knows of its room's chat, and hands over to a room that begins anew. Pure."""

from dataclasses import dataclass, field

from midipool.messages import (
    KEPT_LINES,
    MAX_MESSAGE_BYTES,
    MAX_RETOLD_LINES,
    Chat,
    ChatLine,
    Retell,
    encode,
)

# What is left is for the message around them.
MOST_RETOLD_BYTES = MAX_MESSAGE_BYTES - 1024


@dataclass(slots=True)
class KnownChat:
    """The newest lines, those of a room that was here before too."""

    lines: list[ChatLine] = field(default_factory=list)
    known: bool = False
    """Whether the room has a chat."""

    def told(self, chat: Chat) -> Retell | None:
        """The room says what it keeps; returns what it is to be told."""
        self.known = True
        mine = [line for line in self.lines if line.kind == "said"]
        known = {_meant(line) for line in chat.lines}
        # What the room does not know (any more) stays with us.
        own = [line for line in self.lines if _meant(line) not in known]
        self.lines = [*own, *chat.lines][-KEPT_LINES:]
        return _retell(mine) if chat.retell and any(line in mine for line in own) else None

    def news(self, line: ChatLine) -> None:
        """Something is said."""
        self.lines = [*self.lines, line][-KEPT_LINES:]


def _meant(line: ChatLine) -> tuple[str, str | None, str, int]:
    """What is the same in a room that was told of it anew."""
    return line.kind, line.name, line.text, line.unix_ms


def _retell(said: list[ChatLine]) -> Retell:
    """The newest that one message takes."""
    retell = Retell(said[-MAX_RETOLD_LINES:])
    while len(encode(retell)) > MOST_RETOLD_BYTES and len(retell.lines) > 1:
        retell = Retell(retell.lines[len(retell.lines) // 8 + 1 :])
    return retell
