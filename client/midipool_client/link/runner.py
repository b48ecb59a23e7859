"""Runs the bridge between a room and this network's Link session. The edge where it waits."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from midipool.clock_map import ClockMap
from midipool.messages import Error, Ok, TransportCommand
from midipool.timeline_chain import TimelineChain
from midipool_client.link.bridge import LinkBridge, Policy
from midipool_client.link.link_tempo import wished_bpm
from midipool_client.link.session import LinkSession
from midipool_client.link.state import Action, Ask, LinkState, Note, SetLink

log = logging.getLogger(__name__)

POLL_S = 0.02


class Clock(Protocol):
    """What the bridge needs of a member's ClockKeeper."""

    @property
    def map(self) -> ClockMap | None:
        """Host time to room time; None before it is measured."""


class Member(Protocol):
    """What the bridge needs of a member of a room: of a Player."""

    link_peers: int | None
    """Others in the Link session, for the room to see; the bridge keeps it up to date."""

    @property
    def chain(self) -> TimelineChain:
        """The room's timelines, in room time."""

    @property
    def keeper(self) -> Clock:
        """The room's clock."""

    def ask(self, command: TransportCommand, answer: Callable[[Ok | Error | None], None]) -> None:
        """Send a command under an id of the member's own.

        `answer` is called once, with None when no answer will come.
        """


class Session(Protocol):
    """What the bridge needs of a Link session."""

    def snapshot(self) -> LinkState:
        """The session as it is now."""

    def apply(self, change: SetLink) -> None:
        """Change the session for all of its peers."""


class LinkRunner:
    """Polls the session and the room, and does what the bridge says."""

    def __init__(self, session: Session, bridge: LinkBridge, member: Member) -> None:
        self._refusal = ""
        self._session = session
        self._bridge = bridge
        self._member = member
        self._member.link_peers = 0

    @property
    def peers(self) -> int:
        """Others in the Link session."""
        return self._member.link_peers or 0

    async def run(self) -> None:
        """Bridge until cancelled."""
        log.info("Ableton Link: waiting for peers")
        while True:
            self.step()
            await asyncio.sleep(POLL_S)

    def step(self) -> None:
        """Look once, and do what follows."""
        clock = self._member.keeper.map
        state = self._session.snapshot()
        self._show(state)
        if clock is not None:
            for action in self._bridge.poll(state, self._member.chain, clock):
                self._do(action)

    def _do(self, action: Action) -> None:
        match action:
            case SetLink():
                self._session.apply(action)
            case Ask(command=command):
                self._member.ask(command, lambda answer: self._answered(command, answer))
            case Note(text=text):
                log.info("Ableton Link: %s", text)

    def _answered(self, command: TransportCommand, answer: Ok | Error | None) -> None:
        # Of several bridges in one network, the first one's start makes the others' stale.
        if isinstance(answer, Error) and answer.code not in ("stale_epoch", self._refusal):
            log.warning("Ableton Link: the room refuses: %s", answer.message)
            self._refusal = answer.code  # said once, not at every turn of a knob
        self._bridge.answered(command, answer if isinstance(answer, Ok) else None)

    def _show(self, state: LinkState) -> None:
        if state.peers != self.peers:
            self._member.link_peers = state.peers
            bpm = wished_bpm(state.beat_us)
            log.info("Ableton Link: %d peer%s at %g BPM", self.peers, "s"[self.peers == 1 :], bpm)


def bridge_link(member: Member, policy: Policy) -> Coroutine[Any, Any, None]:
    """A task that bridges this network until cancelled; raises Unavailable without a library."""
    session = LinkSession()

    async def run() -> None:
        with session:
            await LinkRunner(session, LinkBridge(policy), member).run()

    return run()
