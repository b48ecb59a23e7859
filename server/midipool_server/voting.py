"""A vote on one command: who agrees, and when it is decided. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace

from midipool.errors import Refused
from midipool.messages import (
    Continue,
    Error,
    Locate,
    Ok,
    SetMode,
    Start,
    Vote,
)
from midipool.transport import Change
from midipool_server.in_words import in_words

VOTE_US = 10_000_000

VotedCommand = Change | SetMode


class Outcome(NamedTuple):
    """How a vote came out, and why."""

    passed: bool
    reason: str


class Asker(NamedTuple):
    """Whom to answer when the vote is over: connection, and the command's id."""

    connection: int
    command_id: int
    name: str


@dataclass(slots=True)
class RunningVote:
    """Ballots by members' names. Only those of the members connected count, at any time."""

    id: int
    command: VotedCommand
    proposer: str
    ends_us: int
    askers: list[Asker] = field(default_factory=list)
    """The proposer, and who proposed the same: at most one for each member."""
    ballots: dict[str, bool] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """What is voted upon, for people."""
        return in_words(self.command)

    def propose(self, asker: Asker, command: VotedCommand) -> None:
        """Take the same command from another member for a yes; raises Refused."""
        same = _meant(command) == _meant(self.command)
        again = any(other.name == asker.name for other in self.askers)
        if not same or again:
            text = f"the room votes on {self.proposer}'s {self.text!r} (vote {self.id}): "
            raise Refused("vote_running", f"{text}wait for its end, or answer it (room URL vote)")
        self.askers.append(asker)
        self.ballots[asker.name] = True

    def forget(self, name: str) -> None:
        """A member has left for good: another one of its name has not voted yet."""
        self.ballots.pop(name, None)
        self.askers = [asker for asker in self.askers if asker.name != name]

    def renamed(self, old: str, new: str) -> None:
        """A member came back under another name."""
        if old in self.ballots:
            self.ballots[new] = self.ballots.pop(old)
        self.askers = [a._replace(name=new) if a.name == old else a for a in self.askers]
        self.proposer = new if self.proposer == old else self.proposer

    def message(self, connected: Collection[str]) -> Vote:
        """The vote as everybody is told; `connected` are the names of the members that are."""
        return Vote(
            vote=self.id,
            proposer=self.proposer,
            text=self.text,
            yes=self._who(True, connected),
            no=self._who(False, connected),
            needed=needed(len(connected)),
            ends_us=self.ends_us,
        )

    def outcome(self, connected: Collection[str], now_us: int) -> Outcome | None:
        """Whether it is decided: by a majority, or because there can be none any more."""
        yes = len(self._who(True, connected))
        no = len(self._who(False, connected))
        counts = f"{yes} yes, {no} no, {needed(len(connected))} needed"
        if self.proposer not in connected:
            return Outcome(False, f"{self.proposer} is gone")
        if yes >= needed(len(connected)):
            return Outcome(True, counts)
        if len(connected) - no < needed(len(connected)):
            return Outcome(False, counts)
        if now_us >= self.ends_us:
            return Outcome(False, f"{counts} within {VOTE_US // 1_000_000} s")
        return None

    def _who(self, yes: bool, connected: Collection[str]) -> list[str]:
        return [name for name in connected if self.ballots.get(name) is yes]


class Decided(NamedTuple):
    """A vote that is over."""

    vote: RunningVote
    outcome: Outcome
    was_told: bool
    """Whether anybody but who asked knows of it: a sole member decides without a vote."""

    def answers(self, answer: Ok | Error) -> list[tuple[int, Ok | Error]]:
        """`answer` to each who asked: connection and message."""
        return [(a.connection, replace(answer, id=a.command_id)) for a in self.vote.askers]

    def failure(self) -> Error:
        """What those who asked hear when it did not pass."""
        text = f"the room does not agree to {self.vote.text!r}: {self.outcome.reason}"
        return Error(code="vote_failed", message=text)


@dataclass(slots=True)
class Votes:
    """A room's votes, one at a time. `connected` are the names of the members that are."""

    running: RunningVote | None = None
    _held: int = 0
    _told: Vote | None = None
    """What everybody knows of the running one."""

    @property
    def ends_us(self) -> int | None:
        """Room time at which the running vote ends at the latest."""
        return None if self.running is None else self.running.ends_us

    def propose(
        self, now_us: int, asker: Asker, command: VotedCommand, connected: Collection[str]
    ) -> None:
        """Begin a vote, or agree with the one that runs; raises Refused."""
        _check_connected(asker.name, connected)
        if self.running is None:
            self._held += 1
            self.running = RunningVote(self._held, command, asker.name, now_us + VOTE_US)
        self.running.propose(asker, command)

    def cast(self, vote: int, name: str, yes: bool, connected: Collection[str]) -> None:
        """A member answers; its newest answer counts. Raises Refused."""
        _check_connected(name, connected)
        if self.running is None or self.running.id != vote:
            raise Refused("no_such_vote", f"vote {vote} is not running (any more)", "vote")
        self.running.ballots[name] = yes

    def forget(self, name: str) -> None:
        """A member has left for good: another one of its name has not voted yet."""
        if self.running is not None:
            self.running.forget(name)

    def renamed(self, old: str, new: str) -> None:
        """A member came back under another name."""
        if self.running is not None:
            self.running.renamed(old, new)

    def message(self, connected: Collection[str]) -> Vote | None:
        """The running vote as everybody is told."""
        return None if self.running is None else self.running.message(connected)

    def news(self, connected: Collection[str]) -> Vote | None:
        """The running vote, if it stands otherwise than everybody was told."""
        before, self._told = self._told, self.message(connected)
        return self._told if self._told != before else None

    def decided(self, connected: Collection[str], now_us: int) -> Decided | None:
        """The vote that has just come to its end, if one has."""
        vote = self.running
        outcome = None if vote is None else vote.outcome(connected, now_us)
        if vote is None or outcome is None:
            return None
        decided = Decided(vote, outcome, was_told=self._told is not None)
        self.running = self._told = None
        return decided


def _check_connected(name: str, connected: Collection[str]) -> None:
    if name not in connected:
        text = f"{name} is away: only members that are connected vote"
        raise Refused("not_member", text)


def needed(connected: int) -> int:
    """How many of so many members are more than half."""
    return connected // 2 + 1


def _meant(command: VotedCommand) -> VotedCommand:
    """A command without what differs from sender to sender."""
    if isinstance(command, SetMode):
        return replace(command, id=0)
    plain = replace(command, id=0, epoch=None)
    return replace(plain, since=None) if isinstance(plain, Start | Continue | Locate) else plain
