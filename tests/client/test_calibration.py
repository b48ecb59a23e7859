"""What a player can rely on when a DAW's delay is measured: simulated DAWs of all kinds."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.errors import InvalidValue
from midipool_client.calibration import MAX_TICKS, PATTERN, Calibration, CalibrationResult

BEGIN_US = 7_000_000_000
TICKS_PER_BAR = 96


def pattern_ticks(pattern: tuple[tuple[int, float], ...] = PATTERN) -> list[int]:
    """The pattern's clocks, in µs."""
    time_us, ticks = float(BEGIN_US), []
    for bars, bpm in pattern:
        for _ in range(bars * TICKS_PER_BAR):
            ticks.append(round(time_us))
            time_us += 60e6 / bpm / 24
    return ticks


SENT = pattern_ticks()


def smoothed(sent: list[int], ticks: int) -> list[int]:
    """A DAW that plays at the mean tempo of the last ticks, and makes good its phase as slowly."""
    played = [sent[0]]
    for number in range(1, len(sent)):
        first = max(0, number - ticks)
        count = number - 1 - first
        period = (sent[number - 1] - sent[first]) / count if count else sent[1] - sent[0]
        behind = sent[number - 1] - played[-1]
        played.append(round(played[-1] + period + behind / ticks))
    return played


def daw(
    delay_ms: float,
    *,
    every: int = 1,
    jitter_ms: float = 3.0,
    lost: float = 0.05,
    smooth: int = 0,
    seed: int = 1,
) -> list[int]:
    """What comes back: each tick, or each so many-th, late and uneven, some not at all."""
    rng = random.Random(seed)
    played = smoothed(SENT, smooth) if smooth else SENT
    return [
        round(time_us + delay_ms * 1000 + rng.gauss(0, jitter_ms * 1000))
        for time_us in played[::every]
        if rng.random() >= lost
    ]


def calibrated(heard: list[int]) -> CalibrationResult:
    return Calibration(SENT, heard).result()


def test_the_pattern_takes_less_than_a_minute_and_a_daw_can_follow_it() -> None:
    assert SENT[-1] - SENT[0] < 60e6
    tempos = [bpm for bars, bpm in PATTERN for _ in range(bars)]
    assert all(abs(later / earlier - 1) <= 0.08 for earlier, later in pairwise(tempos))
    assert len(SENT) <= MAX_TICKS


@pytest.mark.parametrize("every", [1, 6, 12, 24], ids=["clocks", "sixteenths", "eighths", "beats"])
@pytest.mark.parametrize("delay_ms", [-80.0, -12.5, 0.0, 7.3, 25.0, 148.0, 400.0])
def test_the_delay_is_found_and_made_up_for(delay_ms: float, every: int) -> None:
    result = calibrated(daw(delay_ms, every=every))
    assert result.refused == ""
    assert result.delay_us is not None
    assert abs(result.delay_us / 1000 - delay_ms) < 1.5
    assert result.offset_ms == round(-result.delay_us / 1000, 1)
    assert result.matches >= 0.9 * len(SENT) / every
    assert result.spread_us is not None
    assert 1000 < result.spread_us < 3000
    assert result.confidence > (0.2 if every == 1 else 0.4)


@settings(max_examples=12, deadline=None)
@given(
    delay_ms=st.floats(-100, 400),
    every=st.sampled_from([1, 24]),
    smooth=st.sampled_from([0, 6, 24]),
    seed=st.integers(0, 2**32),
)
def test_whatever_the_delay_no_other_tick_is_taken_for_the_right_one(
    delay_ms: float, every: int, smooth: int, seed: int
) -> None:
    result = calibrated(daw(delay_ms, every=every, smooth=smooth, seed=seed))
    assert result.refused == ""
    assert result.delay_us is not None
    assert abs(result.delay_us / 1000 - delay_ms) < 2.5


@pytest.mark.parametrize("smooth", [48, 96, 192])
@pytest.mark.parametrize("delay_ms", [3.0, 210.0])
def test_a_daw_that_follows_slowly_is_measured_or_refused_but_never_mistaken(
    smooth: int, delay_ms: float
) -> None:
    result = calibrated(daw(delay_ms, smooth=smooth))
    assert result.refused or abs((result.delay_us or 0) / 1000 - delay_ms) < 5
    if result.refused:
        assert result.offset_ms is None


def test_an_exact_daw_is_measured_exactly() -> None:
    result = calibrated([time_us + 31_400 for time_us in SENT])
    assert (result.delay_us, result.spread_us, result.offset_ms) == (31_400, 0, -31.4)
    assert (result.matches, result.heard) == (len(SENT), len(SENT))
    assert result.confidence > 0.2


