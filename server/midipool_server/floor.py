"""What the features of a room share: who is there, what plays, and who may change it. Pure."""

from dataclasses import dataclass, field

from midipool.errors import Refused
from midipool.graph.graph import Graph
from midipool.messages import Capability, ChatNews, Message, Ok
from midipool_server.authority import Authority
from midipool_server.chat import Kind, RoomChat
from midipool_server.outgoing import Outgoing
from midipool_server.places import Member, Places
from midipool_server.schedule import Schedule


@dataclass(slots=True)
class Floor:
    """State that several features read, and the ways in which all of them speak."""

    places: Places
    chat: RoomChat
    schedule: Schedule = field(default_factory=Schedule)
    authority: Authority = Authority()  # noqa: RUF009 (immutable)
    graph: Graph = Graph()  # noqa: RUF009 (immutable)
    """Who hears whom."""

    def member(self, id: int, why: str, code: str = "not_member") -> Member:
        """Whose connection it is; raises Refused, for the reason `why`, if it is a remote's."""
        member = self.places.by_id.get(id)
        if member is None or member.remote:
            raise Refused(code, why)
        return member

    def check_change(self, now_us: int, id: int) -> None:
        """Raise Refused unless this connection may change the room. A vote is not held here."""
        self.authority.check_command(self.places.acting(id), self.places.names(), now_us)

    def ok(self, id: int, now_us: int) -> Ok:
        """The answer to what does not touch the timeline."""
        return Ok(id, now_us, revision=self.schedule.revision, epoch=self.schedule.chain.last.epoch)

    def tell(self, needs: Capability, *messages: Message) -> list[Outgoing]:
        """To everybody whose client understands it, if there is any."""
        understood = any(needs in member.capabilities for member in self.places.by_id.values())
        return [Outgoing(message, needs=needs) for message in messages if understood]

    def notice(self, now_us: int, kind: Kind, name: str | None, text: str = "") -> list[Outgoing]:
        """A line of the chat that nobody said."""
        line = self.chat.notice(now_us, kind, name, text)
        return [] if line is None else self.tell("chat", ChatNews(line))
