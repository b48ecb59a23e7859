"""Which tracks of a recording are heard when it is played, and which of them are muted."""

import msgspec
import pytest

from midipool.errors import InvalidValue
from midipool_client.playback.opened import muted_of, played_tracks
from midipool_client.playback.words import member_name
from midipool_client.recording.manifest import Manifest, Track
from tests.client.playback.takes import manifest


def with_effects(whole: bool) -> Manifest:
    made = manifest()
    wet = Track("bass", "effects", "04-bass-effects.flac", 1, 960, whole=whole)
    return msgspec.structs.replace(made, tracks=[*made.tracks, wet])


def files(made: Manifest) -> list[str]:
    return [track.file for track in played_tracks(made)]


def test_the_mix_is_left_out_and_what_the_room_got_is_played() -> None:
    assert files(manifest()) == ["01-bass.flac", "03-drums.flac"]
    assert files(with_effects(whole=True)) == ["03-drums.flac", "04-bass-effects.flac"]
    # Without its begin it would be silent there.
    assert files(with_effects(whole=False)) == ["01-bass.flac", "03-drums.flac"]


def test_tracks_are_muted_by_number_name_and_file() -> None:
    tracks = played_tracks(manifest())
    none = frozenset[int](), frozenset[str]()
    assert muted_of(tracks, ["3"]) == (frozenset({1}), frozenset({"drums"}))
    both = frozenset({0, 1}), frozenset({"bass", "drums"})
    assert muted_of(tracks, ["bass", "03-drums.flac"]) == both
    assert muted_of(tracks, []) == none
    with pytest.raises(InvalidValue, match=r"no track '2'; there are 1 \(bass\), 3 \(drums\)"):
        muted_of(tracks, ["2"])


def test_a_participants_name_fits_into_a_room() -> None:
    assert member_name("take 1", 1) == "take take 1"
    assert len(member_name("x" * 64, 12)) == 64
    assert member_name("x" * 64, 12).endswith(" 12")
