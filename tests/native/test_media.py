"""Sealed datagrams: golden bytes, and C beside the pure layout."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool import media_datagram
from midipool.errors import InvalidDatagram, InvalidValue
from midipool.media_datagram import MediaHeader, MediaKind
from midipool_native import media
from midipool_native._rt import lib
from tests.midipool.test_media_datagram import headers

KEY = bytes(range(0x80, 0xA0))
HEADER = MediaHeader(MediaKind.REPAIR, 0x1234, 0xA1B2C3D4, 0x010203040506, -2)
# By another implementation of RFC 8439: key 80..9f, nonce a1b2c3d4 010203040506 0000.
GOLDEN = bytes.fromhex(
    "f1011234a1b2c3d4010203040506fffffffffffffffef8fb4ce7fd5e133b08da844b94e55da405cf3fc79eeb3a86"
)

pytestmark = pytest.mark.skipif(not media.sodium_found(), reason="there is no libsodium")


def test_a_sealed_datagram_has_the_golden_bytes() -> None:
    assert media.seal(KEY, HEADER, b"midiPool") == GOLDEN
    assert media.open_sealed(KEY, GOLDEN) == (HEADER, b"midiPool")


@given(headers, st.binary(max_size=media_datagram.MAX_PAYLOAD))
def test_c_writes_and_reads_the_header_of_the_page(header: MediaHeader, payload: bytes) -> None:
    datagram = media.seal(KEY, header, payload)
    assert datagram[:22] == media_datagram.pack_header(header)
    assert media_datagram.parse_header(datagram) == header
    assert len(datagram) == 22 + len(payload) + 16
    assert media.open_sealed(KEY, datagram) == (header, payload)


def test_the_sizes_are_the_same_on_both_sides() -> None:
    for name, size in {
        "HEADER": media_datagram.HEADER_SIZE,
        "TAG": media_datagram.TAG_SIZE,
        "KEY": media_datagram.KEY_SIZE,
        "DATAGRAM": media_datagram.MAX_DATAGRAM,
        "PAYLOAD": media_datagram.MAX_PAYLOAD,
        "KINDS": len(MediaKind),
    }.items():
        assert getattr(lib, f"MP_MEDIA_{name}") == size
    assert lib.MP_REPLAY_WINDOW == media_datagram.REPLAY_WINDOW


def test_what_was_changed_or_cut_does_not_open() -> None:
    for at in range(len(GOLDEN)):
        with pytest.raises(InvalidDatagram):
            media.open_sealed(KEY, GOLDEN[:at] + bytes([GOLDEN[at] ^ 1]) + GOLDEN[at + 1 :])
        with pytest.raises(InvalidDatagram):
            media.open_sealed(KEY, GOLDEN[:at])
    with pytest.raises(InvalidDatagram):
        media.open_sealed(bytes(32), GOLDEN)


def test_what_cannot_be_sealed_says_why() -> None:
    with pytest.raises(InvalidValue, match="payload: at most 1434 bytes"):
        media.seal(KEY, HEADER, bytes(1435))
    with pytest.raises(InvalidValue, match="key: has 32 bytes"):
        media.seal(KEY[1:], HEADER, b"")
    with pytest.raises(InvalidValue, match="key: has 32 bytes"):
        media.open_sealed(KEY[1:], GOLDEN)


def test_a_datagram_is_taken_once_and_not_when_it_is_too_old() -> None:
    replay = media.Replay()
    assert [replay.accept(n) for n in (2, 2, 1, 1025, 2, 1026, 1027)] == [
        True, False, True, True, False, True, True,
    ]  # fmt: skip
    assert not replay.accept(3)
