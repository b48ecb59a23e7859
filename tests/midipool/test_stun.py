"""STUN's bytes, against the test vectors of RFC 5769, and against whatever comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.errors import InvalidDatagram
from midipool.stun import (
    PRIORITY,
    REQUEST,
    SUCCESS,
    USERNAME,
    XOR_MAPPED_ADDRESS,
    Address,
    StunMessage,
    encode,
    looks_like_stun,
    parse,
    xor_mapped,
)

PASSWORD = "VOkJxbRl1RmTxUk/WvJxBt"
REQUEST_2_1 = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf"
)
RESPONSE_2_2 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
    "80280004c07d4c96"
)


def test_the_request_of_rfc_5769_is_understood() -> None:
    message = parse(REQUEST_2_1)
    assert (message.kind, message.username) == (REQUEST, "evtj:h6vY")
    assert message.attributes[PRIORITY].hex() == "6e0001ff"
    assert message.verified(PASSWORD)
    assert not message.verified("another")


def test_the_response_of_rfc_5769_is_understood() -> None:
    message = parse(RESPONSE_2_2)
    assert (message.kind, message.mapped) == (SUCCESS, ("192.0.2.1", 32853))
    assert message.verified(PASSWORD)


@pytest.mark.parametrize("at", [("192.0.2.1", 1), ("2001:db8::7", 65535)])
def test_what_is_encoded_is_read_again(at: Address) -> None:
    attributes = {USERNAME: b"a:bc", XOR_MAPPED_ADDRESS: xor_mapped(at, b"x" * 12)}
    message = parse(encode(StunMessage(SUCCESS, b"x" * 12, attributes), "secret"))
    assert (message.mapped, message.username) == (at, "a:bc")
    assert message.verified("secret")


def test_a_changed_byte_makes_it_no_message() -> None:
    for at in range(len(REQUEST_2_1) - 8):  # all but the fingerprint itself
        changed = bytearray(REQUEST_2_1)
        changed[at] ^= 0x40
        with pytest.raises(InvalidDatagram):
            parse(bytes(changed))


def test_what_stands_behind_the_integrity_is_not_read() -> None:
    sealed = encode(StunMessage(REQUEST, b"x" * 12, {}), "secret")[:-8]  # without FINGERPRINT
    longer = sealed + bytes.fromhex("0006000178000000")
    longer = longer[:2] + (len(longer) - 20).to_bytes(2, "big") + longer[4:]
    message = parse(longer)
    assert message.username is None
    assert message.verified("secret")


@given(st.binary(max_size=600) | st.binary(max_size=80).map(lambda b: REQUEST_2_1[:20] + b))
def test_any_bytes_are_a_message_or_refused(datagram: bytes) -> None:
    try:
        message = parse(datagram)
    except InvalidDatagram:
        return
    assert looks_like_stun(datagram)
    assert not message.verified(PASSWORD)
    assert message.mapped is None or message.mapped[1] < 65536
