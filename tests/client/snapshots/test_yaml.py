"""Rooms as YAML: what is written reads as the same, and what is wrong is said with its line."""

import contextlib
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from midipool import snapshot
from midipool.errors import Refused, Unavailable
from midipool.snapshot import Snapshot
from midipool_client.snapshots.room_file import read_file, text_of
from midipool_client.snapshots.yaml_reader import MAX_NODES, BadFile, read_yaml
from midipool_client.snapshots.yaml_writer import rewritten, write_yaml
from tests.midipool.snapshot.documents import anything, keys, snapshots

few = settings(max_examples=40, deadline=None)


class TestRoundTrip:
    @few
    @given(snapshots)
    def test_a_written_room_reads_as_the_same(self, room: Snapshot) -> None:
        text = text_of(snapshot.encode(room))
        file = read_file(text.encode(), "room.yaml")
        assert file.snapshot == room
        assert file.notes == []
        assert text_of(file.data) == text

    @few
    @given(st.dictionaries(keys, anything, max_size=4))
    def test_so_does_anything_else(self, data: dict[str, Any]) -> None:
        assert read_yaml(write_yaml(data).encode(), "").data == data

    @few
    @given(st.dictionaries(keys, anything, max_size=4), st.dictionaries(keys, anything, max_size=4))
    def test_what_is_written_over_another_file_does_too(
        self, before: dict[str, Any], data: dict[str, Any]
    ) -> None:
        assert read_yaml(rewritten(write_yaml(before), data).encode(), "").data == data

    def test_json_is_yaml(self) -> None:
        room = b'{"midipool_room": 1, "songs": [{"name": "\\u00e9/\\/", "tempo": 1.2e2}]}'
        [song] = read_file(room, "room.json").snapshot.songs or []
        assert (song.name, song.tempo) == ("é//", 120)

    def test_what_others_take_for_numbers_is_quoted(self) -> None:
        names = ["1", "0x1f", "1_000", "12:30", "yes", "No", "~", ".5", "1e3", "2026-11-28", "null"]
        for name in names:
            assert f'"{name}"' in write_yaml({"name": name})


ROOM = """\
# Thursdays
midipool_room: 1
room: jam
timeline:
  tempo: 120.5   # not faster
  meter: 7/8
mode: {mode: leader, leader: drums}
# ours alone
tour: [1, 2]
songs:
  - name: Blue   # the slow one
    tempo: 100
    colour: red
    notes: |
      Am G

        twice
members:
  drums:
    mix: {strips: {bass: {gain_db: -6, pan: 0.5}}}
    effects:
      own:
        - kind: delay
          values: {time: 300}
"""


def test_comments_and_unknown_keys_stay_where_they_are() -> None:
    file = read_file(ROOM.encode(), "room.yaml")
    assert text_of(file.data, ROOM) == ROOM
    changed = file.data.replace(b"120.5", b"99").replace(b'"Am G', b'"Em G')
    text = text_of(changed, ROOM)
    assert re.search(r"tempo: 99 +# not faster\n", text)
    assert "# ours alone\ntour: [1, 2]\n" in text
    assert "- name: Blue   # the slow one\n" in text
    assert "      Em G\n" in text
    assert snapshot.decode(read_file(text.encode(), "").data) == snapshot.decode(changed)


def test_unknown_keys_are_told_with_their_lines() -> None:
    assert [note.partition(": it is")[0] for note in read_file(ROOM.encode(), "r.yaml").notes] == [
        "r.yaml: line 9, column 1: `tour` is unknown here",
        "r.yaml: line 13, column 5: `songs[1].colour` is unknown here",
    ]


