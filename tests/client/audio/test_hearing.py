"""How one member is heard: the buffer that the engine is told, and what is reported."""

import pytest
from msgspec.structs import replace

from midipool.audio.bars import BarDelay
from midipool.audio.encoding import Encoding
from midipool.audio.profiles import PROFILES, ProfileName
from midipool.audio.strips import Strip
from midipool.messages import AudioStream
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.audio.engine_messages import Voice, VoiceStatus
from midipool_client.audio.hearing import MemberHearing
from midipool_client.audio.options import AudioOptions

STREAM = AudioStream(2, 128, 4, 4)
ENCODING = Encoding(128, 4, 4)
SECOND = 1_000_000
FLOOR_US = ENCODING.lowest_us(128, 48_000)


def heard(profile: ProfileName, max_latency_ms: float = 100.0) -> MemberHearing:
    member = MemberHearing("bass", 7, AudioOptions(profile=profile, max_latency_ms=max_latency_ms))
    member.device(128, 48_000)
    member.sends(STREAM)
    return member


def voice_of(member: MemberHearing) -> Voice:
    voice = member.voice()
    assert voice is not None
    return voice


def test_nobody_is_heard_before_saying_what_it_sends() -> None:
    assert MemberHearing("bass", 7, AudioOptions()).voice() is None


@pytest.mark.parametrize("profile", ["lan", "safe"])
def test_these_profiles_wait_for_a_fixed_time(profile: ProfileName) -> None:
    member = heard(profile)
    before = voice_of(member)
    target_us = PROFILES[profile].target_us(ENCODING, FLOOR_US, 2_667)
    assert before == Voice("bass", 7, 2, ENCODING, target_us, PROFILES[profile].covered_us(2_667))
    for second in range(1, 20):
        member.take(VoiceStatus("bass", came=375 * second, late=50 * second), second * SECOND, None)
    assert voice_of(member) == before


