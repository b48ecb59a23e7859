"""Pieces in frames."""

from hypothesis import given
from hypothesis import strategies as st

from midipool_client.playback.pieces import Span, TakePiece, frame_of, spans_of, stretch


def test_what_goes_on_loses_no_frame() -> None:
    pieces = [TakePiece(1_000_007, 2_333_333, 11), TakePiece(2_333_333, 5_000_000, 0)]
    first, second = spans_of(pieces, 44_100)
    assert first.end == second.begin
    assert first == Span(frame_of(1_000_007, 44_100), frame_of(2_333_333, 44_100), 0)


def test_a_stretch_is_of_one_place_or_of_none() -> None:
    spans = [Span(100, 200, 1_000), Span(250, 300, 0)]
    assert stretch(spans, 0, 50) == (50, None)
    assert stretch(spans, 80, 50) == (20, None)
    assert stretch(spans, 150, 20) == (20, 1_050)
    assert stretch(spans, 190, 50) == (10, 1_090)
    assert stretch(spans, 210, 500) == (40, None)
    assert stretch(spans, 300, 7) == (7, None)


@given(st.integers(0, 2**52), st.sampled_from([44_100, 48_000, 96_000]))
def test_frames_are_the_nearest(time_us: int, rate: int) -> None:
    assert abs(frame_of(time_us, rate) * 1_000_000 - time_us * rate) <= 500_000
