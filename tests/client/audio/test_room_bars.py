"""What the engine is told of bars: always enough ahead, in pieces that it takes."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from midipool.audio.bars import Piece
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.audio.room_bars import SLIVER_US, RoomBars, without_slivers
from midipool_native.audio import AudioCore

SECOND = 1_000_000


@given(
    st.integers(20_000, 999_000),
    st.integers(20_000, 999_000),
    st.integers(0, 10 * SECOND),
    st.integers(1, 4),
)
def test_the_engine_takes_every_change_of_tempo(
    before: int, after: int, origin_us: int, bars: int
) -> None:
    core = AudioCore.without_device(48_000, 128, 1, 1)
    first = Timeline(playing=True, mbpm=before, origin_time_us=origin_us)
    line = first.meter.bar_beats * 7
    change_us = first.time_at(line)
    second = replace(
        first, origin_time_us=change_us, origin_beats=first.beats_at(change_us), mbpm=after
    )
    grid = RoomBars(bars)
    for now_us in (change_us - SECOND, change_us + SECOND):
        grid.follow(TimelineChain((first, second)), now_us)
        told = grid.pieces(now_us)
        assert told is not None
        core.set_pieces(told.pieces)
        assert told.pieces[0].play_us <= now_us
        assert told.pieces[-1].play_end_us >= now_us + 4 * SECOND
        assert grid.pieces(now_us + SECOND) is None


def test_what_is_there_by_rounding_only_is_left_out() -> None:
    a, b = Piece("bars", 0, 1_000, -5_000, -4_000), Piece("bars", 1_003, 2_000, -4_000, -3_000)
    sliver = Piece("bars", 1_000, 1_003, -4_000, -4_000)
    assert without_slivers([a, sliver, b]) == [replace_end(a, 1_003), b]
    assert without_slivers([sliver, b])[0].play_us == 1_003
    assert SLIVER_US >= 4


def replace_end(piece: Piece, end_us: int) -> Piece:
    return Piece(piece.kind, piece.play_us, end_us, piece.capture_us, piece.capture_end_us)


def test_more_bars_are_told_at_once_and_need_more_kept() -> None:
    grid = RoomBars(1)
    assert grid.keep_us == 0
    assert grid.pieces(0) is None
    grid.follow(TimelineChain((Timeline(playing=True),)), 20 * SECOND)
    kept_us = grid.keep_us
    assert kept_us > 2 * SECOND
    assert grid.pieces(20 * SECOND) is not None
    grid.set_bars(3)
    told = grid.pieces(20 * SECOND)
    assert told is not None
    assert {p.play_us - p.capture_us for p in told.pieces} == {6 * SECOND}
    assert grid.keep_us == kept_us + 4 * SECOND
