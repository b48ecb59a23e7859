"""What is said in a room, who hears it, and what of it is kept."""

from itertools import pairwise

import pytest
from msgspec.structs import replace

from midipool import chat_commands
from midipool.errors import InvalidMessage, InvalidValue, Refused
from midipool.messages import (
    ERROR_CODES,
    KEPT_LINES,
    Ballot,
    BarSync,
    Chat,
    ChatLine,
    ChatNews,
    Error,
    Ok,
    Retell,
    Say,
    SetMode,
    Vote,
    decode_client,
    encode,
)
from midipool_server.room import Room

from .simulation import ANNA, BEGIN_US, BERT, SECOND, Simulation

WALL_US = 1_700_000_000_000_000
ACTING, REMOTE, DEAF = 7, 8, 9


class Talking(Simulation):
    """A room whose clients understand the chat."""

    def enter(
        self, id: int, name: str, token: str = "", remote: bool = False, chat: bool = True
    ) -> None:
        parts = ["chat"] if chat else []
        _, out = self.room.join(self.now_us, id, name, token, remote, f"{id:032x}", parts)
        self.take(out)

    def say(self, text: str, id: int = ANNA) -> None:
        self.take(self.room.handle(self.now_us, id, Say(id=5, text=text)))

    def lines(self) -> list[ChatLine]:
        return self.room.floor.chat.message(self.now_us).lines

    def news(self) -> list[ChatLine]:
        return [o.message.line for _, o in self.sent if isinstance(o.message, ChatNews)]

    def history(self, id: int) -> Chat:
        [*_, chat] = [o.message for _, o in self.sent if o.to == id and isinstance(o.message, Chat)]
        return chat


@pytest.fixture
def room() -> Talking:
    talking = Talking(Room("jam", "c10c", 8765, unix_us=lambda us: us - BEGIN_US + WALL_US))
    talking.enter(ANNA, "anna")
    talking.enter(BERT, "bert")
    return talking


def said(room: Talking) -> list[tuple[str, str | None, str]]:
    return [(line.kind, line.name, line.text) for line in room.lines()]


class TestSaying:
    def test_everybody_hears_who_said_what_and_when(self, room: Talking) -> None:
        room.run(SECOND)
        room.say("  <b>hello</b> ")
        line = room.news()[-1]
        assert (line.kind, line.name, line.text) == ("said", "anna", "<b>hello</b>")
        assert (line.at_us, line.unix_ms) == (room.now_us, (WALL_US + SECOND) // 1000)
        [answer, told] = [o for _, o in room.sent[-2:]]
        assert (answer.to, told.to, told.needs) == (ANNA, None, "chat")
        assert isinstance(answer.message, Ok)

    def test_who_joins_later_reads_what_was_said(self, room: Talking) -> None:
        room.say("hello")
        room.enter(3, "carl")
        assert [line.text for line in room.history(3).lines if line.kind == "said"] == ["hello"]

    def test_the_newest_are_kept(self, room: Talking) -> None:
        for n in range(KEPT_LINES + 10):
            room.say(str(n))
            room.run(SECOND)
        kept = room.lines()
        assert len(kept) == KEPT_LINES
        assert kept[-1].text == str(KEPT_LINES + 9)
        assert [b.number - a.number for a, b in pairwise(kept)] == [1] * 199

    def test_a_shell_speaks_for_its_member_and_nobody_else_does(self, room: Talking) -> None:
        room.enter(ACTING, "remote", room.room.members[BERT].token, remote=True)
        room.say("hello", ACTING)
        assert said(room)[-1] == ("said", "bert", "hello")
        room.enter(REMOTE, "remote", remote=True)
        with pytest.raises(Refused, match="only members say") as refused:
            room.say("hello", REMOTE)
        assert refused.value.code == "not_member"

    def test_a_flood_is_stopped_and_only_of_who_floods(self, room: Talking) -> None:
        for _ in range(8):
            room.say("buy")
        with pytest.raises(Refused, match="a line a second") as refused:
            room.say("buy")
        assert refused.value.code == "too_fast"
        assert [kind for kind, *_ in said(room)].count("said") == 8
        room.say("I do not", BERT)
        room.run(3 * SECOND)
        room.say("sorry")

    def test_many_together_are_held_to_what_a_reader_can_take(self, room: Talking) -> None:
        for id in range(10, 30):
            room.enter(id, f"m{id}")
        for n in range(60):
            room.say("x", 10 + n % 20)
        with pytest.raises(Refused, match="10 lines a second"):
            room.say("x", 10)

    @pytest.mark.parametrize(
        "text",
        ["", "   ", "x" * 501, "a\nb", "a\x1b[31mb", "\x07", "a\u2028b", "\u202egnihton", "\x9b1m"],
    )
    def test_what_would_do_something_to_a_terminal_is_refused(self, text: str) -> None:
        with pytest.raises(InvalidMessage, match="text"):
            decode_client(encode(Say(id=1, text=text)))

    def test_what_people_write_is_not(self) -> None:
        for text in ("x" * 500, "naïve 漢字 🎷 עברית", '<script>"&', "a \\ b"):
            assert decode_client(encode(Say(id=1, text=text))) == Say(id=1, text=text)


class TestNotices:
    def test_who_comes_goes_and_sets_the_mode(self, room: Talking) -> None:
        room.enter(3, "carl")
        room.command(SetMode(id=1, mode="leader", leader="anna"))
        room.take(room.room.leave(room.now_us, 3))
        assert said(room) == [
            ("came", "anna", ""),
            ("came", "bert", ""),
            ("came", "carl", ""),
            ("did", "anna", "mode leader anna"),
            ("left", "carl", ""),
        ]

    def test_a_broken_connection_is_neither(self, room: Talking) -> None:
        token = room.room.members[BERT].token
        room.take(room.room.lost(room.now_us, BERT))
        room.enter(4, "bert", token)
        assert said(room)[-1] == ("came", "bert", "")
        assert len(said(room)) == 2
        room.take(room.room.lost(room.now_us, 4))
        room.run(121 * SECOND)
        assert said(room)[-1] == ("left", "bert", "")

    def test_who_comes_and_goes_all_the_time_pushes_nothing_out(self, room: Talking) -> None:
        room.say("important")
        for _ in range(KEPT_LINES):
            room.enter(3, "carl")
            room.take(room.room.leave(room.now_us, 3))
        assert ("said", "anna", "important") in said(room)
        assert len(said(room)) < 30


class TestCommands:
    def test_a_command_is_done_and_not_said(self, room: Talking) -> None:
        room.say("/tempo 132,5")
        assert room.room.chain.last.mbpm == 132_500
        assert [answer.id for answer in room.answers(ANNA)] == [5]
        assert "said" not in [kind for kind, *_ in said(room)]
        room.say("/start 2")
        assert room.room.chain.last.count_in_bars == 2
        room.say("//start means go")
        assert said(room)[-1] == ("said", "anna", "/start means go")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("/dance", "none of the commands.*/tempo BPM"),
            ("/", "none of the commands"),
            ("/tempo", "132.5"),
            ("/tempo nan", "bpm"),
            ("/tempo 5", "bpm.*20"),
            ("/tempo 120 x", "whole number"),
            ("/start 99", "count_in_bars"),
            ("/locate there", "position"),
            ("/locate 1.9", "beats 1 to 4"),
            ("/loop 5", "/loop 5 9"),
            ("/loop 9 5", "loop"),
            ("/loop 0 5", "loop"),
            ("/meter 4/3", "denominator"),
            ("/help", "/locate"),
            ("/yes", "does not vote"),
        ],
    )
    def test_a_mistake_is_told_to_the_writer_alone(
        self, room: Talking, text: str, words: str
    ) -> None:
        before = room.room.revision, said(room)
        with pytest.raises((Refused, InvalidValue), match=words) as wrong:
            room.say(text)
        assert (room.room.revision, said(room)) == before
        if isinstance(wrong.value, Refused):
            assert wrong.value.code in ERROR_CODES

    def test_the_rooms_mode_holds_for_them(self, room: Talking) -> None:
        room.command(SetMode(id=1, mode="leader", leader="anna"))
        with pytest.raises(Refused, match="anna leads"):
            room.say("/stop", BERT)
        room.say("may I?", BERT)

    def test_a_vote_is_opened_and_answered(self, room: Talking) -> None:
        room.command(SetMode(id=1, mode="vote"))
        room.say("/tempo 99")
        assert room.heard(Vote)[-1].text == "tempo 99"
        room.say("/yes", BERT)
        assert room.room.chain.last.mbpm == 99_000
        assert isinstance(room.answers(ANNA)[-1], Ok)
        assert room.heard(BarSync)[-1].bpm == 99

    def test_every_command_that_help_names_is_there(self) -> None:
        for name in chat_commands.COMMANDS.keys() - {"help"}:
            assert f"/{name}" in chat_commands.HELP


