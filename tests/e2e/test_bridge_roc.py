"""Programs that speak plain ROC play in a room: libroc's own network is on the other side."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from midipool_demo.background import Background
from midipool_demo.stage import Stage
from tests.e2e.conftest import needs_audio
from tests.e2e.listening import clocks
from tests.e2e.lossy_way import HOST, LossyWay
from tests.e2e.plain_roc import PlainRocPeer, noise_at_44100
from tests.e2e.sound_daw import SoundDaw, correlations, noise
from tests.e2e.test_hearing import FROM, PERIOD
from tests.midipool.rtcp_packets import sender_report

pytestmark = [pytest.mark.jack, pytest.mark.timeout(120)]
BASS_SEED, STUDIO_SEED = 10, 20
LISTEN, WAY_IN, WAY_OUT, RECEIVER = 24_001, 24_011, 24_021, 24_031
LOSS = 0.05


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    needs_audio()
    with Stage(("bass",), home=tmp_path, period=PERIOD, audio=("--profile", "safe")) as made:
        yield made


def bridged(stage: Stage, *words: str) -> Background:
    command = ("bridge-roc", stage.url, "--name", "studio", *words)
    return Background.python("midipool_client", *command)


def play_a_while(stage: Stage, seconds: int) -> None:
    """Until the room's song is so many beats further, at 120 BPM."""
    meter = stage.players[0].meter
    before = clocks(meter.snapshot().events[0])
    meter.wait_until(lambda heard: clocks(heard.events[0]) >= before + seconds * 48)


def be_hostile() -> None:
    """What ends a plain libroc receiver, and rubbish, to all ports of the bridge."""
    dice = np.random.default_rng(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for number in range(900):
            data = sender_report() if number % 3 == 2 else dice.bytes(1 + number)
            sock.sendto(data, (HOST, LISTEN + number % 3))


def test_roc_programs_play_in_a_room_also_with_loss(stage: Stage, tmp_path: Path) -> None:
    ports = [FROM.format("studio", n) for n in (1, 2)]
    bass = stage.players[0]
    stage.conduct("start")
    with ExitStack() as stack:
        way_in = stack.enter_context(LossyWay(WAY_IN, LISTEN))
        way_out = stack.enter_context(LossyWay(WAY_OUT, RECEIVER))
        words = ("--listen", str(LISTEN), "--send-to", f"{HOST}:{WAY_OUT}", "--profile", "safe")
        bridge = stack.enter_context(bridged(stage, *words))
        assert f"roc-recv -s rtp+rs8m://0.0.0.0:{WAY_OUT}" in bridge.wait_for_output("to hear, at")
        bridge.wait_for_output("audio: plain ROC with repair, 44100 Hz")
        peer = stack.enter_context(PlainRocPeer(STUDIO_SEED, WAY_IN, RECEIVER, tmp_path / "p.npy"))
        peer.wait_reported()
        bridge.wait_for_output(f"audio: hears {HOST}; {HOST} listens")
        bass.meter.wait_until(lambda heard: clocks(heard.events[0]) >= 48)
        daw = stack.enter_context(SoundDaw(bass.env, BASS_SEED, tmp_path / "bass.npy", *ports))
        be_hostile()
        play_a_while(stage, 5)
        way_in.loss = way_out.loss = LOSS
        play_a_while(stage, 5)
        heard_by_bass, heard_by_peer = daw.end(), peer.end()
        assert way_in.lost > 40
        assert way_out.lost > 40
        assert bridge.output().count("audio engine ended") == 0
    for channel in (0, 1):
        for recorded, seed, own_noise, rate in (
            (heard_by_bass, STUDIO_SEED, noise, 48_000),
            (heard_by_peer, BASS_SEED, noise_at_44100, 44_100),
        ):
            last = recorded[-9 * rate // 2 :, channel]
            alike = correlations(last, own_noise(seed + channel))
            other = correlations(last, own_noise(seed + 1 - channel))
            assert np.median(alike) > 0.85
            assert np.median(other) < 0.5
            # Both seconds of it: without loss, and with what was lost repaired.
            assert np.mean(alike < 0.8) < 0.05
