"""How members hear each other: told to whom it concerns, and never out of date."""

import json
from collections.abc import Callable

import msgspec
import pytest

from midipool.errors import Refused
from midipool.messages import AudioReport, Dropped, HeardBy, Hearing
from midipool_server.outgoing import Outgoing

from .simulation import ANNA, BERT, CARL, NAMES, SECOND, Simulation

TO_BERT = Hearing("bert", "jam", 20.5, 0.01, 0.0, 1.2, 8.0, -20.0, "direct", "punched", "calm")
TO_CARL = Hearing("carl", "jam")


@pytest.fixture
def trio() -> Simulation:
    simulation = Simulation()
    for id in (ANNA, BERT, CARL):
        simulation.join(id, NAMES[id])
    return simulation


def report(band: Simulation, *hears: Hearing, id: int = ANNA) -> list[Outgoing]:
    return band.room.handle(band.now_us, id, AudioReport(list(hears)))


def shown(band: Simulation) -> dict[str, list[str]]:
    """By listener, who is heard."""
    described = json.loads(msgspec.json.encode(band.room.describe(band.now_us)))
    return {name: [h["member"] for h in hears] for name, hears in described["hears"].items()}


def test_each_is_told_how_it_is_heard_and_nobody_else(trio: Simulation) -> None:
    assert report(trio, TO_BERT, TO_CARL) == [
        Outgoing(HeardBy("anna", TO_BERT), BERT, can_wait=True),
        Outgoing(HeardBy("anna", TO_CARL), CARL, can_wait=True),
    ]


def test_the_newest_report_is_shown(trio: Simulation) -> None:
    report(trio, TO_BERT, TO_CARL)
    report(trio, TO_CARL)
    report(trio, Hearing("anna", "bar"), id=BERT)
    assert shown(trio) == {"anna": ["carl"], "bert": ["anna"]}


def test_what_is_said_of_oneself_strangers_and_remotes_is_left_out(trio: Simulation) -> None:
    trio.join(9, "remote", remote=True)
    names = ("anna", "nobody", "remote")
    assert report(trio, *(Hearing(name, "jam") for name in names)) == []
    assert shown(trio) == {}


def test_of_two_for_one_member_the_last_counts(trio: Simulation) -> None:
    again = msgspec.structs.replace(TO_BERT, latency_ms=30.0)
    assert report(trio, TO_BERT, again) == [Outgoing(HeardBy("anna", again), BERT, can_wait=True)]


def test_what_came_to_a_member_and_was_dropped_is_shown_while_it_is_there(
    trio: Simulation,
) -> None:
    for dropped in (Dropped(forged=1), Dropped(forged=2, replayed=9)):
        trio.room.handle(trio.now_us, ANNA, AudioReport([], dropped=dropped))
    report(trio, TO_CARL, id=BERT)
    described = json.loads(msgspec.json.encode(trio.room.describe(trio.now_us)))
    assert {name: d["forged"] for name, d in described["dropped"].items()} == {"anna": 2}
    trio.take(trio.room.leave(trio.now_us, ANNA))
    assert trio.room.describe(trio.now_us)["dropped"] == {}


def test_a_remote_hears_nobody(trio: Simulation) -> None:
    trio.join(9, "remote", remote=True)
    with pytest.raises(Refused, match="join as a member") as caught:
        report(trio, TO_BERT, id=9)
    assert caught.value.code == "not_member"


def test_two_reports_a_second_pass_and_a_flood_does_not(trio: Simulation) -> None:
    for _ in range(60):
        assert report(trio, TO_BERT)
        trio.run(SECOND // 2)
    assert sum(bool(report(trio, TO_BERT)) for _ in range(1000)) <= 4
    assert report(trio, Hearing("anna", "jam"), id=BERT), "another one is not slowed down by it"


def test_who_has_left_hears_nobody_and_is_heard_by_nobody(trio: Simulation) -> None:
    report(trio, TO_BERT, TO_CARL)
    report(trio, Hearing("anna", "jam"), Hearing("carl", "jam"), id=BERT)
    trio.take(trio.room.leave(trio.now_us, BERT))
    assert shown(trio) == {"anna": ["carl"]}
    trio.join(BERT, "bert")
    assert shown(trio) == {"anna": ["carl"]}, "another one of that name begins anew"


def test_who_is_away_says_nothing_and_may_still_be_heard(trio: Simulation) -> None:
    report(trio, TO_BERT)
    report(trio, Hearing("anna", "jam"), id=BERT)
    trio.take(trio.room.lost(trio.now_us, ANNA))
    assert shown(trio) == {"bert": ["anna"]}
    assert report(trio, Hearing("anna", "jam"), id=BERT) == []
    trio.run(121 * SECOND)
    assert shown(trio) == {}


def test_who_comes_back_under_another_name_is_another_one(trio: Simulation) -> None:
    report(trio, TO_BERT)
    report(trio, Hearing("anna", "jam"), id=BERT)
    token = trio.room.members[ANNA].token
    trio.join(4, "annie", token)
    assert shown(trio) == {}
    assert report(trio, TO_BERT, id=4) == [Outgoing(HeardBy("annie", TO_BERT), BERT, can_wait=True)]


REFUSED = Hearing("bert", "jam", answer="refused", answer_reason="8 channels")


def test_who_refuses_whom_is_known_until_the_next_report(trio: Simulation) -> None:
    hearings = trio.room.hearings
    report(trio, REFUSED, TO_CARL)
    assert hearings.refused() == {("bert", "anna")}
    seen = hearings.refusals
    report(trio, REFUSED, TO_CARL)
    assert hearings.refusals == seen
    report(trio, TO_BERT, TO_CARL)
    assert hearings.refused() == set()
    assert hearings.refusals != seen


def left(trio: Simulation, id: int) -> None:
    trio.take(trio.room.leave(trio.now_us, id))


def cut(trio: Simulation, id: int) -> None:
    trio.take(trio.room.lost(trio.now_us, id))


def came_back(trio: Simulation, id: int) -> None:
    trio.join(9, NAMES[id], trio.room.members[id].token)


@pytest.mark.parametrize(
    ("what", "who"), [(left, ANNA), (left, BERT), (cut, ANNA), (came_back, ANNA), (came_back, BERT)]
)
def test_a_refusal_holds_for_these_two_clients_alone(
    trio: Simulation, what: Callable[[Simulation, int], None], who: int
) -> None:
    report(trio, REFUSED)
    seen = trio.room.hearings.refusals
    what(trio, who)
    assert trio.room.hearings.refused() == set()
    assert trio.room.hearings.refusals != seen
