"""What is announced comes out as it went in; what is hostile comes out harmless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.errors import InvalidValue
from midipool.lan.announcement import (
    MAX_LABEL_BYTES,
    MAX_NAME,
    MAX_ROOMS_BYTES,
    MAX_VALUE_BYTES,
    Announcement,
    label_of,
    read_txt,
)
from midipool.lan.formats import in_words, line_of, read_line
from midipool.messages import AudioStream

STREAM = AudioStream(2, 128, 4, 4)


def as_properties(said: Announcement) -> dict[bytes, bytes | None]:
    return {key.encode(): value.encode() for key, value in said.txt().items()}


@pytest.mark.parametrize(
    "said",
    [
        Announcement(kind="server", name="Ann's kitchen"),
        Announcement(kind="server", name="a.b.c", tls=True, rooms=["jam", "x-1"], room="jam"),
        Announcement(kind="server", name="leer", rooms=[]),
        Announcement(kind="player", name="Zoë 🎸", audio=STREAM),
    ],
)
def test_what_is_said_is_read_again(said: Announcement) -> None:
    assert read_txt(label_of(said.name), as_properties(said)) == said


def test_rooms_that_find_no_place_are_counted() -> None:
    rooms = [f"room-{number:03}" for number in range(100)]
    said = Announcement(kind="server", name="big", rooms=rooms)
    assert all(len(value.encode()) <= MAX_VALUE_BYTES for value in said.txt().values())
    read = read_txt("big", as_properties(said))
    assert read.rooms == rooms[: MAX_ROOMS_BYTES // 9]
    assert len(read.rooms or []) + read.more_rooms == 100


def test_who_was_renamed_is_shown_by_the_name_that_it_got() -> None:
    said = as_properties(Announcement(kind="server", name="stage"))
    assert read_txt("stage-2", said).name == "stage-2"


def test_a_host_that_lists_no_rooms_names_none() -> None:
    assert "rooms" not in Announcement(kind="server", name="quiet").txt()


HOSTILE = [
    ("\x1b[2J\x07evil", "[2J evil"),
    ("a\u202egnp.exe", "a gnp.exe"),
    ("line\nbreak\r\n\u2028more", "line break more"),
    ("x" * 10_000, "x" * MAX_NAME),
]


@pytest.mark.parametrize(("name", "shown"), HOSTILE)
def test_a_name_from_the_network_is_one_harmless_line(name: str, shown: str) -> None:
    assert read_txt(name, {b"kind": b"server"}).name == shown
    assert read_txt(label_of(name), {b"kind": b"server", b"name": name.encode()}).name.isprintable()


def test_what_cannot_be_meant_is_as_if_it_was_not_said() -> None:
    said = read_txt(
        "odd",
        {
            b"kind": b"server",
            b"v": "٣".encode(),
            b"rooms": b"jam,<script>,../etc,," + b"y" * 65,
            b"more": b"-7",
            b"room": b"no room",
            b"audio": b"L16/48000/3/128/rs8m:4+4",
            b"tls": None,
            b"x" * 300: b"key",
            b"name": b"z" * 300,
        },
    )
    assert said == Announcement(kind="server", name="odd", version=0, rooms=["jam"])


@pytest.mark.parametrize("properties", [{}, {b"kind": b"printer"}, {b"kind": None}])
def test_what_is_none_of_ours_is_refused(properties: dict[bytes, bytes | None]) -> None:
    with pytest.raises(InvalidValue, match="kind"):
        read_txt("printer", properties)


def test_nobody_is_without_a_name() -> None:
    with pytest.raises(InvalidValue, match="name"):
        read_txt("\x00\x01", {b"kind": b"server"})


@given(st.text(max_size=300), st.dictionaries(st.binary(), st.none() | st.binary()))
def test_nothing_that_comes_breaks_it(label: str, properties: dict[bytes, bytes | None]) -> None:
    assert 1 <= len(label_of(label).encode()) <= MAX_LABEL_BYTES
    assert "." not in label_of(label)
    try:
        said = read_txt(label, {b"kind": b"server", **properties})
    except InvalidValue:
        return
    assert said.name.isprintable()
    assert 1 <= len(said.name) <= MAX_NAME


def test_a_stream_is_said_in_a_line() -> None:
    assert line_of(STREAM) == "L16/48000/2/128/rs8m:4+4"
    assert read_line(line_of(STREAM)) == STREAM
    assert in_words(AudioStream(1, 64, 8, 9)) == (
        "1 channel, 16 bits at 48 kHz, packets of 1.3 ms, 9 to repair 8"
    )


@pytest.mark.parametrize(
    "line",
    [
        *("", "L16", "L24/48000/2/128/rs8m:4+4", "L16/44100/2/128/rs8m:4+4"),
        *("L16/48000/3/128/rs8m:4+4", "L16/48000/2/0/rs8m:4+4", "L16/48000/2/9999/rs8m:4+4"),
        *("L16/48000/2/128/rs8m:0+4", "L16/48000/2/128/rs8m:200+200", "L16/48000/2/1٢8/rs8m:4+4"),
    ],
)
def test_what_nobody_can_send_is_no_stream(line: str) -> None:
    assert read_line(line) is None
