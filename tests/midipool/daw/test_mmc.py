"""What MIDI Machine Control messages say."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.daw.mmc import FrameRate, MmcReading, MmcTarget, MmcTransport, read_mmc

PLAY, STOP = MmcTransport.PLAY, MmcTransport.STOP
RATES = (24, 25, 29.97, 30)


def mmc(*commands: int, device: int = 0x7F) -> bytes:
    return bytes((0xF0, 0x7F, device, 0x06, *commands, 0xF7))


def locate(hr: int, mn: int, sc: int, fr: int, ff: int = 0, rate: int = 3) -> bytes:
    return mmc(0x44, 0x06, 0x01, hr | rate << 5, mn, sc, fr, ff)


def target(sysex: bytes) -> Fraction:
    reading = read_mmc(sysex)
    assert reading is not None
    assert reading.fault is None
    (command,) = reading.commands
    assert isinstance(command, MmcTarget)
    return command.seconds


@pytest.mark.parametrize(
    ("code", "command"), [(0x01, STOP), (0x02, PLAY), (0x03, PLAY), (0x09, STOP)]
)
def test_transport_commands_are_play_or_stop(code: int, command: MmcTransport) -> None:
    assert read_mmc(mmc(code)) == MmcReading((command,))


@pytest.mark.parametrize(
    ("code", "name"), [(0x04, "fast forward"), (0x05, "rewind"), (0x06, "record strobe")]
)
def test_what_a_room_has_no_word_for_is_named_and_commands_nothing(code: int, name: str) -> None:
    assert read_mmc(mmc(code)) == MmcReading((), (name,))


@pytest.mark.parametrize(
    ("sysex", "seconds"),
    [
        (locate(0, 0, 0, 0), Fraction(0)),
        (locate(0, 1, 2, 15), Fraction(125, 2)),
        (locate(1, 0, 0, 0, rate=1), Fraction(3600)),
        (locate(0, 0, 1, 12, rate=0), Fraction(3, 2)),
        (locate(0, 0, 0, 10, 50, rate=1), Fraction(21, 50)),
    ],
)
def test_locate_is_exact_seconds_at_every_rate(sysex: bytes, seconds: Fraction) -> None:
    assert target(sysex) == seconds


def test_drop_frame_keeps_to_real_time() -> None:
    # An hour by drop-frame time code is 107,892 frames of 1001/30000 s.
    assert target(locate(1, 0, 0, 0, rate=2)) == Fraction(107_892 * 1001, 30_000)
    before = target(locate(0, 0, 59, 29, rate=2))
    assert target(locate(0, 1, 0, 2, rate=2)) - before == Fraction(1001, 30_000)
    assert target(locate(0, 10, 0, 0, rate=2)) == Fraction(17_982 * 1001, 30_000)


def test_a_frame_that_drop_frame_leaves_out_is_the_one_behind_it() -> None:
    assert target(locate(0, 1, 0, 0, rate=2)) == target(locate(0, 1, 0, 2, rate=2))


@given(
    st.integers(0, 3),
    st.tuples(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 23)),
    st.integers(0, 99),
)
def test_locate_is_what_a_clock_on_the_wall_shows(
    rate: int, time: tuple[int, int, int, int], subframes: int
) -> None:
    hours, minutes, seconds, frames = time
    shown = hours * 3600 + minutes * 60 + seconds + (frames + subframes / 100) / RATES[rate]
    # Drop frame strays from the wall clock by less than two frames, and 3.6 ms an hour.
    allowed = 0.17 if rate == 2 else 1e-6
    assert float(target(locate(*time, subframes, rate=rate))) == pytest.approx(shown, abs=allowed)


def test_a_status_in_place_of_subframes_is_no_part_of_the_time() -> None:
    assert target(locate(0, 0, 1, 0x20 | 15, 0x7F)) == Fraction(3, 2)


def test_a_rate_that_is_not_said_is_the_one_that_is_known() -> None:
    half = locate(0, 0, 1, 15, rate=0)
    known = read_mmc(half, unsaid_rate=FrameRate.FPS_30)
    assert known == MmcReading((MmcTarget(Fraction(3, 2), FrameRate.FPS_30),))
    said = read_mmc(locate(0, 0, 1, 15, rate=1), unsaid_rate=FrameRate.FPS_30)
    assert said == MmcReading((MmcTarget(Fraction(8, 5), FrameRate.FPS_25),))


def test_a_frame_that_24_a_second_have_not_is_one_of_30() -> None:
    reading = read_mmc(locate(0, 0, 1, 24, rate=0))
    assert reading == MmcReading((MmcTarget(Fraction(9, 5), FrameRate.FPS_30),))


def test_several_commands_in_one_message_all_count() -> None:
    both = read_mmc(mmc(0x44, 0x06, 0x01, 0x60, 0, 4, 0, 0, 0x47, 0x03, 1, 2, 3, 0x02))
    assert both == MmcReading((MmcTarget(Fraction(4), FrameRate.FPS_30), PLAY), ("shuttle",))


@pytest.mark.parametrize(
    ("device", "for_us", "heard"),
    [(5, 5, True), (0x7F, 5, True), (5, 0x7F, True), (6, 5, False)],
)
def test_another_devices_messages_are_not_ours(device: int, for_us: int, heard: bool) -> None:
    reading = read_mmc(mmc(0x02, device=device), for_us)
    assert reading == (MmcReading((PLAY,)) if heard else None)


@pytest.mark.parametrize(
    "sysex",
    [b"", b"\xf8", b"\xf0\xf7", b"\xf0\x7f\x7f\x07\x01\xf7", b"\xf0\x7e\x7f\x06\x01\xf7"],
)
def test_what_is_no_mmc_command_is_none(sysex: bytes) -> None:
    assert read_mmc(sysex) is None


@pytest.mark.parametrize(
    ("sysex", "why"),
    [
        (mmc(), "without a command"),
        (mmc(0x02)[:-1] + b"\x01", "not one whole SysEx"),
        (mmc(0x44), "ends before"),
        (mmc(0x44, 0x06, 0x01, 0x60, 0, 4), "ends before"),
        (mmc(0x44, 0x05, 0x01, 0x60, 0, 4, 0), "has 5 data bytes"),
        (locate(24, 0, 0, 0), "no clock shows"),
        (locate(0, 60, 0, 0), "no clock shows"),
        (locate(0, 0, 0, 0, 100), "no clock shows"),
        (locate(0, 0, 0, 25, rate=1), "frame 25"),
        (locate(0, 0, 1, 0x40), "before the song"),
        (mmc(0x00, 0x01), "extension"),
    ],
)
def test_a_damaged_message_says_nothing_but_why(sysex: bytes, why: str) -> None:
    reading = read_mmc(sysex)
    assert reading is not None
    assert (reading.commands, reading.ignored) == ((), ())
    assert reading.fault is not None
    assert why in reading.fault


def test_a_play_in_front_of_a_damaged_locate_is_not_done_either() -> None:
    reading = read_mmc(mmc(0x02, 0x44, 0x06, 0x01))
    assert reading is not None
    assert reading.commands == ()


def test_a_locate_to_a_place_in_the_device_is_ignored() -> None:
    reading = read_mmc(mmc(0x44, 0x02, 0x00, 0x08))
    assert reading is not None
    assert (reading.commands, len(reading.ignored)) == ((), 1)


@given(st.binary(max_size=40))
def test_no_message_at_all_breaks_it(rest: bytes) -> None:
    read_mmc(rest)
    read_mmc(b"\xf0\x7f\x7f\x06" + rest)
    reading = read_mmc(b"\xf0\x7f\x7f\x06" + bytes(byte & 0x7F for byte in rest) + b"\xf7")
    assert reading is not None
