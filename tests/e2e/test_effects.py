"""Effects are heard at the other end, a block later, in their order; only they die with them."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from midipool_client.control import ask
from midipool_demo.background import Background
from midipool_demo.stage import Player, Stage
from tests.bench.process_cost import child_running
from tests.client.effects.vst3 import small_plugin
from tests.e2e.conftest import needs_audio
from tests.e2e.sound_daw import Floats, SoundDaw, correlations, noise
from tests.e2e.test_hearing import FROM, MIX, both_hear, hearing
from tests.e2e.waiting import wait_until

pytest.importorskip("pedalboard", reason="effects need pedalboard: pip install 'midipool[effects]'")
pytestmark = [pytest.mark.jack, pytest.mark.timeout(120)]
PERIOD, RATE = 512, 48_000
SETTLED_S, LISTEN_S = 0.25, 0.8
SEED = 10
LOW_HZ, HIGH_HZ = (100, 400), (2500, 3900)
EFFECTS, AUDIO = "midipool_client.effects", "midipool_client.audio.engine"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    needs_audio()
    audio = ("--profile", "safe")
    with Stage(("drums", "bass"), home=tmp_path, period=PERIOD, audio=audio) as made:
        yield made


def shell(player: Player, *words: str) -> str:
    """`midipool-client WORDS`, in a shell of the player's."""
    with Background.python("midipool_client", *words, env=player.env) as command:
        assert command.process.wait(20) == 0, command.output()
        return command.output()


def effects(player: Player, what: str, **words: Any) -> str:
    """The same as a program asks it, which takes no shell's time."""
    with patch.dict(os.environ, player.env):
        return ask("midiPool", do=f"effects_{what}", **words)


def low_over_high_db(sound: Floats) -> float:
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / RATE)
    bands = [power[(hz > low) & (hz < high)].mean() for low, high in (LOW_HZ, HIGH_HZ)]
    return float(10 * np.log10(bands[0] / max(bands[1], 1e-12)))


def lag_frames(piece: Floats, begin: int, played: Floats) -> int:
    """How much later than it was played a sound comes back, which was recorded from a frame on."""
    around = np.roll(played, -begin)
    size = 2 * RATE
    alike = np.fft.irfft(
        np.fft.rfft(piece, size) * np.conj(np.fft.rfft(np.tile(around, 2), size)), size
    )
    return int(np.argmax(alike[:RATE]))


def engine_pid(player: Player) -> int | None:
    """Of the effects engine, while there is one."""
    try:
        return child_running(player.client.process.pid, EFFECTS)
    except (RuntimeError, FileNotFoundError):
        return None


def hold() -> float:
    """When a while began in which nothing changes."""
    time.sleep(SETTLED_S)
    began_s = time.monotonic()
    time.sleep(LISTEN_S)
    return began_s


def change_boards(drums: Player) -> dict[str, float]:
    """All that is done to boards while both play; when each of it held."""
    held = {"dry": hold()}
    said = shell(drums, "effects", "add", "own", "filter", "type=low24", "frequency=300")
    assert "frequency 300 Hz" in said
    wait_until(lambda: f"{PERIOD} frames later" in effects(drums, "show"))
    held["low-pass"] = hold()
    effects(drums, "bypass", board="own", position=1)
    effects(drums, "add", board="1", kind="gain", values={"gain": -6})
    held["gain"] = hold()
    effects(drums, "set", board="1", position=1, values={"gain": -40})
    loud = {"drive": 50, "level": 0}
    effects(drums, "add", board="1", kind="distortion", values=loud)
    held["loud"] = hold()
    assert "1  distortion" in effects(drums, "move", board="1", position=2, to=1)
    held["quiet"] = hold()
    return held


def crash_and_look(drums: Player, folder: Path) -> float:
    """A plug-in takes the effects engine down; how it stands once it is back. When it did."""
    file = str(small_plugin(folder))
    said = effects(drums, "add", board="own", kind="plugin", values={"file": file})
    assert "small.vst3" in said
    old = engine_pid(drums)
    audio = child_running(drums.client.process.pid, AUDIO)
    assert old is not None
    killed_s = time.monotonic()
    effects(drums, "set", board="own", position=2, values={"harm": 1.0})
    wait_until(lambda: engine_pid(drums) not in (None, old))
    wait_until(lambda: "load" in effects(drums, "show"))
    assert "bypassed: it crashed" in effects(drums, "show")
    hold()
    late = int(effects(drums, "show").partition("effects late ")[2].split()[0])
    # A process and two libraries are started, on a machine that others use too.
    assert 0 < late < 4 * RATE / PERIOD, late
    assert child_running(drums.client.process.pid, AUDIO) == audio
    return killed_s


