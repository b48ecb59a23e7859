"""Lines of the chat, for a terminal; and texts, for the chat. Pure."""

import re

from midipool.errors import InvalidValue
from midipool.messages import MAX_LINE_CHARACTERS, ChatLine
from midipool.messages.chat import UNSEEN


def line_in_words(line: ChatLine, when: str) -> str:
    """One line, said at `when`."""
    name = line.name or "somebody"
    match line.kind:
        case "said":
            return f"{when} {name}: {line.text}"
        case "came" | "left":
            return f"{when} * {name} {line.kind}"
        case _:
            return f"{when} * {name}: {line.text}"


def one_line(text: str) -> str:
    """A text as it can be said: pasted lines become one. Raises InvalidValue."""
    said = " ".join(re.sub(f"[{UNSEEN}]+", " ", text).split())
    if not said:
        raise InvalidValue("text", "there is nothing to say in it")
    if len(said) > MAX_LINE_CHARACTERS:
        rule = f"{len(said)} characters are too many for a line: {MAX_LINE_CHARACTERS} at most"
        raise InvalidValue("text", rule)
    return said