# What is put in place of what, and where the mistake is then, in words.
BAD: list[tuple[str, str, int, int, str]] = [
    ("120.5 ", "12 ", 5, 10, "timeline.tempo: must be a number >= 20"),
    ("120.5 ", "fast ", 5, 10, "timeline.tempo: must be a number, got text"),
    ("120.5 ", ".nan ", 5, 10, ".nan is no number"),
    ("120.5 ", "1e999 ", 5, 10, "1e999 is a number too large"),
    ("  tempo: 120.5 ", "  tmpo: 120.5 ", 5, 3, "timeline: lacks `tempo`"),
    ("7/8", "7/9", 6, 10, "timeline.meter: the denominator must be"),
    ("leader: drums}", "leder: drums}", 7, 7, "mode: `leader` must be given"),
    ("mode: leader", "mode: boss", 7, 14, "mode.mode: must be one of open, leader, vote, locked"),
    ("[1, 2]", "*tour", 9, 7, "`*tour` is an alias"),
    ("[1, 2]", "&tour [1, 2]", 9, 7, "`&tour` is an anchor"),
    ("[1, 2]", "!!python/name:os.system", 9, 7, "python/name:os.system` is a tag"),
    ("[1, 2]", "[1, 2", 10, 6, "not YAML"),
    ("tour:", "[tour]:", 9, 1, "is no key"),
    ("songs:", "room:", 10, 1, "`room` is here a second time, after line 3"),
    ("name: Blue ", "nam: Blue ", 11, 5, "songs[1]: lacks `name`"),
    ("Blue ", "'' ", 11, 11, "songs[1].name: must be text of length >= 1"),
    ("    tempo: 100", "\ttempo: 100", 12, 1, "not YAML"),
    ("drums:\n", '"dr\\x07":\n', 19, 3, "members.dr\\x07: is no name for this"),
    ("-6", "99", 20, 36, "members.drums.mix.strips.bass.gain_db: must be -90 to 18 dB"),
    ("pan: 0.5", "pan: 5", 20, 45, "members.drums.mix.strips.bass.pan: must be -1 (left)"),
    ("own:", "foot:", 22, 7, "members.drums.effects.foot: is no name for this: it must be one of"),
    ("delay", "dely", 23, 17, "members.drums.effects.own[1].kind: must be one of gate"),
    ("300", "x", 24, 26, "members.drums.effects.own[1].values.time: must be a number"),
    ("midipool_room: 1", "midipool_room: 2", 2, 16, "midipool_room: is 2, and this"),
    ("midipool_room: 1", "midipool_room: 0", 2, 16, "midipool_room: must be a version"),
    ("midipool_room: 1\n", "", 2, 1, "is no room of midiPool"),
    ("room: jam", "room: jam\n---\na: 1", 4, 1, "begins a second document"),
]


@pytest.mark.parametrize(("old", "new", "line", "column", "words"), BAD)
def test_a_mistake_is_said_with_its_place(
    old: str, new: str, line: int, column: int, words: str
) -> None:
    assert old in ROOM
    with pytest.raises(BadFile) as caught:
        read_file(ROOM.replace(old, new, 1).encode(), "r.yaml")
    assert str(caught.value).startswith(f"r.yaml: line {line}, column {column}: ")
    assert words in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"# nothing\n", "is empty"),
        (b"jam", "must be a room"),
        (b"- 1", "must be a room"),
        (b"a: \xff", "line 1, column 4: is not UTF-8"),
        (b"a: 1\nb: \x07", "line 2, column 4"),
        (b"#" * (1 << 20) + b"\n", "is longer than 1024 KiB"),
        (b"[" * 100_000, "is nested deeper"),
        (b"{a: " * 50_000, "is nested deeper"),
        (b"- " * 100_000, "is nested deeper"),
        (b"? " * 100_000, "is no key"),
        (b"a: [" + b"1," * MAX_NODES + b"]", "has more than 50,000 values"),
        (b"midipool_room: 1\nmine: " + b"x" * 70_000, "more than 64 KiB of what midiPool"),
        (b"midipool_room: 1\nsongs: [" + b"{name: a}," * 101 + b"]", "has 101 songs"),
        (b"midipool_room: 1\nsongs: [{name: a, loaded: true}, {name: b, loaded: true}]", "another"),
    ],
    ids=range(15),
)
def test_what_is_none_says_so_soon(content: bytes, words: str) -> None:
    with pytest.raises(BadFile, match=words):
        read_file(content, "r.yaml")


@few
@given(
    st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))
)
def test_no_bytes_raise_anything_else(content: bytes) -> None:
    with pytest.raises(BadFile):
        read_file(content, "r.yaml")


@few
@given(st.data())
def test_nor_does_a_room_with_a_piece_cut_out_or_put_in(data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(ROOM)))
    end = data.draw(st.integers(begin, min(len(ROOM), begin + 12)))
    piece = data.draw(st.text("{}[]:-,&*!|>'\"#%@ \n\t0aé", max_size=4))
    with contextlib.suppress(BadFile):
        read_file((ROOM[:begin] + piece + ROOM[end:]).encode(), "r.yaml")


def test_what_the_server_refuses_is_said_of_the_line() -> None:
    text = "midipool_room: 1\nmodules:\n  - name: a\n  - name: echo\n    program: fuzz\n"
    file = read_file(text.encode(), "room.yaml")
    refused = Refused("no_such_program", "no program 'fuzz'", "modules[2].program")
    said = "room.yaml: line 5, column 14: modules[2].program: no program 'fuzz'"
    assert str(file.refused(refused)) == said
    for other in (Refused("too_fast", "wait"), Refused("x", "y", "leader"), Unavailable("away")):
        assert file.refused(other) is other
