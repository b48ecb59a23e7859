import time
from collections.abc import Callable, Iterator

import jack
import pytest

from midipool_demo.jack_server import JackServer
from midipool_native import checks
from midipool_native.audio import AudioCore, PlayerSetup
from midipool_native.checks import NativeError
from midipool_native.jack_audio import JackAudio
from tests.native.fake_roc import FakeRoc

PACKET = 240
PERIOD = 1024
RATE = 48_000
DEADLINE_S = 20.0


def wait_for(condition: Callable[[], object]) -> None:
    give_up = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.001)


def test_a_core_that_cannot_be_says_why() -> None:
    with pytest.raises(NativeError, match=r"8000 Hz.*out of range") as error:
        AudioCore.without_device(8_000, 128, 2, 2)
    assert error.value.status == checks.OUT_OF_RANGE


def test_what_cannot_be_set_is_refused() -> None:
    core = AudioCore.without_device(RATE, PERIOD, 2, 2)
    codec = FakeRoc(2, PACKET)
    core.add_player(3, PlayerSetup(codec.calls, codec.handle, PACKET, 2))
    with pytest.raises(NativeError, match="gain 9"):
        core.set_player_mix(3, gain=9.0)
    with pytest.raises(NativeError, match="slot 4"):
        core.player_stats(4)
    with pytest.raises(NativeError, match="slot 3"):
        core.add_player(3, PlayerSetup(codec.calls, codec.handle, PACKET, 2))
    with pytest.raises(NativeError, match="wait of"):
        core.set_target(3, -1.0)
    assert core.player_stats(3).latency_us is None
    assert [level.peak for level in core.player_levels(3)] == [0.0, 0.0]
    assert core.decoder_in_use(3) == codec.handle


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[JackServer]:
    with JackServer(RATE, PERIOD) as server:
        server.wait_ready()
        monkeypatch.setenv("JACK_DEFAULT_SERVER", server.name)
        yield server


@pytest.mark.jack
@pytest.mark.idle
def test_ports_of_players_come_and_go_and_a_dead_server_is_seen(server: JackServer) -> None:
    bob = JackAudio("bob", 0, 1)
    try:
        assert (bob.text, bob.trouble()) == (f"JACK: client bob, {RATE} Hz, {PERIOD} frames", "")
        names = jack.Client("look", no_start_server=True)
        bob.add_ports(5, "Ann B")
        assert [p.name for p in names.get_ports("bob:")] == [
            "bob:audio_receive_1",
            "bob:from_Ann B_1",
        ]
        with pytest.raises(NativeError, match="from_Cas"):
            bob.add_ports(5, "Cas")
        with pytest.raises(NativeError, match="JACK refused"):
            bob.add_ports(6, "Ann B")
        bob.remove_ports(5)
        assert [p.name for p in names.get_ports("bob:")] == ["bob:audio_receive_1"]
        names.close()
        with pytest.raises(NativeError) as error:
            JackAudio("bob", 2, 2)
        assert error.value.status == checks.NAME_TAKEN
        server.stop()
        wait_for(lambda: not bob.info().alive)
        assert "waiting for JACK" in bob.trouble()
    finally:
        bob.close()
