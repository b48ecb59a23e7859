"""A client that has another song or place is noticed, and a room that came back as less."""

from typing import Any

import pytest
from msgspec.structs import replace as with_

from midipool.timeline import Timeline
from tests.soak.agreement import WITHIN_US, AgreementWatch, ClientView, lost_on_the_way
from tests.soak.truth import SongTruth
from tests.soak.violation import Calm, Violation

S = 1_000_000
PLAYING = Timeline(origin_time_us=S, playing=True, revision=1, epoch=1)
ASKED_US, ANSWERED_US = 50 * S, 50 * S + 20_000


def judged(
    room_us: int = ASKED_US + 10_000,
    timeline: Timeline = PLAYING,
    calm: Calm | None = None,
    told_us: int = 0,
    connected: bool = True,
) -> list[Violation]:
    song = SongTruth()
    song.learn(PLAYING, told_us)
    view = ClientView(ASKED_US, ANSWERED_US, room_us, (timeline,), connected, True)
    return AgreementWatch(song, calm or Calm()).take("s00", view)


def test_the_same_timeline_and_place_is_right() -> None:
    assert judged() == []
    assert judged(ASKED_US - WITHIN_US) == []


@pytest.mark.parametrize("room_us", [ASKED_US - WITHIN_US - 1, ANSWERED_US + WITHIN_US + 1])
def test_another_place_is_noticed(room_us: int) -> None:
    [violation] = judged(room_us)
    assert violation.invariant == "same position"
    assert "30.0 ms" in violation.seen


def test_another_timeline_is_noticed() -> None:
    [violation] = judged(timeline=with_(PLAYING, mbpm=121_000, revision=2))
    assert violation.invariant == "same timeline"


def test_not_right_behind_a_change_nor_where_something_was_done_nor_without_the_room() -> None:
    other = with_(PLAYING, revision=2)
    calm = Calm()
    calm.excuse("s00", 49 * S, 50 * S)
    assert judged(timeline=other, calm=calm) == []
    assert judged(timeline=other, told_us=47 * S) == []
    assert judged(timeline=other, connected=False) == []


ROOM: dict[str, Any] = {
    "mode": "open",
    "leader": None,
    "locked_by": None,
    "song": "Blue",
    "songs": ["Blue", "Green"],
    "graph": {"groups": [], "rules": [{"source": "a", "target": "b"}], "revision": 7},
    "timelines": [{"revision": 3}, {"revision": 4}],
    "members": [{"name": "a", "connected": True}, {"name": "b", "connected": True}],
}


def test_a_room_that_is_as_it_was_lost_nothing() -> None:
    after = {**ROOM, "timelines": [{"revision": 4}]}
    after["members"] = [{"name": name, "connected": False} for name in ("c", "b", "a")]
    assert lost_on_the_way(ROOM, after) == []


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        ({"mode": "locked"}, "mode"),
        ({"song": None}, "song"),
        ({"songs": ["Blue"]}, "songs"),
        ({"graph": {"groups": [], "rules": []}}, "graph.rules"),
        ({"timelines": [{"revision": 3}]}, "timeline"),
        ({"members": [{"name": "a"}]}, "places of b"),
    ],
)
def test_what_it_lost_is_named(change: dict[str, Any], lost: str) -> None:
    assert lost_on_the_way(ROOM, {**ROOM, **change}) == [lost]
