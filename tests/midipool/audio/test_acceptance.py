"""What is answered to streams: by their format, by what hinders, by tries."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.audio.acceptance import (
    FIRST_PAUSE_US,
    MOST_PAUSE_US,
    WELL_US,
    Acceptance,
    Trouble,
    trouble_with,
)
from midipool.audio.profiles import PROFILES, encoding_for
from midipool.messages import AudioStream

STREAM = AudioStream(2, 128, 4, 4)
BUSY, NEVER = Trouble("busy"), Trouble("no ears", lasts=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"channels": 8}, "8 channels, not 1, 2 or 4"),
        ({"channels": 3}, "3 channels, not 1, 2 or 4"),
        ({"rate": 96_000}, "96000 Hz, not 48000"),
        ({"encoding": "opus"}, "samples as opus, not L16"),
        ({"code": "ldpc"}, "repair packets of ldpc, not rs8m"),
        ({"version": 2}, "datagrams of version 2, not 1"),
        ({"packet_frames": 1024}, "packets of 1024 frames, of at most 354"),
        ({"source_packets": 200, "repair_packets": 100}, "blocks of 300 packets, of at most 255"),
        ({"rate": 96_000, "version": 2}, "datagrams of version 2, not 1; 96000 Hz, not 48000"),
    ],
)
def test_what_nobody_here_can_decode_is_refused_with_all_that_is_wrong(
    changes: dict[str, object], words: str
) -> None:
    trouble = trouble_with(msgspec.structs.replace(STREAM, **changes))
    assert trouble == Trouble(f"the stream has {words}", lasts=True)


@pytest.mark.parametrize("channels", [1, 2, 4])
@pytest.mark.parametrize("profile", list(PROFILES))
def test_what_members_send_is_taken(channels: int, profile: str) -> None:
    made = encoding_for([profile], channels)  # type: ignore[list-item]
    stream = AudioStream(channels, made.packet_frames, made.source_packets, made.repair_packets)
    assert trouble_with(stream) is None


def test_what_hinders_is_said_and_when_it_is_over_it_is_tried_at_once() -> None:
    stream = Acceptance()
    assert (stream.answer, stream.is_tried) == (None, True)
    stream.hinder(BUSY)
    assert (stream.answer, stream.reason, stream.is_tried) == ("failed", "busy", False)
    stream.hinder(NEVER)
    assert (stream.answer, stream.reason, stream.is_tried) == ("refused", "no ears", False)
    stream.taken(5)
    stream.failed(5, stream.attempt, "late")
    assert stream.answer == "refused"
    stream.hinder(None)
    assert (stream.answer, stream.is_tried, stream.attempt) == ("refused", True, 1)
    stream.taken(6)
    assert (stream.answer, stream.reason) == ("accepted", "")


def pauses(stream: Acceptance, now_us: int, count: int) -> list[int]:
    """Tries that all come to nothing: how long it was waited before each next one."""
    found = []
    for _ in range(count):
        stream.failed(now_us, stream.attempt, "no memory")
        assert (stream.answer, stream.is_tried) == ("failed", False)
        began_us, attempt = now_us, stream.attempt
        stream.failed(now_us, attempt, "no memory")  # said once more: still the same try
        while not stream.is_tried:
            now_us += 100_000
            stream.look(now_us)
        assert stream.attempt == attempt + 1
        stream.failed(now_us, attempt, "no memory")  # of the try before
        assert stream.is_tried
        found.append(now_us - began_us)
    return found


def test_a_try_that_fails_is_made_again_with_growing_pauses() -> None:
    stream = Acceptance()
    found = pauses(stream, 0, 9)
    assert found[:4] == [FIRST_PAUSE_US * 2**n for n in range(4)]
    assert found[-1] == MOST_PAUSE_US
    # What was heard for a while begins anew; what failed again soon does not.
    now_us = 10**9
    stream.taken(now_us)
    assert pauses(stream, now_us + 1, 1) == [MOST_PAUSE_US]
    stream.taken(2 * now_us)
    assert pauses(stream, 2 * now_us + WELL_US, 1) == [FIRST_PAUSE_US]


def test_another_format_is_another_offer() -> None:
    stream = Acceptance()
    stream.failed(0, 0, "no memory")
    stream.offered_anew()
    assert (stream.answer, stream.reason, stream.is_tried) == (None, "", True)
    stream.failed(1, 0, "of the format before")
    assert stream.answer is None


@given(
    st.lists(
        st.sampled_from(["busy", "never", "free", "fail", "take", "look", "offer"]), max_size=40
    )
)
def test_whatever_happens_only_what_is_tried_is_accepted_and_a_reason_is_given(
    steps: list[str],
) -> None:
    stream, attempts = Acceptance(), [0]
    for now_s, step in enumerate(steps):
        now_us, refused_before = now_s * 10**6, stream.answer == "refused"
        match step:
            case "busy" | "never":
                stream.hinder(BUSY if step == "busy" else NEVER)
            case "free":
                stream.hinder(None)
            case "fail":
                stream.failed(now_us, stream.attempt, "no memory")
            case "take":
                stream.taken(now_us)
            case "look":
                stream.look(now_us)
            case "offer":
                stream.offered_anew()
        attempts.append(stream.attempt)
        assert (stream.reason != "") == (stream.answer in ("failed", "refused"))
        assert stream.is_tried or stream.answer != "accepted"
        assert not (refused_before and step == "look" and stream.is_tried and stream._hindered)
    assert attempts == sorted(attempts)
