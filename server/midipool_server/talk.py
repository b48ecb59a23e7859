"""What members say, and what they command by saying it. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec

from midipool import chat_commands
from midipool.errors import Refused
from midipool.messages import (
    Ballot,
    ChatLine,
    ChatNews,
    LoadSong,
    Message,
    Retell,
    Say,
)
from midipool.song_book import SongBook
from midipool_server.authority import HOW_TO_ACT
from midipool_server.feature import Feature, Handler
from midipool_server.floor import Floor
from midipool_server.outgoing import Outgoing
from midipool_server.places import Member
from midipool_server.saving.section import Then
from midipool_server.voting import Votes


class Talk(Feature):
    """The chat; `do` does what a line commands, as if it had come as a message of its own."""

    key = "talk"

    def __init__(self, floor: Floor, votes: Votes, book: SongBook, do: Handler) -> None:
        self._floor = floor
        self._votes = votes
        self._book = book
        self._do = do

    def handlers(self) -> Mapping[type[Message], Handler]:
        """Saying, and telling anew what was said."""
        return {Say: self._say, Retell: self._retell}

    def greet(self, now_us: int, member: Member) -> list[Outgoing]:
        """What was said before."""
        self._floor.chat.begin(now_us)
        if "chat" not in member.capabilities:
            return []
        return [Outgoing(self._floor.chat.message(now_us), member.id)]

    def left(self, now_us: int, gone: list[Member]) -> list[Outgoing]:
        """Others of these names may say as much as anybody."""
        for member in gone:
            self._floor.chat.forget(member.name)
        return []

    def to_keep(self, now_us: int) -> list[ChatLine]:
        """What was said."""
        return self._floor.chat.lines

    def bring_back(self, now_us: int, said: Any, then: Then) -> None:
        """It was said here."""
        self._floor.chat.bring_back(msgspec.convert(said, list[ChatLine]), then.shift_us)

    def _say(self, now_us: int, id: int, say: Say) -> list[Outgoing]:
        """Pass on what a member says, or do what it commands."""
        name = self._floor.places.acting(id)
        if name is None:
            raise Refused("not_member", f"only members say something: {HOW_TO_ACT}")
        self._floor.chat.check(now_us, name)
        match chat_commands.parse(say.text, say.id):
            case chat_commands.Line(text):
                line = ChatNews(self._floor.chat.say(now_us, name, text))
                return [
                    Outgoing(self._floor.ok(say.id, now_us), id),
                    *self._floor.tell("chat", line),
                ]
            case chat_commands.Vote(yes):
                vote = self._votes.running
                if vote is None:
                    raise Refused("no_such_vote", "the room does not vote on anything now")
                return self._do(now_us, id, Ballot(say.id, vote.id, yes))
            case chat_commands.SongNamed(which):
                song = self._book.which(which)
                return self._do(now_us, id, LoadSong(id=say.id, song=song.id))
            case command:
                return self._do(now_us, id, command)

    def _retell(self, now_us: int, id: int, retell: Retell) -> list[Outgoing]:
        """Take what a member remembers, if the chat began anew; everybody hears it."""
        member = self._floor.places.by_id.get(id)
        if member is None or member.remote or not self._floor.chat.retell(now_us, retell.lines):
            return []
        return self._floor.tell("chat", self._floor.chat.message(now_us))
