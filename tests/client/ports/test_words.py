"""Ports in the player's words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.errors import InvalidValue
from midipool_client.ports.output import PortOptions
from midipool_client.ports.words import port_of

BASE = PortOptions()


def test_a_name_alone_is_a_port_as_all_are() -> None:
    assert port_of("Digitakt MIDI 1", BASE) == ("Digitakt MIDI 1", BASE)


def test_settings_follow_the_name() -> None:
    words = "TR-8S, offset=-5.5,clock=off,notes=off,lead=off,share=off,click=on"
    words += ",song-position=clocks"
    expected = PortOptions(
        offset_ms=-5.5,
        own_offset=True,
        clock=False,
        notes=False,
        lead=False,
        share=False,
        click=True,
        song_position="clocks",
    )
    assert port_of(words, BASE) == ("TR-8S", expected)


def test_a_name_may_have_commas_in_it() -> None:
    name, port = port_of("Synth, big=one, 24:0,offset=1", BASE)
    assert (name, port.offset_ms) == ("Synth, big=one, 24:0", 1.0)


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("", "port"),
        (",clock=off", "port"),
        ("TR,clock=maybe", "clock"),
        ("TR,offset=soon", "offset"),
        ("TR,offset=1001", "offset"),
        ("TR,offset=nan", "offset"),
        ("TR,song-position=bars", "song-position"),
    ],
)
def test_nonsense_is_named(words: str, field: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        port_of(words, BASE)
    assert refusal.value.field == field


@given(st.text())
def test_any_words_are_a_port_or_one_clear_error(words: str) -> None:
    try:
        name, _ = port_of(words, BASE)
    except InvalidValue:
        return
    assert name == name.strip() != ""
