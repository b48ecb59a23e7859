from midipool.messages import Hearing
from midipool_client.page.history import KEPT_S, HearingHistory
from midipool_client.page.messages import HeardOnce


def hearing(latency_ms: float | None, residual_loss: float = 0.0) -> Hearing:
    return Hearing("bass", "jam", latency_ms=latency_ms, residual_loss=residual_loss)


def test_a_page_that_comes_later_gets_what_was_before() -> None:
    history = HearingHistory()
    history.take(1000.0, [hearing(None)])
    history.take(1001.0, [hearing(9.5, 0.02)])
    seen = history.so_far()
    assert seen.at_s == [1000.0, 1001.0]
    assert seen.heard == [
        [HeardOnce("bass", None, 0.0, 0.0)],
        [HeardOnce("bass", 9.5, 0.0, 0.02)],
    ]


def test_it_keeps_five_minutes_and_nothing_of_another_room() -> None:
    history = HearingHistory()
    for second in range(KEPT_S + 50):
        history.take(float(second), [])
    assert history.so_far().at_s == [float(second) for second in range(50, KEPT_S + 50)]
    history.forget()
    assert history.so_far().at_s == []
