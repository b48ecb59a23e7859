"""How well a member is heard: counts of the engine become figures for a report, and words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log10

from midipool.audio.profiles import ProfileName
from midipool.audio.recent import Recent
from midipool.messages import Dropped, HeardCounts, Hearing, MediaPath

REPORT_EVERY_US = 1_000_000
LOSS_WINDOW_US = 10_000_000
LATENCY_SMOOTH_US = 1_000_000
SILENCE_DB = -120.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What the engine counted of one member up to room time `now_us`; counts run on."""

    now_us: int
    came: int
    """Source packets in time."""
    missing: int
    """Source packets lost or late, before repair."""
    played_frames: int
    missing_frames: int
    """Played without sound of the member in them, after repair."""
    latency_us: int | None
    """Of what is played now, since it was captured; None while nothing is."""
    jitter_us: int
    target_us: int
    rms: float
    """Since the last time; 1 is full scale."""
    dropped: int = 0
    """Datagrams under its id that were not played."""
    late: int = 0
    reordered: int = 0
    duplicates: int = 0

    @property
    def counts(self) -> HeardCounts:
        """For statistics."""
        return HeardCounts(
            self.came,
            self.missing,
            self.late,
            self.reordered,
            self.duplicates,
            self.played_frames,
            self.missing_frames,
        )


class HearingMeter:
    """Figures of the last seconds for one member."""

    def __init__(self, member: str) -> None:
        self.member = member
        self._loss = Recent(LOSS_WINDOW_US)
        self._residual = Recent(LOSS_WINDOW_US)
        self._latency_us: float | None = None
        self._last: Heard | None = None

    def take(self, heard: Heard) -> None:
        """Take what the engine counted."""
        self._loss.look(heard.now_us, heard.came, heard.missing)
        self._residual.look(heard.now_us, heard.played_frames, heard.missing_frames)
        self._latency_us = self._smoothed(heard)
        self._last = heard

    def hearing(
        self, profile: ProfileName, path: MediaPath, reason: str = "", buffer: str = ""
    ) -> Hearing:
        """Ready for a report. Words that are too long for one are cut."""
        last = self._last
        if last is None:
            return Hearing(self.member, profile, path=path, reason=fit(reason), buffer=fit(buffer))
        return Hearing(
            member=self.member,
            profile=profile,
            latency_ms=None if self._latency_us is None else _ms(self._latency_us),
            loss=round(self._loss.share, 5),
            residual_loss=round(self._residual.share, 5),
            jitter_ms=_ms(last.jitter_us),
            target_ms=_ms(last.target_us),
            level_db=level_db(last.rms),
            path=path,
            reason=fit(reason),
            buffer=fit(buffer),
            dropped=last.dropped,
            counts=last.counts,
        )

    def _smoothed(self, heard: Heard) -> float | None:
        if heard.latency_us is None or self._latency_us is None or self._last is None:
            return heard.latency_us
        passed_us = max(heard.now_us - self._last.now_us, 0)
        share = min(passed_us / LATENCY_SMOOTH_US, 1.0)
        return self._latency_us + share * (heard.latency_us - self._latency_us)


def level_db(rms: float) -> float | None:
    """dB of full scale; None is silence."""
    if rms <= 10 ** (SILENCE_DB / 20):
        return None
    return round(20 * log10(rms), 1)


def hearings_in_words(hears: Mapping[str, Sequence[Hearing]]) -> list[str]:
    """Who hears whom how: the lines of a table; none if nobody said anything."""
    rows = [_row(name, hearing) for name, heard in hears.items() for hearing in heard]
    if not rows:
        return []
    table = [_HEADS, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEADS))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def dropped_in_words(dropped: Mapping[str, Dropped]) -> list[str]:
    """What came to whose audio and was not taken: a line each; none where there is nothing."""
    return [f"{name} dropped {words}" for name, of in dropped.items() if (words := _counts(of))]


def _counts(dropped: Dropped) -> str:
    counts = [(name, getattr(dropped, name)) for name in Dropped.__struct_fields__]
    return ", ".join(f"{count:,} {name}" for name, count in counts if count)


_HEADS = (
    *("listener", "hears", "profile", "latency", "loss", "left", "jitter"),
    *("buffer", "level", "path", "answer", "why"),
)


def _row(name: str, hearing: Hearing) -> tuple[str, ...]:
    silent = hearing.latency_ms is None
    dropped = f"{hearing.dropped:,} dropped" if hearing.dropped else ""
    whys = (hearing.answer_reason, hearing.reason, hearing.buffer, dropped)
    why = "; ".join(text for text in whys if text)
    return (
        name,
        hearing.member,
        hearing.profile,
        "-" if hearing.latency_ms is None else f"{hearing.latency_ms:.1f} ms",
        "-" if silent else _percent(hearing.loss),
        "-" if silent else _percent(hearing.residual_loss),
        "-" if silent else f"{hearing.jitter_ms:.1f} ms",
        f"{hearing.target_ms:.1f} ms",
        "silent" if hearing.level_db is None else f"{hearing.level_db:.0f} dB",
        hearing.path,
        hearing.answer or "-",
        why,
    )


def _percent(share: float) -> str:
    """Not 0 as long as anything is missing."""
    return f"{100 * share:.2f} %" if share else "0"


def _ms(us: float) -> float:
    return max(round(us / 1000, 3), 0.0)


def fit(text: str) -> str:
    """Words as a report takes them: one line of at most 200 characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= 200 else f"{line[:199]}…"
