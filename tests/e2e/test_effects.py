"""Effects are heard at the other end, a block later, in their order; only they die with them."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from midipool_demo.background import Background
from midipool_demo.stage import Player, Stage
from tests.bench.process_cost import child_running
from tests.e2e.conftest import needs_audio
from tests.e2e.listening import clocks
from tests.e2e.sound_daw import Floats, SoundDaw, correlations, noise
from tests.e2e.test_hearing import FROM, MIX, both_hear, hearing
from tests.e2e.waiting import wait_until

pytest.importorskip("pedalboard", reason="effects need pedalboard: pip install 'midipool[effects]'")
pytestmark = [pytest.mark.jack, pytest.mark.timeout(120)]
PERIOD, RATE = 512, 48_000
SEED = 10
LOW_HZ, HIGH_HZ = (100, 400), (2500, 3900)
EFFECTS = "midipool_client.effects"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    needs_audio()
    audio = ("--profile", "safe")
    with Stage(("drums", "bass"), home=tmp_path, period=PERIOD, audio=audio) as made:
        yield made


def effects(player: Player, *words: str) -> str:
    """`midipool-client effects WORDS`, in a shell of the player's."""
    return shell(player, "effects", *words)


def shell(player: Player, *words: str) -> str:
    with Background.python("midipool_client", *words, env=player.env) as command:
        assert command.process.wait(20) == 0, command.output()
        return command.output()


def low_over_high_db(sound: Floats) -> float:
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / RATE)
    bands = [power[(hz > low) & (hz < high)].mean() for low, high in (LOW_HZ, HIGH_HZ)]
    return float(10 * np.log10(bands[0] / max(bands[1], 1e-12)))


def lag_frames(heard: Floats, played: Floats) -> int:
    """How much later than it was played a sound comes back."""
    piece = heard[-RATE:]
    begin = (len(heard) - RATE) % RATE
    there = np.fft.irfft(np.fft.rfft(piece) * np.conj(np.fft.rfft(np.roll(played, -begin))), RATE)
    return int(np.argmax(there))


def own_sound(player: Player, folder: Path, name: str) -> Floats:
    """What the player hears of itself, for a second and a half."""
    with SoundDaw(player.env, SEED, folder / name, MIX.format(1)) as daw:
        return daw.end(1.5)[:, 0]


def engine_pid(player: Player) -> int | None:
    """Of the effects engine, while there is one."""
    try:
        return child_running(player.client.process.pid, EFFECTS)
    except (RuntimeError, FileNotFoundError):
        return None


def engine_state(player: Player) -> str:
    return effects(player, "show")


def test_effects_are_heard_in_order_a_block_later_and_die_alone(
    stage: Stage, tmp_path: Path
) -> None:
    drums, bass = stage.players
    wait_until(lambda: both_hear(stage))
    shell(drums, "hear", "monitor=0")
    dry = own_sound(drums, tmp_path, "dry")
    assert "frequency 300 Hz" in effects(
        drums, "add", "own", "filter", "type=low24", "frequency=300"
    )
    wait_until(lambda: f"{PERIOD} frames later" in engine_state(drums))
    assert "gain -6 dB" in effects(drums, "add", "1", "gain", "gain=-6")
    with (
        SoundDaw(drums.env, SEED, tmp_path / "sent"),
        SoundDaw(bass.env, 20, tmp_path / "heard", FROM.format("drums", 1)) as listening,
    ):
        wait_until(lambda: (hearing(stage, "bass", "drums").get("level_db") or -99) > -60)
        heard = listening.end(2.0)[-RATE:, 0]
    assert low_over_high_db(heard) - low_over_high_db(noise(SEED)) > 20

    # A gain alone tells exactly how late, and how loud.
    effects(drums, "bypass", "own", "1")
    gained = own_sound(drums, tmp_path, "gained")
    later = lag_frames(gained, noise(SEED)) - lag_frames(dry, noise(SEED))
    assert later == PERIOD
    assert gained[-RATE:].std() / dry[-RATE:].std() == pytest.approx(10 ** (-6 / 20), abs=0.02)

    # Distortion behind a quiet gain is loud; the other way round it is not.
    effects(drums, "set", "1", "1", "gain=-40")
    effects(drums, "add", "1", "distortion", "drive=50", "level=0")
    loud = own_sound(drums, tmp_path, "loud")[-RATE:].std()
    assert "1  distortion" in effects(drums, "move", "1", "2", "1")
    quiet = own_sound(drums, tmp_path, "quiet")[-RATE:].std()
    assert loud > 10 * quiet

    # It dies: the others hear on, the clock ticks on, and it is back with its boards.
    stage.conduct("start")
    drums.meter.wait_until(lambda heard: clocks(heard.events[0]) >= 24)
    old = engine_pid(drums)
    assert old is not None
    audio = child_running(drums.client.process.pid, "midipool_client.audio.engine")
    with (
        SoundDaw(drums.env, SEED, tmp_path / "still"),
        SoundDaw(bass.env, 20, tmp_path / "other", FROM.format("drums", 2)) as listening,
    ):
        wait_until(lambda: (hearing(stage, "bass", "drums").get("level_db") or -99) > -40)
        os.kill(old, signal.SIGKILL)
        wait_until(lambda: engine_pid(drums) not in (None, old))
        wait_until(lambda: "load" in engine_state(drums))
        other = listening.end(1.0)[:, 0]
    state = engine_state(drums)
    late = int(state.partition("effects late ")[2].split()[0])
    # Less than a second and a half without effects.
    assert 0 < late < 1.5 * RATE / PERIOD * 2, state
    assert child_running(drums.client.process.pid, "midipool_client.audio.engine") == audio
    # Channel 2 has no effect that is on: what the listener hears of it is as it was sent.
    alike = correlations(other[-2 * RATE :], noise(SEED + 1))
    assert (alike > 0.8).mean() > 0.9, alike
    before = clocks(drums.meter.snapshot().events[0])
    drums.meter.wait_until(lambda heard: clocks(heard.events[0]) >= before + 24)
    frames = [f for f, data in drums.meter.snapshot().events[0] if data == b"\xf8"]
    assert max(np.diff(frames)) < 1500, "at 120 BPM a tick comes every 1,000 frames"

    # Boards are kept, as presets too; and nothing is later once all are off.
    effects(drums, "preset", "save", "1", "mine")
    exported = json.loads(effects(drums, "export", "1"))
    assert [e["kind"] for e in exported["effects"]] == ["distortion", "gain"]
    effects(drums, "clear", "1")
    assert "distortion" in effects(drums, "preset", "load", "2", "mine")
    for n in ("1", "2"):
        effects(drums, "bypass", "2", n)
    assert "later than" not in engine_state(drums)
    assert lag_frames(own_sound(drums, tmp_path, "off"), noise(SEED)) == lag_frames(
        dry, noise(SEED)
    )
    wait_until(lambda: engine_pid(drums) is None)
