"""Streams of PortAudio's, on a JACK server without a sound card."""

import time
from collections.abc import Iterator

import pytest

from midipool.errors import MidiPoolError
from midipool_client.audio.device import open_device
from midipool_client.audio.device_choice import AutoChoice, JackChoice, PortAudioChoice
from midipool_client.audio.engine_messages import AudioConfig
from midipool_demo.jack_server import JackServer
from midipool_native import portaudio
from midipool_native.portaudio import PortAudioDevice, PortAudioError, StreamSetup
from tests.e2e.conftest import needs_jackd

RATE, PERIOD = 48_000, 1024
DEADLINE_S = 20.0


@pytest.fixture(scope="module")
def server() -> Iterator[JackServer]:
    """One for all: PortAudio stays its client until it is ended, and must not outlive it."""
    needs_jackd()
    try:
        portaudio.version()
    except PortAudioError as error:
        pytest.skip(str(error))
    import sounddevice

    with JackServer(RATE, PERIOD) as server, pytest.MonkeyPatch.context() as patch:
        server.wait_ready()
        patch.setenv("JACK_DEFAULT_SERVER", server.name)
        yield server
        sounddevice._terminate()


def runs(device: PortAudioDevice) -> None:
    """It calls back, and closes."""
    give_up = time.monotonic() + DEADLINE_S
    while device.cycles() < 5:
        assert time.monotonic() < give_up
        time.sleep(0.005)
    assert not device.trouble()
    device.close()


@pytest.mark.jack
@pytest.mark.idle
def test_streams_of_either_direction_and_of_both_run(server: JackServer) -> None:
    [system] = [d for d in portaudio.list_devices() if d.name == "system"]
    assert (system.inputs, system.outputs, system.rate) == (2, 2, RATE)
    for input, output in ((system, None), (None, system)):
        runs(PortAudioDevice(StreamSetup(input, output, 2, RATE, 256), "one way"))
    both = PortAudioDevice(StreamSetup(system, system, 1, RATE, 64), "both")
    runs(both)


@pytest.mark.jack
@pytest.mark.idle
def test_what_was_chosen_is_opened_or_says_what_to_do(
    server: JackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def config(choice: AutoChoice | JackChoice | PortAudioChoice) -> AudioConfig:
        return AudioConfig("bob", 2, device=choice)

    opened = open_device(config(AutoChoice()))
    opened.device.close()
    assert (opened.why, opened.choice) == ("a JACK server is running", JackChoice())
    opened = open_device(config(PortAudioChoice("0", "none")))
    text = opened.device.text
    opened.device.close()
    assert text.endswith(
        "system, JACK Audio Connection Kit, without an output, 48000 Hz, 256 frames"
    )
    assert opened.choice == PortAudioChoice("system, JACK Audio Connection Kit", "none")
    with pytest.raises(MidiPoolError, match=r"cannot have 96000 Hz.* its own is 48000 Hz"):
        open_device(config(PortAudioChoice(rate=96_000)))
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "no-such-server")
    with pytest.raises(MidiPoolError, match="start JACK or PipeWire, or use --audio portaudio"):
        open_device(config(JackChoice()))
    with pytest.raises(MidiPoolError, match=r"^no JACK server is running; by PortAudio: "):
        open_device(config(AutoChoice(PortAudioChoice("no such device"))))
