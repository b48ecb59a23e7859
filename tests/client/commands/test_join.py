"""From the words of `midipool-client join` to ports."""

import argparse
from pathlib import Path

import pytest

from midipool.errors import InvalidValue
from midipool_client.commands import join
from midipool_client.ports.output import PortOptions
from midipool_client.settings import Settings


def ports(tmp_path: Path, *words: str) -> list[PortOptions]:
    parser = argparse.ArgumentParser()
    join.add_options(parser)
    options = parser.parse_args(["ws://host/room", "--name", "drums", *words])
    settings = Settings.load(tmp_path / "settings.json")
    settings.set_offset_ms(3.0, "midiPool")
    settings.set_offset_ms(7.0, "TR-8S")
    settings.set_offset_ms(-9.0, "any", "Hydrogen")
    return list(join.ports_of(options, settings))


def test_without_words_there_is_one_virtual_device_with_its_kept_offset(tmp_path: Path) -> None:
    [port] = ports(tmp_path)
    assert (port.choice.device_name, port.choice.midi_port) == ("midiPool", None)
    assert (port.offset_ms, port.clock, port.click) == (3.0, True, False)


def test_named_ports_take_the_place_of_the_virtual_device(tmp_path: Path) -> None:
    first, second = ports(tmp_path, "--midi-port", "TR-8S", "--midi-port", "Digitakt,offset=1")
    assert [p.choice.midi_port for p in (first, second)] == ["TR-8S", "Digitakt"]
    assert [p.offset_ms for p in (first, second)] == [7.0, 1.0]


def test_further_devices_have_names_and_settings_of_their_own(tmp_path: Path) -> None:
    words = ["--click", "--virtual-port", "keys,clock=off,click=on", "--virtual-port", "pads"]
    mine, keys, pads = ports(tmp_path, *words)
    assert [p.choice.device_name for p in (mine, keys, pads)] == ["midiPool", "keys", "pads"]
    assert [p.clock for p in (mine, keys, pads)] == [True, False, True]
    assert [p.click for p in (mine, keys, pads)] == [True, True, False]


def test_a_daws_offset_wins_over_the_devices(tmp_path: Path) -> None:
    [port] = ports(tmp_path, "--daw", "Hydrogen")
    assert port.offset_ms == -9.0


def test_what_is_shared_is_in_every_port(tmp_path: Path) -> None:
    words = ["--share", "notes", "--share-channels", "1-4", "--hear-from", "bass"]
    words += ["--hear-map", "bass=1:5", "--hear-as", "bars:2", "--virtual-port", "keys"]
    for port in ports(tmp_path, *words):
        sharing = port.sharing
        assert sharing.share.kinds == {"notes"}
        assert sharing.share.channels == {1, 2, 3, 4}
        assert sharing.hear_from == frozenset({"bass"})
        assert sharing.hear_maps["bass"].moves == ((1, 5),)
        assert (sharing.hear_as.how, sharing.hear_as.bars) == ("bars", 2)


@pytest.mark.parametrize(
    "words",
    [
        ["--share", "songs"],
        ["--share-channels", "0"],
        ["--hear-channels", "17"],
        ["--hear-map", "x"],
        ["--hear-as", "later"],
        ["--midi-port", ",clock=off"],
    ],
)
def test_words_that_say_nothing_are_refused_by_name(tmp_path: Path, words: list[str]) -> None:
    with pytest.raises(InvalidValue) as refusal:
        ports(tmp_path, *words)
    assert refusal.value.field in (words[0].lstrip("-"), "port")


def test_an_offset_is_kept_for_the_first_port(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    join.add_options(parser)
    words = ["ws://host/room", "--name", "drums", "--offset-ms", "5"]
    named = parser.parse_args([*words, "--midi-port", "TR-8S,clock=off"])
    virtual = parser.parse_args([*words, "--device-name", "box"])
    assert join.first_device(named) == "TR-8S"
    assert join.first_device(virtual) == "box"
