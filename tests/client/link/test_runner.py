"""The runner and the session, without a network."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from midipool.clock_map import ClockMap
from midipool.errors import Unavailable
from midipool.messages import Error, Ok, SetTempo, TransportCommand
from midipool.timeline_chain import TimelineChain
from midipool_client.link.bridge import LinkBridge
from midipool_client.link.runner import LinkRunner, bridge_link
from midipool_client.link.state import LinkState, SetLink

from .simulation import SECOND, Lan, SimRoom, run


@dataclass
class Clock:
    """A clock as it is measured."""

    map: ClockMap | None


class Member:
    """A member whose room is simulated."""

    def __init__(self, lan: Lan) -> None:
        self.lan = lan
        self.keeper = Clock(lan.clock_map)
        self.link_peers: int | None = None

    @property
    def chain(self) -> TimelineChain:
        return self.lan.room.chain

    def ask(self, command: TransportCommand, answer: Callable[[Ok | Error | None], None]) -> None:
        self.lan.room.ask(command, answer)


class Session:
    """A simulated session."""

    def __init__(self, lan: Lan) -> None:
        self.lan = lan
        self.changes: list[SetLink] = []

    def snapshot(self) -> LinkState:
        return self.lan.snapshot()

    def apply(self, change: SetLink) -> None:
        self.changes.append(change)
        self.lan.set(change)


@pytest.fixture
def lan() -> Lan:
    room = SimRoom()
    room.conduct(SetTempo(id=1, bpm=100))
    return Lan(room, bpm=130)


def steps(runner: LinkRunner, lan: Lan, ns: int) -> None:
    nobody = Lan(lan.room, peers=0)
    run([nobody], ns, runner.step)


def test_what_the_bridge_says_is_done(lan: Lan) -> None:
    session = Session(lan)
    steps(LinkRunner(session, LinkBridge(), Member(lan)), lan, 3 * SECOND)
    assert session.changes[0].beat_us == 600_000


def test_commands_are_asked_and_their_answers_come_back(lan: Lan) -> None:
    runner = LinkRunner(Session(lan), LinkBridge("session-wins"), Member(lan))
    lan.room.refuse = lambda command: True
    steps(runner, lan, 3 * SECOND)
    assert lan.room.tempi() == [130]


def test_a_refusal_is_said_once(lan: Lan, caplog: pytest.LogCaptureFixture) -> None:
    runner = LinkRunner(Session(lan), LinkBridge(), Member(lan))
    lan.room.refuse = lambda command: True
    steps(runner, lan, 3 * SECOND)
    for bpm in (80, 90, 95):
        lan.session.set_tempo(bpm, lan.link_us)
        steps(runner, lan, SECOND)
    assert len(lan.room.asked) == 3
    assert caplog.messages == ["Ableton Link: the room refuses: no"]


def test_without_a_clock_only_the_peers_are_counted(
    lan: Lan, caplog: pytest.LogCaptureFixture
) -> None:
    session, member = Session(lan), Member(lan)
    member.keeper.map = None
    runner = LinkRunner(session, LinkBridge(), member)
    with caplog.at_level(logging.INFO):
        steps(runner, lan, 3 * SECOND)
    assert runner.peers == 1
    assert member.link_peers == 1
    assert caplog.messages == ["Ableton Link: 1 peer at 130 BPM"]
    assert session.changes == []


async def test_it_runs_until_it_is_cancelled(lan: Lan) -> None:
    runner = LinkRunner(Session(lan), LinkBridge(), Member(lan))
    task = asyncio.create_task(runner.run())
    for _ in range(3):
        await asyncio.sleep(0)
    assert runner.peers == 1
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()


def test_a_missing_library_says_how_to_get_it(lan: Lan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "link", None)
    with pytest.raises(Unavailable, match=r"pip install 'midipool\[link\]'"):
        _ = bridge_link(Member(lan), "room-wins")
