"""Tempo in integers: what rounds down is undone by what rounds up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool import tempo
from midipool.errors import InvalidValue
from midipool.meter import BEAT

from .strategies import mbpms

lengths = st.integers(1, 4_000 * BEAT)
times_us = st.integers(0, 10**10)


@given(mbpms, st.integers(-(10**12), 10**12))
def test_steady_time_to_is_the_first_microsecond(mbpm: int, beats: int) -> None:
    time_us = tempo.steady_time_to(mbpm, beats)
    assert tempo.steady_beats_after(mbpm, time_us) >= beats
    assert tempo.steady_beats_after(mbpm, time_us - 1) < beats


@given(mbpms, mbpms, lengths, st.integers(1, 10**11))
def test_ramp_time_to_is_the_first_microsecond(m0: int, m1: int, length: int, beats: int) -> None:
    time_us = tempo.ramp_time_to(m0, m1, length, beats)
    assert tempo.ramp_beats_after(m0, m1, length, time_us) >= beats
    assert tempo.ramp_beats_after(m0, m1, length, time_us - 1) < beats


@given(mbpms, mbpms, lengths, times_us, st.integers(0, 10**6))
def test_a_ramp_never_goes_back(m0: int, m1: int, length: int, time_us: int, later: int) -> None:
    before = tempo.ramp_beats_after(m0, m1, length, time_us)
    assert tempo.ramp_beats_after(m0, m1, length, time_us + later) >= before


@given(mbpms, lengths, times_us)
def test_a_ramp_to_its_own_tempo_is_steady(mbpm: int, length: int, time_us: int) -> None:
    ramped = tempo.ramp_beats_after(mbpm, mbpm, length, time_us)
    assert ramped == tempo.steady_beats_after(mbpm, time_us)


@given(mbpms, mbpms, lengths)
def test_a_ramp_takes_as_long_as_its_mean_tempo(m0: int, m1: int, length: int) -> None:
    mean_us = 2 * length * tempo.MBPM_US / (m0 + m1)
    assert tempo.ramp_time_to(m0, m1, length, length) == pytest.approx(mean_us, abs=1, rel=1e-12)


@given(mbpms, mbpms, lengths)
def test_tempo_on_a_ramp_goes_from_one_to_the_other(m0: int, m1: int, length: int) -> None:
    assert tempo.ramp_mbpm_after(m0, m1, length, 0) == m0
    assert tempo.ramp_mbpm_after(m0, m1, length, length) == m1
    halfway = tempo.ramp_mbpm_after(m0, m1, length, length // 2)
    assert min(m0, m1) <= halfway <= max(m0, m1)


@pytest.mark.parametrize("bpm", [19.999, 999.001, 0.0, -120.0, float("nan"), float("inf")])
def test_a_tempo_out_of_range_is_refused(bpm: float) -> None:
    with pytest.raises(InvalidValue, match="must be 20 to 999"):
        tempo.mbpm_of(bpm)


def test_a_tempo_is_kept_to_a_thousandth() -> None:
    assert [tempo.mbpm_of(bpm) for bpm in (20, 132.5, 133.3333, 999)] == [
        20_000,
        132_500,
        133_333,
        999_000,
    ]
