"""Modules are started, watched, started again, given up, and stopped in order: on virtual time."""

import pytest

from midipool.errors import InvalidValue
from midipool_server.modules.specs import ModuleSpec, parse_specs
from midipool_server.modules.supervisor import (
    GRACE_S,
    IDLE_S,
    JOIN_S,
    LOST_S,
    MOST_FAILURES,
    Key,
    Order,
    Sight,
    Supervisor,
)

A, B = Key("jam", "a"), Key("jam", "b")


class World:
    """Processes that join a second after they were started, unless they are broken."""

    def __init__(self, restart: str = "on-failure", broken: bool = False) -> None:
        text = f'[a]\ncommand = ["a"]\nrestart = "{restart}"\n[b]\ncommand = ["b"]\n'
        self.supervisor = Supervisor(parse_specs(text, "m.toml"))
        self.now_s, self.players, self.broken = 100.0, True, broken
        self.alive: dict[Key, float] = {}
        self.log: list[Order] = []

    def run(self, seconds: float) -> list[Order]:
        """All that is ordered meanwhile."""
        begin = len(self.log)
        for _ in range(round(seconds * 10)):
            self.now_s += 0.1
            here = frozenset(k.name for k, at in self.alive.items() if self.now_s - at > 1)
            sight = Sight(self.players, frozenset() if self.broken else here)
            for order in self.supervisor.look(self.now_s, {"jam": sight}):
                self.take(order)
        return self.log[begin:]

    def take(self, order: Order) -> None:
        self.log.append(order)
        if order.do == "start":
            self.alive[order.key] = self.now_s
        else:
            self.die(order.key, -9)

    def die(self, key: Key, code: int, why: str = "") -> None:
        del self.alive[key]
        self.supervisor.exited(self.now_s, key, code, why)

    def state(self, key: Key = A) -> dict[str, object]:
        return {str(m["name"]): m for m in self.supervisor.describe("jam")}[key.name]


def test_modules_come_one_behind_the_other_and_go_the_other_way_round() -> None:
    world = World()
    assert world.run(5) == [Order("start", A), Order("start", B)]
    assert world.alive[B] - world.alive[A] > 1
    assert world.state()["state"] == "running"
    world.players = False
    assert world.run(IDLE_S - 1) == []
    assert world.run(5) == [Order("end", B), Order("end", A)]
    assert world.supervisor.describe("jam") == []
    world.players = True
    assert world.run(1)[0] == Order("start", A)


def test_one_that_is_killed_is_back_and_each_time_later() -> None:
    world = World()
    world.run(5)
    pauses = []
    for _ in range(MOST_FAILURES - 1):
        world.die(A, -9, "Killed")
        began = world.now_s
        assert world.state()["degraded"]
        world.run(10)
        pauses.append(world.alive[A] - began)
    assert pauses == pytest.approx([0.5, 1, 2, 4], abs=0.25)
    assert (world.state()["state"], world.state()["restarts"]) == ("running", 4)
    assert len(world.alive) == 2


def test_one_that_fails_again_and_again_is_given_up_with_its_reason() -> None:
    world = World()
    world.run(3)
    for _ in range(MOST_FAILURES):
        world.die(A, 1, "ValueError: no tempo")
        world.run(9)
    assert world.state()["state"] == "given up"
    assert world.state()["why"] == "it ended with code 1: ValueError: no tempo"
    assert world.run(300) == []
    assert world.state(B)["state"] == "running"


def test_one_that_does_not_come_or_leaves_the_room_is_killed_and_started_again() -> None:
    world = World()
    world.run(5)
    world.broken = True
    assert world.run(LOST_S - 1) == []
    assert Order("kill", A) in world.run(3)
    assert "not in the room" in str(world.state(B)["why"]) or world.state(B)["restarts"] == 0
    hanging = World(broken=True)
    assert hanging.run(JOIN_S + 2)[:2] == [Order("start", A), Order("kill", A)]
    assert hanging.state()["degraded"]


@pytest.mark.parametrize(
    ("restart", "code", "again"),
    [("always", 0, True), ("on-failure", 0, False), ("on-failure", 1, True), ("never", 1, False)],
)
def test_what_ends_is_started_again_as_its_policy_says(
    restart: str, code: int, again: bool
) -> None:
    world = World(restart)
    world.run(5)
    world.die(A, code)
    assert (Order("start", A) in world.run(5)) is again


def test_one_that_does_not_end_is_killed() -> None:
    world = World()
    world.run(5)
    [order] = world.supervisor.stop_all(world.now_s)
    assert order == Order("end", B)
    assert world.supervisor.stop_all(world.now_s + GRACE_S - 0.1) == []
    assert world.supervisor.stop_all(world.now_s + GRACE_S) == [Order("kill", B)]
    world.die(B, -9)
    assert world.supervisor.stop_all(world.now_s + GRACE_S) == [Order("end", A)]
    assert world.supervisor.alive


def test_the_file_says_which_rooms_and_what_is_run() -> None:
    spec = parse_specs('[drums]\ncommand = ["drums", "{url}"]\nrooms = ["jam-*"]', "m")["drums"]
    assert spec == ModuleSpec(["drums", "{url}"], ["jam-*"])
    assert spec.plays_in("jam-1")
    assert not spec.plays_in("club")
    assert spec.command_for("ws://h/jam-1") == ["drums", "ws://h/jam-1"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[a]\ncommand = []", "length >= 1"),
        ('[a]\ncommand = "a b"', "array"),
        ('[a]\ncommand = ["a"]\nrestart = "maybe"', "maybe"),
        ('[a]\ncommand = ["a"]\ncolour = 1', "colour"),
        ("[a\n", "line 1"),
        ('[" "]\ncommand = ["a"]', "name"),
    ],
)
def test_a_wrong_file_is_refused_by_its_name(text: str, told: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        parse_specs(text, "mods.toml")
    assert told in str(refused.value)
    assert "mods.toml" in str(refused.value)
