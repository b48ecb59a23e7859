"""One line that says what is wrong and what to do, and an exit code."""

import re
import socket
import subprocess
import sys

import pytest

from midipool_demo.background import Background
from midipool_demo.jack_server import JackServer
from midipool_demo.stage import Stage, free_port
from midipool_demo.tick_meter import TickMeter
from tests.e2e.listening import clocks


def complaint(module: str, *words: str, env: dict[str, str] | None = None) -> str:
    with Background.python(module, *words, env=env) as program:
        assert program.process.wait(20) == 1
        lines = program.output().strip().splitlines()
    assert lines[-1].startswith(("midipool-client: ", "midipool-server: "))
    assert "Traceback" not in "".join(lines)
    return lines[-1]


def test_no_server_there() -> None:
    url = f"ws://127.0.0.1:{free_port()}/jam"
    assert "no server at 127.0.0.1" in complaint("midipool_client", "room", url, "start")
    assert "no midiPool server" in complaint("midipool_client", "room", url, "status")


@pytest.mark.parametrize("url", ["jam", "ftp://host/jam", "ws://host/", "ws://host:x/jam"])
def test_an_address_that_is_none(url: str) -> None:
    assert "ws://127.0.0.1:8765/jam" in complaint("midipool_client", "room", url, "start")


def test_an_unknown_host() -> None:
    text = complaint("midipool_client", "room", "ws://no-such-host.invalid/jam", "start")
    assert "no host named 'no-such-host.invalid'" in text


def test_something_else_listens_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        url = f"ws://127.0.0.1:{other.getsockname()[1]}/jam"
        assert "does not answer" in complaint("midipool_client", "room", url, "start")


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 10_000, " drums"])
def test_a_name_that_nobody_can_have(name: str) -> None:
    text = complaint("midipool_client", "join", "ws://127.0.0.1:1/jam", "--name", name)
    assert "name: must be 1 to 64 characters" in text


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["tempo", "1000"], "bpm: must be 20 to 999"),
        (["tempo", "nan"], "bpm: must be 20 to 999"),
        (["locate", "0"], "bars are numbered 1"),
        (["locate", "x"], "is not a position such as 17"),
        (["loop", "9", "5"], "must end after it starts"),
        (["loop", "9"], "loop START END"),
        (["meter", "7/9"], "denominator must be"),
        (["tempo", "120", "--ramp-bars", "-1"], "ramp"),
    ],
)
def test_values_that_break_a_rule(words: list[str], rule: str) -> None:
    assert rule in complaint("midipool_client", "room", "ws://127.0.0.1:1/jam", *words)


def test_a_busy_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert f"port {port}" in complaint("midipool_server", "--port", port)


def test_no_jack_server_and_no_other_ports() -> None:
    with Background.python("midipool_server", "--port", str(port := free_port())) as server:
        server.wait_for_output("ws://")
        url = f"ws://127.0.0.1:{port}/jam"
        words = ["join", url, "--name", "drums"]
        env = {"JACK_DEFAULT_SERVER": "no-such-server"}
        text = complaint("midipool_client", *words, "--midi", "jack", env=env)
        assert "no JACK server is running: start JACK" in text
        text = complaint("midipool_client", *words, "--midi-port", "nowhere", env=env)
        assert re.search("no MIDI port named|no ALSA sequencer", text)


@pytest.mark.jack
@pytest.mark.idle
def test_names_that_are_taken(stage: Stage) -> None:
    env = stage.players[0].jack.env
    text = complaint("midipool_client", "join", stage.url, "--name", "bass", env=env)
    assert "another" in text
    text = complaint(
        "midipool_client", "join", stage.url, "--name", "bass", "--device-name", "x", env=env
    )
    assert "somebody named 'bass' is already in room" in text
    text = complaint("midipool_client", "join", stage.url, "--name", "keys", env=env)
    assert "another JACK client has this name: choose another --device-name" in text


@pytest.mark.jack
@pytest.mark.idle
def test_a_room_that_nobody_is_in(stage: Stage) -> None:
    url = stage.url.replace("demo", "empty")
    assert "there is no room 'empty'" in complaint("midipool_client", "room", url, "start")
    assert "there is no such room" in complaint("midipool_client", "room", url, "status")


@pytest.mark.jack
@pytest.mark.idle
def test_rtmidi_ports_play_too(jack: JackServer) -> None:
    with Background.python("midipool_server", "--port", str(port := free_port())) as server:
        server.wait_for_output("ws://")
        url = f"ws://127.0.0.1:{port}/jam"
        words = ["join", url, "--name", "drums", "--midi", "rtmidi"]
        with (
            Background.python("midipool_client", *words, env=jack.env) as client,
            TickMeter(jack.env, "midiPool:midiPool receive") as meter,
        ):
            client.wait_for_output("rtmidi")
            meter.wait_until(lambda heard: heard.connected)
            command = [sys.executable, "-m", "midipool_client", "room", url, "start"]
            subprocess.run(command, check=True)
            heard = meter.wait_until(lambda heard: clocks(heard.events[0]) >= 48)
    assert [data for _, data in heard.events[0][:3]] == [b"\xf2\x00\x00", b"\xfa", b"\xf8"]
