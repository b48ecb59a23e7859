"""The recordings of real programs hold what README.md says of them."""

import itertools
import re
import statistics
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.errors import InvalidValue
from tests.recordings.load import FOLDER, MAGIC, Event, Recording, decode, encode, load, names

CLOCK, START, CONTINUE, STOP = b"\xf8", b"\xfa", b"\xfb", b"\xfc"
POSITION, QUARTER_FRAME, SYSEX = 0xF2, 0xF1, 0xF0
MMC_STOP, MMC_PLAY = b"\xf0\x7f\x7f\x06\x01\xf7", b"\xf0\x7f\x7f\x06\x03\xf7"
LONGEST_FILE = 60_000
# What comes apart from clocks and MTC quarter frames, in its order: F2 with its sixteenths.
TRANSPORT = {
    "ardour_clock": "FA FC F2:384 FB FC F2:768 FB FC FA FC",
    "ardour_mmc": "",
    "ardour_mtc": "",
    "giada": "FA F2:0 FC FA F2:0 FC",
    "jack_midi_clock": "FA FC F2:81 F2:80 F2:80 FB FC F2:144 FB FC F2:175",
    "jack_midi_clock_alone": "FA FC FC FB FC FA FC",
    "jack_midi_clock_jitter": "FA FC FC FB FC FA FC",
    "muse": "FA FC FA FC FB FB FC FA FC",
}
# It tells where it stopped, and where it is sent: bars 5, 9 and 1, at 2 s each.
ARDOUR_STANDS_AT_S = [5, 8, 16, 19, 0, 8]
TRANSPORT["ardour_all"] = TRANSPORT["ardour_clock"]


def transport(recording: Recording) -> Iterator[str]:
    for _, data in recording.events:
        if data in (START, CONTINUE, STOP):
            yield data.hex().upper()
        elif data[0] == POSITION:
            yield f"F2:{data[1] | data[2] << 7}"


def clock_runs(recording: Recording) -> Iterator[list[int]]:
    """The frames of the clocks in each stretch without another transport byte."""
    run: list[int] = []
    for frame, data in recording.events:
        if data == CLOCK:
            run.append(frame)
        elif data in (START, CONTINUE, STOP) or data[0] == POSITION:
            if run:
                yield run
            run = []
    if run:
        yield run


def spacings(frames: list[int]) -> list[int]:
    return [after - before for before, after in itertools.pairwise(frames)]


def bpm(frames: list[int], sample_rate: int) -> float:
    return 60 * sample_rate / (24 * statistics.median(spacings(frames)))


def tempos(name: str) -> list[float]:
    recording = load(name)
    return [round(bpm(run, recording.sample_rate), 1) for run in clock_runs(recording)]


def sysex(name: str) -> list[bytes]:
    return [data for _, data in load(name).events if data[0] == SYSEX]


def mmc_place(data: bytes) -> tuple[int, ...] | None:
    """Hours, minutes, seconds, frames and subframes of an MMC locate, else None."""
    return tuple(data[7:12]) if data[3:7] == b"\x06\x44\x06\x01" else None


def seconds(place: Sequence[int]) -> float:
    """The seconds of a place in hours, minutes, seconds, frames; 30 frames a second."""
    return place[0] * 3600 + place[1] * 60 + place[2] + place[3] / 30


def quarter_frame_seconds(nibbles: list[int]) -> float:
    """The time that eight quarter frames tell (MTC 1.0), at 30 frames a second."""
    frames, seconds, minutes, hours = (low | high << 4 for low, high in _pairs(nibbles))
    return (hours & 0x1F) * 3600 + minutes * 60 + seconds + frames / 30


def _pairs(nibbles: list[int]) -> Iterator[tuple[int, int]]:
    return zip(nibbles[::2], nibbles[1::2], strict=True)


@pytest.mark.parametrize("name", names())
def test_every_recording_loads_and_is_small(name: str) -> None:
    recording = load(name)
    assert recording.sample_rate == 48_000
    assert recording.events
    assert (FOLDER / f"{name}.bin").stat().st_size < LONGEST_FILE
    frames = [event.frame for event in recording.events]
    assert frames == sorted(frames)
    assert recording.time_us(recording.events[-1]) < 60_000_000


