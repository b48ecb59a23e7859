"""How STUN servers see our socket: asked until they answer, and again to notice a change."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from midipool.punching.events import Send
from midipool.punching.timing import Timing
from midipool.stun import REQUEST, SUCCESS, Address, StunMessage, encode

Draw = Callable[[int], bytes]


@dataclass(slots=True)
class _Question:
    due_us: int
    attempts: int = 0
    transactions: tuple[bytes, ...] = ()
    seen: Address | None = None


class Gathering:
    """Questions to STUN servers, each under its one numeric address."""

    def __init__(self, servers: Sequence[Address], draw: Draw, timing: Timing, now_us: int):
        self._draw, self._timing = draw, timing
        self._questions = {server: _Question(now_us) for server in servers}

    @property
    def asked(self) -> bool:
        """Whether there is a server to ask."""
        return bool(self._questions)

    @property
    def complete(self) -> bool:
        """Whether all servers have answered."""
        return all(one.seen is not None for one in self._questions.values())

    @property
    def seen(self) -> list[Address]:
        """Where the servers see us, in their order, each address once."""
        return list(dict.fromkeys(one.seen for one in self._questions.values() if one.seen))

    def ask_anew(self, now_us: int) -> None:
        """Forget the answers: the network has changed."""
        self._questions = {server: _Question(now_us) for server in self._questions}

    def due_us(self) -> int | None:
        """When `tick` is next wanted."""
        return min((one.due_us for one in self._questions.values()), default=None)

    def tick(self, now_us: int) -> list[Send]:
        """Ask who is due."""
        sends = []
        waits_us = self._timing.retransmits_us
        for server, question in self._questions.items():
            if question.due_us > now_us:
                continue
            if question.attempts == len(waits_us):
                question.seen = None  # it does not answer any more
            transaction = self._draw(12)
            question.transactions = (*question.transactions[-7:], transaction)
            wait_us = (
                waits_us[question.attempts]
                if question.attempts < len(waits_us)
                else self._timing.refresh_us
            )
            question.due_us = now_us + wait_us
            question.attempts += 1
            sends.append(Send(server, encode(StunMessage(REQUEST, transaction))))
        return sends

    def answered(self, source: Address, message: StunMessage, now_us: int) -> bool:
        """Note a server's answer; True if we are seen elsewhere than before."""
        question = self._questions.get(source)
        if (
            question is None
            or message.kind != SUCCESS
            or message.transaction not in question.transactions
        ):
            return False
        seen = message.mapped
        if seen is None or not seen[1]:
            return False
        question.transactions = ()
        question.attempts = 0
        question.due_us = now_us + self._timing.refresh_us
        changed = seen != question.seen
        question.seen = seen
        return changed
