"""What an audio engine is told again after it died, of members, and when buffers move."""

from itertools import pairwise
from typing import TypeVar

import pytest

from midipool.audio.encoding import Encoding
from midipool.audio.listening import Listening
from midipool.audio.profiles import ProfileName, encoding_for
from midipool.audio.strips import Mix as OwnMix
from midipool.audio.strips import OwnChannel, Strip
from midipool.clock_map import ClockMap
from midipool.messages import (
    AudioReport,
    AudioStream,
    Dropped,
    HeardBy,
    Hearing,
    MediaKey,
    MediaSeat,
    MemberInfo,
    Message,
    Welcome,
)
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.audio.device_choice import PortAudioChoice
from midipool_client.audio.engine_messages import (
    AudioReady,
    AudioStatus,
    FromAudioEngine,
    Mix,
    NoSeat,
    OwnStrip,
    Pieces,
    Repairs,
    RoomClock,
    Seat,
    Send,
    ToAudioEngine,
    Voices,
    VoiceStatus,
    Ways,
)
from midipool_client.audio.options import AudioOptions
from midipool_client.audio.process import AudioProcess
from midipool_client.audio.room_audio import UNTOLD, RoomAudio

KEY, NEW_KEY = "ab" * 32, "cd" * 32
RELAY_PORT = 4000
BAR_US = 2_000_000
STREAM = AudioStream(channels=2, packet_frames=128, source_packets=4, repair_packets=4)

M = TypeVar("M")


class FakeRoom:
    """A room whose clock is set by hand."""

    name = "me"

    def __init__(self) -> None:
        self.chain = TimelineChain((Timeline(playing=True),))
        self.now_us: int | None = 10 * BAR_US
        self.sent: list[Message] = []
        self.map = ClockMap(0, 0)

    def room_us(self) -> int | None:
        return self.now_us

    def clock_map(self) -> ClockMap | None:
        return self.map

    def send(self, message: Message) -> None:
        self.sent.append(message)

    def reports(self) -> list[AudioReport]:
        return [message for message in self.sent if isinstance(message, AudioReport)]


class RecordingEngine(AudioProcess):
    """Remembers what an engine would be told; nothing is started."""

    told: list[ToAudioEngine]

    def tell(self, message: ToAudioEngine) -> None:
        if self.ready is not None:
            self.told.append(message)

    def says(self, message: FromAudioEngine) -> None:
        self._take(message)

    def begins(self, period: int = 128) -> None:
        self.told = []
        self.says(AudioReady("JACK", 48_000, period, realtime=True, port=40_000))

    def dies(self) -> None:
        self.ready = self.status = None

    def counts(self, counter: int, *voices: VoiceStatus) -> None:
        self.says(AudioStatus(list(voices), 0.0, 0.0, counter, {}, 0, []))

    def of(self, kind: type[M]) -> list[M]:
        return [message for message in self.told if isinstance(message, kind)]


def audio_of(
    room: FakeRoom, options: AudioOptions | None = None
) -> tuple[RoomAudio, RecordingEngine]:
    audio = RoomAudio(room, options or AudioOptions(), "midiPool", RecordingEngine)
    assert isinstance(audio.engine, RecordingEngine)
    return audio, audio.engine


def welcome(media: MediaSeat | None) -> Welcome:
    return Welcome(
        version=1,
        room="band",
        clock_id="c" * 32,
        clock_port=0,
        token="t" * 32,
        fresh=False,
        timelines=[],
        members=[],
        media=media,
    )


def seat(sender: int = 7) -> MediaSeat:
    return MediaSeat(port=RELAY_PORT, key_id=1, key=KEY, sender=sender)


def seated(options: AudioOptions | None = None) -> tuple[FakeRoom, RoomAudio, RecordingEngine]:
    room = FakeRoom()
    audio, engine = audio_of(room, options)
    audio.welcomed(welcome(seat()), "127.0.0.1")
    engine.begins()
    return room, audio, engine


def there(*names: str) -> list[MemberInfo]:
    return [MemberInfo(name, sender=number) for number, name in enumerate(("me", *names), 7)]


def heard_by(name: str, profile: ProfileName, sends: AudioStream | None = STREAM) -> HeardBy:
    return HeardBy(name, Hearing("me", profile), sends)


