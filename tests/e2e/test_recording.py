"""A recording is on the bar: the others, own input, the MIDI file; a crash leaves it whole.

Played into the room again it is on the bar there too.
"""

import json
import os
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
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
NEAR = 100 * MS
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


@dataclass
class Lost:
    """Where JACK's dummy lost frames, because the machine stood still: nothing is exact near it."""

    beats: set[int]
    """Of the room's song, at either end."""
    frames: int
    """At once, at most; so late others may be for some seconds."""
    places: set[int] = field(default_factory=set)
    """Clicks that were disturbed already in what is played."""


def clicks_of(path: Path) -> dict[int, tuple[float, int]]:
    """(frames off, which click) by the beat of the recording; what is not there is left out."""
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == RATE
    near = {
        beat: clicks_near(sound[:, 0], beat * BEAT_FRAMES, 2_000)
        for beat in range(1, len(sound) // BEAT_FRAMES)
    }
    return {beat: found for beat, found in near.items() if found is not None}


def check_clicks(path: Path, begins: int, lost: Lost, least: int) -> dict[int, int]:
    """They are on beats of the recording, which begins with that one of the song; which each is.

    For some seconds after a loss all may be late by what was lost, or by less.
    """
    clicks = clicks_of(path)
    assert len(clicks) >= least, clicks
    quiet = {
        beat: off
        for beat, (off, place) in clicks.items()
        if begins + beat not in lost.beats and place not in lost.places
    }
    off_at_most = max(map(abs, quiet.values()))
    assert off_at_most < MS + lost.frames, f"{path.name}: {lost}: {quiet}"
    return {beat: clicks[beat][1] for beat in quiet}


def check_beats(path: Path, begins: int, lost: Lost, least: int) -> None:
    """All clicks are on beats of the recording, and of the song."""
    for beat, place in check_clicks(path, begins, lost, least).items():
        assert place == (begins + beat) % BEATS, path.name


def check_loop(path: Path, begins: int, lost: Lost) -> None:
    """Three bars that were played again and again are on the room's beats, each time."""
    places = check_clicks(path, begins, lost, 8)
    # Which of the loop's twelve beats each is: they follow one another.
    assert len({(place - beat) % 12 for beat, place in places.items()}) == 1, places


def check_midi(path: Path) -> None:
    """The MIDI file has the room's tempo and meter, and begins where the sounds do."""
    conductor = mido.MidiFile(path).tracks[0]
    assert [(m.time, m.tempo) for m in conductor if m.type == "set_tempo"] == [(0, 400_000)]
    assert [m.numerator for m in conductor if m.type == "time_signature"] == [4]
    assert any(m.type == "marker" and m.text.startswith("bar ") for m in conductor)


def check_recording(home: Path, name: str, lost: Lost, seconds: float) -> dict[str, Any]:
    folder, manifest = folder_of(home, name)
    # Both players' sticks follow the room: what is on a beat at one is so at the other.
    for track in manifest["tracks"]:
        if track["name"] in ("bass", "drums"):
            check_beats(folder / track["file"], begins_of(manifest), lost, int(seconds))
    check_midi(folder / manifest["midi"])
    assert all(track["dropped_frames"] == 0 for track in manifest["tracks"])
    return manifest


def begins_of(manifest: Mapping[str, Any]) -> int:
    """Which beat of the song the recording begins with."""
    return (int(manifest["bar"]) - 1) * 4


def test_all_tracks_are_on_their_beats_also_played_again_and_after_a_crash(
    stage: Stage, tmp_path: Path
) -> None:
    drums, bass = stage.players
    home = tmp_path / "bass"
    stage.conduct("tempo", str(BPM))
    wait_until(lambda: both_hear(stage))
    # From now on it is the recorder that hears drums, which are sent to it.
    stage.conduct("unlink", "drums", "bass", "--audio")
    with (
        BeatDaw(drums.env, tmp_path / "drums.npz", *PORTS) as there,
        BeatDaw(bass.env, tmp_path / "bass.npz", *PORTS) as here,
    ):
        first = record(bass, "start")
        assert "waits until the song plays" in first
        stage.conduct("start")
        let_pass(bass, 14)
        assert "3 tracks" in record(bass, "stop")
        take, _, _ = first.partition(":")
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
        ends = there.end(), here.end()
    lost = Lost(
        set().union(*(end.disturbed(NEAR) for end in ends)), max(end.most_lost for end in ends)
    )
    names = [text.split(":")[0].strip() for text in (first, second)]
    whole = check_recording(home, names[0], lost, 10)
    assert whole["state"] == "done"
    lengths = {track["name"]: track["frames"] for track in whole["tracks"]}
    # What is heard 0.2 s later is there to the end as well.
    assert lengths["drums"] > lengths["bass"] - RATE // 20
    assert "cut" in record(bass, "list")
    manifest = check_recording(home, names[1], lost, 8)
    assert manifest["state"] == "cut"
    recorded_s = (song_beats - begins_of(manifest)) * 60 / BPM
    assert manifest["seconds"] > recorded_s - 1.0
    folder, _ = folder_of(home, names[1])
    (again,) = [t["file"] for t in manifest["tracks"] if t["name"] == f"take {names[0]}"]
    played = replace(lost, places={beat % BEATS for beat in lost.beats if beat < BEATS})
    check_loop(folder / again, begins_of(manifest), played)
    record(bass, "rename", names[1], "take 2")
    record(bass, "delete", names[0])
    assert [p.name for p in (home / "midipool" / "recordings").iterdir()] == ["take 2"]
