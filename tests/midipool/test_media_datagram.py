"""Headers of media datagrams, byte by byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool import media_datagram
from midipool.errors import InvalidDatagram, InvalidValue
from midipool.media_datagram import MediaHeader, MediaKind

headers = st.builds(
    MediaHeader,
    st.sampled_from(MediaKind),
    st.integers(0, 2**16 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(1, 2**48 - 1),
    st.integers(-(2**63), 2**63 - 1),
)
SEALED = bytes(16)


@given(headers)
def test_a_header_has_the_bytes_that_the_page_names(header: MediaHeader) -> None:
    data = media_datagram.pack_header(header)
    assert len(data) == media_datagram.HEADER_SIZE == 22
    assert data[:2] == bytes([0xF0 + header.kind, 1])
    assert data[2:4] == header.key_id.to_bytes(2, "big")
    assert data[4:8] == header.sender.to_bytes(4, "big")
    assert data[8:14] == header.counter.to_bytes(6, "big")
    assert data[14:] == header.capture_us.to_bytes(8, "big", signed=True)
    assert media_datagram.nonce(header) == data[4:14] + bytes(2)


@given(headers, st.integers(16, 1450))
def test_a_header_is_read(header: MediaHeader, sealed_size: int) -> None:
    data = media_datagram.pack_header(header) + bytes(sealed_size)
    assert media_datagram.parse_header(data) == header


@given(st.binary(max_size=1500))
def test_anything_else_is_refused_with_the_one_error(data: bytes) -> None:
    try:
        header = media_datagram.parse_header(data)
    except InvalidDatagram:
        return
    assert media_datagram.pack_header(header) == data[:22]


@pytest.mark.parametrize(
    "broken",
    [b"", bytes(37), b"\xf0\x01" + bytes(35), b"\xf0\x01" + b"\x01" * 1471],
    ids=["empty", "STUN", "short", "long"],
)
def test_what_has_no_such_size_is_refused(broken: bytes) -> None:
    with pytest.raises(InvalidDatagram, match="bytes instead of 38 to 1472"):
        media_datagram.parse_header(broken)


@pytest.mark.parametrize("start", ["ef01", "f601", "f000", "f002"])
def test_another_kind_or_version_is_refused(start: str) -> None:
    with pytest.raises(InvalidDatagram, match="of this version"):
        media_datagram.parse_header(bytes.fromhex(start) + b"\x01" * 36)


def test_a_counter_of_zero_is_refused() -> None:
    with pytest.raises(InvalidDatagram, match="begins at 1"):
        media_datagram.parse_header(b"\xf0\x01" + bytes(36))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key_id", 1 << 16),
        ("sender", -1),
        ("counter", 0),
        ("counter", 1 << 48),
        ("capture_us", 1 << 63),
    ],
)
def test_a_header_out_of_range_is_not_made(field: str, value: int) -> None:
    fields = {"key_id": 1, "sender": 1, "counter": 1, "capture_us": 0, field: value}
    with pytest.raises(InvalidValue, match=field):
        MediaHeader(MediaKind.SOURCE, **fields)
