"""Turns at what takes a while: when very many want it at once, others are served in between."""

import asyncio
from collections import deque


class Turns:
    """So many in each round of the event loop, first come, first served."""

    def __init__(self, in_a_round: int) -> None:
        self._in_a_round = self._left = in_a_round
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._next_round: asyncio.Handle | None = None

    async def take(self) -> None:
        """Until it is one's turn: at once, as long as not many want one."""
        loop = asyncio.get_running_loop()
        if self._next_round is None:
            self._next_round = loop.call_soon(self._begin_round)
        if self._left:
            self._left -= 1
            return
        self._waiting.append(turn := loop.create_future())
        await turn

    def _begin_round(self) -> None:
        self._next_round = None
        self._left = self._in_a_round
        while self._waiting and self._left:
            if not (turn := self._waiting.popleft()).done():
                turn.set_result(None)
                self._left -= 1
        if self._left < self._in_a_round:
            self._next_round = asyncio.get_running_loop().call_soon(self._begin_round)
