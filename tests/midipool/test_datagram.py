"""Clock datagrams, byte by byte."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool import datagram
from midipool.errors import InvalidDatagram

ns = st.integers(-(2**63), 2**63 - 1)
nonces = st.integers(0, 2**64 - 1)


def reply(
    kind: int = 0xF1, version: int = 1, zero: int = 0, times: tuple[int, int, int] = (1, 2, 3)
) -> bytes:
    return struct.pack(">BBHQqqq8s", kind, version, zero, 9, *times, bytes(range(8)))


@given(nonces, ns)
def test_a_probe_has_the_bytes_that_the_page_names(nonce: int, t1_ns: int) -> None:
    data = datagram.encode_clock_probe(nonce, t1_ns)
    assert len(data) == datagram.SIZE == 44
    assert data[:4] == b"\xf0\x01\x00\x00"
    assert data[4:12] == nonce.to_bytes(8, "big")
    assert data[12:20] == t1_ns.to_bytes(8, "big", signed=True)
    assert data[20:] == bytes(24)


@given(ns, ns, ns)
def test_a_reply_is_read(t1: int, t2: int, t3: int) -> None:
    got = datagram.decode_clock_reply(reply(times=(t1, t2, t3)))
    assert (got.nonce, got.t1_ns, got.t2_ns, got.t3_ns) == (9, t1, t2, t3)
    assert got.clock_id == "0001020304050607"


@pytest.mark.parametrize(
    "data",
    [b"", reply()[:-1], reply() + b"\0", reply(kind=0xF0), reply(version=2), reply(zero=1)],
)
def test_what_is_not_ours_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidDatagram):
        datagram.decode_clock_reply(data)


@given(st.binary(max_size=100))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(InvalidDatagram):
        datagram.decode_clock_reply(data)


def test_kinds_stay_clear_of_stun() -> None:
    assert min(datagram.PROBE, datagram.REPLY) > 0xEF
