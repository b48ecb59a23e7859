import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.errors import InvalidDatagram
from midipool.rtcp import check_compound
from midipool.rtcp_guard import MOST_SOURCES, RtcpGuard
from tests.midipool.rtcp_packets import (
    REFERENCE_TIME,
    SSRC,
    description,
    extended,
    items,
    packet,
    receiver_report,
    sender_report,
)

SOURCE = struct.pack(">I", SSRC)
APP = packet(204, 0, SOURCE + b"midi")

SAFE = {
    "a sender": sender_report() + description(),
    "a sender who also hears": sender_report(blocks=2) + description(),
    "a receiver": receiver_report(blocks=1) + extended(SSRC, REFERENCE_TIME) + description(),
    "nobody heard yet": receiver_report() + description(),
    "31 heard": receiver_report(blocks=31) + description(),
    "a name that fills its words": sender_report() + description(name=b"a" * 9),
    "the longest name": sender_report() + description(name=b"a" * 255),
    "more items": sender_report() + packet(202, 1, SOURCE + items((2, b"Ann"), (1, b"a"))),
    "an application's own": sender_report() + description() + APP,
    "after 2036": sender_report(ntp=0x1000_0000_0000_0000) + description(),
}

UNSAFE = {
    "between 8 and|not 8 to": b"",
    "begin with a report": description() + sender_report(),
    r"0 descriptions": sender_report(),
    r"2 descriptions": sender_report() + description() + description(),
    "ends within a packet": (sender_report() + description())[:-4],
    "version 1": sender_report() + b"\x41" + description()[1:],
    "padding": sender_report() + packet(202, 1, description()[4:], padding=True),
    "more than one source": sender_report() + description(ssrc=9),
    "shorter than its count": packet(200, 1, sender_report()[4:]) + description(),
    "one CNAME with a text": sender_report() + description(name=b""),
    "exactly one CNAME": sender_report() + packet(202, 1, SOURCE + items((1, b"a"), (1, b"b"))),
    "has not exactly one CNAME": sender_report() + description(name=b"a\0b"),
    "exactly one chunk": sender_report() + packet(202, 0, SOURCE + items((1, b"a"))),
    "within an item": sender_report() + packet(202, 1, SOURCE + b"\x01\xffab"),
    "end with its chunk": sender_report() + packet(202, 1, SOURCE + items((1, b"ab")) + bytes(4)),
    "BYE": sender_report() + description() + packet(203, 1, SOURCE),
    "unknown type 205": sender_report() + description() + packet(205, 0, SOURCE),
    "APP is cut short": sender_report() + description() + packet(204, 0, SOURCE),
    "XR is cut short": sender_report() + description() + packet(207, 0, b""),
    "XR ends within": sender_report() + description() + extended(SSRC, b"\x04\0\0\x02"),
    "before 1971": sender_report(ntp=2_208_988_800 << 32) + description(),
}


@pytest.mark.parametrize("data", SAFE.values(), ids=SAFE.keys())
def test_what_a_member_sends_is_safe(data: bytes) -> None:
    check_compound(data)


@pytest.mark.parametrize(("said", "data"), UNSAFE.items(), ids=UNSAFE.keys())
def test_what_libroc_would_not_survive_is_refused(said: str, data: bytes) -> None:
    with pytest.raises(InvalidDatagram, match=said):
        check_compound(data)


def test_it_tells_the_source() -> None:
    assert check_compound(SAFE["a sender"]) == (SSRC, b"drums@jam")


def test_nobody_bears_our_own_source_number() -> None:
    guard = RtcpGuard()
    guard.own_ssrc = SSRC + 1
    guard.admit(SAFE["a sender"])
    guard.own_ssrc = SSRC
    with pytest.raises(InvalidDatagram, match="our own source"):
        guard.admit(SAFE["a sender"])


def test_a_source_keeps_its_name() -> None:
    guard = RtcpGuard()
    for _ in range(2):
        guard.admit(sender_report() + description())
    with pytest.raises(InvalidDatagram, match="changed its CNAME"):
        guard.admit(sender_report() + description(name=b"keys@jam"))
    guard.admit(sender_report() + description())


def test_sources_without_end_are_refused() -> None:
    guard = RtcpGuard()
    for ssrc in range(1, MOST_SOURCES + 1):
        guard.admit(sender_report(ssrc) + description(ssrc))
    with pytest.raises(InvalidDatagram, match="more than 16"):
        guard.admit(sender_report(99) + description(99))
    guard.admit(sender_report(1) + description(1))


@pytest.mark.parametrize("data", SAFE.values(), ids=SAFE.keys())
def test_it_is_refused_at_every_shorter_length(data: bytes) -> None:
    whole = {len(SAFE["a sender"])} if data.endswith(APP) else set()
    for size in {*range(len(data))} - whole:
        with pytest.raises(InvalidDatagram):
            check_compound(data[:size])


@given(st.binary(max_size=200))
def test_any_bytes_are_safe_or_refused(data: bytes) -> None:
    try:
        check_compound(data)
    except InvalidDatagram:
        return
    assert data[0] >> 6 == 2
    assert data[1] in (200, 201)
