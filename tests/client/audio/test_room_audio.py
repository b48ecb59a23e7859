"""What the audio engine is told, and the room, when things happen in either."""

import logging

import msgspec
import pytest

from midipool.audio.encoding import Encoding
from midipool.clock_map import ClockMap
from midipool.graph.editing import edited
from midipool.graph.graph import Graph
from midipool.graph.news import whole
from midipool.graph.part import EVERYTHING, part_of
from midipool.messages import (
    AudioReport,
    AudioStream,
    GraphEdit,
    HeardBy,
    Hearing,
    LinkNodes,
    MediaKey,
    MediaSeat,
    MemberInfo,
    Message,
    UnlinkNodes,
    Welcome,
)
from midipool.timeline_chain import TimelineChain
from midipool_client.audio.engine_messages import (
    AudioReady,
    AudioStatus,
    Greet,
    NoSeat,
    Rare,
    RoomClock,
    Seat,
    Send,
    Tape,
    ToAudioEngine,
    VoiceFailure,
    VoiceLink,
    Voices,
    VoiceStatus,
    Way,
    Ways,
)
from midipool_client.audio.hearing import NOT_LINKED
from midipool_client.audio.options import AudioOptions
from midipool_client.audio.paths import MediaPaths
from midipool_client.audio.room_audio import UNTOLD, RoomAudio
from midipool_client.known_graph import KnownGraph

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
READY = AudioReady("JACK", 48_000, 128, True, 40_000)
STREAM = AudioStream(2, 128, 4, 4, period_us=2_667)
RELAY = ("127.0.0.1", 8766)
ROOM_US = 5_000_000
SEAT = MediaSeat(8766, 1, KEY.hex(), 3)


class FakeRoom:
    """A room whose clock stands still."""

    name = "drums"
    chain = TimelineChain(())

    def __init__(self) -> None:
        self.sent: list[Message] = []

    def room_us(self) -> int | None:
        return ROOM_US

    def clock_map(self) -> ClockMap | None:
        return ClockMap(0, 0)

    def send(self, message: Message) -> None:
        self.sent.append(message)


