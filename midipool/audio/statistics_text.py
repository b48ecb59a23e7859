"""Statistics as JSON and CSV, a pair at a time: all of a large room at once would be long. Pure."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from midipool.audio.statistics import Cell
from midipool.audio.statistics_book import PairStatistics, StatisticsBook
from midipool.errors import InvalidValue

Kind = Literal["json", "csv"]
TYPES: Mapping[Kind, str] = {"json": "application/json", "csv": "text/csv"}
HEAD = ("time", "listener", "member", *Cell.__struct_fields__[1:])
# A spreadsheet would run what begins so.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Asked(NamedTuple):
    """What of the statistics is wanted."""

    kind: Kind
    level: int


def asked(query: Mapping[str, str], book: StatisticsBook) -> Asked:
    """By `format` and `cell_s` of an address; raises InvalidValue."""
    kind, cell_s = query.get("format", "json"), query.get("cell_s")
    if kind not in ("json", "csv"):
        raise InvalidValue("format", f"must be json or csv, not {kind[:20]!r}")
    if cell_s is not None and not (cell_s.isascii() and cell_s.isdecimal() and len(cell_s) < 7):
        raise InvalidValue("cell_s", "must be a number of seconds")
    level = book.level_of(None if cell_s is None else int(cell_s))
    return Asked("csv" if kind == "csv" else "json", level)


def pieces(book: StatisticsBook, asked: Asked, now_us: int, unix_us: int) -> Iterator[bytes]:
    """All of it; `unix_us` is when time 0 was, since 1970."""
    if asked.kind == "csv":
        return csv_pieces(book, asked.level, now_us, unix_us)
    return json_pieces(book, asked.level, now_us, unix_us)


def json_pieces(book: StatisticsBook, level: int, now_us: int, unix_us: int) -> Iterator[bytes]:
    """One object."""
    now_s, cell_s = (now_us + unix_us) / 1e6, book.levels[level].cell_us / 1e6
    head = b'{"now_s":%.3f,"cell_s":%g,"left_out":%d,"pairs":['
    yield head % (now_s, cell_s, book.left_out)
    for number, pair in enumerate(book.pairs(level, now_us, unix_us)):
        yield (b"," if number else b"") + msgspec.json.encode(pair)
    yield b"]}"


def csv_pieces(book: StatisticsBook, level: int, now_us: int, unix_us: int) -> Iterator[bytes]:
    """A table: a line for each cell of each pair."""
    yield _line(HEAD).encode()
    for pair in book.pairs(level, now_us, unix_us):
        yield "".join(_rows(pair)).encode()


def utc(at_s: float) -> str:
    """Seconds since 1970 as ISO 8601 has them: 2026-11-28T19:20:00Z."""
    days, second = divmod(int(at_s), 86_400)
    # Years begin in March, so that the day of a leap year is its last one.
    era, day_of_era = divmod(days + 719_468, 146_097)
    year = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day = day_of_era - (365 * year + year // 4 - year // 100)
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5 - 1
    month += 3 if month < 10 else -9
    year += 400 * era + (month <= 2)
    hour, minute = second // 3600, second // 60 % 60
    return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second % 60:02}Z"


def _rows(pair: PairStatistics) -> Iterator[str]:
    names = (_harmless(pair.listener), _harmless(pair.member))
    for cell in pair.cells:
        yield _line((utc(cell.at_s), *names, *msgspec.structs.astuple(cell)[1:]))


def _line(cells: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(["" if c is None else c for c in cells])
    return text.getvalue()


def _harmless(name: str) -> str:
    return f"'{name}" if name.startswith(_FORMULA) else name