def test_no_delay_is_an_offset_of_plain_zero() -> None:
    assert str(calibrated(SENT).offset_ms) == "0.0"


def test_many_that_are_lost_do_not_matter() -> None:
    result = calibrated(daw(60.0, lost=0.4))
    assert not result.refused
    assert result.delay_us is not None
    assert abs(result.delay_us - 60_000) < 1000


def test_a_chord_on_each_beat_is_one_note() -> None:
    beats = daw(40.0, every=24, jitter_ms=1.0)
    chords = [time_us + us for time_us in beats for us in (0, 80, 160)]
    result = calibrated(chords)
    assert not result.refused
    assert result.matches == pytest.approx(len(beats), abs=1)
    assert result.delay_us is not None
    assert abs(result.delay_us - 40_000) < 1000


def test_a_daw_that_starts_late_is_measured_by_the_rest() -> None:
    heard = daw(90.0)
    result = calibrated(heard[len(heard) // 3 :])
    assert not result.refused
    assert result.delay_us is not None
    assert abs(result.delay_us - 90_000) < 1000


def test_the_order_of_what_came_back_does_not_matter() -> None:
    heard = daw(50.0)
    shuffled = heard.copy()
    random.Random(3).shuffle(shuffled)
    assert calibrated(shuffled) == calibrated(heard)


def test_nothing_came_back() -> None:
    result = calibrated([])
    assert result.refused.startswith(
        "nothing came back: connect the DAW's MIDI output to midi_send"
    )
    assert (result.offset_ms, result.delay_us, result.matches) == (None, None, 0)


@pytest.mark.parametrize("heard", [SENT[:5], [BEGIN_US], [0], [SENT[-1] + 10_000_000]])
def test_too_few_came_back(heard: list[int]) -> None:
    result = calibrated(heard)
    assert "12 are needed" in result.refused
    assert result.offset_ms is None


def test_what_came_back_has_nothing_to_do_with_what_was_sent() -> None:
    rng = random.Random(5)
    result = calibrated([rng.randrange(SENT[0], SENT[-1]) for _ in range(len(SENT))])
    assert result.refused
    assert result.offset_ms is None


def test_a_daw_that_plays_at_a_tempo_of_its_own_is_told_to_follow() -> None:
    own = [BEGIN_US + number * 20_833 for number in range(1800)]
    assert "follow" in calibrated(own).refused
    notes = [BEGIN_US + number * 500_000 for number in range(80)]
    assert calibrated(notes).refused


def test_notes_that_are_spread_too_far_are_refused() -> None:
    result = calibrated(daw(100.0, every=24, jitter_ms=40.0))
    assert "spread over" in result.refused or "fits more than one" in result.refused


def test_a_whole_song_in_place_of_a_note_on_each_beat_is_refused() -> None:
    rng = random.Random(9)
    song = [rng.randrange(SENT[0], SENT[-1]) for _ in range(600)]
    result = calibrated([*daw(100.0, every=24), *song])
    assert "lie on the beat" in result.refused or "fits more than one" in result.refused
    assert result.offset_ms is None


def test_too_much_came_back() -> None:
    result = calibrated([BEGIN_US + number * 100 for number in range(10_000)])
    assert "too much came back (10000" in result.refused


def test_a_constant_tempo_does_not_tell_one_tick_from_another() -> None:
    sent = pattern_ticks(((18, 120.0),))
    result = Calibration(sent, [time_us + 90_000 for time_us in sent]).result()
    assert "more than one delay" in result.refused


@pytest.mark.parametrize(
    "sent",
    [[0, 0], [10_000, 0], [0, 1999], list(range(0, (MAX_TICKS + 1) * 20_000, 20_000))],
)
def test_what_is_no_clock_is_refused(sent: list[int]) -> None:
    with pytest.raises(InvalidValue, match="sent"):
        Calibration(sent, [])


@settings(max_examples=30, deadline=None)
@given(
    gaps=st.lists(st.integers(2000, 60_000), max_size=60),
    heard=st.lists(st.integers(-(10**6), 10**7), max_size=100),
)
def test_no_input_is_too_strange(gaps: list[int], heard: list[int]) -> None:
    sent = [sum(gaps[:number]) for number in range(len(gaps))]
    result = Calibration(sent, heard).result()
    assert (result.offset_ms is None) == bool(result.refused)
    assert 0 <= result.confidence <= 1
    assert result.matches <= max(len(sent), 1)
    assert result.heard == len(heard)
