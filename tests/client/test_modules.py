"""The room's modules as a member knows them, as a shell asks for them, and in words."""

import argparse

import pytest

from midipool import messages as m
from midipool.errors import InvalidValue
from midipool.messages import ModuleNews, ModuleOption, ModuleProgram, Modules, RoomModule
from midipool_client.commands import modules
from midipool_client.known_modules import KnownModules
from midipool_client.module_words import modules_in_words

DRUMS = RoomModule("drums", "drums", state="playing")
ECHO = RoomModule(
    "echo", "delay", {"beats": 0.5}, "restarting", "it ended with code 1: no tempo", 9_000_000, 3
)
DELAY = ModuleProgram(
    "delay",
    "an echo",
    [
        ModuleOption("beats", 0.75, 0.25, 4.0),
        ModuleOption("tape", "old", choices=["old", "new"]),
        ModuleOption("title", ""),
    ],
)


def command(*words: str) -> object:
    parser = argparse.ArgumentParser()
    modules.add_options(
        parser.add_subparsers(dest="action"), argparse.ArgumentParser(add_help=False)
    )
    return modules.command_of(parser.parse_args(["modules", *words]))


def test_news_change_what_is_known_and_keep_the_order() -> None:
    known = KnownModules()
    known.told(Modules([DELAY], [DRUMS]))
    known.told(ModuleNews([ECHO]))
    stopped = RoomModule("drums", "drums", state="stopped")
    known.told(ModuleNews([stopped]))
    assert known.known
    assert list(known.modules.values()) == [stopped, ECHO]
    known.told(ModuleNews(gone=["drums"]))
    assert list(known.modules) == ["echo"]


def test_a_shell_says_what_hosts_want() -> None:
    options: dict[str, float | str] = {"beats": 0.5, "tape": "new"}
    add = m.AddModule(id=1, program="delay", name="echo", options=options)
    assert command("add", "delay", "beats=0.5", "tape=new", "--name", "echo") == add
    assert command("start", "echo") == m.StartModule(id=1, name="echo")
    assert command("stop", "echo") == m.StopModule(id=1, name="echo")
    assert command("restart", "echo") == m.RestartModule(id=1, name="echo")
    assert command("remove", "echo") == m.RemoveModule(id=1, name="echo")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fast"], "say OPTION=VALUE, such as beats=0.5, not 'fast'"),
        (["=0.5"], "say OPTION=VALUE"),
        (["beats=0.5", "beats=1"], "say beats once"),
    ],
)
def test_values_that_are_none_are_said(words: list[str], said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        command("add", "delay", *words)


def test_what_is_no_number_that_can_be_sent_is_text() -> None:
    added = command("add", "delay", "title=nan", "tape=inf", "beats=1e3")
    assert isinstance(added, m.AddModule)
    assert added.options == {"title": "nan", "tape": "inf", "beats": 1000.0}


def test_the_list_in_words() -> None:
    assert modules_in_words([DRUMS, ECHO], [DELAY], 5_000_000) == [
        "drums: playing",
        "echo (delay beats=0.5): restarting in 4 s: it ended with code 1: no tempo"
        ", started again 3 times",
        "can be added:",
        "  delay [beats=0.25..4, else 0.75] [tape=old|new, else old] [title=TEXT, else nothing]"
        ": an echo",
    ]
    assert modules_in_words([], [], None) == ["no modules"]
