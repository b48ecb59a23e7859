"""Who has which slot, ports and decoder, while members come, go and send otherwise."""

from dataclasses import dataclass, field
from typing import Any, cast

import msgspec
import pytest

from midipool.audio.encoding import Encoding
from midipool.errors import Unavailable
from midipool_client.audio.device import AudioDevice
from midipool_client.audio.engine_messages import Voice, VoiceFailure, VoiceLink
from midipool_client.audio.voices import Voices
from midipool_native._rt import ffi
from midipool_native.audio import MAX_PLAYERS, MOST_KEPT, PlayerLink, PlayerSetup
from midipool_native.media_socket import MediaSocket
from midipool_native.roc import Context, Decoder, DecoderSettings

KEY_ID = 3
ADA = Voice("ada", 7, 2, Encoding(128, 4, 4), 12_000)
BO = Voice("bo", 8, 1, Encoding(256, 18, 10), 40_000)


class FakeDecoder:
    """A decoder of no library."""

    def __init__(self) -> None:
        self.handle = object()
        self.is_open = True

    def close(self) -> None:
        assert self.is_open
        self.is_open = False


@dataclass
class FakeStats:
    needs_decoder: bool = False


class FakeCore:
    """A mixer that lets go of a player, and takes a decoder up, when told."""

    def __init__(self) -> None:
        self.setups: dict[int, PlayerSetup] = {}
        self.leaving: set[int] = set()
        self.in_use: dict[int, object] = {}
        self.set: dict[int, object] = {}
        self.needy: set[int] = set()
        self.kept: list[tuple[int, int]] = []
        self.targets: list[tuple[int, float, float, bool]] = []
        self.mixes: list[tuple[int, float]] = []
        self.links: list[tuple[int, PlayerLink]] = []
        self.tapes: list[tuple[int, PlayerLink]] = []
        self.is_full = False

    def add_player(self, slot: int, setup: PlayerSetup) -> None:
        assert slot not in self.setups
        self.setups[slot] = setup
        self.in_use[slot] = setup.decoder

    def remove_player(self, slot: int) -> None:
        assert slot not in self.leaving
        self.leaving.add(slot)

    def lets_go(self) -> None:
        for slot in self.leaving:
            del self.setups[slot], self.in_use[slot]
        self.leaving.clear()

    def collect(self) -> int:
        return len(self.leaving)

    def has_player(self, slot: int) -> bool:
        return slot in self.setups

    def set_decoder(self, slot: int, handle: object) -> None:
        if self.is_full:
            raise Unavailable("the queue is full")
        self.set[slot] = handle

    def takes_decoder_up(self, slot: int) -> None:
        self.in_use[slot] = self.set.pop(slot)
        self.needy.discard(slot)

    def decoder_in_use(self, slot: int) -> object:
        return self.in_use[slot]

    def player_stats(self, slot: int) -> FakeStats:
        return FakeStats(slot in self.needy)

    def set_target(self, slot: int, frames: float, cover: float, *, by_bars: bool) -> None:
        self.targets.append((slot, frames, cover, by_bars))

    def keep(self, slot: int, frames: int) -> None:
        self.kept.append((slot, frames))

    def set_player_mix(self, slot: int, *, gain: float, pan: float, mute: bool, solo: bool) -> None:
        self.mixes.append((slot, gain))

    def set_player_link(self, slot: int, link: PlayerLink) -> None:
        self.links.append((slot, link))

    def set_player_tape(self, slot: int, link: PlayerLink) -> None:
        self.tapes.append((slot, link))


@dataclass
class FakeDevice:
    core: FakeCore = field(default_factory=FakeCore)
    ports: dict[int, str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)

    def add_ports(self, slot: int, name: str) -> None:
        assert slot not in self.ports
        self.ports[slot] = name
        self.made.append(name)

    def remove_ports(self, slot: int) -> None:
        del self.ports[slot]


@dataclass
class FakeSocket:
    heard: dict[int, tuple[int, int]] = field(default_factory=dict)
    handle: Any = ffi.NULL

    def hear(self, slot: int, sender: int, key_id: int) -> None:
        self.heard[slot] = (sender, key_id)

    def unhear(self, slot: int) -> None:
        del self.heard[slot]


class FakeRoc:
    """libroc, as far as `Voices` asks it itself."""

    @property
    def library(self) -> "FakeRoc":
        return self

    def calls(self) -> object:
        return object()


class Desk:
    """Voices with fakes around them."""

    def __init__(self) -> None:
        self.device, self.socket = FakeDevice(), FakeSocket()
        self.core = self.device.core
        self.decoders: list[FakeDecoder] = []
        self.lacks = 0
        """So many more decoders cannot be opened."""
        self.voices = Voices(
            cast(AudioDevice, self.device),
            cast(MediaSocket, self.socket),
            cast(Context, FakeRoc()),
            self._open,
        )

    def _open(self, roc: Context, settings: DecoderSettings) -> Decoder:
        if self.lacks:
            self.lacks -= 1
            raise Unavailable("no decoder")
        self.decoders.append(FakeDecoder())
        return cast(Decoder, self.decoders[-1])

    def open_ones(self) -> list[int]:
        return [number for number, decoder in enumerate(self.decoders) if decoder.is_open]


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.voices.set_key(KEY_ID)
    return made