def test_jam_waits_longer_when_packets_are_late_up_to_the_ceiling() -> None:
    member = heard("jam", max_latency_ms=15.0)
    begin_us = voice_of(member).target_us
    for look in range(1, 100):
        status = VoiceStatus("bass", came=37 * look, late=3 * look, jitter_us=9_000)
        member.take(status, look * SECOND // 10, None)
    assert begin_us < voice_of(member).target_us == 15_000
    assert "ceiling" in member.hearing().buffer


def test_a_longer_period_of_our_device_is_waited_for() -> None:
    member = heard("lan")
    before_us = voice_of(member).target_us
    member.device(1024, 48_000)
    assert voice_of(member).target_us >= before_us + 18_000


def test_what_a_long_period_sends_at_once_is_waited_for() -> None:
    member, of_long_periods = heard("lan"), heard("lan")
    of_long_periods.sends(replace(STREAM, period_us=21_333))
    more_us = voice_of(of_long_periods).target_us - voice_of(member).target_us
    assert more_us == pytest.approx(7 * 2_667, abs=10)
    member.sends(replace(STREAM, period_us=2_667))
    assert voice_of(of_long_periods).target_us - voice_of(member).target_us == more_us


def test_jam_does_not_take_the_senders_period_for_jitter() -> None:
    member = heard("jam")
    member.sends(replace(STREAM, period_us=21_333))
    before_us = voice_of(member).target_us
    for look in range(1, 100):
        status = VoiceStatus("bass", came=37 * look, jitter_us=19_000)
        member.take(status, look * SECOND // 10, None)
    assert voice_of(member).target_us == before_us


def test_what_the_engine_needs_is_waited_for_on_top_of_the_profiles_margin() -> None:
    member = heard("lan")
    member.take(VoiceStatus("bass", floor_us=6_100), SECOND, None)
    assert voice_of(member).target_us == 6_100 + PROFILES["lan"].margin_us


def test_jam_wants_repair_packets_only_while_something_is_lost() -> None:
    member = heard("jam")
    assert not member.hearing().repair
    for look in range(1, 100):
        status = VoiceStatus("bass", came=37 * look, lost=2 * look)
        member.take(status, look * SECOND // 10, None)
    assert member.waits_for_repair
    assert member.hearing().repair
    assert heard("safe").hearing().repair
    assert not heard("lan").hearing().repair


def test_jam_wants_no_repair_packets_for_what_our_own_machine_dropped() -> None:
    member = heard("jam")
    for look in range(1, 100):
        status = VoiceStatus("bass", came=37 * look, lost=2 * look, dropped=2 * look)
        member.take(status, look * SECOND // 10, None)
    assert not member.waits_for_repair


def test_in_bar_only_the_wait_for_repair_is_the_buffer() -> None:
    member = heard("bar")
    assert voice_of(member).by_bars
    begin_us = PROFILES["bar"].target_us(ENCODING, FLOOR_US, 2_667)
    assert voice_of(member).target_us == begin_us
    for mbpm in (120_000, 240_000):
        playing = TimelineChain((Timeline(playing=True, mbpm=mbpm),))
        member.take(VoiceStatus("bass", jitter_us=20_000), 10 * SECOND, BarDelay(1, playing))
        assert voice_of(member).target_us == begin_us


def test_in_bar_what_comes_unevenly_is_waited_for_as_long_as_bars_allow() -> None:
    member = heard("bar")
    begin_us = voice_of(member).target_us
    member.take(VoiceStatus("bass", jitter_us=60_000), 10 * SECOND, None)
    assert begin_us + 50_000 <= voice_of(member).target_us <= begin_us + 100_000
    member.take(VoiceStatus("bass", jitter_us=500_000), 11 * SECOND, None)
    assert voice_of(member).target_us == begin_us + 200_000


def test_the_place_in_the_mix_is_the_strips() -> None:
    member = heard("jam")
    member.strip = Strip(gain_db=-6.0, pan=-0.5, solo=True)
    voice = voice_of(member)
    assert voice.gain == pytest.approx(0.501, abs=1e-3)
    assert (voice.pan, voice.mute, voice.solo) == (-0.5, False, True)


def test_a_profile_changes_while_the_sound_runs() -> None:
    member = heard("jam")
    member.take(VoiceStatus("bass", came=100, jitter_us=30_000), SECOND, None)
    learnt_us = voice_of(member).target_us
    member.set_profile(AudioOptions(max_latency_ms=200.0))
    assert voice_of(member).target_us == learnt_us
    member.set_profile(AudioOptions(profile="safe"))
    assert voice_of(member).target_us == PROFILES["safe"].target_us(ENCODING, FLOOR_US, 2_667)
    assert member.hearing().profile == "safe"
    member.set_profile(AudioOptions(profile="bar", bars=2))
    assert voice_of(member).by_bars


def test_a_report_says_how_it_is_heard() -> None:
    member = heard("safe")
    member.reason = "direct (192.0.2.1:5000)"
    empty = VoiceStatus("bass", silence_us=None)
    member.take(empty, 0, None)
    assert member.hearing().path == "none"
    status = VoiceStatus(
        "bass",
        came=950,
        lost=50,
        played_frames=128_000,
        concealed_frames=1_280,
        latency_us=21_000,
        jitter_us=1_500,
        wait_us=20_000,
        rms=0.1,
        relayed=False,
        silence_us=900,
    )
    member.take(status, 2 * SECOND, None)
    hearing = member.hearing()
    assert (hearing.member, hearing.profile, hearing.path) == ("bass", "safe", "direct")
    assert (hearing.latency_ms, hearing.jitter_ms, hearing.target_ms) == (21.0, 1.5, 20.0)
    assert hearing.loss == pytest.approx(0.05)
    assert hearing.residual_loss == pytest.approx(0.01, rel=0.02)
    assert hearing.level_db == -20.0
    assert hearing.reason == "direct (192.0.2.1:5000)"


def test_who_is_silent_for_long_has_no_path() -> None:
    member = heard("jam")
    member.take(VoiceStatus("bass", relayed=True, silence_us=3 * SECOND), SECOND, None)
    assert member.hearing().path == "none"
