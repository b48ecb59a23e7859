"""The page's requests as a shell types them, and the state as it reads."""

import json
from typing import Any, get_args

import msgspec
import pytest

from midipool.errors import InvalidValue
from midipool_client.page.messages import FromPage, decode
from midipool_client.page.state import State
from midipool_client.page.state_words import differences, flat, song_in_words
from midipool_client.page.words import request_of, request_words

WORDS = request_words()


def asked(word: str, **texts: str) -> dict[str, Any]:
    """The request, which the client takes."""
    request = request_of(WORDS[word], texts)
    decode(json.dumps({"id": 1, **request}))
    return request


def test_every_request_has_a_word() -> None:
    tags = {msgspec.inspect.type_info(struct).tag for struct in get_args(FromPage)}  # type: ignore[attr-defined]
    assert {word.tag for word in WORDS.values()} == tags
    assert WORDS["strip"].tag == "set_strip"


def test_a_word_that_is_taken_gives_way() -> None:
    words = request_words(("strip",))
    assert "strip" not in words
    assert words["set-strip"].tag == "set_strip"


@pytest.mark.parametrize(
    ("word", "texts", "request_"),
    [
        ("start", {"count_in_bars": "2"}, {"count_in_bars": 2}),
        ("tempo", {"bpm": "132.5", "at": "bar"}, {"bpm": 132.5, "at": "bar"}),
        ("locate", {"position": "17.3"}, {"position": {"bar": 17, "beat": 3}}),
        ("loop", {"loop": "5-9"}, {"loop": {"start_bar": 5, "end_bar": 9}}),
        ("loop", {"loop": "off"}, {"loop": None}),
        ("meter", {"meter": "7/8"}, {"meter": {"numerator": 7, "denominator": 8}}),
        ("mode", {"mode": "leader", "leader": "off"}, {"mode": "leader", "leader": None}),
        ("mode", {"mode": "leader", "leader": "anna"}, {"mode": "leader", "leader": "anna"}),
        ("ballot", {"vote": "3", "yes": "no"}, {"vote": 3, "yes": False}),
        (
            "strip",
            {"member": "off", "gain_db": "-6", "mute": "on"},
            {"member": "off", "gain_db": -6.0, "mute": True},
        ),
        ("mix", {"monitor_db": "off", "master_db": "-inf"}, {"monitor_db": None, "master_db": -90}),
        ("leave", {}, {}),
    ],
)
def test_words_make_the_request(word: str, texts: dict[str, str], request_: dict[str, Any]) -> None:
    assert asked(word, **texts) == {"type": WORDS[word].tag, **request_}


@pytest.mark.parametrize(
    ("word", "field", "text", "said"),
    [
        ("tempo", "bpm", "fast", "bpm: must be a number, not 'fast'"),
        ("tempo", "ramp_bars", "1.5", "ramp_bars: must be a whole number"),
        ("strip", "mute", "maybe", "mute: must be on or off"),
        ("loop", "loop", "5", "not a loop such as 5-9"),
        ("meter", "meter", "seven", "not a meter such as"),
        ("locate", "position", "0", "bars are numbered"),
    ],
)
def test_what_is_no_value_is_said(word: str, field: str, text: str, said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        request_of(WORDS[word], {field: text})


def test_fields_are_called_with_and_without_their_units() -> None:
    gain = WORDS["strip"].field("gain")
    assert gain is not None
    assert gain is WORDS["strip"].field("gain-db") or gain == WORDS["strip"].field("gain_db")
    assert gain.options == ["--gain-db", "--gain"]
    assert WORDS["strip"].field("loudness") is None


def test_the_state_is_a_line_for_each_value() -> None:
    lines = flat(msgspec.to_builtins(State()))
    assert lines["session.phase"] == "choosing"
    assert lines["mixer.listening.mix.monitor_db"] == "none"
    assert lines["mixer.strips"] == "none"
    boards = flat({"boards": [{"board": "own", "effects": [{"id": 3, "bypass": False}]}]})
    assert boards["boards[own].effects[3].bypass"] == "off"
    strips = flat({"strips": [{"member": "bass\x1b[2J", "strip": {"mute": True}}]})
    assert strips["strips[bass\\x1b[2J].strip.mute"] == "on"


def test_a_watch_says_what_is_other_and_what_is_gone() -> None:
    before, after = flat({"a": {"b": 1.0, "c": True}}), flat({"a": {"b": 2.5}})
    assert differences(before, after) == ["a.b: 2.5", "a.c: gone"]
    assert differences(after, after) == []


def test_the_song_is_told_once_the_clock_is_known() -> None:
    assert "not known" in song_in_words([], 0)
    line = {"origin_time_us": 0, "playing": True, "mbpm": 120_000, "revision": 1}
    assert song_in_words([line], 2_500_000) == "playing at 2.2, 120 BPM, 4/4"
