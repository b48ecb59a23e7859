"""What a part of the client says in the room's chat, and hears there."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from midipool.errors import Refused, Unavailable
from midipool.messages import Error, Ok, Say
from midipool_client.commander import Asked
from midipool_client.known_chat import KnownChat

ANSWER_S = 10.0


class Talker(Protocol):
    """A member."""

    chat: KnownChat

    def conduct(self, command: Asked, answer: Callable[[Ok | Error | None], None]) -> None:
        """Ask the room."""


class RoomTalk:
    """A member's chat."""

    def __init__(self, member: Talker) -> None:
        self._member = member

    @property
    def lines(self) -> list[str]:
        """What was said, the newest last."""
        return [line.text for line in self._member.chat.lines if line.kind == "said"]

    async def say(self, text: str) -> None:
        """Say a line; raises Refused, Unavailable."""
        answered: asyncio.Future[Ok | Error | None] = asyncio.get_running_loop().create_future()

        def answer(said: Ok | Error | None) -> None:
            if not answered.done():
                answered.set_result(said)

        self._member.conduct(Say(id=1, text=text), answer)
        try:
            async with asyncio.timeout(ANSWER_S):
                said = await answered
        except TimeoutError:
            raise Unavailable("the server does not answer") from None
        if said is None:
            raise Unavailable("the server is away: try again when it is back")
        if isinstance(said, Error):
            raise Refused(said.code, said.message, said.field)