def voices_of(engine: RecordingEngine) -> list[str]:
    return [voice.name for voice in engine.of(Voices)[-1].voices]


# ---- keys and counters ----


def test_an_engine_that_is_ready_is_told_key_relay_and_what_to_send() -> None:
    _, _, engine = seated()
    assert engine.of(Seat) == [Seat(1, bytes.fromhex(KEY), 7)]
    assert [way.to for way in engine.of(Ways)[0].ways] == [("127.0.0.1", RELAY_PORT)]
    assert engine.of(Send) == [Send(encoding_for([], 2, 128, 48_000), 2)]


def test_without_a_relay_nothing_is_sealed() -> None:
    _, audio, engine = seated()
    audio.welcomed(welcome(None), "127.0.0.1")
    assert engine.of(NoSeat) == [NoSeat()]
    engine.dies()
    engine.begins()
    assert engine.of(Seat) == []


def test_counters_begin_behind_all_that_a_dead_engine_can_have_used() -> None:
    _, _, engine = seated()
    engine.counts(5_000_000)
    engine.dies()
    engine.begins()
    assert engine.of(Seat)[-1].after == 5_000_000 + UNTOLD


def test_counters_of_engines_that_died_before_they_told_of_any_are_not_used_again() -> None:
    _, audio, engine = seated()
    audio.new_key(MediaKey(2, NEW_KEY))
    begun = [engine.of(Seat)[-1].after]
    for _ in range(3):
        engine.dies()
        engine.begins()
        begun.append(engine.of(Seat)[-1].after)
    assert all(after - before >= UNTOLD for before, after in pairwise(begun))


# ---- members ----


def test_members_are_heard_once_they_say_what_they_send() -> None:
    _, audio, engine = seated()
    audio.members(there("ada", "bo"))
    assert voices_of(engine) == []
    audio.heard_by(heard_by("ada", "jam"))
    assert voices_of(engine) == ["ada"]
    audio.heard_by(heard_by("bo", "jam", None))
    assert voices_of(engine) == ["ada"]


def test_who_leaves_is_not_heard_and_wishes_nothing_any_more() -> None:
    _, audio, engine = seated()
    audio.members(there("ada", "bo"))
    audio.heard_by(heard_by("ada", "bar"))
    audio.heard_by(heard_by("bo", "bar"))
    audio.members(there("ada"))
    assert voices_of(engine) == ["ada"]
    audio.members(there())
    assert voices_of(engine) == []
    assert engine.of(Send)[-1] == Send(encoding_for([], 2, 128, 48_000), 2)


def test_repair_packets_are_sent_while_anybody_waits_for_them() -> None:
    _, audio, engine = seated()
    audio.members(there("ada", "bo"))
    audio.heard_by(HeardBy("ada", Hearing("me", "jam", repair=False), STREAM))
    assert engine.of(Repairs) == []
    audio.heard_by(HeardBy("bo", Hearing("me", "jam", repair=True), STREAM))
    audio.heard_by(HeardBy("bo", Hearing("me", "jam", repair=True), STREAM))
    assert engine.of(Repairs) == [Repairs(True)]
    engine.dies()
    engine.begins()
    assert engine.of(Repairs)[-1] == Repairs(True)
    audio.members(there("ada"))
    assert engine.of(Repairs)[-1] == Repairs(False)


def test_only_a_clock_that_says_something_new_is_told() -> None:
    room, audio, engine = seated()
    engine.told = []
    room.map = ClockMap(0, 50_000)
    audio.clock_changed()
    audio.clock_changed()
    room.map = ClockMap(0, 51_000)
    audio.clock_changed()
    room.map = ClockMap(0, 53_000)
    audio.clock_changed()
    assert [told.map.room_ns for told in engine.of(RoomClock)] == [50_000, 53_000]


def test_a_member_that_comes_back_has_its_new_sender_id() -> None:
    _, audio, engine = seated()
    audio.members(there("ada"))
    audio.heard_by(heard_by("ada", "jam"))
    audio.members([MemberInfo("ada", sender=99)])
    (voice,) = engine.of(Voices)[-1].voices
    assert (voice.name, voice.sender) == ("ada", 99)