def test_each_gets_a_slot_with_ports_and_is_heard(desk: Desk) -> None:
    desk.voices.want([ADA, BO])
    assert desk.device.ports == {0: "ada", 1: "bo"}
    assert desk.socket.heard == {0: (7, KEY_ID), 1: (8, KEY_ID)}
    setup = desk.core.setups[1]
    assert (setup.packet_frames, setup.source_packets, setup.channels) == (256, 18, 1)
    assert setup.target_frames == 1920


def test_nobody_is_heard_before_there_is_a_key() -> None:
    desk = Desk()
    desk.voices.want([ADA])
    assert desk.core.setups == {}
    desk.voices.set_key(KEY_ID)
    desk.voices.tend()
    assert desk.socket.heard == {0: (7, KEY_ID)}


def test_another_key_is_for_all(desk: Desk) -> None:
    desk.voices.want([ADA, BO])
    desk.voices.set_key(KEY_ID + 1)
    assert desk.socket.heard == {0: (7, KEY_ID + 1), 1: (8, KEY_ID + 1)}


def test_another_encoding_goes_on_with_the_spare_decoder(desk: Desk) -> None:
    desk.voices.want([ADA])
    desk.voices.want([msgspec.structs.replace(ADA, encoding=Encoding(64, 8, 8))])
    desk.core.takes_decoder_up(0)
    desk.voices.tend()
    assert desk.open_ones() == [1, 2]
    assert not desk.core.leaving


def test_fewer_channels_go_on_in_their_slot_and_so_do_as_many_as_before(desk: Desk) -> None:
    desk.voices.want([ADA])
    for channels in (1, 2):
        desk.voices.want([msgspec.structs.replace(ADA, channels=channels)])
        desk.core.takes_decoder_up(0)
        desk.voices.tend()
        assert not desk.core.leaving
        assert desk.core.setups[0].channels == 2
        assert desk.voices.taped() == [(0, "ada", 2)]


def test_more_channels_leave_and_enter_again_and_the_ports_stay(desk: Desk) -> None:
    desk.voices.want([ADA])
    desk.voices.want([msgspec.structs.replace(ADA, channels=4)])
    desk.voices.tend()
    assert desk.open_ones() == [0, 1]  # The mixer still has them.
    desk.core.lets_go()
    desk.voices.tend()
    assert desk.core.setups[0].channels == 4
    assert desk.open_ones() == [2, 3]
    assert desk.device.made == ["ada"]


def test_who_goes_frees_slot_and_decoder_once_the_mixer_let_go(desk: Desk) -> None:
    desk.voices.want([ADA, BO])
    desk.voices.want([BO])
    assert desk.device.ports == {1: "bo"}
    assert 0 in desk.socket.heard
    desk.core.lets_go()
    desk.voices.tend()
    assert desk.socket.heard == {1: (8, KEY_ID)}
    assert desk.open_ones() == [2, 3]
    desk.voices.want([BO, ADA])
    assert desk.device.ports == {0: "ada", 1: "bo"}


def test_who_comes_back_at_once_gets_a_slot_that_is_free(desk: Desk) -> None:
    desk.voices.want([ADA])
    desk.voices.want([])
    desk.voices.want([ADA])
    assert desk.device.ports == {1: "ada"}


def test_buffer_gain_and_sender_change_without_leaving(desk: Desk) -> None:
    desk.voices.want([ADA])
    desk.voices.want([msgspec.structs.replace(ADA, target_us=20_000, gain=0.5, sender=9)])
    assert desk.core.targets == [(0, 960.0, 0.0, False)]
    assert desk.core.mixes == [(0, 1.0), (0, 0.5)]
    assert desk.socket.heard == {0: (9, KEY_ID)}
    assert not desk.core.leaving


def test_a_stream_that_began_anew_took_the_spare_decoder_and_gets_another_spare(
    desk: Desk,
) -> None:
    desk.voices.want([ADA])
    for newest in range(1, 4):
        assert desk.open_ones() == [newest - 1, newest]
        desk.core.takes_decoder_up(0)
        desk.voices.tend()
        desk.voices.tend()


def test_while_the_mixer_stands_no_more_decoders_are_made(desk: Desk) -> None:
    desk.voices.want([ADA])
    for _ in range(10):
        desk.voices.tend()
    assert len(desk.decoders) == 2


