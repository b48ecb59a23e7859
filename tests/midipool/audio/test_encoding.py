"""Packets and blocks: what fits, what waits, and what stays lost."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.audio.encoding import (
    MAX_PACKET_BYTES,
    ROC_HEADER_BYTES,
    Encoding,
    check_encoding,
    most_frames,
)
from midipool.errors import InvalidValue

encodings = st.builds(Encoding, st.integers(32, 256), st.integers(1, 64), st.integers(1, 64))


def left_of(encoding: Encoding, loss: float, blocks: int) -> float:
    """Residual loss, tried out: any source packets of a block come back if enough packets came."""
    rng, left = random.Random(1), 0
    packets = encoding.source_packets + encoding.repair_packets
    for _ in range(blocks):
        lost = [rng.random() < loss for _ in range(packets)]
        if sum(lost) > encoding.repair_packets:
            left += sum(lost[: encoding.source_packets])
    return left / (blocks * encoding.source_packets)


@pytest.mark.parametrize("encoding", [Encoding(128, 4, 2), Encoding(128, 4, 4)])
def test_the_residual_loss_is_what_is_left_when_it_is_tried(encoding: Encoding) -> None:
    assert encoding.residual_loss(0.2) == pytest.approx(left_of(encoding, 0.2, 20_000), rel=0.1)
    assert encoding.residual_loss(0) == 0
    assert encoding.residual_loss(1) == pytest.approx(1)


@given(encodings)
def test_repair_is_spread_evenly_over_the_next_block(encoding: Encoding) -> None:
    due = [encoding.repair_due_us(n) for n in range(encoding.repair_packets)]
    assert due == sorted(due)
    assert due[-1] < encoding.block_us
    gap_us = encoding.block_us / encoding.repair_packets
    assert all(abs(us - (n + 0.5) * gap_us) <= 1 for n, us in enumerate(due))


@given(encodings)
def test_who_waits_so_long_has_had_all_repair_packets(encoding: Encoding) -> None:
    # The first packet leaves when it is full; the block's last one after the whole block.
    first_us, last_us = encoding.packet_us, encoding.block_us
    repaired_us = last_us + encoding.repair_due_us(encoding.repair_packets - 1)
    assert abs(encoding.repair_wait_us - (repaired_us - first_us)) <= 2


@pytest.mark.parametrize(
    ("packet", "period", "rate", "us"),
    [
        (128, 128, 48_000, 2_667),
        (128, 1024, 48_000, 21_334),
        (128, 32, 48_000, 2_667),
        (120, 128, 48_000, 5_000),
        (128, 128, 44_100, 2_667 + 2_903),
    ],
)
def test_packets_and_periods_that_fit_cost_the_longer_one(
    packet: int, period: int, rate: int, us: int
) -> None:
    assert Encoding(packet, 4, 4).lowest_us(period, rate) == us


@given(st.integers(32, 256), st.integers(32, 1024), st.integers(0, 500))
def test_with_the_lowest_buffer_no_period_finds_too_little(
    packet: int, period: int, phase: int
) -> None:
    """Play it: packets come when they are full, a period takes what it needs at once."""
    lowest_us = Encoding(packet, 4, 4).lowest_us(period, 48_000)
    # In frames: the first sample is played so long after its packet came, on a period's border.
    begin = packet + lowest_us * 48_000 // 10**6
    shared = next(n for n in range(min(packet, period), 0, -1) if packet % n == period % n == 0)
    begin -= (begin - phase * shared) % shared
    for number in range(300):
        now = begin + number * period
        assert now // packet * packet >= (number + 1) * period


@given(st.integers(32, 256), st.integers(32, 1024), st.integers(32, 1024), st.integers(0, 500))
def test_packets_that_leave_in_bunches_are_there_when_they_are_waited_for(
    packet: int, sends: int, period: int, phase: int
) -> None:
    """Play it: packets come when the sender's period ends in which they are full."""
    bunched_us = Encoding(packet, 4, 4).bunched_us(sends * 10**6 // 48_000)
    # So long after it came the end of a packet is played, if it came as soon as it was full.
    wait = packet + period + bunched_us * 48_000 // 10**6
    for number in range(300):
        now = 10 * max(packet, sends) + phase + number * period
        assert now // sends * sends // packet * packet >= now - wait + period


def test_packets_as_long_as_the_period_leave_one_by_one() -> None:
    assert Encoding(128, 4, 4).bunched_us(2_667) == 0
    assert Encoding(128, 4, 4).bunched_us(0) == 0
    assert Encoding(128, 4, 4).bunched_us(21_333) == 18_667


def test_libroc_makes_the_frames_of_the_ns() -> None:
    for frames in range(1, 1000):
        assert round(Encoding(frames, 1, 1).packet_ns * 48_000 / 10**9) == frames


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_what_is_allowed_fits_into_a_datagram(channels: int) -> None:
    frames = most_frames(channels)
    check_encoding(Encoding(frames, 4, 4), channels)
    assert frames * channels * 2 + ROC_HEADER_BYTES <= MAX_PACKET_BYTES <= 2048


@pytest.mark.parametrize(
    ("encoding", "channels", "words"),
    [
        (Encoding(354 + 1, 4, 4), 2, "packet_frames: 2 channels leave room for 1 to 354 frames"),
        (Encoding(0, 4, 4), 2, "packet_frames"),
        (Encoding(128, 0, 4), 2, "source_packets"),
        (Encoding(128, 4, 0), 2, "source_packets: a block has at least one source and repair"),
        (Encoding(128, 128, 128), 2, "at most 255 packets, not 256"),
        (Encoding(128, 4, 4), 3, "channels: must be 1, 2 or 4, not 3"),
    ],
)
def test_what_libroc_would_fail_on_is_refused_with_the_rule(
    encoding: Encoding, channels: int, words: str
) -> None:
    with pytest.raises(InvalidValue, match=words):
        check_encoding(encoding, channels)
