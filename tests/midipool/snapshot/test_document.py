"""Documents: checked wholly, kept wholly, of every version."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.errors import InvalidValue
from midipool.meter import Meter
from midipool.snapshot import (
    BadSnapshot,
    Place,
    Snapshot,
    TimelineSection,
    decode,
    document,
    encode,
    read,
    timeline,
    to_builtins,
)
from midipool.snapshot.members import boards_of, decode_part, effects_of, encode_part, files_of
from midipool.timeline import Timeline
from midipool_client.snapshots.room_file import read_file
from tests.midipool import strategies
from tests.midipool.snapshot.documents import parts, snapshots, timelines, with_more

KEPT = Path(__file__).parent / "kept"
few = settings(max_examples=60, deadline=None)


@few
@given(snapshots)
def test_dump_load_dump_is_the_same(room: Snapshot) -> None:
    data = encode(room)
    found = decode(data)
    assert found.snapshot == room
    assert found.unknown == []
    assert encode(found.snapshot, found.kept) == data


@few
@given(st.data())
def test_unknown_keys_are_kept_at_their_places(data: st.DataObject) -> None:
    room = data.draw(snapshots)
    said = data.draw(with_more(to_builtins(room)))
    try:
        found = read(json.loads(json.dumps(said)))
    except BadSnapshot:
        return  # a mapping of names took one more name, whose value is none of ours
    assert to_builtins(found.snapshot, found.kept) == said
    # What was added is not known, or is one more name, of which something is not known.
    assert all(any(str(key).startswith("x ") for key in path) for path in found.unknown)


def test_what_is_unknown_goes_with_what_it_belongs_to() -> None:
    said = {
        "midipool_room": 1,
        "tour": 3,
        "songs": [
            {"name": "a", "colour": "red"},
            {"name": "a", "colour": "blue"},
            {"name": "b", "x": 1},
        ],
    }
    found = read(said)
    assert found.unknown == [
        ("tour",),
        ("songs", 0, "colour"),
        ("songs", 1, "colour"),
        ("songs", 2, "x"),
    ]
    left = document.new(songs=[s for s in found.snapshot.songs or [] if s.name == "b"])
    assert to_builtins(left, found.kept) == {
        "midipool_room": 1,
        "tour": 3,
        "songs": [{"name": "b", "x": 1}],
    }


@pytest.mark.parametrize("kept", sorted(KEPT.iterdir()), ids=lambda path: path.name)
def test_a_document_of_every_version_is_loadable(kept: Path) -> None:
    """A new version adds a file here, and changes none."""
    found = read_file(kept.read_bytes(), kept.name)
    assert found.notes == []
    song = (found.snapshot.songs or [])[0]
    assert (song.name, song.tempo, song.meter, song.key) == ("Blue", 120.5, "7/8", "F#m")
    assert song.notes == "Am G\n\n  twice\n"
    if kept.name != "v0.json":
        assert found.snapshot.mode is not None
        assert (found.snapshot.members or {})["drums"].mix is not None


@few
@given(strategies.timelines(), st.integers(0, 10**10))
def test_a_timeline_is_in_a_document_as_it_is(playing: Timeline, after_us: int) -> None:
    at_us = playing.origin_time_us + after_us
    section = timeline.section_of(playing, at_us)
    assert section.beats == playing.song_beats_at(at_us)
    assert section.mbpm == playing.mbpm_at(at_us)
    assert section.timeline_ramp() == playing.ramp_left_at(at_us)


@given(timelines())
def test_a_position_is_exact(section: TimelineSection) -> None:
    beats = section.beats
    assert timeline.place_of(Meter(*map(int, section.meter.split("/"))), beats) == section.position


@pytest.mark.parametrize("place", [Place(1, 8.0), Place(2**36, 1.0)])
def test_a_position_that_is_none_is_refused(place: Place) -> None:
    with pytest.raises(InvalidValue, match="position"):
        TimelineSection(tempo=120, meter="7/1", position=place)


@few
@given(parts)
def test_a_members_part_comes_through_a_message(part: Any) -> None:
    assert decode_part(encode_part(part)) == part


@few
@given(parts)
def test_boards_are_the_same_again(part: Any) -> None:
    effects = {place: said for place, said in (part.effects or {}).items() if said}
    assert effects_of(boards_of(effects, files_of(effects))) == effects


def test_an_effect_with_a_file_that_we_do_not_have_is_left_out() -> None:
    plugin = b'{"kind": "plugin", "values": {"file": "/x.vst3"}}'
    part = decode_part(b'{"effects": {"own": [' + plugin + b', {"kind": "gate"}]}}')
    effects = dict(part.effects or {})
    assert files_of(effects) == {"/x.vst3"}
    assert [e.kind for e in boards_of(effects, frozenset()).all_effects()] == ["gate"]
    assert [e.id for e in boards_of(effects, files_of(effects)).all_effects()] == [1, 2]


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"mix": {"master_db": 99}}', b'{"effects": {"9": []}}', b"[" * 99999]
)
def test_a_part_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidValue):
        decode_part(data)
