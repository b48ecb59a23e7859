"""What an operator's file of modules may say, and what of a host's words gets into a command."""

from typing import Any

import pytest
from hypothesis import given

from midipool.errors import InvalidValue
from midipool.messages import OptionText
from midipool_server.modules.specs import ModuleSpec, parse_specs, program_of
from tests.midipool.from_types import values

DELAY = """
[delay]
command = ["delay", "{url}", "{beats}", "--tape={tape}", "{other}"]
rooms = ["jam-*"]
about = "an echo"
[delay.options]
beats = { default = 0.75, least = 0.25, most = 4 }
tape = { default = "old", choices = ["old", "new"], about = "its colour" }
"""
URL = "ws://h:1/jam-1"


def delay() -> ModuleSpec:
    return parse_specs(DELAY, "m.toml")["delay"]


def test_the_file_says_which_rooms_and_what_is_run() -> None:
    spec = delay()
    assert spec.plays_in("jam-1")
    assert not spec.plays_in("club")
    assert spec.command_for(URL, "jam-1", {}) == ["delay", URL, "0.75", "--tape=old", "{other}"]
    said = spec.command_for(URL, "jam-1", {"beats": 4.0, "tape": "new"})
    assert said == ["delay", URL, "4", "--tape=new", "{other}"]


def test_rooms_are_told_options_and_not_commands() -> None:
    program = program_of("delay", delay())
    assert (program.name, program.about) == ("delay", "an echo")
    assert [(o.name, o.default, o.least, o.most, o.choices) for o in program.options] == [
        ("beats", 0.75, 0.25, 4.0, []),
        ("tape", "old", None, None, ["old", "new"]),
    ]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"beats": 5.0}, "options.beats: must be at most 4, not 5"),
        ({"beats": 0.0}, "options.beats: must be at least 0.25, not 0"),
        ({"beats": "often"}, "options.beats: must be a number, not 'often'"),
        ({"tape": 1.0}, "options.tape: must be text, not 1.0"),
        ({"tape": "red"}, "options.tape: must be one of old, new, not red"),
        ({"speed": 1.0}, "options.speed: is no option of it; there are: beats, tape"),
    ],
)
def test_an_option_that_is_not_allowed_is_named(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        delay().checked(given)
    assert str(refused.value) == told


def test_what_is_as_by_default_is_not_kept() -> None:
    assert delay().checked({"beats": 0.75, "tape": "new"}) == {"tape": "new"}


@given(values(OptionText))
def test_a_text_stays_one_word_and_is_no_option_and_no_path(text: str) -> None:
    spec = parse_specs(
        '[p]\ncommand = ["p", "/srv/{text}", "{text}"]\n[p.options]\ntext = { default = "" }', "m"
    )["p"]
    program, path, word = spec.command_for(URL, "jam", spec.checked({"text": text}))
    assert (program, path, word) == ("p", f"/srv/{text}", text)
    assert not word.startswith(("-", "."))
    assert path.count("/") == 2


@pytest.mark.parametrize("text", ["-rf", "../x", "/etc/passwd", ".", "a/b", "a;b", "a\nb", "{url}"])
def test_a_text_that_could_be_more_is_refused(text: str) -> None:
    spec = parse_specs('[p]\ncommand = ["p", "{a}"]\n[p.options]\na = { default = "" }', "m")["p"]
    with pytest.raises(InvalidValue, match="letters, digits"):
        spec.checked({"a": text})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[a]\ncommand = []", "length >= 1"),
        ('[a]\ncommand = "a b"', "array"),
        ('[a]\ncommand = ["a"]\nrestart = "maybe"', "maybe"),
        ('[a]\ncommand = ["a"]\ncolour = 1', "colour"),
        ("[a\n", "line 1"),
        ('[" "]\ncommand = ["a"]', "name"),
        ('[a]\ncommand = ["a", "{b}"]\n[a.options]\nb = {default = 1, most = 0}', "at most 0"),
        ('[a]\ncommand = ["a", "{b}"]\n[a.options]\nb = {default = "x", most = 0}', "for numbers"),
        ('[a]\ncommand = ["a"]\n[a.options]\nb = {default = 1}', "b is in no argument"),
        ('[a]\ncommand = ["{b}"]\n[a.options]\nb = {default = "x"}', "b is in no argument"),
        ('[a]\ncommand = ["a", "{url}"]\n[a.options]\nurl = {default = "x"}', "server says itself"),
        (
            '[a]\ncommand = ["a", "{b}"]\n[a.options]\nb = {default = "x", choices = [1]}',
            "one of 1",
        ),
    ],
)
def test_a_wrong_file_is_refused_by_its_name(text: str, told: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        parse_specs(text, "mods.toml")
    assert told in str(refused.value)
    assert "mods.toml" in str(refused.value)