class Stand:
    """RoomAudio with a room and an engine that only listen."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.room = FakeRoom()
        self.audio = RoomAudio(self.room, AudioOptions(), "midiPool")
        self.told: list[ToAudioEngine] = []
        patch.setattr(self.audio.engine, "tell", self.told.append)

    def welcome(self, media: MediaSeat | None = SEAT) -> None:
        welcome = Welcome(1, "jam", "0" * 16, 0, "0" * 32, False, [], [], media=media)
        self.audio.welcomed(welcome, "127.0.0.1")

    def ready(self) -> None:
        self.audio.engine.ready = READY
        self.audio._ready(READY)

    def bass_is_there(self, profile: str = "jam", sender: int = 7) -> None:
        self.audio.members([MemberInfo("drums", sender=3), MemberInfo("bass", sender=sender)])
        self.audio.heard_by(HeardBy("bass", Hearing("drums", profile), STREAM))  # type: ignore[arg-type]

    def take(self, kind: type[ToAudioEngine]) -> list[ToAudioEngine]:
        """What it was told of a kind since the last time."""
        found = [message for message in self.told if isinstance(message, kind)]
        self.told[:] = [message for message in self.told if not isinstance(message, kind)]
        return found


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Stand:
    made = Stand(monkeypatch)
    made.welcome()
    made.told.clear()
    made.ready()
    return made


def test_an_engine_that_is_ready_is_told_all(stand: Stand) -> None:
    assert stand.take(Seat) == [Seat(1, KEY, 3)]
    assert stand.take(Ways)[0] == Ways([Way(RELAY)], RELAY)
    assert stand.take(RoomClock) == [RoomClock(ClockMap(0, 0))]
    assert stand.take(Send) == [Send(Encoding(128, 4, 4), 2)]
    assert [m.sends for m in stand.room.sent if isinstance(m, AudioReport)][-1] == STREAM


def test_without_a_relay_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    stand = Stand(monkeypatch)
    stand.welcome(media=None)
    assert stand.told == [NoSeat()]
    stand.ready()
    assert stand.take(Seat) == stand.take(Ways) == []


def test_a_member_is_heard_once_it_says_what_it_sends(stand: Stand) -> None:
    stand.told.clear()
    stand.bass_is_there()
    [voices] = stand.take(Voices)
    assert isinstance(voices, Voices)
    assert [(v.name, v.sender, v.encoding) for v in voices.voices] == [
        ("bass", 7, Encoding(128, 4, 4))
    ]
    stand.bass_is_there()
    assert stand.take(Voices) == [], "nothing is new"
    stand.bass_is_there(sender=8)
    assert len(stand.take(Voices)) == 1, "it came back under another id"
    stand.audio.members([MemberInfo("drums", sender=3)])
    assert stand.take(Voices) == [Voices([])]


def test_what_is_sent_is_what_the_listeners_need(stand: Stand) -> None:
    stand.told.clear()
    stand.bass_is_there(profile="safe")
    [send] = stand.take(Send)
    assert isinstance(send, Send)
    assert send.encoding.source_packets >= 18
    report = stand.room.sent[-1]
    assert isinstance(report, AudioReport)
    assert report.sends is not None
    assert report.sends.source_packets == send.encoding.source_packets
    stand.audio.members([MemberInfo("drums", sender=3)])
    assert stand.take(Send) == [Send(Encoding(128, 4, 4), 2)]


def test_the_relays_first_answer_is_answered_at_once(stand: Stand) -> None:
    """With the token in it: until then the relay gives little."""
    assert stand.take(Greet) == [Greet(RELAY, ROOM_US)], "it is greeted as soon as it can be"
    stand.audio._rare(Rare(False, RELAY, b"", 1))
    assert stand.take(Greet) == [Greet(RELAY, ROOM_US)]
    stand.audio._rare(Rare(False, RELAY, b"", 2))
    assert stand.take(Greet) == []


def test_a_path_is_logged_with_its_reason_when_it_changes(
    stand: Stand, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            stand.bass_is_there()
    assert [r.message for r in caplog.records if "bass" in r.message] == [
        "audio: bass: relay: the other side has not said where it can be reached"
    ]


def test_a_direct_path_is_logged_once_though_its_round_trip_goes_on_changing(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stand.bass_is_there()
    monkeypatch.setattr(MediaPaths, "direct", lambda self, member: ("192.0.2.7", 7000))
    with caplog.at_level(logging.INFO):
        for trip in ("5.3", "4.8"):
            said = f"direct (192.0.2.7:7000, {trip} ms)"
            monkeypatch.setattr(MediaPaths, "reason", lambda self, member, said=said: said)
            stand.bass_is_there()
    assert [r.message for r in caplog.records if "direct" in r.message] == [
        "audio: bass: direct (192.0.2.7:7000, 5.3 ms)"
    ]


def test_another_key_is_told(stand: Stand) -> None:
    stand.told.clear()
    stand.audio.new_key(MediaKey(2, OTHER_KEY.hex()))
    assert stand.take(Seat) == [Seat(2, OTHER_KEY, 3)]


def test_a_second_engine_counts_on_behind_the_first(stand: Stand) -> None:
    """Two datagrams under one counter would break the seal."""
    stand.bass_is_there()
    stand.told.clear()
    stand.audio.engine.last_counter = 1234
    stand.ready()
    assert stand.take(Seat) == [Seat(1, KEY, 3, after=1234 + UNTOLD)]
    assert len(stand.take(Voices)) == 1
    # Under a new key the counters are free again.
    stand.audio.new_key(MediaKey(2, OTHER_KEY.hex()))
    assert stand.take(Seat) == [Seat(2, OTHER_KEY, 3)]


def route(stand: Stand, *edits: GraphEdit) -> None:
    graph = Graph().entered("drums").entered("bass")
    for edit in edits:
        graph = edited(graph, edit)
    stand.audio.route(part_of(graph, "drums"))


NO_BASS = UnlinkNodes(id=1, source="bass", target="drums")
NOT_BY_BASS = UnlinkNodes(id=1, source="drums", target="bass")


def test_who_is_not_linked_is_not_decoded_but_told_what_we_send(stand: Stand) -> None:
    stand.bass_is_there()
    stand.take(Voices)
    route(stand, NO_BASS)
    [voices] = stand.take(Voices)
    assert isinstance(voices, Voices)
    assert [(v.name, v.linked) for v in voices.voices] == [("bass", False)]
    report = stand.room.sent[-1]
    assert isinstance(report, AudioReport)
    assert [(h.member, h.reason) for h in report.hears] == [("bass", NOT_LINKED)]
    assert stand.audio.hears == []
    louder = LinkNodes(
        id=1,
        source="bass",
        target="drums",
        gain_db=6.0,
        audio_channels=(1,),
        high_pass_hz=80.0,
        low_pass_hz=8000.0,
    )
    route(stand, louder)
    [voices] = stand.take(Voices)
    assert isinstance(voices, Voices)
    [voice] = voices.voices
    assert (voice.linked, voice.link.channels) == (True, (1,))
    assert voice.link.gain == pytest.approx(1.995, abs=0.001)
    assert (voice.link.high_pass_hz, voice.link.low_pass_hz) == (80.0, 8000.0)


def test_who_is_only_recorded_comes_silent_and_who_is_only_heard_is_not_taped(
    stand: Stand,
) -> None:
    stand.bass_is_there()
    route(stand, NO_BASS)
    stand.take(Voices)
    graph = edited(Graph().entered("drums").entered("bass"), NO_BASS).recording("drums", True)
    stand.audio.route(part_of(graph, "drums"))
    [voices] = stand.take(Voices)
    assert isinstance(voices, Voices)
    [voice] = voices.voices
    assert (voice.linked, voice.link, voice.tape) == (True, VoiceLink(0.0), VoiceLink())
    assert stand.take(Tape) == []
    assert len(stand.audio.hears) == 1
    for source in ("bass", "drums"):
        graph = edited(graph, UnlinkNodes(id=1, source=source, target="recorder drums"))
    graph = edited(graph, LinkNodes(id=1, source="bass", target="drums"))
    stand.audio.route(part_of(graph, "drums"))
    [voices] = stand.take(Voices)
    assert isinstance(voices, Voices)
    [voice] = voices.voices
    assert (voice.linked, voice.link, voice.tape) == (True, VoiceLink(), None)
    assert stand.take(Tape) == [Tape(None)]
    stand.audio.route(part_of(graph.recording("drums", False), "drums"))
    assert stand.take(Tape) == [Tape()]


def test_nothing_is_sent_to_who_does_not_hear_us_nor_packed_by_its_wishes(stand: Stand) -> None:
    stand.bass_is_there("lan")
    stand.take(Ways)
    before = stand.take(Send)[-1]
    route(stand, NOT_BY_BASS)
    assert stand.take(Ways)[-1] == Ways([], RELAY)
    # Who comes next is most likely one of those who were there.
    assert stand.take(Send) == []
    route(stand)
    told = [m for m in stand.told if isinstance(m, Send | Ways)][-1:]
    assert told == [Ways([Way(RELAY)], RELAY)]
    assert before == Send(Encoding(128, 4, 4), 2)


def test_to_who_refuses_it_nothing_is_sent_until_it_does_not(
    stand: Stand, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stand.bass_is_there()
    stand.take(Ways)
    refused = Hearing("drums", "jam", answer="refused", answer_reason="no libroc")
    stand.audio.heard_by(HeardBy("bass", refused))
    assert stand.take(Ways)[-1] == Ways([], RELAY)
    stand.audio.heard_by(HeardBy("bass", refused))
    stand.audio.heard_by(HeardBy("bass", Hearing("drums", "jam", answer="accepted")))
    assert stand.take(Ways)[-1] == Ways([Way(RELAY)], RELAY)
    said = [r.message for r in caplog.records if "bass" in r.message and "send" in r.message]
    assert said == [
        "audio: bass refuses what we send: no libroc",
        "audio: bass takes what we send",
    ]


def answer_to_bass(stand: Stand) -> tuple[str | None, str]:
    stand.audio._answer()
    stand.audio.report()
    report = stand.room.sent[-1]
    assert isinstance(report, AudioReport)
    [hearing] = report.hears
    return hearing.answer, hearing.answer_reason


def test_what_is_offered_is_answered_by_what_there_is_to_hear_with(stand: Stand) -> None:
    stand.bass_is_there()
    assert answer_to_bass(stand) == (None, "")
    engine = stand.audio.engine
    engine.status = AudioStatus([VoiceStatus("bass")], 0.0, 0.0, 0, {}, 0, [])
    assert answer_to_bass(stand) == ("accepted", "")
    odd = msgspec.structs.replace(STREAM, channels=8)
    stand.audio.heard_by(HeardBy("bass", Hearing("drums", "jam"), odd))
    assert answer_to_bass(stand) == ("refused", "the stream has 8 channels, not 1, 2 or 4")
    assert stand.take(Voices)[-1] == Voices([])
    stand.audio.heard_by(HeardBy("bass", Hearing("drums", "jam"), STREAM))
    assert answer_to_bass(stand) == ("accepted", "")
    # Its engine says that it could not: it is let be for a while, as `attempt` 2.
    failure = VoiceFailure("bass", 2, "libroc gives no decoder")
    engine.status = AudioStatus([], 0.0, 0.0, 0, {}, 0, [], failures=[failure])
    assert answer_to_bass(stand) == ("failed", "libroc gives no decoder")
    [voice] = stand.take(Voices)[-1].voices  # type: ignore[union-attr]
    assert not voice.linked
    engine.ready, engine.status, engine.restarts = None, None, 1
    assert answer_to_bass(stand) == ("failed", "the audio engine is being started")
    engine.state, engine.problem = "unavailable", "libroc is not installed"
    assert answer_to_bass(stand) == ("refused", "libroc is not installed")


def test_without_a_graph_everybody_is_heard(stand: Stand) -> None:
    stand.bass_is_there()
    known = KnownGraph()
    assert known.part("drums") == EVERYTHING
    welcome = Welcome(1, "jam", "0" * 16, 0, "0" * 32, False, [], [], capabilities=["graph"])
    graph = edited(Graph().entered("drums").entered("bass"), NO_BASS)
    assert known.told(whole(graph)) is None
    known.welcomed(welcome)
    assert known.part("drums").audio_of("bass") is None
    # Handed over to a server that has none, and forgotten with one that knows none.
    handed = known.told(whole(Graph().entered("drums"), hand=True))
    assert handed is not None
    assert tuple(handed.rules) == graph.rules
    known.welcomed(Welcome(1, "jam", "0" * 16, 0, "0" * 32, False, [], []))
    assert known.part("drums") == EVERYTHING
