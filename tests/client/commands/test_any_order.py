"""Options of a command stand before, between or behind its values."""

import argparse
import itertools

import pytest

from midipool_client import cli

URL = "ws://host/jam"
COMMANDS = [
    ("room URL modules add", ["delay", "beats=0.5", "tape=new"], ["--name", "x"]),
    ("room URL mode", ["leader", "keys"], ["--as", "drums"]),
    ("room URL hears", ["bass", "drums", "keys"], ["--audio"]),
    ("room URL loop", ["5", "9"], ["--at", "bar"]),
    ("effects add", ["master", "delay", "beats=-0.5"], ["--at", "1"]),
    ("record mute", ["3", "bass"], ["--device", "x"]),
]


def parsed(words: list[str]) -> dict[str, object]:
    said = vars(cli._parser().parse_args(words))
    return {name: value for name, value in said.items() if not callable(value)}


@pytest.mark.parametrize(("command", "values", "option"), COMMANDS, ids=[c[0] for c in COMMANDS])
def test_the_order_says_nothing(command: str, values: list[str], option: list[str]) -> None:
    first = command.replace("URL", URL).split()
    usual = parsed([*first, *option, *values])
    for place in range(1, len(values) + 1):
        assert parsed([*first, *values[:place], *option, *values[place:]]) == usual


def test_the_order_of_values_does() -> None:
    orders = {
        tuple(cli._parser().parse_args(["room", URL, "hears", "bass", *names]).sources)
        for names in itertools.permutations(("drums", "keys"))
    }
    assert orders == {("drums", "keys"), ("keys", "drums")}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["modules", "add", "--name", "x"], "the following arguments are required: PROGRAM"),
        (["modules", "add", "delay", "--nam"], "--name: expected one argument"),
        (["modules", "add", "delay", "--tape", "new"], "unrecognized arguments: --tape"),
        (["mode", "leader", "--as", "drums", "keys", "bass"], "unrecognized arguments: bass"),
        (["modules"], None),
    ],
)
def test_what_is_wrong_is_said(
    words: list[str], said: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if said is None:
        assert isinstance(cli._parser().parse_args(["room", URL, *words]), argparse.Namespace)
        return
    with pytest.raises(SystemExit):
        cli._parser().parse_args(["room", URL, *words])
    assert said in capsys.readouterr().err