def test_a_new_engine_is_told_all_of_it_again() -> None:
    _, audio, engine = seated()
    audio.members(there("ada"))
    audio.heard_by(heard_by("ada", "lan"))
    engine.dies()
    engine.begins()
    assert voices_of(engine) == ["ada"]
    assert engine.of(Send) == [Send(encoding_for(["lan"], 2, 128, 48_000), 2)]


# ---- what is sent and reported ----


def test_fewer_channels_are_sent_from_one_moment_on_and_said() -> None:
    room, audio, engine = seated()
    for count, sent in ((1, 1), (4, 2), (None, 2)):
        audio.listen(Listening(mix=OwnMix(send_channels=count)))
        assert engine.of(Send)[-1].channels == sent
        said = room.reports()[-1].sends
        assert said is not None
        assert said.channels == sent


def test_what_is_sent_is_what_the_listeners_wish() -> None:
    room, audio, engine = seated()
    audio.members(there("ada", "bo"))
    audio.heard_by(heard_by("ada", "bar"))
    for_bar = encoding_for(["bar"], 2, 128, 48_000)
    assert engine.of(Send)[-1] == Send(for_bar, 2)
    audio.heard_by(heard_by("bo", "lan"))
    wanted = encoding_for(["bar", "lan"], 2, 128, 48_000)
    assert wanted != for_bar
    assert engine.of(Send)[-1] == Send(wanted, 2)
    said = room.reports()[-1].sends
    assert said is not None
    assert Encoding(said.packet_frames, said.source_packets, said.repair_packets) == wanted


def test_the_stream_is_announced_at_once_and_not_before_there_is_an_engine() -> None:
    room = FakeRoom()
    audio, engine = audio_of(room, AudioOptions(channels=1))
    audio.welcomed(welcome(seat()), "127.0.0.1")
    audio.members(there("ada"))
    audio.report()
    assert room.reports() == []
    engine.begins(period=64)
    said = room.reports()[-1]
    assert said.sends is not None
    assert (said.sends.channels, said.sends.packet_frames) == (1, 64)
    assert [hearing.member for hearing in said.hears] == ["ada"]


def test_jitter_raises_the_buffer_of_this_member_alone() -> None:
    _, audio, engine = seated()
    audio.members(there("ada", "bo"))
    for name in ("ada", "bo"):
        audio.heard_by(heard_by(name, "jam"))
    before = {v.name: v.target_us for v in engine.of(Voices)[-1].voices}
    engine.counts(9, VoiceStatus("ada", 100, jitter_us=30_000), VoiceStatus("bo", 100))
    audio.look()
    after = {v.name: v.target_us for v in engine.of(Voices)[-1].voices}
    assert after["ada"] > before["ada"] + 20_000
    assert after["bo"] == before["bo"]


def test_what_the_socket_and_a_player_dropped_is_told_to_the_room() -> None:
    room, audio, engine = seated()
    audio.members(there("ada"))
    counts = {
        "forged": 3,
        "replayed": 50,
        "stale": 40,
        "unknown_key": 1,
        "unknown_sender": 2,
        "too_long": 5,
    }
    engine.says(AudioStatus([VoiceStatus("ada", 9, dropped=40)], 0.0, 0.0, 9, counts, 0, []))
    audio.look()
    audio.report()
    report = room.reports()[-1]
    assert report.dropped == Dropped(forged=3, replayed=40, unknown=3, rubbish=5)
    assert [hearing.dropped for hearing in report.hears] == [40]


def test_a_voice_of_somebody_who_has_left_is_passed_over() -> None:
    room, audio, engine = seated()
    audio.members(there("ada"))
    engine.counts(9, VoiceStatus("gone", 100))
    audio.look()
    audio.report()
    assert [hearing.member for hearing in room.reports()[-1].hears] == ["ada"]


def test_in_bar_everybody_is_heard_a_bar_later_by_the_rooms_grid() -> None:
    room, audio, engine = seated(AudioOptions(profile="bar"))
    audio.followed(room.chain)
    audio.members(there("ada"))
    audio.heard_by(heard_by("ada", "bar"))
    (voice,) = engine.of(Voices)[-1].voices
    assert voice.by_bars
    assert voice.keep_us > BAR_US
    assert delays_us(engine) == {BAR_US}


def delays_us(engine: RecordingEngine) -> set[int]:
    """How much later what is heard was captured, by what the engine was told last."""
    pieces = engine.of(Pieces)[-1].pieces
    assert all(a.play_end_us == b.play_us for a, b in pairwise(pieces))
    return {p.play_us - p.capture_us for p in pieces if p.kind == "bars"}


