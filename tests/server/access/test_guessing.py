"""How often an address may guess."""

import pytest

from midipool.errors import Refused
from midipool_server.access.guessing import (
    AGAIN_US,
    MOST_ADDRESSES,
    TRIES,
    Guesses,
    is_shared,
    network_of,
)

SECOND = 1_000_000


def tries(guesses: Guesses, address: str, now_us: int, most: int = 100) -> int:
    for count in range(most):
        try:
            guesses.begin(address, now_us)
        except Refused:
            return count
    return most


def test_some_at_once_and_then_one_now_and_then() -> None:
    guesses = Guesses()
    assert tries(guesses, "192.0.2.1", 0) == TRIES
    assert tries(guesses, "192.0.2.1", AGAIN_US - 1) == 0
    assert tries(guesses, "192.0.2.1", AGAIN_US) == 1
    assert sum(tries(guesses, "192.0.2.1", n * SECOND) for n in range(31, 3631)) == 120
    assert tries(guesses, "192.0.2.1", 10_000 * SECOND) == TRIES


def test_it_says_how_long_to_wait() -> None:
    guesses = Guesses()
    tries(guesses, "192.0.2.1", 0)
    with pytest.raises(Refused, match="wait 21 s"):
        guesses.begin("192.0.2.1", 9_500_000)


def test_others_are_not_held_back_but_who_has_the_whole_network_is() -> None:
    guesses = Guesses()
    tries(guesses, "2001:db8::1", 0)
    assert tries(guesses, "2001:db8::2", 0) == 0
    assert tries(guesses, "2001:db8:0:1::1", 0) == TRIES
    tries(guesses, "::ffff:192.0.2.1", 0)
    assert tries(guesses, "192.0.2.1", 0) == 0
    assert tries(guesses, "192.0.2.2", 0) == TRIES


def test_a_right_one_does_not_count() -> None:
    guesses = Guesses()
    for _ in range(100):
        guesses.begin("192.0.2.1", 0)
        guesses.was_right("192.0.2.1")
    assert tries(guesses, "192.0.2.1", 0) == TRIES


def test_many_addresses_do_not_fill_the_memory() -> None:
    guesses = Guesses()
    for n in range(MOST_ADDRESSES + 100):
        guesses.begin(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", 0)
    assert len(guesses._spent_us) == MOST_ADDRESSES


@pytest.mark.parametrize("text", ["", "unix:", "fe80::1%eth0", "999.1.1.1"])
def test_any_text_is_an_address(text: str) -> None:
    assert network_of(text) in (text, "fe80::/64")
    assert is_shared(text) == ("fe80" not in text)
