"""Figures over time are those of what was reported, within a bound, whatever is reported."""

import csv
import io
import json
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.audio.percentiles import Percentiles
from midipool.audio.statistics import Cell, Level, Series
from midipool.audio.statistics_book import MOST_PAIRS, ROOM_LEVELS, StatisticsBook
from midipool.audio.statistics_text import Asked, asked, pieces, utc
from midipool.errors import InvalidValue
from midipool.messages import HeardCounts, Hearing

SECOND = 1_000_000
LEVELS = (Level(SECOND, 5), Level(10 * SECOND, 3))


def hearing(
    member: str = "bob", latency_ms: float | None = 20.0, jitter_ms: float = 1.0, **counts: int
) -> Hearing:
    return Hearing(
        member, "jam", latency_ms=latency_ms, jitter_ms=jitter_ms, counts=HeardCounts(**counts)
    )


def cells(series: Series, level: int = 0) -> list[Cell]:
    return list(series.cells(level))


@given(st.lists(st.floats(0.0, 1e7), min_size=1, max_size=200))
def test_percentiles_are_right_to_two_percent(values: list[float]) -> None:
    found = Percentiles()
    for value in values:
        found.add(value)
    ordered = sorted(values)
    for share, told in zip((0.5, 0.95, 1.0), found.at((0.5, 0.95, 1.0)), strict=True):
        exact = ordered[max(-(-int(share * 1000) * len(values) // 1000), 1) - 1]
        inside = min(max(exact, 0.01), 1e6)
        assert abs(told - inside) <= 0.021 * inside + 0.01 or exact > 1e6
    assert found.most == ordered[-1]


def test_a_cell_has_what_was_reported_in_it() -> None:
    series = Series(LEVELS)
    series.take(0, HeardCounts(packets=1000, lost=7), None, 0.0)
    more = HeardCounts(
        packets=1090, lost=17, late=4, reordered=3, duplicates=2, frames=4800, missing_frames=48
    )
    series.take(SECOND, more, 21.0, 2.0)
    before, cell = cells(series)
    assert (before.packets, before.latency_p50_ms) == (0, None), "what was before is not ours"
    assert (cell.at_s, cell.seconds) == (1.0, 1.0)
    assert (cell.packets, cell.lost, cell.late) == (90, 10, 4)
    assert (cell.reordered, cell.duplicates) == (3, 2)
    assert (cell.loss, cell.residual_loss) == (0.1, 0.01)
    assert (cell.latency_p50_ms, cell.latency_p99_ms, cell.latency_max_ms) == (21.0, 21.0, 21.0)
    assert (cell.jitter_ms, cell.jitter_max_ms) == (2.0, 2.0)


def test_seconds_thin_out_into_longer_cells_and_all_of_it_has_a_bound() -> None:
    series = Series(LEVELS)
    for second in range(100):
        series.take(second * SECOND, HeardCounts(packets=10 * second), 10.0 + second % 10, 1.0)
    assert [cell.at_s for cell in cells(series)] == [94.0, 95.0, 96.0, 97.0, 98.0, 99.0]
    long = cells(series, 1)
    assert [cell.at_s for cell in long] == [60.0, 70.0, 80.0, 90.0]
    assert all(cell.packets == 100 for cell in long)
    assert long[0].latency_p50_ms == pytest.approx(14.0, rel=0.02)
    assert long[0].latency_p95_ms == pytest.approx(19.0, rel=0.02)
    assert long[0].latency_max_ms == 19.0
    total = series.total(100 * SECOND)
    assert total is not None
    assert (total.packets, total.seconds) == (990, 100.0)


def test_another_engine_counts_from_nothing() -> None:
    series = Series(LEVELS)
    series.take(0, HeardCounts(packets=500), 10.0, 1.0)
    series.take(SECOND, HeardCounts(packets=30, lost=1), 10.0, 1.0)
    series.take(2 * SECOND, HeardCounts(packets=130, lost=1), 10.0, 1.0)
    assert [(cell.packets, cell.lost) for cell in cells(series)] == [(0, 0), (30, 1), (100, 0)]


def test_a_clock_that_goes_back_loses_nothing() -> None:
    series = Series(LEVELS)
    series.take(10 * SECOND, HeardCounts(packets=1), 10.0, 1.0)
    series.take(7 * SECOND, HeardCounts(packets=5), 10.0, 1.0)
    assert [(cell.at_s, cell.packets) for cell in cells(series)] == [(10.0, 4)]


@given(st.lists(st.integers(0, 2**53), min_size=7, max_size=7), st.floats(0, 1e6))
def test_no_report_breaks_it(figures: list[int], ms: float) -> None:
    series = Series(LEVELS)
    for factor in (0, 1):
        counts = HeardCounts(*(factor * figure for figure in figures))
        series.take(factor * SECOND, counts, ms, ms)
    assert 0.0 <= cells(series)[-1].loss <= 1.0


def test_the_pair_that_was_not_heard_for_longest_makes_room() -> None:
    book = StatisticsBook(LEVELS, most=2)
    for now, member in enumerate(("a", "b", "a", "c")):
        book.take(now * SECOND, "me", hearing(member, packets=1))
    assert [pair.member for pair in book.pairs(0, 0)] == ["a", "c"]
    assert book.left_out == 1


def test_a_large_room_of_two_days_takes_little_memory() -> None:
    """Some 12 KB a pair, so 6 MB a room at most."""
    book = StatisticsBook(ROOM_LEVELS)
    for ten in range(48 * 360):
        report = hearing(latency_ms=10 + ten % 50, packets=ten)
        book.take(ten * 10 * SECOND, "me", report)
    [series] = book._pairs.values()
    assert sum(sys.getsizeof(ring) for ring in series._rings) < 14_000
    assert MOST_PAIRS == 512


def book_of(*names: str) -> StatisticsBook:
    book = StatisticsBook(ROOM_LEVELS)
    for name in names:
        for second in range(200):
            book.take(second * SECOND, "ann", hearing(name, packets=second))
    return book


def test_json_and_csv_say_the_same() -> None:
    book = book_of("bob", "zoe")
    unix_us = 1_700_000_000 * SECOND
    said = json.loads(b"".join(pieces(book, Asked("json", 1), 200 * SECOND, unix_us)))
    text = b"".join(pieces(book, Asked("csv", 1), 200 * SECOND, unix_us)).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    told = [(pair, cell) for pair in said["pairs"] for cell in pair["cells"]]
    assert len(rows) == len(told) == 8
    for row, (pair, cell) in zip(rows, told, strict=True):
        assert (row["listener"], row["member"]) == (pair["listener"], pair["member"])
        assert row["time"] == utc(cell["at_s"])
        for key in ("packets", "lost", "latency_p95_ms", "jitter_ms"):
            assert float(row[key]) == cell[key]
    assert (said["cell_s"], said["left_out"]) == (60, 0)


def test_nothing_heard_is_json_without_pairs_and_csv_with_a_head_alone() -> None:
    book = StatisticsBook(ROOM_LEVELS)
    assert json.loads(b"".join(pieces(book, Asked("json", 0), 0, 0)))["pairs"] == []
    assert len(b"".join(pieces(book, Asked("csv", 0), 0, 0)).splitlines()) == 1


def test_a_name_is_no_formula_and_no_column_of_its_own() -> None:
    names = ('=HYPERLINK("x")', "a,b", 'say "hi"', "+1")
    text = b"".join(pieces(book_of(*names), Asked("csv", 2), 0, 0)).decode()
    members = {row["member"] for row in csv.DictReader(io.StringIO(text))}
    assert members == {'\'=HYPERLINK("x")', "a,b", 'say "hi"', "'+1"}


@given(st.integers(0, 4_102_444_800))
def test_times_are_as_others_write_them(at_s: int) -> None:
    expected = datetime.fromtimestamp(at_s, UTC).isoformat().replace("+00:00", "Z")
    assert utc(at_s) == expected


def test_what_can_be_asked_for() -> None:
    book = StatisticsBook(ROOM_LEVELS)
    assert asked({}, book) == Asked("json", 1)
    assert asked({"format": "csv", "cell_s": "3600"}, book) == Asked("csv", 2)


@pytest.mark.parametrize(
    "query",
    [{"format": "xml"}, {"cell_s": "7"}, {"cell_s": "-1"}, {"cell_s": "9" * 400}, {"cell_s": "٣"}],
)
def test_what_cannot(query: dict[str, str]) -> None:
    with pytest.raises(InvalidValue, match="must be"):
        asked(query, StatisticsBook(ROOM_LEVELS))
