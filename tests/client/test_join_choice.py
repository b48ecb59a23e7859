import argparse
import json
from pathlib import Path

import pytest

from midipool_client.audio.device_choice import AutoChoice, JackChoice, PortAudioChoice
from midipool_client.audio.device_options import device_choice
from midipool_client.commands import join
from midipool_client.join_choice import JoinChoice, choice_in
from midipool_client.page.way_in import device_of
from midipool_client.settings import Settings

CHOICES = [
    JoinChoice(),
    JoinChoice(audio="jack", channels=4, click=True),
    JoinChoice(audio="none", midi="rtmidi", midi_port="TR-8S, port 1"),
    JoinChoice(audio="portaudio", input_device="Mic, ALSA", output_device="none", channels=1),
    JoinChoice(audio="auto", input_device="left over from before"),
]


def options_of(choice: JoinChoice) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    join.add_options(parser)
    return parser.parse_args(["ws://h/jam", "--name=me", *choice.words()])


@pytest.mark.parametrize("choice", CHOICES)
def test_the_page_joins_with_the_devices_that_it_checks(choice: JoinChoice) -> None:
    assert device_choice(options_of(choice)) == device_of(choice)


def test_it_says_what_the_shell_would() -> None:
    assert JoinChoice().words() == []
    options = options_of(CHOICES[3])
    assert (options.channels, options.midi, options.click) == ("1", "auto", False)
    assert device_of(CHOICES[3]) == PortAudioChoice(input="Mic, ALSA", output="none")
    assert device_of(CHOICES[1]) == JackChoice()
    assert device_of(CHOICES[4]) == AutoChoice()
    assert options_of(CHOICES[1]).click


def test_it_is_kept_and_what_is_usual_leaves_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    settings = Settings.load(path)
    settings.join_choice = CHOICES[1]
    settings.save()
    assert json.loads(path.read_text()) == {"join": {"audio": "jack", "channels": 4, "click": True}}
    again = Settings.load(path)
    assert again.join_choice == CHOICES[1]
    again.join_choice = JoinChoice()
    again.save()
    assert json.loads(path.read_text()) == {}


@pytest.mark.parametrize("said", [3, {"channels": 3}, {"audio": "loud"}, {"colour": "red"}])
def test_a_file_that_says_nonsense_of_it_is_as_if_it_said_nothing(said: object) -> None:
    assert choice_in({"join": said}) == JoinChoice()
