"""Modules are started, watched, started again, given up, and stopped in order: on virtual time."""

import pytest

from midipool_server.modules.run import (
    GRACE_US,
    JOIN_US,
    LATE_FRAMES,
    LATE_US,
    LOST_US,
    MOST_FAILURES,
    SECOND_US,
    WINDOW_US,
    Order,
    Policy,
    Run,
)
from midipool_server.modules.supervisor import IDLE_US, Sight, Supervisor

A, B = "a", "b"


class World:
    """Processes that join a second after they were started, unless they are broken."""

    def __init__(self, policy: Policy = "on-failure", broken: bool = False) -> None:
        self.supervisor = Supervisor()
        self.supervisor.runs = {name: Run(name, policy) for name in (A, B)}
        self.now_us, self.players, self.broken = 100 * SECOND_US, True, broken
        self.alive: dict[str, int] = {}
        self.late = 0
        self.log: list[Order] = []

    def run(self, seconds: float) -> list[Order]:
        """All that is ordered meanwhile; it is looked at when something happens, or it asks to."""
        begin, end_us = len(self.log), self.now_us + round(seconds * SECOND_US)
        self.look()
        while (next_us := self.next_us()) <= end_us:
            assert next_us > self.now_us, "it spins"
            self.now_us = next_us
            self.look()
        self.now_us = end_us
        return self.log[begin:]

    def next_us(self) -> int:
        joins = [at + SECOND_US for at in self.alive.values() if at + SECOND_US > self.now_us]
        asked = self.supervisor.next_us()
        return min([*joins, *([] if asked is None else [asked])], default=1 << 60)

    def look(self) -> None:
        here = [name for name, at in self.alive.items() if self.now_us - at >= SECOND_US]
        sight = Sight(self.players, {} if self.broken else dict.fromkeys(here, self.late))
        orders = self.supervisor.look(self.now_us, sight)
        for order in orders:
            self.take(order)

    def take(self, order: Order) -> None:
        self.log.append(order)
        if order.do == "start":
            self.alive[order.name] = self.now_us
        else:
            self.die(order.name, -9)

    def die(self, name: str, code: int, why: str = "") -> None:
        del self.alive[name]
        self.supervisor.exited(self.now_us, name, code, why)
        self.look()

    def state(self, name: str = A) -> str:
        return self.supervisor.runs[name].shown(self.now_us)[0]

    def why(self, name: str = A) -> str:
        return self.supervisor.runs[name].shown(self.now_us)[1]

    def ask(self, orders: list[Order]) -> None:
        for order in orders:
            self.take(order)
        self.look()


def test_modules_come_one_behind_the_other_and_go_the_other_way_round() -> None:
    world = World()
    assert world.run(5) == [Order("start", A), Order("start", B)]
    assert world.alive[B] - world.alive[A] >= SECOND_US
    assert world.state() == world.state(B) == "playing"
    world.players = False
    assert world.run(IDLE_US / SECOND_US - 1) == []
    assert world.run(5) == [Order("end", B), Order("end", A)]
    assert world.state() == "waiting"
    assert world.supervisor.next_us() is None
    world.players = True
    assert world.run(1)[0] == Order("start", A)


def test_one_that_is_killed_is_back_and_each_time_later() -> None:
    world = World()
    world.run(5)
    pauses = []
    for _ in range(MOST_FAILURES - 1):
        world.die(A, -9, "Killed")
        began = world.now_us
        assert world.state() == "restarting"
        assert "Killed" in world.why()
        world.run(10)
        assert (world.state(), world.state(B)) == ("degraded", "playing")
        assert "Killed" in world.why()
        pauses.append((world.alive[A] - began) / SECOND_US)
    assert pauses == [0.5, 1, 2, 4]
    assert world.supervisor.runs[A].restarts == 4
    world.run(WINDOW_US / SECOND_US)
    assert (world.state(), world.why()) == ("playing", "")


def test_one_that_fails_again_and_again_is_given_up_until_a_host_starts_it() -> None:
    world = World()
    world.run(3)
    for _ in range(MOST_FAILURES):
        world.die(A, 1, "ValueError: no tempo")
        world.run(9)
    assert world.state() == "failed"
    assert world.why() == "it ended with code 1: ValueError: no tempo"
    assert world.run(300) == []
    assert world.state(B) == "playing"
    world.supervisor.runs[A].start(world.now_us)
    assert world.run(2) == [Order("start", A)]
    assert (world.state(), world.why()) == ("playing", "")


