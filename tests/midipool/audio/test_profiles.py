"""Profiles, and what a sender encodes for listeners with different ones."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.audio.encoding import Encoding, check_encoding
from midipool.audio.profiles import (
    PROFILE_NAMES,
    PROFILES,
    ProfileName,
    encoding_for,
    profile_named,
    wants_repair,
)
from midipool.errors import InvalidValue

wishes = st.sets(st.sampled_from(PROFILE_NAMES))
channels = st.sampled_from((1, 2, 4))
periods = st.integers(32, 1024)
rates = st.sampled_from((44_100, 48_000, 88_200, 96_000))


@given(wishes, channels, periods, rates)
def test_every_mixture_of_listeners_can_be_encoded_for(
    names: set[ProfileName], channels: int, period: int, rate: int
) -> None:
    check_encoding(encoding_for(names, channels, period, rate), channels)


@given(wishes, channels, periods, rates)
def test_what_each_listener_is_promised_is_kept(
    names: set[ProfileName], channels: int, period: int, rate: int
) -> None:
    encoding = encoding_for(names, channels, period, rate)
    for name in names:
        loss, left = PROFILES[name].promise
        assert encoding.residual_loss(loss) <= left


@given(wishes, channels, periods)
def test_nobody_waits_longer_for_repair_because_of_another(
    names: set[ProfileName], channels: int, period: int
) -> None:
    block_us = encoding_for(names, channels, period).block_us
    for name in filter(wants_repair, names):
        alone = encoding_for([name], channels, period)
        assert block_us <= alone.block_us + alone.packet_us


def test_jam_is_repaired_within_20_ms_at_5_percent_and_safe_at_10() -> None:
    jam, safe = encoding_for(["jam"]), encoding_for(["safe"])
    assert jam.lowest_us(128, 48_000) + jam.repair_wait_us <= 20_001
    assert jam.residual_loss(0.05) <= 0.002
    assert safe.residual_loss(0.1) < 2e-5


def test_safe_and_bar_survive_an_outage_of_50_ms() -> None:
    for name in ("safe", "bar"):
        encoding = PROFILES[profile_named(name).name].encoding
        assert encoding.repair_packets * encoding.packet_us >= 50_000


def test_a_listener_in_lan_changes_nothing_for_one_in_jam() -> None:
    assert encoding_for(["lan", "jam"]) == encoding_for(["jam"]) == encoding_for(["lan"])
    assert encoding_for([]) == encoding_for(["jam"])
    assert not wants_repair("lan")


def test_lan_makes_packets_of_safe_shorter_and_leaves_its_blocks() -> None:
    both, safe = encoding_for(["lan", "safe"]), encoding_for(["safe"])
    assert (both.packet_frames, safe.packet_frames) == (128, 256)
    assert both.block_us == safe.block_us
    assert both.repair_packets == 2 * safe.repair_packets


def test_jam_shortens_the_block_of_safe_which_gets_more_repair_packets() -> None:
    assert encoding_for(["jam", "safe"]) == Encoding(128, 4, 6)
    assert encoding_for(["jam", "bar"]) == Encoding(128, 4, 7)
    assert encoding_for(["jam", "safe", "bar"]) == Encoding(128, 4, 7)


@pytest.mark.parametrize(
    ("period", "frames"), [(32, 64), (64, 64), (96, 96), (128, 128), (1024, 128)]
)
def test_packets_are_not_longer_than_the_senders_period(period: int, frames: int) -> None:
    assert encoding_for(["jam"], period_frames=period).packet_frames == frames
    assert encoding_for(["safe"], period_frames=period).packet_frames == 256


def test_the_more_one_waits_the_later_one_hears() -> None:
    targets = [
        PROFILES[name].target_us(encoding, encoding.lowest_us(128, 48_000), 2_667)
        for name in PROFILE_NAMES
        for encoding in [encoding_for([name])]
    ]
    assert targets == sorted(targets)
    lan, jam, safe, bar = targets
    # One packet and one period at most, until loss or jitter asks for more.
    assert jam - lan <= 2 * 2_667
    assert safe - lan >= encoding_for(["safe"]).repair_wait_us
    assert bar - lan >= encoding_for(["bar"]).repair_wait_us


def test_lan_waits_for_no_repair_whatever_is_sent() -> None:
    lan = PROFILES["lan"]
    for names in combinations(PROFILE_NAMES, 2):
        encoding = encoding_for(names)
        assert lan.target_us(encoding, 6_000, 2_667) == 6_000 + lan.margin_us


@pytest.mark.parametrize("name", ["safe", "bar"])
def test_what_lies_ready_is_whole_periods_and_takes_nothing_from_the_rest(
    name: ProfileName,
) -> None:
    profile, encoding = PROFILES[name], encoding_for([name])
    short_us = profile.target_us(encoding, 6_000, 1_000)
    for period_us in (2_667, 10_667, 21_334):
        covered_us = profile.covered_us(period_us)
        assert covered_us % period_us == 0
        more_us = covered_us - profile.cover_us
        assert 0 <= more_us < period_us
        assert profile.target_us(encoding, 6_000, period_us) == short_us + more_us


def test_an_unknown_profile_is_told_the_known_ones() -> None:
    with pytest.raises(InvalidValue, match=r"profile: 'fast' is none of lan, jam, safe, bar"):
        profile_named("fast")
