"""`midipool-client hear`: set, shown, kept, and refused."""

import json
from pathlib import Path

import pytest

from midipool.audio.listening import Listening
from midipool.audio.strips import OwnChannel, Strip
from midipool.errors import InvalidValue
from midipool_client.cli import main
from midipool_client.settings import Settings


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "midipool" / "settings.json"


def test_profile_and_mix_are_set_and_shown(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hear", "profile=bar", "bars=2", "master=-3", "monitor=-6"]) == 0
    assert main(["hear", "--player", "bass", "gain=-6", "pan=-0.5", "mute=on"]) == 0
    assert main(["hear"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "device midiPool: profile bar, 2 bars later; master -3 dB; own monitor -6 dB",
        "  bass: -6 dB, pan -0.5, muted",
    ]
    listening = Settings.load().listening("midiPool")
    assert (listening.profile, listening.bars, listening.mix.monitor_db) == ("bar", 2, -6.0)
    assert listening.mix.strip_of("bass") == Strip(gain_db=-6, pan=-0.5, mute=True)


def test_own_channels_are_set_shown_and_kept(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["hear", "--channel", "2", "gain=-6", "pan=0", "mute=on"]) == 0
    assert capsys.readouterr().out == "own channel 2: -6 dB, pan +0, muted for the room\n"
    own = Settings.load().listening("midiPool").mix.channel(2)
    assert own == OwnChannel(gain_db=-6, pan=0.0, mute=True)
    assert main(["hear", "--channel", "2", "gain=0", "pan=auto", "mute=off"]) == 0
    assert json.loads(file.read_text()) == {}


def test_each_device_has_its_own(file: Path) -> None:
    assert main(["hear", "profile=safe", "--device", "synth"]) == 0
    assert Settings.load().listening("synth").profile == "safe"
    assert Settings.load().listening("midiPool") == Listening()


def test_what_is_set_back_leaves_no_trace_and_what_is_unknown_stays(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"hear": {"device:midiPool": {"colour": "red"}}}')
    assert main(["hear", "--player", "bass", "gain=-6"]) == 0
    assert main(["hear", "monitor=0"]) == 0
    assert main(["hear", "--player", "bass", "gain=0"]) == 0
    assert main(["hear", "monitor=off"]) == 0
    assert json.loads(file.read_text()) == {"hear": {"device:midiPool": {"colour": "red"}}}


def test_two_shells_do_not_undo_each_other(file: Path) -> None:
    first, second = Settings.load(), Settings.load()
    first.set_listening(Listening(profile="safe"), "midiPool")
    second.set_listening(Listening(bars=3), "midiPool")
    first.save()
    second.save()
    assert Settings.load().listening("midiPool") == Listening(profile="safe", bars=3)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["profile=fast"], "profile: 'fast' is none of lan, jam, safe, bar"),
        (["bars=0"], "bars: must be 1 to 16"),
        (["volume=3"], "hear: does not know 'volume=3'"),
        (["master=loud"], "master: must be a number"),
        (["master=20"], "master: must be -90 to 18 dB"),
        (["--player", "bass", "profile=jam"], "hear: does not know 'profile=jam', but gain=-6"),
        (["--player", "bass", "pan=2"], "pan: must be -1 (left) to 1 (right)"),
        (["--channel", "5", "gain=0"], "channel: must be 1 to 4"),
        (["--channel", "1", "pan=left"], "pan: must be a number"),
        (["--player", "bass", "mute=yes"], "mute: must be on or off"),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(
    file: Path, capsys: pytest.CaptureFixture[str], words: list[str], text: str
) -> None:
    assert main(["hear", *words]) == 1
    assert text in capsys.readouterr().err
    assert not file.exists()


@pytest.mark.parametrize(
    ("hear", "rule"),
    [
        ('{"device:x": {"profile": "fast"}}', "hear.device:x is wrong: Invalid enum value"),
        ('{"device:x": {"bars": 99}}', "hear.device:x bars: must be 1 to 16"),
        ('{"device:x": {"mix": {"strips": {"a": {"pan": 9}}}}}', "hear.device:x pan: must be -1"),
        ('{"device:x": {"mix": {"channels": {"9": {}}}}}', "hear.device:x channel: must be 1 to 4"),
        ("7", "hear must be an object"),
    ],
)
def test_a_broken_file_is_named_with_its_line_and_rule(file: Path, hear: str, rule: str) -> None:
    file.parent.mkdir()
    file.write_text('{\n "hear": ' + hear + "}")
    with pytest.raises(InvalidValue) as refusal:
        Settings.load()
    assert rule in str(refusal.value)
    assert "line 2" in str(refusal.value)
