"""Which devices are meant by what the player says."""

import pytest

from midipool.errors import InvalidValue, MidiPoolError, Unavailable
from midipool_client.audio.device_choice import PortAudioChoice
from midipool_client.audio.sound_devices import choose, rates_to_try
from midipool_native.portaudio import SoundDevice

ALSA, JACK = "ALSA", "JACK Audio Connection Kit"
MME, WASAPI = "MME", "Windows WASAPI"


def device(
    index: int,
    name: str,
    host_api: str,
    inputs: int,
    outputs: int,
    default: str = "",
    rate: int = 48_000,
) -> SoundDevice:
    is_in, is_out = "in" in default.split(), "out" in default.split()
    preferred = host_api in (ALSA, MME)
    return SoundDevice(index, name, host_api, inputs, outputs, rate, is_in, is_out, preferred)


LINUX = [
    device(0, "HDA Intel PCH: ALC295 (hw:0,0)", ALSA, 2, 2),
    device(1, "Scarlett 2i2 USB: Audio (hw:1,0)", ALSA, 2, 2, rate=44_100),
    device(2, "HDMI 0 (hw:0,3)", ALSA, 0, 8),
    device(3, "Webcam: USB Audio (hw:2,0)", ALSA, 1, 0),
    device(4, "default", ALSA, 32, 32, "in out"),
    device(5, "system", JACK, 2, 2, "in out"),
]
WINDOWS = [
    device(0, "Microphone (USB)", MME, 2, 0, "in"),
    device(1, "Speakers (USB)", MME, 0, 2, "out"),
    device(2, "Microphone (USB)", WASAPI, 1, 0, "in"),
    device(3, "Speakers (USB)", WASAPI, 0, 2, "out"),
    device(4, "CABLE Output", WASAPI, 2, 0),
    device(5, "CABLE Output", MME, 2, 0),
]


def indexes(
    devices: list[SoundDevice], input: str = "default", output: str = "default", channels: int = 2
) -> tuple[int | None, int | None]:
    chosen = choose(devices, PortAudioChoice(input, output), channels)
    return (
        None if chosen.input is None else chosen.input.index,
        None if chosen.output is None else chosen.output.index,
    )


@pytest.mark.parametrize(
    ("input", "output", "found"),
    [
        ("default", "default", (4, 4)),
        ("none", "default", (None, 4)),
        ("default", "none", (4, None)),
        ("1", "1", (1, 1)),
        ("scarlett", "HDMI", (1, 2)),
        ("Default, alsa", "2", (4, 2)),
        ("webcam", "default", (3, 4)),
        ("default", "system", (5, 5)),
        ("system", "default", (5, 5)),
    ],
)
def test_a_device_is_named_by_index_name_or_a_part_of_it(
    input: str, output: str, found: tuple[int | None, int | None]
) -> None:
    assert indexes(LINUX, input, output) == found


def test_of_several_host_apis_the_quickest_is_taken_for_both() -> None:
    assert indexes(WINDOWS) == (2, 3)
    assert indexes(WINDOWS, "cable") == (4, 3)
    assert indexes(WINDOWS, "0") == (0, 1)
    assert indexes(WINDOWS, "Microphone (USB), MME") == (0, 1)


def test_where_there_is_no_input_there_is_output_alone() -> None:
    headphones = [device(0, "Headphones", ALSA, 0, 2, "out")]
    chosen = choose(headphones, PortAudioChoice(), 2)
    assert chosen.input is None
    assert chosen.text == "to Headphones, ALSA, without an input"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("hda", "hw:", 2), "output-device: 'hw:' may be any of these, say which by its number: 0"),
        (("usb", "none", 2), "input-device: 'usb' may be any of these"),
        (("Focusrite", "none", 2), "input-device: there is no 'Focusrite' now: `midipool-client d"),
        (("17", "none", 2), "input-device: there is no '17' now"),
        (("HDMI", "none", 2), "input-device: HDMI 0 (hw:0,3), ALSA has no inputs"),
        (("none", "webcam", 2), "output-device: Webcam: USB Audio (hw:2,0), ALSA has no outputs"),
        (("1", "5", 2), "output-device: must be of the same host API as the input, Scarlett"),
        (("1", "none", 4), "input-device: Scarlett 2i2 USB: Audio (hw:1,0), ALSA has 2 inputs, and "
         "4 are wanted: choose another one, or --channels 2"),
        (("none", "1", 4), "output-device: Scarlett 2i2 USB: Audio (hw:1,0), ALSA has 2 outputs"),
    ],
)  # fmt: skip
def test_what_cannot_be_says_which_option_and_what_to_do(
    words: tuple[str, str, int], told: str
) -> None:
    with pytest.raises(InvalidValue) as caught:
        indexes(LINUX, *words)
    assert str(caught.value).startswith(told)


def test_a_machine_without_devices_says_so() -> None:
    with pytest.raises(Unavailable, match="no sound device: plug one in"):
        choose([], PortAudioChoice(), 2)


def test_one_microphone_is_enough_and_one_loudspeaker_is_not() -> None:
    assert indexes(LINUX, "webcam", channels=4) == (3, 4)
    mono = [device(0, "Headset", ALSA, 1, 1, "in out")]
    assert indexes(mono, channels=1) == (0, 0)
    with pytest.raises(MidiPoolError, match=r"has 1 output, and 2 are wanted: .*--channels 1"):
        indexes(mono)


def test_after_a_restart_it_is_found_by_its_name_wherever_it_is_listed() -> None:
    wanted = PortAudioChoice("1", "2", 48_000, 64)
    again = choose(LINUX, wanted, 2).again(wanted)
    assert again == PortAudioChoice(
        "Scarlett 2i2 USB: Audio (hw:1,0), ALSA", "HDMI 0 (hw:0,3), ALSA", 48_000, 64
    )
    assert choose(LINUX[::-1], again, 2) == choose(LINUX, wanted, 2)
    default = PortAudioChoice("none")
    assert choose(LINUX, default, 2).again(default) == default


def test_the_devices_own_rate_is_tried_first_and_a_wanted_one_alone() -> None:
    chosen = choose(LINUX, PortAudioChoice("default", "1"), 2)
    assert rates_to_try(chosen, 0) == [44_100, 48_000, 88_200, 96_000]
    assert rates_to_try(chosen, 96_000) == [96_000]
    odd = choose([device(0, "Headset", ALSA, 1, 2, "in out", rate=16_000)], PortAudioChoice(), 2)
    assert rates_to_try(odd, 0) == [48_000, 44_100, 88_200, 96_000]
