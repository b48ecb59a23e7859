"""What of a room's past is kept: much of the last hour, little of the last month."""

from hypothesis import given, settings
from hypothesis import strategies as st

from midipool_server.saving.history import DAY_S, DAYS, HOURS, NEWEST, superfluous

NOW_S = 1_764_357_611
MINUTE_S = 60


def thinned(times_s: set[int], now_s: int = NOW_S) -> set[int]:
    return times_s - set(superfluous(times_s, now_s))


@settings(max_examples=50)
@given(st.sets(st.integers(0, 90 * DAY_S), max_size=400))
def test_it_is_bounded_and_the_newest_are_there(ages_s: set[int]) -> None:
    times_s = {NOW_S - age_s for age_s in ages_s}
    left = thinned(times_s)
    assert left >= set(sorted(times_s)[-NEWEST:])
    assert len(left) <= NEWEST + HOURS + 1 + DAYS + 1
    assert thinned(left) == left


def test_months_of_changes_stay_few_while_they_are_made() -> None:
    kept: set[int] = set()
    for now_s in range(NOW_S, NOW_S + 60 * DAY_S, 7 * MINUTE_S):
        kept = thinned({*kept, now_s}, now_s)
        assert len(kept) <= NEWEST + HOURS + DAYS + 2
    ages_s = sorted(now_s - at_s for at_s in kept)
    assert ages_s[NEWEST - 1] == 7 * MINUTE_S * (NEWEST - 1)
    assert ages_s[-1] > (DAYS - 2) * DAY_S