@pytest.mark.parametrize("name", names())
def test_every_event_is_one_whole_message(name: str) -> None:
    for _, data in load(name).events:
        if data[0] == SYSEX:
            assert data[-1] == 0xF7
        assert len(data) == {SYSEX: len(data), POSITION: 3, QUARTER_FRAME: 2}.get(data[0], 1)
        assert all(byte < 0x80 for byte in data[1 : -1 if data[0] == SYSEX else None])


@pytest.mark.parametrize("name", names())
def test_the_transport_of_every_recording_is_as_told(name: str) -> None:
    assert " ".join(transport(load(name))) == TRANSPORT[name]


def test_every_recording_is_told_of_and_every_session_is_there() -> None:
    told = (FOLDER / "README.md").read_text()
    assert set(re.findall(r"`(\w+)\.bin`", told)) == set(names()) == set(TRANSPORT)
    sessions = re.findall(
        r"^def ([a-z]\w+)\(home", (FOLDER / "sessions.py").read_text(), re.MULTILINE
    )
    assert re.findall(r"^### (\w+)$", told, re.MULTILINE) == sessions


def test_ardour_starts_and_its_first_clock_come_in_one_frame() -> None:
    events = load("ardour_clock").events
    starts = [n for n, event in enumerate(events) if event.data in (START, CONTINUE)]
    assert len(starts) == 4
    for n in starts:
        assert events[n + 1] == Event(events[n].frame, CLOCK)


def test_ardour_ticks_at_its_tempo_and_only_while_it_rolls() -> None:
    assert tempos("ardour_clock") == [120, 120, 120, 150]
    *steady, changing = clock_runs(load("ardour_clock"))
    assert [len(run) for run in steady] == pytest.approx([240, 144, 144], abs=2)
    assert {spacing for run in steady for spacing in spacings(run)} == {1000}
    first, then = spacings(changing)[:100], spacings(changing)[-100:]
    assert statistics.mean(first) == pytest.approx(4000 / 3, abs=0.1)
    assert statistics.mean(then) == 800


def test_ardour_counts_clocks_in_its_song_position_not_sixteenths() -> None:
    # Located to bars 5 and 9 of 4/4: sixteenths 64 and 128.
    positions = [word for word in transport(load("ardour_clock")) if word.startswith("F2")]
    assert positions == [f"F2:{64 * 6}", f"F2:{128 * 6}"]


def test_ardour_says_play_stop_and_where_by_mmc() -> None:
    told = sysex("ardour_mmc")
    assert len(told) == len(load("ardour_mmc").events)
    assert told.count(MMC_PLAY) == 4
    assert told.count(MMC_STOP) == 3
    places = [place for data in told if (place := mmc_place(data))]
    assert [seconds(place) for place in places] == pytest.approx(ARDOUR_STANDS_AT_S, abs=0.1)


def test_ardour_sends_quarter_frames_evenly_and_a_full_frame_where_it_stands() -> None:
    events = load("ardour_mtc").events
    frames = [event.frame for event in events if event.data[0] == QUARTER_FRAME]
    assert statistics.median(spacings(frames)) == 48_000 // 120
    nibbles = [event.data[1] for event in events if event.data[0] == QUARTER_FRAME]
    assert [nibble >> 4 for nibble in nibbles[:8]] == list(range(8))
    at_beginning = quarter_frame_seconds([nibble & 15 for nibble in nibbles[:8]])
    a_second_on = quarter_frame_seconds([nibble & 15 for nibble in nibbles[120:128]])
    assert a_second_on - at_beginning == pytest.approx(1)
    full = [data for data in sysex("ardour_mtc") if data[:5] == b"\xf0\x7f\x7f\x01\x01"]
    # The hours of MTC have its frame rate in them, 3 for 30 frames a second.
    assert {data[5] for data in full} == {3 << 5}
    places = [(0, *data[6:9]) for data in full]
    assert [seconds(place) for place in places] == pytest.approx(ARDOUR_STANDS_AT_S, abs=0.1)


def test_all_of_ardour_is_its_three_ports_together() -> None:
    parts = [e for part in ("clock", "mmc", "mtc") for e in load(f"ardour_{part}").events]
    assert sorted(load("ardour_all").events) == sorted(parts)


