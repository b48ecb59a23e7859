"""A conversation with a real room, for the protocol page: what each side sends, as JSON."""

import json
from collections.abc import Callable

import msgspec

from midipool import messages
from midipool.errors import InvalidMessage, Refused
from midipool.messages import MemberStatus, Message
from midipool_server.outgoing import Outgoing, refusal
from midipool_server.room import Room

NOW_US = 5_000_000
CLOCK_ID = "58d1e0c4a7b2f390"
TOKEN = "9f2c"
STATUS = MemberStatus(
    round_trip_us=812.4,
    error_bound_us=31.5,
    drift_ppm=-3.2,
    jitter_us=12.0,
    offset_us=77123.25,
    engine="running",
    ticks=96,
)


class Conversation:
    """A room with one member, `drums`."""

    def __init__(self) -> None:
        self.room = Room("jam", CLOCK_ID, 8765)
        self.lines: list[str] = []

    def join(self) -> None:
        """Say hello and be welcomed."""
        hello = messages.hello("drums")
        self.sends(hello)
        _, out = self.room.join(NOW_US, 1, hello.name, hello.token, False, TOKEN)
        self.hears(out)

    def sends(self, message: Message) -> None:
        """The client sends."""
        self.lines.append(f"> {messages.encode(message).decode()}")

    def hears(self, out: list[Outgoing]) -> None:
        """The server sends."""
        self.lines += [f"< {messages.encode(o.message).decode()}" for o in out]

    def commands(self, now_us: int, command: messages.TransportCommand) -> None:
        """The client commands, and is answered."""
        self.sends(command)
        try:
            self.hears(self.room.handle(now_us, 1, command))
        except Refused as error:
            self.hears([Outgoing(refusal(error, command.id))])

    def sends_text(self, text: str) -> None:
        """The client sends what is no message."""
        self.lines.append(f"> {text}")
        try:
            messages.decode_client(text)
        except InvalidMessage as e:
            self.hears([Outgoing(messages.Error("bad_message", e.text, e.field, e.id))])

    def text(self) -> str:
        """All of it as a code block."""
        return "\n".join(["```", *self.lines, "```"])


def joining() -> str:
    """A member joins a new room and starts it."""
    talk = Conversation()
    talk.join()
    talk.commands(NOW_US + 1_000_000, messages.Start(id=1))
    talk.sends(STATUS)
    return talk.text()


def refused() -> str:
    """Three things that are refused."""
    talk = Conversation()
    talk.join()
    talk.lines.clear()
    talk.commands(NOW_US, messages.Start(id=2, epoch=7))
    talk.sends_text('{"type":"tempo","id":3,"bpm":5}')
    talk.sends_text('{"type":"start","id":4,"att":"bar"}')
    return talk.text()


def described() -> str:
    """The room as /api/rooms/NAME shows it."""
    talk = Conversation()
    talk.join()
    talk.room.handle(NOW_US, 1, messages.Start(id=1))
    talk.room.handle(NOW_US, 1, STATUS)
    shown = json.loads(msgspec.json.encode(talk.room.describe(NOW_US + 10_150_000)))
    return f"```json\n{json.dumps(shown, indent=2)}\n```"


PARTS: dict[str, Callable[[], str]] = {
    "joining": joining,
    "refused": refused,
    "described": described,
}
