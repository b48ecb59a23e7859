"""What the command line says of sharing MIDI."""

from collections.abc import Callable

import pytest

from midipool.errors import InvalidValue
from midipool.midi_kinds import KINDS
from midipool_client.sharing.options import (
    GRIDS,
    ChannelMap,
    HearAs,
    MidiFilter,
    SharingSettings,
    parse_channels,
    parse_hear_as,
    parse_kinds,
    parse_map,
    parse_sender_map,
    parse_senders,
)

NOTE, SYSEX = b"\x90\x3c\x40", b"\xf0\x7d\xf7"


class TestFilter:
    def test_usually_all_but_sysex_passes(self) -> None:
        assert MidiFilter().passes(NOTE)
        assert not MidiFilter().passes(SYSEX)

    def test_sysex_has_no_channel(self) -> None:
        only_10 = MidiFilter(frozenset(KINDS), frozenset({10}))
        assert only_10.passes(SYSEX)
        assert not only_10.passes(NOTE)
        assert only_10.passes(b"\x99\x3c\x40")

    @pytest.mark.parametrize("data", [b"", b"\xf8", b"\x90\x3c", b"\x3c"])
    def test_what_is_no_message_never_passes(self, data: bytes) -> None:
        assert not MidiFilter(frozenset(KINDS)).passes(data)

    def test_a_map_moves_channels_and_nothing_else(self) -> None:
        swap = ChannelMap(((1, 5), (5, 1)))
        assert swap.moved(NOTE) == b"\x94\x3c\x40"
        assert swap.moved(b"\x84\x3c\x40") == b"\x80\x3c\x40"
        assert swap.moved(b"\x91\x3c\x40") == b"\x91\x3c\x40"
        assert swap.moved(SYSEX) == SYSEX

    def test_everybody_is_heard_unless_some_are_named(self) -> None:
        assert SharingSettings().hears("bass")
        assert SharingSettings(hear_from=frozenset({"bass"})).hears("bass")
        assert not SharingSettings(hear_from=frozenset({"bass"})).hears("keys")


class TestWords:
    def test_kinds(self) -> None:
        assert parse_kinds("notes,controllers") == {"notes", "controllers"}
        assert parse_kinds("pitch-bend, sysex") == {"pitch_bend", "sysex"}
        assert parse_kinds("all") == set(KINDS)
        assert parse_kinds("none") == set()

    def test_channels(self) -> None:
        assert parse_channels("1-4,10") == {1, 2, 3, 4, 10}
        assert parse_channels("16") == {16}

    def test_maps(self) -> None:
        assert parse_map("1:5,2:6") == ChannelMap(((1, 5), (2, 6)))
        assert parse_sender_map("1:5") == (None, ChannelMap(((1, 5),)))
        assert parse_sender_map("the = bass=1:5") == ("the = bass", ChannelMap(((1, 5),)))

    def test_senders(self) -> None:
        assert parse_senders("bass, keys") == frozenset({"bass", "keys"})
        assert parse_senders("all") is None
        assert parse_senders("none") == frozenset()

    def test_when_to_hear(self) -> None:
        assert parse_hear_as("now") == HearAs("now")
        assert parse_hear_as("bars:2") == HearAs("bars", bars=2)
        for grid, lines in GRIDS.items():
            assert parse_hear_as(f"grid:{grid}") == HearAs("grid", lines=lines)

    @pytest.mark.parametrize(
        ("parse", "text", "field"),
        [
            (parse_kinds, "notes,drums", "share"),
            (parse_kinds, "", "share"),
            (parse_kinds, "all,notes", "share"),
            (parse_channels, "0", "share-channels"),
            (parse_channels, "4-1", "share-channels"),
            (parse_channels, "1-17", "share-channels"),
            (parse_channels, "a", "share-channels"),
            (parse_channels, "", "share-channels"),
            (parse_channels, "١", "share-channels"),
            (parse_map, "1", "map"),
            (parse_map, "1:17", "map"),
            (parse_map, "1:2,1:3", "map"),
            (parse_sender_map, "=1:2", "hear-map"),
            (parse_sender_map, "bass=", "hear-map"),
            (parse_senders, "bass,,keys", "hear-from"),
            (parse_hear_as, "later", "hear-as"),
            (parse_hear_as, "grid", "hear-as"),
            (parse_hear_as, "grid:1/5", "hear-as"),
            (parse_hear_as, "bars:0", "hear-as"),
            (parse_hear_as, "bars:17", "hear-as"),
            (parse_hear_as, "now:1", "hear-as"),
        ],
    )
    def test_anything_else_is_refused_with_the_option_s_name(
        self, parse: Callable[[str], object], text: str, field: str
    ) -> None:
        with pytest.raises(InvalidValue) as caught:
            parse(text)
        assert caught.value.field == field
        assert len(str(caught.value)) < 200

    def test_the_option_can_have_another_name(self) -> None:
        with pytest.raises(InvalidValue, match="hear:"):
            parse_kinds("x", option="hear")