def test_one_that_does_not_come_or_leaves_the_room_is_killed_and_started_again() -> None:
    world = World()
    world.run(5)
    world.broken = True
    world.look()
    assert (world.state(), world.why()) == ("degraded", "its connection with the room is broken")
    assert world.run(LOST_US / SECOND_US - 2) == []
    assert Order("kill", A) in world.run(3)
    assert "not in the room" in world.why()
    hanging = World(broken=True)
    orders = hanging.run(JOIN_US / SECOND_US + 2)
    assert orders[:2] == [Order("start", A), Order("kill", A)]
    assert "did not come" in hanging.why()


@pytest.mark.parametrize(
    ("policy", "code", "state"),
    [
        ("always", 0, "restarting"),
        ("on-failure", 0, "stopped"),
        ("on-failure", 1, "restarting"),
        ("never", 1, "stopped"),
    ],
)
def test_what_ends_is_started_again_as_its_policy_says(
    policy: Policy, code: int, state: str
) -> None:
    world = World(policy)
    world.run(5)
    world.die(A, code)
    assert world.state() == state
    assert (Order("start", A) in world.run(5)) is (state == "restarting")


def test_one_that_does_not_end_is_killed_and_the_next_one_waits_for_it() -> None:
    world = World()
    world.run(5)
    supervisor, now_us = world.supervisor, world.now_us
    supervisor.end()
    sight = Sight(True, {A: 0, B: 0})
    assert supervisor.look(now_us, sight) == [Order("end", B)]
    assert supervisor.look(now_us + GRACE_US - 1, sight) == []
    assert supervisor.look(now_us + GRACE_US, sight) == [Order("kill", B)]
    supervisor.exited(now_us + GRACE_US, B, -9, "")
    assert supervisor.look(now_us + GRACE_US, sight) == [Order("end", A)]
    assert supervisor.alive
    supervisor.exited(now_us + GRACE_US, A, 0, "")
    assert supervisor.look(now_us + GRACE_US, sight) == []
    assert not supervisor.alive


def test_a_host_stops_starts_restarts_and_removes() -> None:
    world = World()
    world.run(5)
    run = world.supervisor.runs[A]
    world.ask(run.end(world.now_us, "stop"))
    assert world.state() == "stopped"
    assert world.run(30) == []
    run.start(world.now_us)
    assert world.run(5) == [Order("start", A)]
    assert world.state() == "playing"
    world.ask(run.end(world.now_us, "again"))
    assert world.run(5) == []
    assert world.log[-2:] == [Order("end", A), Order("start", A)]
    assert (world.state(), run.restarts) == ("playing", 0)
    world.ask(run.end(world.now_us, "drop"))
    assert list(world.supervisor.runs) == [B]


def test_what_is_asked_for_while_it_ends_holds() -> None:
    run = Run(A)
    run.begin(0)
    assert run.end(1, "drop") == [Order("end", A)]
    assert run.goes
    run.start(2)
    assert run.exited(3, 0, "")
    assert run.is_due(3)
    run.begin(4)
    assert run.end(5, "again") == [Order("end", A)]
    assert run.end(6, "stop") == []
    assert run.exited(7, -9, "")
    assert run.shown(7) == ("stopped", "")


def test_one_that_does_not_keep_up_is_degraded_for_a_while() -> None:
    world = World()
    world.run(5)
    world.late = LATE_FRAMES
    world.run(1)
    assert (world.state(), world.why()) == (
        "degraded",
        "it does not keep up: sound of it comes too late",
    )
    world.late += 1
    world.run(LATE_US / SECOND_US + 1)
    assert world.state() == "playing"


def test_players_that_go_while_one_pauses_leave_nothing_behind() -> None:
    world = World()
    world.run(5)
    world.die(A, 1, "no")
    world.players = False
    world.run(30)
    assert not world.alive
    assert (world.state(), world.state(B)) == ("waiting", "waiting")
    assert world.supervisor.next_us() is None