def test_in_bar_the_grid_moves_with_the_rooms_clock() -> None:
    room, audio, engine = seated(AudioOptions(profile="bar"))
    audio.followed(room.chain)
    # Another server's clock shows an hour less: the song that plays began before its zero.
    shift_us = -3_600_000_000
    assert room.now_us is not None
    room.now_us += shift_us
    audio.clock_changed(shift_us)
    assert delays_us(engine) == {BAR_US}
    pieces = engine.of(Pieces)[-1].pieces
    assert pieces[0].play_us < room.now_us < pieces[-1].play_end_us


def test_bars_are_told_again_before_they_run_out() -> None:
    room, audio, engine = seated(AudioOptions(profile="bar"))
    audio.followed(room.chain)
    engine.counts(9)
    for _ in range(100):
        assert room.now_us is not None
        room.now_us += 100_000
        audio.look()
        assert engine.of(Pieces)[-1].pieces[-1].play_end_us >= room.now_us + 2_900_000
    assert 4 <= len(engine.of(Pieces)) <= 8
    engine.dies()
    engine.begins()
    assert len(engine.of(Pieces)) == 1


# ---- changed while playing ----


def test_profile_bars_and_mix_change_while_playing() -> None:
    room, audio, engine = seated()
    audio.followed(room.chain)
    audio.members(there("ada", "bo"))
    for name in ("ada", "bo"):
        audio.heard_by(heard_by(name, "jam"))
    assert engine.of(Pieces) == []
    strips = {"ada": Strip(pan=-1.0, mute=True)}
    own = {"2": OwnChannel(mute=True)}
    mix = OwnMix(master_db=-6.0, monitor_db=0.0, strips=strips, channels=own)
    audio.listen(Listening(profile="bar", bars=2, mix=mix))
    assert delays_us(engine) == {2 * BAR_US}
    ada, bo = engine.of(Voices)[-1].voices
    assert ada.by_bars
    assert bo.by_bars
    assert (ada.pan, ada.mute, bo.pan, bo.mute) == (-1.0, True, 0.0, False)
    assert engine.of(Mix)[-1].master == pytest.approx(0.501, abs=1e-3)
    assert engine.of(Mix)[-1].monitor == 1.0
    assert engine.of(Mix)[-1].channels == [OwnStrip(pan=-1.0), OwnStrip(pan=1.0, mute=True)]
    assert [hearing.profile for hearing in room.reports()[-1].hears] == ["bar", "bar"]
    audio.listen(Listening(mix=mix))
    assert not any(voice.by_bars for voice in engine.of(Voices)[-1].voices)


def test_who_comes_back_has_its_place_in_the_mix_again() -> None:
    _, audio, engine = seated()
    audio.listen(Listening(mix=OwnMix(strips={"ada": Strip(gain_db=-20.0)})))
    for members in (there("ada"), there(), there("ada")):
        audio.members(members)
    audio.heard_by(heard_by("ada", "jam"))
    (voice,) = engine.of(Voices)[-1].voices
    assert voice.gain == pytest.approx(0.1)


def test_a_new_engine_has_the_mix_again() -> None:
    _, audio, engine = seated()
    audio.listen(Listening(mix=OwnMix(master_db=-20.0)))
    engine.dies()
    engine.begins()
    (mix,) = engine.of(Mix)
    assert mix.master == pytest.approx(0.1)


def test_another_period_of_the_device_changes_what_is_sent() -> None:
    _, audio, engine = seated()
    [before] = engine.of(Send)
    engine.says(AudioStatus([], 0.0, 0.0, 0, {}, 0, [], period=64))
    audio.look()
    assert engine.ready is not None
    assert engine.ready.period == 64
    assert engine.of(Send)[-1].encoding.packet_frames < before.encoding.packet_frames


def test_an_engine_that_is_started_anew_takes_the_same_device() -> None:
    _, _, engine = seated()
    engine.says(AudioReady("", 48_000, 128, realtime=True, port=1, device=PortAudioChoice("USB")))
    assert engine.config().device == PortAudioChoice("USB")
    engine.restarts, engine.status = 1, None
    assert engine.config().again