def test_jack_midi_clock_changes_its_tempo_on_the_way() -> None:
    first, *_ = clock_runs(load("jack_midi_clock"))
    before, after = first[:150], first[-100:]
    assert bpm(before, 48_000) == 120
    assert bpm(after, 48_000) == 150
    # It skips one clock's time when the tempo changes.
    assert max(spacings(first)) == 1600


def test_jack_midi_clock_ticks_for_two_seconds_before_it_continues() -> None:
    events = load("jack_midi_clock").events
    continues = [n for n, event in enumerate(events) if event.data == CONTINUE]
    assert len(continues) == 2
    for n in continues:
        ahead = events[n - 95 : n]
        assert {event.data for event in ahead} == {CLOCK}
        assert events[n - 96].data[0] == POSITION
        assert events[n].frame - events[n - 96].frame == 2 * 48_000
        assert events[n + 1] == Event(events[n].frame, CLOCK)


def test_jack_midi_clock_tells_the_place_where_it_will_continue() -> None:
    # Two seconds at 120 BPM are 16 sixteenths: bars 5 and 9, and that.
    positions = [word for word in transport(load("jack_midi_clock")) if word.startswith("F2")]
    assert positions[1:4] == [f"F2:{64 + 16}", f"F2:{64 + 16}", f"F2:{128 + 16}"]


def test_jack_midi_clock_alone_knows_no_place() -> None:
    assert tempos("jack_midi_clock_alone") == [133.3, 133.3, 133.3]
    assert not any(word.startswith("F2") for word in transport(load("jack_midi_clock_alone")))


def test_the_jitter_is_as_large_as_it_was_asked_for_and_does_not_add_up() -> None:
    for run in clock_runs(load("jack_midi_clock_jitter")):
        assert 100 < max(abs(spacing - 1000) for spacing in spacings(run)) <= 150
        assert statistics.mean(spacings(run)) == pytest.approx(1000, abs=10)


def test_giada_tells_start_and_stop_and_never_ticks() -> None:
    assert not list(clock_runs(load("giada")))


def test_muse_never_ticks_and_says_everything_twice() -> None:
    events = load("muse").events
    assert not list(clock_runs(load("muse")))
    told = {START: MMC_PLAY, CONTINUE: MMC_PLAY, STOP: MMC_STOP}
    real_time = [(frame, told[data]) for frame, data in events if data in told]
    assert real_time == [(frame, data) for frame, data in events if data[0] == SYSEX]


@given(
    st.integers(1, 192_000),
    st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=300)), max_size=20),
)
def test_what_is_written_is_read_again(rate: int, steps: list[tuple[int, bytes]]) -> None:
    frame = 0
    events = []
    for since, data in steps:
        frame += since
        events.append(Event(frame, data))
    recording = Recording(rate, tuple(events))
    assert decode(encode(recording)) == recording


@given(st.binary(max_size=40), st.booleans())
def test_any_bytes_are_read_or_refused(rubbish: bytes, with_header: bool) -> None:
    content = MAGIC + b"48000\n" + rubbish if with_header else rubbish
    try:
        recording = decode(content)
    except InvalidValue:
        return
    assert encode(recording) == content


def test_a_file_that_breaks_off_is_refused() -> None:
    content = (FOLDER / "ardour_mmc.bin").read_bytes()
    for size in (0, 10, len(content) - 1, len(content) - 14):
        with pytest.raises(InvalidValue, match="recording: "):
            decode(content[:size])


def test_an_event_without_bytes_is_refused() -> None:
    with pytest.raises(InvalidValue, match="has 0 bytes, not 1"):
        decode(MAGIC + b"48000\n" + bytes(6))


@pytest.mark.parametrize(
    "events",
    [
        (Event(-1, b"\xf8"),),
        (Event(5, b"\xf8"), Event(4, b"\xf8")),
        (Event(0, b""),),
        (Event(0, bytes(1 << 16)),),
        (Event(1 << 32, b"\xf8"),),
    ],
)
def test_what_does_not_fit_is_not_written(events: tuple[Event, ...]) -> None:
    with pytest.raises(InvalidValue, match="recording: no event of"):
        encode(Recording(48_000, events))


@pytest.mark.parametrize("rate", [0, -1, 10_000_000])
def test_a_sample_rate_that_nobody_has_is_not_written(rate: int) -> None:
    with pytest.raises(InvalidValue, match="recording: no sample rate"):
        encode(Recording(rate, ()))