class TestServerAgain:
    LINES = (
        ChatLine(7, "said", "anna", "before", 3, WALL_US // 1000 - 5000),
        ChatLine(8, "left", "carl", "", 4, WALL_US // 1000 - 4000),
        ChatLine(9, "said", "bert", "too", 5, WALL_US // 1000 + 10**9),
    )

    def test_a_member_retells_what_was_said_and_everybody_hears_it(self, room: Talking) -> None:
        room.say("who is there?")
        assert room.history(ANNA).retell
        room.take(room.room.handle(room.now_us, ANNA, Retell(list(self.LINES))))
        lines = room.lines()
        assert [(line.text, line.retold) for line in lines if line.kind == "said"] == [
            ("before", True),
            ("too", True),
            ("who is there?", False),
        ]
        assert [line.number for line in lines] == list(range(1, 6))
        assert lines[0].at_us == room.now_us - 5 * SECOND
        assert lines[1].unix_ms == WALL_US // 1000
        assert room.heard(Chat)[-1].lines == lines
        assert not room.heard(Chat)[-1].retell
        room.say("good")
        assert room.lines()[-1].number == 6

    def test_once_and_soon_and_by_a_member(self, room: Talking) -> None:
        room.enter(REMOTE, "remote", remote=True)
        assert room.room.handle(room.now_us, REMOTE, Retell(list(self.LINES))) == []
        room.take(room.room.handle(room.now_us, ANNA, Retell(list(self.LINES))))
        forged = replace(self.LINES[0], text="forged")
        assert room.room.handle(room.now_us, BERT, Retell([forged])) == []
        late = Talking()
        late.enter(ANNA, "anna")
        late.run(120 * SECOND)
        assert late.room.handle(late.now_us, ANNA, Retell(list(self.LINES))) == []


def test_errors_are_told_with_the_id_of_what_was_said() -> None:
    with pytest.raises(InvalidMessage) as wrong:
        decode_client('{"type":"say","id":3,"text":"\\u001b"}')
    assert wrong.value.id == 3
    assert "control character" in wrong.value.text
    assert Error("help", "x").code in ERROR_CODES
    assert Ballot(1, 1, True)
