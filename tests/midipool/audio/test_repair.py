"""What the profiles' encodings leave of loss, with every packet at its time."""

import random
from collections.abc import Iterator

import pytest

from midipool.audio.encoding import Encoding
from midipool.audio.profiles import ProfileName, encoding_for
from midipool.audio.target import AdaptiveTarget
from tests.midipool.audio.stream import limits

SECONDS = 120


def random_loss(share: float, mean_burst: float = 1) -> Iterator[bool]:
    """Whether the next packet is lost, in bursts of that mean number of packets."""
    rng, lost = random.Random(7), False
    while True:
        begins = share / (1 - share) / mean_burst
        lost = rng.random() < (1 - 1 / mean_burst if lost else begins)
        yield lost


def outages(share: float, most_packets: int) -> Iterator[bool]:
    """Bursts of any length up to `most_packets`."""
    rng = random.Random(7)
    begins = share / (1 - share) / ((1 + most_packets) / 2)
    while True:
        if rng.random() < begins:
            yield from [True] * rng.randint(1, most_packets)
        else:
            yield False


def left(encoding: Encoding, wait_us: int, loss: Iterator[bool]) -> float:
    """Share of source packets that are not there `wait_us` after they would have come."""
    source, repair, block_us = encoding.source_packets, encoding.repair_packets, encoding.block_us
    blocks = SECONDS * 1_000_000 // block_us
    sent: list[tuple[int, int, int]] = []
    for block in range(blocks):
        begin_us = block * block_us
        sent += [(begin_us + (n + 1) * encoding.packet_us, block, n) for n in range(source)]
        due = [encoding.repair_due_us(n) for n in range(repair)]
        sent += [(begin_us + block_us + us, block, source + n) for n, us in enumerate(due)]
    came: dict[int, list[tuple[int, int]]] = {}
    for (us, block, n), lost in zip(sorted(sent), loss, strict=False):
        if not lost:
            came.setdefault(block, []).append((us, n))
    missing = 0
    for block in range(blocks):
        there = came.get(block, [])
        healed_us = there[source - 1][0] if len(there) >= source else None
        for n in {*range(source)} - {n for _, n in there}:
            due_us = block * block_us + (n + 1) * encoding.packet_us + wait_us
            missing += healed_us is None or healed_us > due_us
    return missing / (blocks * source)


def test_jam_leaves_less_than_a_fifth_of_a_percent_of_5_percent_within_20_ms() -> None:
    jam = encoding_for(["jam"])
    wait_us = 20_000 - jam.lowest_us(128, 48_000)
    assert left(jam, wait_us, random_loss(0.05)) <= 0.002
    assert left(jam, wait_us, random_loss(0.05, mean_burst=3)) <= 0.015


def test_what_jam_waits_when_packets_are_lost_is_enough() -> None:
    control = AdaptiveTarget(limits())
    jam = encoding_for(["jam"])
    assert control.target.us < limits().floor_us + jam.repair_wait_us
    assert left(jam, jam.repair_wait_us, random_loss(0.05)) == left(jam, 10**9, random_loss(0.05))


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("safe", random_loss(0.1)),
        ("safe", outages(0.02, 9)),
        # A packet of source or repair leaves every 2.7 ms: 18 of them are 48 ms.
        ("bar", outages(0.1, 18)),
    ],
    ids=["safe", "safe-outages", "bar"],
)
def test_safe_and_bar_leave_nothing(name: ProfileName, loss: Iterator[bool]) -> None:
    encoding = encoding_for([name])
    assert left(encoding, encoding.repair_wait_us, loss) <= 2e-5


def test_without_waiting_nothing_is_repaired() -> None:
    jam = encoding_for(["jam"])
    assert left(jam, 0, random_loss(0.05)) == pytest.approx(0.05, rel=0.1)
