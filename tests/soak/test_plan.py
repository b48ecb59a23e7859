"""What a soak does is said by its seed alone, and makes sense."""

import itertools
from collections import Counter

import pytest

from tests.soak.plan import LEAST_HERE, QUIET_S, WEIGHTS, Course, make_plan

SEEDS = range(20)
LONG_S = 1800.0


def test_the_same_seed_does_the_same_and_another_one_other_things() -> None:
    assert make_plan(Course(7, 300)) == make_plan(Course(7, 300))
    assert make_plan(Course(7, 300)) != make_plan(Course(8, 300))


def test_a_longer_soak_begins_as_a_short_one() -> None:
    short = make_plan(Course(7, 120))
    assert make_plan(Course(7, 600))[: len(short)] == short


@pytest.mark.parametrize("seed", SEEDS)
def test_who_comes_was_away_and_who_goes_was_there(seed: int) -> None:
    here: set[str] = set()
    for action in make_plan(Course(seed, LONG_S)):
        match action.do:
            case "join":
                assert action.who not in here
                here.add(action.who)
            case "leave" | "kill_client":
                here.remove(action.who)
                assert len(here) >= LEAST_HERE - 1
            case "kill_audio" | "kill_midi":
                assert action.who in here
        assert action.at_s < LONG_S


def test_those_who_last_never_leave() -> None:
    gone = {"leave", "kill_client"}
    plans = [make_plan(Course(seed, LONG_S)) for seed in SEEDS]
    assert not {a.who for p in plans for a in p if a.do in gone} & {"s00", "s01", "s02", "s03"}


@pytest.mark.parametrize("seed", SEEDS)
def test_around_a_killed_server_nothing_else_happens(seed: int) -> None:
    for before, after in itertools.pairwise(make_plan(Course(seed, LONG_S))):
        if "kill_server" in (before.do, after.do):
            assert after.at_s - before.at_s >= QUIET_S - 0.01


def test_all_kinds_happen_in_half_an_hour() -> None:
    done = Counter(action.do for action in make_plan(Course(3, LONG_S)))
    wanted = {"tempo", "start", "stop", "continue", "locate", "join", "leave", "kill_client"}
    wanted |= {"kill_audio", "kill_midi", "kill_server", "link", "unlink", "hear", "graph_reset"}
    wanted |= {"line", "add_song"}
    assert wanted <= done.keys()
    assert len(WEIGHTS) > 8


def test_without_lines_that_lose_none_is_changed() -> None:
    plan = make_plan(Course(3, LONG_S, can_lose=False))
    assert "line" not in {action.do for action in plan}
