"""What the engine counted becomes a report, and words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.audio.health import (
    Heard,
    HearingMeter,
    dropped_in_words,
    fit,
    hearings_in_words,
    level_db,
)
from midipool.messages import AudioReport, Dropped, HeardCounts, Hearing, decode_client, encode

SECOND = 1_000_000


def heard(second: int, a_second: int = 0, **fields: int | float | None) -> Heard:
    """375 packets a second of which `a_second` are missing, half of them repaired."""
    values: dict[str, int | float | None] = {
        "now_us": second * SECOND,
        "came": (375 - a_second) * second,
        "missing": a_second * second,
        "played_frames": (48_000 - 64 * a_second) * second,
        "missing_frames": 64 * a_second * second,
        "latency_us": 21_000,
        "jitter_us": 1_500,
        "target_us": 8_000,
        "rms": 0.1,
    }
    return Heard(**(values | fields))  # type: ignore[arg-type]


def test_a_report_says_what_was_counted() -> None:
    meter = HearingMeter("bert")
    for second in range(20):
        meter.take(heard(second, a_second=15))
    assert meter.hearing("jam", "direct", "punched", "jitter is 1.5 ms") == Hearing(
        member="bert",
        profile="jam",
        latency_ms=21.0,
        loss=0.04,
        residual_loss=0.02,
        jitter_ms=1.5,
        target_ms=8.0,
        level_db=-20.0,
        path="direct",
        reason="punched",
        buffer="jitter is 1.5 ms",
        counts=HeardCounts(packets=6840, lost=285, frames=893_760, missing_frames=18_240),
    )


def test_what_was_dropped_is_said_by_reason_and_nothing_where_nothing_was() -> None:
    dropped = {"drums": Dropped(forged=2, replayed=30_000), "bass": Dropped()}
    assert dropped_in_words(dropped) == ["drums dropped 2 forged, 30,000 replayed"]


def test_who_repeats_and_floods_is_named_by_those_who_hear_it() -> None:
    meter = HearingMeter("bert")
    meter.take(heard(1, dropped=1_200))
    lines = hearings_in_words({"anna": [meter.hearing("jam", "direct", "punched")]})
    assert lines[1].endswith("punched; 1,200 dropped")


def test_loss_that_is_over_is_forgotten_after_ten_seconds() -> None:
    meter = HearingMeter("bert")
    meter.take(heard(0))
    meter.take(heard(1, a_second=100))
    frozen = heard(1, a_second=100)
    for second in range(2, 13):
        came = frozen.came + 375 * (second - 1)
        frames = frozen.played_frames + 48_000 * (second - 1)
        kept = {"missing": 100, "missing_frames": frozen.missing_frames}
        meter.take(heard(second, came=came, played_frames=frames, **kept))
    hearing = meter.hearing("jam", "direct")
    assert (hearing.loss, hearing.residual_loss) == (0, 0)


def test_latency_is_smoothed_and_gone_when_nothing_is_heard() -> None:
    meter = HearingMeter("bert")
    meter.take(heard(1, latency_us=20_000))
    meter.take(heard(1, now_us=SECOND + 100_000, latency_us=40_000))
    assert meter.hearing("jam", "direct").latency_ms == 22.0
    meter.take(heard(2, latency_us=None))
    assert meter.hearing("jam", "none").latency_ms is None


def test_before_anything_was_counted_there_is_a_report_too() -> None:
    assert HearingMeter("bert").hearing("bar", "none") == Hearing("bert", "bar")


@given(
    st.builds(
        Heard,
        now_us=st.integers(0, 10**12),
        came=st.integers(0, 10**9),
        missing=st.integers(0, 10**9),
        played_frames=st.integers(0, 10**12),
        missing_frames=st.integers(0, 10**12),
        latency_us=st.none() | st.integers(-(10**6), 10**8),
        jitter_us=st.integers(-1000, 10**8),
        target_us=st.integers(0, 10**8),
        rms=st.floats(0, 1000),
    ),
    st.text(),
)
def test_whatever_was_counted_can_be_sent(counted: Heard, words: str) -> None:
    meter = HearingMeter("bert")
    meter.take(counted)
    report = AudioReport([meter.hearing("jam", "relay", words, words)])
    assert decode_client(encode(report)) == report


@pytest.mark.parametrize(("rms", "db"), [(1.0, 0.0), (0.5, -6.0), (0.0, None), (1e-7, None)])
def test_levels_are_in_db_of_full_scale(rms: float, db: float | None) -> None:
    assert level_db(rms) == db


def test_words_for_a_report_are_one_line() -> None:
    assert fit(" a\n\x00b  c ") == "a b c"
    assert len(fit("x" * 500)) == 200


def test_a_table_says_who_hears_whom_how() -> None:
    figures = (21.04, 0.05, 0.0001, 1.5, 20.0, -18.4)
    hearing = Hearing("bert", "jam", *figures, "relay", "UDP is closed", "calm", answer="accepted")
    refused = Hearing("anna", "bar", answer="refused", answer_reason="96 kHz")
    lines = hearings_in_words({"anna": [hearing], "bert": [refused]})
    heads, anna, bert = (re.split(r" {2,}", line) for line in lines)
    assert heads[:6] == ["listener", "hears", "profile", "latency", "loss", "left"]
    assert heads[6:] == ["jitter", "buffer", "level", "path", "answer", "why"]
    assert anna[:6] == ["anna", "bert", "jam", "21.0 ms", "5.00 %", "0.01 %"]
    assert anna[6:] == ["1.5 ms", "20.0 ms", "-18 dB", "relay", "accepted", "UDP is closed; calm"]
    assert bert[:4] == ["bert", "anna", "bar", "-"]
    assert bert[7:] == ["0.0 ms", "silent", "none", "refused", "96 kHz"]
    second_column = zip(lines, ("hears", "bert", "anna"), strict=True)
    assert len({line.index(word, 8) for line, word in second_column}) == 1
    assert hearings_in_words({}) == []
