"""A page that comes later sees how it was; a download has the session."""

import json

import msgspec

from midipool.audio.statistics_text import asked
from midipool.messages import HeardCounts, Hearing
from midipool_client.page.history import HearingHistory
from midipool_client.page.messages import HeardOnce


def hearing(latency_ms: float | None, packets: int = 0, missing: int = 0) -> Hearing:
    counts = HeardCounts(packets=packets, frames=100 * packets, missing_frames=missing)
    return Hearing("bass", "jam", latency_ms=latency_ms, counts=counts)


def test_a_page_that_comes_later_gets_what_was_before() -> None:
    history = HearingHistory()
    history.take(1000.0, "ann", [hearing(None)])
    history.take(1001.0, "ann", [hearing(9.5, 10, 20)])
    seen = history.so_far()
    assert seen.at_s == [1000.0, 1001.0]
    assert seen.heard == [
        [HeardOnce("bass", None, 0.0, 0.0)],
        [HeardOnce("bass", 9.5, 0.0, 0.02)],
    ]


def test_it_keeps_five_minutes_of_seconds_the_session_in_minutes_and_nothing_of_another_room() -> (
    None
):
    history = HearingHistory()
    for second in range(1000):
        history.take(6000.0 + second, "ann", [hearing(10.0, second)])
    assert history.so_far().at_s[0] == 6000.0 + 1000 - 301
    said = json.loads(b"".join(history.text(asked({}, history.book), 7000.0)))
    assert [cell["at_s"] for cell in said["pairs"][0]["cells"]] == [
        6000.0 + 60 * minute for minute in range(17)
    ]
    history.forget()
    assert history.so_far().at_s == []
    assert msgspec.json.decode(b"".join(history.text(asked({}, history.book), 0)))["pairs"] == []
