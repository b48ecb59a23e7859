"""How long one member's sound waits, by profile and by what is measured."""

import pytest

from midipool.audio.bars import BarDelay
from midipool.audio.encoding import Encoding
from midipool.audio.profiles import PROFILES, ProfileName
from midipool.messages import AudioStream, Hearing
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.audio.engine_messages import VoiceStatus
from midipool_client.audio.hearing import MemberHearing
from midipool_client.audio.options import AudioOptions
from midipool_client.audio.sending import wishes_of

STREAM = AudioStream(channels=2, packet_frames=128, source_packets=4, repair_packets=4)
ENCODING = Encoding(128, 4, 4)
FLOOR_US = ENCODING.lowest_us(128, 48_000)
BAR_US = 2_000_000
WISHES: dict[str, ProfileName] = {"ada": "jam", "bo": "lan", "cy": "jam"}


def member(
    options: AudioOptions | None = None, stream: AudioStream | None = STREAM
) -> MemberHearing:
    made = MemberHearing("ada", 7, options or AudioOptions())
    made.device(128, 48_000)
    if stream is not None:
        made.sends(stream)
    return made


def target_us(heard: MemberHearing) -> int:
    voice = heard.voice()
    assert voice is not None
    return voice.target_us


def status(came: int, late: int = 0, jitter_us: int = 0, silence_us: int | None = 0) -> VoiceStatus:
    return VoiceStatus(
        "ada", came, late, late=late, latency_us=9_000, jitter_us=jitter_us, silence_us=silence_us
    )


@pytest.mark.parametrize("profile", ["lan", "safe", "bar"])
def test_a_fixed_buffer_is_what_the_profile_says(profile: ProfileName) -> None:
    voice = member(AudioOptions(profile=profile)).voice()
    assert voice is not None
    assert (voice.name, voice.sender, voice.channels, voice.encoding) == ("ada", 7, 2, ENCODING)
    assert voice.target_us == PROFILES[profile].target_us(ENCODING, FLOOR_US, 2_667)
    assert voice.by_bars == (profile == "bar")


def test_longer_periods_and_packets_make_a_fixed_buffer_longer() -> None:
    heard = member(AudioOptions(profile="lan"))
    before_us = target_us(heard)
    heard.device(1024, 48_000)
    longer_us = target_us(heard)
    heard.sends(AudioStream(2, 256, 4, 4))
    assert before_us < longer_us
    assert target_us(heard) == PROFILES["lan"].target_us(
        Encoding(256, 4, 4), Encoding(256, 4, 4).lowest_us(1024, 48_000), 21_334
    )


def test_jam_follows_the_jitter_up_to_the_users_ceiling() -> None:
    heard = member(AudioOptions(max_latency_ms=30))
    before_us = target_us(heard)
    heard.take(status(100, jitter_us=8_000), 1_000_000, None)
    raised_us = target_us(heard)
    heard.take(status(200, jitter_us=300_000), 2_000_000, None)
    assert before_us < raised_us < 30_000
    assert target_us(heard) == 30_000


def test_a_fixed_buffer_is_not_moved_by_jitter() -> None:
    heard = member(AudioOptions(profile="lan"))
    before_us = target_us(heard)
    heard.take(status(100, late=20, jitter_us=300_000), 1_000_000, None)
    assert target_us(heard) == before_us


def test_another_stream_of_the_same_member_keeps_what_jam_has_learnt() -> None:
    heard = member()
    heard.take(status(100, jitter_us=40_000), 1_000_000, None)
    learnt_us = target_us(heard)
    heard.sends(AudioStream(2, 64, 8, 8))
    assert target_us(heard) == learnt_us


def test_counts_that_begin_anew_are_no_trouble() -> None:
    heard = member()
    heard.take(status(1_000, late=50), 1_000_000, None)
    heard.take(status(3, late=0), 2_000_000, None)
    assert heard.hearing().loss == 0.0


@pytest.mark.parametrize(
    ("bars", "playing", "wait_us", "words"),
    [
        (1, True, 0, "1 bar later, 2.00 s"),
        (2, True, 0, "2 bars later, 4.00 s"),
        (1, False, 0, "1 bar later while the song plays"),
        (1, True, 2_500_000, "1 bar takes 2.00 s, and sound needs 2.50 s: choose 2"),
    ],
)
def test_bar_says_how_much_later_and_when_bars_are_too_short(
    bars: int, playing: bool, wait_us: int, words: str
) -> None:
    heard = member(AudioOptions(profile="bar", bars=bars))
    grid = BarDelay(bars, TimelineChain((Timeline(playing=playing),)))
    heard.take(VoiceStatus("ada", 1, wait_us=wait_us), 10 * BAR_US + 12_345, grid)
    assert heard.hearing().buffer == words


@pytest.mark.parametrize(
    ("relayed", "silence_us", "path"),
    [(False, 0, "direct"), (True, 0, "relay"), (False, 2_000_001, "none"), (True, None, "none")],
)
def test_there_is_a_path_while_something_comes(
    relayed: bool, silence_us: int | None, path: str
) -> None:
    heard = member()
    heard.take(VoiceStatus("ada", relayed=relayed, silence_us=silence_us), 1_000_000, None)
    assert heard.path == path


def test_another_profile_begins_with_its_own_buffer() -> None:
    heard = member()
    heard.take(status(100, jitter_us=60_000), 1_000_000, None)
    heard.set_profile(AudioOptions(profile="lan"))
    assert target_us(heard) == PROFILES["lan"].target_us(ENCODING, FLOOR_US, 2_667)


def test_each_wish_counts_once() -> None:
    assert wishes_of(Hearing(name, profile) for name, profile in WISHES.items()) == ["jam", "lan"]
