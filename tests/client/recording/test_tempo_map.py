"""The grid of the MIDI file is where the room's beats were."""

import io
from itertools import pairwise

import mido
import pytest

from midipool.meter import BEAT, Loop, Meter
from midipool.timeline import Ramp, Timeline
from midipool_client.recording.midi_file import midi_file
from midipool_client.recording.tempo_map import TICKS_A_BEAT, Grid, grid_of, tick_of

PLAYS = Timeline(playing=True)
MINUTE_US = 60_000_000


def time_of_tick(grid: Grid, tick: int) -> float:
    """µs at which a program that reads the file is at a tick."""
    tempos = [*grid.tempos(), (1 << 60, 1)]
    passed = 0.0
    for (at, tempo), (end, _) in pairwise(tempos):
        passed += max(min(tick, end) - at, 0) * tempo / TICKS_A_BEAT
    return passed


@pytest.mark.parametrize("mbpm", [20_000, 97_300, 120_000, 140_000, 999_000])
def test_no_beat_is_off_by_a_tenth_of_a_ms_after_an_hour(mbpm: int) -> None:
    timeline = Timeline(playing=True, mbpm=mbpm)
    grid = grid_of((timeline,), 60 * MINUTE_US)
    for beat in range(0, mbpm * 60 // 1000, 97):
        off_us = time_of_tick(grid, tick_of(beat * BEAT)) - timeline.time_at(beat * BEAT)
        assert abs(off_us) < 100, beat


def test_a_ramp_is_followed() -> None:
    timeline = Timeline(playing=True, mbpm=90_000, ramp=Ramp(180_000, 32 * BEAT))
    grid = grid_of((timeline,), 30_000_000)
    for beat in range(40):
        off_us = time_of_tick(grid, tick_of(beat * BEAT)) - timeline.time_at(beat * BEAT)
        assert abs(off_us) < 150, beat


def test_a_recording_begins_on_bar_1_whatever_bar_the_song_is_in() -> None:
    timeline = Timeline(origin_time_us=-8_000_000, playing=True)
    grid = grid_of((timeline,), 4_000_000)
    assert grid.points[0] == (0, 0)
    assert grid.markers == [(0, "bar 5.1")]
    assert grid.beats_at(4_000_000) == 8 * BEAT


def test_the_song_goes_on_on_a_bar_line_after_it_stood() -> None:
    stops = Timeline(origin_time_us=3_700_000, origin_beats=7_400_000)
    again = Timeline(origin_time_us=9_100_000, playing=True)
    grid = grid_of((PLAYS, stops, again), 20_000_000)
    assert grid.beats_at(9_100_000) % (4 * BEAT) == 0
    assert abs(time_of_tick(grid, tick_of(grid.beats_at(9_100_000))) - 9_100_000) < 100
    assert [text for _, text in grid.markers] == ["bar 1.1", "stop at 2.4", "bar 1.1"]


def test_a_jump_out_of_a_bar_begins_a_bar() -> None:
    jumps = Timeline(origin_time_us=5_300_000, origin_beats=64 * BEAT, playing=True)
    grid = grid_of((PLAYS, jumps), 20_000_000)
    at = grid.beats_at(5_300_000)
    assert at % (4 * BEAT) == 0
    assert abs(time_of_tick(grid, tick_of(at)) - 5_300_000) < 100
    for beat in range(0, 16):
        off = time_of_tick(grid, tick_of(at + beat * BEAT)) - (5_300_000 + beat * 500_000)
        assert abs(off) < 100


def test_meters_and_loops_are_in_it() -> None:
    seven = Timeline(
        origin_time_us=4_000_000, origin_beats=0, playing=True, meter=Meter(7, 8), loop=Loop(1, 3)
    )
    grid = grid_of((PLAYS, seven), 12_000_000)
    assert grid.meters == [(0, Meter()), (8 * BEAT, Meter(7, 8))]
    loops = [at for at, text in grid.markers if text == "bar 1"]
    assert loops == [15 * BEAT, 22 * BEAT]


def test_what_was_played_lies_at_its_time() -> None:
    grid = grid_of((PLAYS,), MINUTE_US)
    played = [
        ("kéys", 1_250_000, b"\x90\x3c\x40"),
        ("kéys", -5, b"\x90\x3e\x40"),
        ("日本", 2_000_000, b"\xf0\x01\x02\xf7"),
    ]
    file = mido.MidiFile(file=io.BytesIO(midi_file("jam", grid, played)))
    assert file.ticks_per_beat == TICKS_A_BEAT
    assert [track.name for track in file.tracks] == ["jam", "kéys", "??"]
    notes = [m for m in file.tracks[1] if m.type == "note_on"]
    assert [(m.note, m.time) for m in notes] == [(60, 2400)]
    assert [(m.data, m.time) for m in file.tracks[2] if m.type == "sysex"] == [((1, 2), 3840)]
