"""What a member remembers of the chat over a server's restart."""

import pytest

from midipool.errors import InvalidValue
from midipool.messages import KEPT_LINES, Chat, ChatLine, decode_client, encode
from midipool_client.chat_words import line_in_words, one_line
from midipool_client.known_chat import KnownChat

HELLO = ChatLine(1, "said", "anna", "hello", 5, 1_000)
ALSO = ChatLine(2, "said", "bert", "also", 6, 2_000)
CAME = ChatLine(3, "came", "carl", "", 7, 3_000)


def told(*lines: ChatLine, retell: bool = False) -> Chat:
    return Chat(list(lines), retell)


def test_a_room_that_begins_anew_is_told_what_was_said() -> None:
    chat = KnownChat()
    assert chat.told(told(retell=True)) is None
    for line in (HELLO, ALSO, CAME):
        chat.news(line)
    again = ChatLine(1, "came", "bert", "", 1, 9_000)
    retell = chat.told(told(again, retell=True))
    assert retell is not None
    assert retell.lines == [HELLO, ALSO]
    assert chat.lines == [HELLO, ALSO, CAME, again]


def test_a_room_that_knows_it_all_is_told_nothing_and_nothing_is_there_twice() -> None:
    chat = KnownChat()
    chat.news(HELLO)
    # Another one was faster: the room has it under another number.
    retold = ChatLine(4, "said", "anna", "hello", -3, 1_000, retold=True)
    assert chat.told(told(retold, retell=True)) is None
    assert chat.lines == [retold]


def test_what_only_we_know_stays_with_us() -> None:
    chat = KnownChat()
    chat.news(HELLO)
    assert chat.told(told(ALSO)) is None
    assert chat.lines == [HELLO, ALSO]


def test_the_longest_lines_fit_into_a_message() -> None:
    chat = KnownChat()
    for n in range(KEPT_LINES + 50):
        chat.news(ChatLine(n, "said", "🎷" * 64, '"🎷' * 250, n, n))
    assert len(chat.lines) == KEPT_LINES
    retell = chat.told(told(retell=True))
    assert retell is not None
    assert len(retell.lines) > 20
    assert retell.lines[-1].number == KEPT_LINES + 49
    assert decode_client(encode(retell)) == retell


def test_lines_in_words() -> None:
    assert line_in_words(HELLO, "9:00") == "9:00 anna: hello"
    assert line_in_words(CAME, "9:00") == "9:00 * carl came"
    mode = ChatLine(4, "did", None, "mode open")
    assert line_in_words(mode, "9:00") == "9:00 * somebody: mode open"


def test_a_pasted_text_becomes_one_line() -> None:
    assert one_line(" verse\r\n\tchorus\x1b[2J ") == "verse chorus [2J"
    for text in ("\n", "x" * 501):
        with pytest.raises(InvalidValue):
            one_line(text)
