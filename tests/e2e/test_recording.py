"""A recording is on the bar: the others, own input, the MIDI file; a crash leaves it whole."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mido
import pytest
import soundfile

from midipool_demo.background import Background
from midipool_demo.stage import CLOCK_PORT, Player, Stage
from tests.e2e.beat_daw import BEATS, BeatDaw, clicks_near
from tests.e2e.conftest import needs_audio
from tests.e2e.listening import clocks
from tests.e2e.test_hearing import audio_engine_pid, both_hear
from tests.e2e.waiting import wait_until

pytestmark = [pytest.mark.jack, pytest.mark.timeout(120)]
PERIOD = 256
PORTS = (CLOCK_PORT, "midiPool-audio:audio_send_1", "midiPool-audio:audio_receive_1")
RATE, MS = 48_000, 48
BPM = 150
BEAT_FRAMES = RATE * 60 // BPM


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    needs_audio()
    with Stage(
        ("drums", "bass"), home=tmp_path, period=PERIOD, audio=("--profile", "safe")
    ) as made:
        yield made


def record(player: Player, *words: str) -> str:
    """`midipool-client record WORDS`, in a shell of the player's."""
    with Background.python("midipool_client", "record", *words, env=player.env) as command:
        assert command.process.wait(20) == 0, command.output()
        return command.output()


def let_pass(player: Player, beats: int) -> None:
    now = clocks(player.meter.snapshot().events[0])
    player.meter.wait_until(lambda heard: clocks(heard.events[0]) >= now + 24 * beats, 30)


def folder_of(home: Path, name: str) -> tuple[Path, dict[str, Any]]:
    """A recording's folder and manifest."""
    folder = home / "midipool" / "recordings" / name
    return folder, json.loads((folder / "manifest.json").read_text())


def check_beats(path: Path, least: int) -> int:
    """All clicks are on beats of the recording, in order; by which beat of the song it begins."""
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == RATE
    left = sound[:, 0]
    offs = [
        (beat, clicks_near(left, beat * BEAT_FRAMES, 2_000))
        for beat in range(1, len(left) // BEAT_FRAMES)
    ]
    found = [(beat, off) for beat, off in offs if off is not None]
    assert len(found) >= least, offs
    for beat, off in found:
        assert abs(off[0]) < MS, f"{path.name}: beat {beat} is off by {off[0]} frames"
    # One that the network lost, or the machine was too late for, is no matter of the recording.
    places = {(off[1] - beat) % BEATS for beat, off in found}
    assert len(places) == 1, found
    return places.pop()


def check_midi(path: Path) -> None:
    """The MIDI file has the room's tempo and meter, and begins where the sounds do."""
    conductor = mido.MidiFile(path).tracks[0]
    assert [(m.time, m.tempo) for m in conductor if m.type == "set_tempo"] == [(0, 400_000)]
    assert [m.numerator for m in conductor if m.type == "time_signature"] == [4]
    assert any(m.type == "marker" and m.text.startswith("bar ") for m in conductor)


def check_recording(home: Path, name: str, seconds: float) -> dict[str, Any]:
    folder, manifest = folder_of(home, name)
    files = {track["kind"]: track["file"] for track in manifest["tracks"]}
    first = {kind: check_beats(folder / files[kind], int(seconds)) for kind in ("input", "player")}
    # Both players' sticks follow the room: what is on a beat at one is so at the other.
    begins = (manifest["bar"] - 1) * 4 % BEATS
    assert first == {"input": begins, "player": begins}
    check_midi(folder / manifest["midi"])
    assert all(track["dropped_frames"] == 0 for track in manifest["tracks"])
    return manifest


def test_all_tracks_are_on_their_beats_also_after_a_crash(stage: Stage, tmp_path: Path) -> None:
    drums, bass = stage.players
    home = tmp_path / "bass"
    stage.conduct("tempo", str(BPM))
    wait_until(lambda: both_hear(stage))
    with (
        BeatDaw(drums.env, tmp_path / "drums.npz", *PORTS),
        BeatDaw(bass.env, tmp_path / "bass.npz", *PORTS),
    ):
        first = record(bass, "start")
        assert "waits until the song plays" in first
        stage.conduct("start")
        let_pass(bass, 14)
        assert "3 tracks" in record(bass, "stop")
        second = record(bass, "start", "--format", "wav")
        assert "next bar line" in second
        let_pass(bass, 16)
        engine = audio_engine_pid(bass)
        bass.client.process.send_signal(signal.SIGKILL)
        os.kill(engine, signal.SIGKILL)
    names = [text.split(":")[0].strip() for text in (first, second)]
    assert check_recording(home, names[0], 10)["state"] == "done"
    assert "cut" in record(bass, "list")
    manifest = check_recording(home, names[1], 8)
    assert manifest["state"] == "cut"
    record(bass, "rename", names[1], "take 2")
    record(bass, "delete", names[0])
    assert [p.name for p in (home / "midipool" / "recordings").iterdir()] == ["take 2"]
