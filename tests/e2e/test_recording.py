"""A recording is on the bar: the others, own input, the MIDI file; a crash leaves it whole.

Played into the room again it is on the bar there too.
"""

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


def hear(player: Player, *words: str) -> None:
    """`midipool-client hear WORDS`, in a shell of the player's."""
    with Background.python("midipool_client", "hear", *words, env=player.env) as command:
        assert command.process.wait(20) == 0, command.output()


def let_pass(player: Player, beats: int) -> None:
    now = clocks(player.meter.snapshot().events[0])
    player.meter.wait_until(lambda heard: clocks(heard.events[0]) >= now + 24 * beats, 30)


def folder_of(home: Path, name: str) -> tuple[Path, dict[str, Any]]:
    """A recording's folder and manifest."""
    folder = home / "midipool" / "recordings" / name
    return folder, json.loads((folder / "manifest.json").read_text())


def check_offs(path: Path, offs: dict[int, float]) -> None:
    """All are on the beat. Where JACK's dummy lost a period, some are off by just that one."""
    moved = {beat: off for beat, off in offs.items() if abs(off) >= MS}
    assert len(moved) <= len(offs) * 2 // 3, f"{path.name}: off by so many frames: {moved}"
    for beat, off in moved.items():
        assert abs(abs(off) - PERIOD) < MS, f"{path.name}: beat {beat} is off by {off} frames"


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
    check_offs(path, {beat: off[0] for beat, off in found})
    # One that the network lost, or the machine was too late for, is no matter of the recording.
    places = {(off[1] - beat) % BEATS for beat, off in found}
    assert len(places) == 1, found
    return places.pop()


def check_loop(path: Path) -> None:
    """Three bars that were played again and again are on the room's beats, each time."""
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == RATE
    offs = [
        (beat, off)
        for beat in range(1, len(sound) // BEAT_FRAMES)
        if (off := clicks_near(sound[:, 0], beat * BEAT_FRAMES, 2_000)) is not None
    ]
    assert len(offs) >= 8, offs
    check_offs(path, {beat: off[0] for beat, off in offs})
    # Which of the loop's twelve beats each is: they follow one another.
    assert len({(place - beat) % 12 for beat, (_, place) in offs}) == 1, offs


def check_midi(path: Path) -> None:
    """The MIDI file has the room's tempo and meter, and begins where the sounds do."""
    conductor = mido.MidiFile(path).tracks[0]
    assert [(m.time, m.tempo) for m in conductor if m.type == "set_tempo"] == [(0, 400_000)]
    assert [m.numerator for m in conductor if m.type == "time_signature"] == [4]
    assert any(m.type == "marker" and m.text.startswith("bar ") for m in conductor)


def check_recording(home: Path, name: str, seconds: float) -> dict[str, Any]:
    folder, manifest = folder_of(home, name)
    files = {track["name"]: track["file"] for track in manifest["tracks"]}
    first = {name: check_beats(folder / files[name], int(seconds)) for name in ("bass", "drums")}
    # Both players' sticks follow the room: what is on a beat at one is so at the other.
    begins = (manifest["bar"] - 1) * 4 % BEATS
    assert first == {"bass": begins, "drums": begins}
    check_midi(folder / manifest["midi"])
    assert all(track["dropped_frames"] == 0 for track in manifest["tracks"])
    return manifest


def test_all_tracks_are_on_their_beats_also_played_again_and_after_a_crash(
    stage: Stage, tmp_path: Path
) -> None:
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
        take, _, _ = first.partition(":")
        # By bars the others are heard, and recorded, exactly; so is the recording.
        hear(bass, "profile=bar")
        said = record(bass, "play", take.strip(), "--mute", "bass", "--loop", "1", "4")
        assert "plays from bar 1 of" in said
        assert "at its own speed" not in said
        second = record(bass, "start", "--format", "wav")
        assert "next bar line" in second
        let_pass(bass, 24)
        engine = audio_engine_pid(bass)
        song_beats = clocks(bass.meter.snapshot().events[0]) / 24
        bass.client.process.send_signal(signal.SIGKILL)
        os.kill(engine, signal.SIGKILL)
    names = [text.split(":")[0].strip() for text in (first, second)]
    assert check_recording(home, names[0], 10)["state"] == "done"
    assert "cut" in record(bass, "list")
    manifest = check_recording(home, names[1], 8)
    assert manifest["state"] == "cut"
    recorded_s = (song_beats - (manifest["bar"] - 1) * 4) * 60 / BPM
    assert manifest["seconds"] > recorded_s - 1.0
    folder, _ = folder_of(home, names[1])
    (again,) = [t["file"] for t in manifest["tracks"] if t["name"] == f"take {names[0]}"]
    check_loop(folder / again)
    record(bass, "rename", names[1], "take 2")
    record(bass, "delete", names[0])
    assert [p.name for p in (home / "midipool" / "recordings").iterdir()] == ["take 2"]