def switch_all_off(drums: Player) -> dict[str, float]:
    effects(drums, "save", board="1", name="mine")
    exported = json.loads(effects(drums, "export", board="1"))
    assert [e["kind"] for e in exported["effects"]] == ["distortion", "gain"]
    effects(drums, "clear", board="1")
    assert "distortion" in shell(drums, "effects", "preset", "load", "2", "mine")
    for position in (1, 2):
        effects(drums, "bypass", board="2", position=position)
    wait_until(lambda: "later than" not in effects(drums, "show"))
    return {"off": hold()}


def share_with(drums: Player, bass: Player) -> None:
    """One gives a board to the room, the other takes it."""
    assert "the room has it as dirt" in effects(drums, "share", board="2", name="dirt")
    wait_until(lambda: shared_with(bass) == ["dirt"])
    effects(bass, "take", board="master", name="dirt")
    given, taken = (
        json.loads(effects(player, "export", board=board))["effects"]
        for player, board in ((drums, "2"), (bass, "master"))
    )
    assert taken == given
    assert [effect["kind"] for effect in taken] == ["distortion", "gain"]


def shared_with(player: Player) -> list[str]:
    with patch.dict(os.environ, player.env):
        state = json.loads(ask("midiPool", do="state"))["state"]
    return list(state["effects"]["shared"])


def test_effects_are_heard_in_order_a_block_later_and_die_alone(
    stage: Stage, tmp_path: Path
) -> None:
    drums, bass = stage.players
    wait_until(lambda: both_hear(stage))
    # It hears itself alone.
    for request in (
        {"type": "set_mix", "monitor_db": 0.0},
        {"type": "set_strip", "member": "bass", "mute": True},
    ):
        with patch.dict(os.environ, drums.env):
            ask("midiPool", do="request", request={"id": 1, **request})
    stage.conduct("start")
    ports = [FROM.format("drums", n) for n in (1, 2)]
    with (
        SoundDaw(drums.env, SEED, tmp_path / "drums.npz", MIX.format(1)) as playing,
        SoundDaw(bass.env, 20, tmp_path / "bass.npz", *ports) as listening,
    ):
        wait_until(lambda: (hearing(stage, "bass", "drums").get("level_db") or -99) > -30)
        held = change_boards(drums)
        killed_s = crash_and_look(drums, tmp_path)
        held |= switch_all_off(drums)
        share_with(drums, bass)
        there, own = listening.end(), playing.end()
    check_own_sound(own[:, 0], {what: at - playing.began_s for what, at in held.items()})
    # The network's way is in it: the piece is well within what held.
    first = round((held["low-pass"] - listening.began_s + 0.4) * RATE)
    heard = there[first : first + RATE * 2 // 5, 0]
    assert low_over_high_db(heard) - low_over_high_db(noise(SEED)) > 20
    # Channel 2 has no effect that is on: what the listener hears of it is as it was sent.
    first = round((killed_s - listening.began_s) * RATE)
    alike = correlations(there[first : first + 2 * RATE, 1], noise(SEED + 1))
    assert (alike > 0.8).mean() > 0.9, alike
    frames = [f for f, data in drums.meter.snapshot().events[0] if data == b"\xf8"]
    assert max(np.diff(frames)) < 1500, "at 120 BPM a tick comes every 1,000 frames"
    wait_until(lambda: engine_pid(drums) is None)


def check_own_sound(own: Floats, held_s: dict[str, float]) -> None:
    frames = round(LISTEN_S * RATE)
    first = {what: round(at * RATE) for what, at in held_s.items()}
    pieces = {what: own[at : at + frames] for what, at in first.items()}
    lag = {
        what: lag_frames(pieces[what], first[what], noise(SEED)) for what in ("dry", "gain", "off")
    }
    assert lag["gain"] - lag["dry"] == PERIOD
    assert lag["off"] == lag["dry"]
    level = {what: float(piece.std()) for what, piece in pieces.items()}
    # Pieces are of other places of the noise.
    assert level["gain"] / level["dry"] == pytest.approx(10 ** (-6 / 20), rel=0.06)
    assert level["loud"] > 10 * level["quiet"]
