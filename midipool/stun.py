"""STUN (RFC 8489) as hole punching needs it: Binding messages, short-term passwords. Pure.

Integrity is HMAC-SHA1 as in ICE (RFC 8445), which both sides of ours speak; a message counts as
authenticated only after `verified`, and nothing behind MESSAGE-INTEGRITY but FINGERPRINT is read.
"""

import hashlib
import hmac
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from types import MappingProxyType

from midipool.errors import InvalidDatagram

Address = tuple[str, int]

COOKIE = 0x2112A442
HEADER = struct.Struct("!HHI12s")
ATTRIBUTE = struct.Struct("!HH")
MAX_BYTES = 548  # RFC 8489 6.1: fits any path
MAX_ATTRIBUTES = 32

REQUEST, INDICATION, SUCCESS, FAILURE = 0x0001, 0x0011, 0x0101, 0x0111
KINDS = frozenset((REQUEST, INDICATION, SUCCESS, FAILURE))

USERNAME, MESSAGE_INTEGRITY, ERROR_CODE = 0x0006, 0x0008, 0x0009
XOR_MAPPED_ADDRESS, PRIORITY, FINGERPRINT = 0x0020, 0x0024, 0x8028
OTHER_ADDRESS = 0x802C  # RFC 5780
INTEGRITY_BYTES, FINGERPRINT_XOR = 20, 0x5354554E


@dataclass(frozen=True, slots=True)
class StunMessage:
    """A Binding message; attributes by number, of each the first, as raw bytes."""

    kind: int
    transaction: bytes
    attributes: Mapping[int, bytes] = field(default_factory=lambda: MappingProxyType({}))
    signed: bytes = b""
    """The bytes that MESSAGE-INTEGRITY covers, of a parsed message that has one."""

    def verified(self, password: str) -> bool:
        """Whether who sent this knows the password."""
        given = self.attributes.get(MESSAGE_INTEGRITY)
        if given is None or not self.signed:
            return False
        return hmac.compare_digest(given, _hmac(self.signed, password))

    @property
    def username(self) -> str | None:
        """USERNAME, if there is a sound one."""
        try:
            return self.attributes[USERNAME].decode()
        except (KeyError, UnicodeDecodeError):
            return None

    @property
    def mapped(self) -> Address | None:
        """XOR-MAPPED-ADDRESS: where the answering side saw the request come from."""
        value = self.attributes.get(XOR_MAPPED_ADDRESS, b"")
        masked = plain_address(value)
        if masked is None:
            return None
        return str(ip_address(_mask(value[4:], self.transaction))), masked[1] ^ COOKIE >> 16


def looks_like_stun(datagram: bytes) -> bool:
    """Tell STUN from media by the first byte."""
    return len(datagram) > 0 and datagram[0] < 4


def parse(datagram: bytes) -> StunMessage:
    """Read a Binding message; raises InvalidDatagram, which says what is wrong with the bytes."""
    if not HEADER.size <= len(datagram) <= MAX_BYTES:
        raise InvalidDatagram(f"a STUN message has 20 to {MAX_BYTES} bytes, not {len(datagram)}")
    kind, size, cookie, transaction = HEADER.unpack_from(datagram)
    if kind not in KINDS:
        raise InvalidDatagram(f"0x{kind:04x} is no Binding message of STUN")
    if cookie != COOKIE:
        raise InvalidDatagram("the magic cookie of STUN is missing")
    if size % 4 or size != len(datagram) - HEADER.size:
        raise InvalidDatagram(f"STUN says {size} bytes follow the header, which is not so")
    attributes: dict[int, bytes] = {}
    signed = b""
    at = HEADER.size
    for _ in range(MAX_ATTRIBUTES):
        if at == len(datagram):
            return StunMessage(kind, transaction, MappingProxyType(attributes), signed)
        number, length = ATTRIBUTE.unpack_from(datagram, at)
        value = datagram[at + 4 : at + 4 + length]
        behind = at + 4 + (length + 3) // 4 * 4
        if behind > len(datagram):
            raise InvalidDatagram(f"attribute 0x{number:04x} of STUN is cut off")
        if number == FINGERPRINT:
            _check_fingerprint(datagram, at, value)
        elif signed:
            at = behind
            continue  # anybody could have added it
        elif number == MESSAGE_INTEGRITY:
            if length != INTEGRITY_BYTES:
                raise InvalidDatagram(f"MESSAGE-INTEGRITY has 20 bytes, not {length}")
            signed = _with_length(datagram[:at], at + 24 - HEADER.size)
        attributes.setdefault(number, value)
        at = behind
    raise InvalidDatagram(f"a STUN message has at most {MAX_ATTRIBUTES} attributes")


def encode(message: StunMessage, password: str | None = None) -> bytes:
    """Bytes of a message: its attributes, MESSAGE-INTEGRITY with a password, FINGERPRINT."""
    body = b"".join(_attribute(number, value) for number, value in message.attributes.items())
    out = HEADER.pack(message.kind, len(body), COOKIE, message.transaction) + body
    if password is not None:
        out = _with_length(out, len(out) + 24 - HEADER.size)
        out += _attribute(MESSAGE_INTEGRITY, _hmac(out, password))
    out = _with_length(out, len(out) + 8 - HEADER.size)
    return out + _attribute(FINGERPRINT, _fingerprint(out).to_bytes(4, "big"))


def xor_mapped(address: Address, transaction: bytes) -> bytes:
    """The value of XOR-MAPPED-ADDRESS for an address; IPv6 without a zone."""
    packed = ip_address(address[0]).packed
    family = 1 if len(packed) == 4 else 2
    port = address[1] ^ COOKIE >> 16
    return struct.pack("!xBH", family, port) + _mask(packed, transaction)


def plain_address(value: bytes) -> Address | None:
    """The address in an attribute like OTHER-ADDRESS; None for what is none."""
    sizes = {1: 8, 2: 20}
    if len(value) < 8 or sizes.get(value[1]) != len(value):
        return None
    return str(ip_address(value[4:])), int.from_bytes(value[2:4], "big")


def _mask(packed: bytes, transaction: bytes) -> bytes:
    mask = COOKIE.to_bytes(4, "big") + transaction
    return bytes(a ^ b for a, b in zip(packed, mask, strict=False))


def _attribute(number: int, value: bytes) -> bytes:
    return ATTRIBUTE.pack(number, len(value)) + value + bytes(-len(value) % 4)


def _with_length(message: bytes, size: int) -> bytes:
    return message[:2] + size.to_bytes(2, "big") + message[4:]


def _hmac(signed: bytes, password: str) -> bytes:
    return hmac.digest(password.encode(), signed, hashlib.sha1)


def _fingerprint(before: bytes) -> int:
    return zlib.crc32(before) ^ FINGERPRINT_XOR


def _check_fingerprint(datagram: bytes, at: int, value: bytes) -> None:
    if at + 8 != len(datagram) or value != _fingerprint(datagram[:at]).to_bytes(4, "big"):
        raise InvalidDatagram("the fingerprint of STUN is wrong, or not at the end")