def test_what_was_heard_is_kept_for_bars_and_more_when_they_become_longer(desk: Desk) -> None:
    kept = msgspec.structs.replace(ADA, keep_us=4_500_000)
    desk.voices.want([kept])
    assert desk.core.kept == [(0, 1 << 18)]
    desk.voices.want([msgspec.structs.replace(kept, by_bars=True)])
    assert desk.core.targets == [(0, 576.0, 0.0, True)]
    for keep_us in (5_000_000, 9_000_000, 4_000_000, 10**9):
        desk.voices.want([msgspec.structs.replace(kept, keep_us=keep_us)])
    assert desk.core.kept == [(0, 1 << 18), (0, 1 << 19), (0, MOST_KEPT)]


def test_there_are_only_so_many_slots(desk: Desk) -> None:
    crowd = [Voice(f"p{n}", n + 1, 2, ADA.encoding, 0) for n in range(MAX_PLAYERS + 3)]
    desk.voices.want(crowd)
    assert len(desk.device.ports) == MAX_PLAYERS


def test_at_the_end_all_decoders_are_closed(desk: Desk) -> None:
    desk.voices.want([ADA, BO])
    desk.core.needy.add(0)
    desk.voices.tend()
    desk.voices.close()
    assert desk.open_ones() == []


def test_a_link_changes_what_comes_of_a_voice(desk: Desk) -> None:
    desk.voices.want([ADA, BO])
    assert desk.core.links == []
    softer = msgspec.structs.replace(ADA, link=VoiceLink(0.5, (2,), high_pass_hz=80.0))
    desk.voices.want([softer, BO])
    desk.voices.want([softer, BO])
    assert desk.core.links == [(0, PlayerLink(0.5, (2,), 80.0))]


def test_who_cannot_be_heard_keeps_nobody_else_and_is_tried_again_when_asked(desk: Desk) -> None:
    desk.lacks = 1
    desk.voices.want([ADA, BO])
    desk.voices.tend()
    assert desk.voices.failures() == [VoiceFailure("ada", 0, "no decoder")]
    assert [name for _, name, _ in desk.voices.taped()] == ["bo"]
    assert desk.socket.heard == {1: (8, KEY_ID)}
    desk.voices.want([msgspec.structs.replace(ADA, attempt=1), BO])
    assert desk.voices.failures() == []
    assert [name for _, name, _ in desk.voices.taped()] == ["bo", "ada"]
    assert len(desk.open_ones()) == 4


def test_what_the_mixer_took_already_is_freed_when_it_lets_go(desk: Desk) -> None:
    desk.core.is_full = True
    desk.voices.want([ADA])
    assert desk.voices.failures() == [VoiceFailure("ada", 0, "the queue is full")]
    assert len(desk.open_ones()) == 2
    desk.core.lets_go()
    desk.voices.tend()
    assert desk.open_ones() == []
    assert desk.socket.heard == {}
    desk.core.is_full = False
    desk.voices.want([msgspec.structs.replace(ADA, attempt=1)])
    assert desk.voices.failures() == []
    assert len(desk.open_ones()) == 2


def test_who_is_recorded_otherwise_than_heard_has_two_links(desk: Desk) -> None:
    only_taped = msgspec.structs.replace(ADA, link=VoiceLink(0.0), tape=VoiceLink(0.5))
    desk.voices.want([only_taped, msgspec.structs.replace(BO, tape=None)])
    assert (desk.core.links, desk.core.tapes) == ([(0, PlayerLink(0.0))], [(0, PlayerLink(0.5))])
    assert desk.voices.taped() == [(0, "ada", 2)]
    desk.voices.want([msgspec.structs.replace(only_taped, tape=None), BO])
    assert desk.voices.taped() == [(1, "bo", 1)]
    desk.voices.want([ADA, BO])
    assert (desk.core.links[-1], desk.core.tapes[-1]) == ((0, PlayerLink()), (0, PlayerLink()))


def test_who_is_not_linked_is_not_heard_and_keeps_slot_and_ports(desk: Desk) -> None:
    desk.voices.want([ADA, BO])
    unlinked = msgspec.structs.replace(ADA, linked=False)
    desk.voices.want([unlinked, BO])
    assert desk.core.leaving == {0}
    assert not desk.voices.wait
    desk.voices.want([ADA, BO])  # again before the mixer let go: that is looked for often
    assert desk.voices.wait
    desk.voices.want([unlinked, BO])
    desk.core.lets_go()
    desk.voices.tend()
    assert desk.socket.heard == {1: (8, KEY_ID)}
    assert desk.device.ports == {0: "ada", 1: "bo"}
    assert [name for _, name, _ in desk.voices.taped()] == ["bo"]
    desk.voices.want([msgspec.structs.replace(ADA, link=VoiceLink(0.5)), BO])
    assert desk.socket.heard[0] == (7, KEY_ID)
    assert desk.core.links == [(0, PlayerLink(0.5))]
    assert desk.device.made == ["ada", "bo"]
