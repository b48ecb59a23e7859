"""Which compound RTCP packets may be given to libroc (RFC 3550 6.1, and stricter).

Its receiver ends the process at a sender report without a CNAME, takes padding from the wrong
place, and makes a stream for every source that somebody names. So a compound here is of one source
that does not leave (BYE: a player who goes is told by the room): a report (SR or RR) first, exactly
one SDES with its CNAME, then what else belongs to it, each packet whole and without padding.
`native/src/rtcp_check.c` is the twin on the receive path.
"""

from collections.abc import Iterator

from midipool.errors import InvalidDatagram

LARGEST_SIZE = 2048
SR, RR, SDES = 200, 201, 202
CNAME = 1
_HEADER, _SSRC, _BLOCK = 4, 4, 24
_REPORT_HEAD = {SR: 28, RR: 8}
_APP_HEAD = 12
# The upper half of NTP's seconds is before 2036, the lower half after (RFC 2030).
_ERA_1, _SECOND_OF_1971 = 1 << 31, 2_240_524_800


def check_compound(data: bytes) -> tuple[int, bytes]:
    """The source's SSRC and CNAME; raises InvalidDatagram, which names the rule that is broken.

    What may be pushed depends on what was pushed before, too: see RtcpGuard.
    """
    if not _HEADER + _SSRC <= len(data) <= LARGEST_SIZE:
        raise InvalidDatagram(f"RTCP of {len(data)} bytes, not 8 to {LARGEST_SIZE}")
    if data[1] not in _REPORT_HEAD:
        raise InvalidDatagram("RTCP does not begin with a report")
    source = data[_HEADER : _HEADER + _SSRC]
    names = []
    for packet in _packets(data):
        _check_packet(packet, source)
        if packet[1] == SDES:
            names.append(_described(packet, source))
    if len(names) != 1:
        raise InvalidDatagram(f"RTCP with {len(names)} descriptions (SDES) instead of one")
    return int.from_bytes(source), names[0]


def _packets(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        length = _HEADER + 4 * int.from_bytes(data[at + 2 : at + 4])
        if len(data) - at < max(length, _HEADER):
            raise InvalidDatagram("RTCP ends within a packet")
        if data[at] >> 6 != 2:
            raise InvalidDatagram(f"RTCP of version {data[at] >> 6}, not 2")
        if data[at] & 0x20:
            raise InvalidDatagram("RTCP with padding, which libroc misreads")
        yield data[at : at + length]
        at += length


def _check_packet(packet: bytes, source: bytes) -> None:
    match packet[1]:
        case 200 | 201:
            _check_report(packet, source)
        case 202:
            pass
        case 203:
            raise InvalidDatagram("RTCP BYE: a player who goes is told by the room")
        case 204:
            if len(packet) < _APP_HEAD:
                raise InvalidDatagram("RTCP APP is cut short")
        case 207:
            _check_extended(packet, source)
        case kind:
            raise InvalidDatagram(f"RTCP of the unknown type {kind}")


def _check_source(ssrc: bytes, source: bytes) -> None:
    if ssrc != source:
        raise InvalidDatagram("RTCP of more than one source")


def _check_report(packet: bytes, source: bytes) -> None:
    head = _REPORT_HEAD[packet[1]]
    if len(packet) < head + (packet[0] & 31) * _BLOCK:
        raise InvalidDatagram("RTCP report is shorter than its count of blocks says")
    _check_source(packet[4:8], source)
    seconds = int.from_bytes(packet[8:12])
    # libroc counts capture times from 1970, and may reckon from them half a day back.
    if packet[1] == SR and _ERA_1 <= seconds < _SECOND_OF_1971:
        raise InvalidDatagram("RTCP sender report is from before 1971")


def _described(packet: bytes, source: bytes) -> bytes:
    """The CNAME, a C string, of the one chunk, which ends with a zero and with the packet."""
    if packet[0] & 31 != 1 or len(packet) < _HEADER + _SSRC + 4:
        raise InvalidDatagram("RTCP description (SDES) has not exactly one chunk")
    _check_source(packet[4:8], source)
    names = []
    at = _HEADER + _SSRC
    while at < len(packet) and packet[at]:
        end = at + 2 + int.from_bytes(packet[at + 1 : at + 2])
        if at + 2 > len(packet) or end > len(packet):
            raise InvalidDatagram("RTCP description (SDES) ends within an item")
        if packet[at] == CNAME:
            names.append(packet[at + 2 : end])
        at = end
    if len(names) != 1 or not names[0] or 0 in names[0]:
        raise InvalidDatagram("RTCP description (SDES) has not exactly one CNAME with a text")
    if not 1 <= len(packet) - at <= 4:
        raise InvalidDatagram("RTCP description (SDES) does not end with its chunk")
    return names[0]


def _check_extended(packet: bytes, source: bytes) -> None:
    if len(packet) < _HEADER + _SSRC:
        raise InvalidDatagram("RTCP XR is cut short")
    _check_source(packet[4:8], source)
    at = _HEADER + _SSRC
    while at < len(packet):
        at += 4 + 4 * int.from_bytes(packet[at + 2 : at + 4])
    if at != len(packet):
        raise InvalidDatagram("RTCP XR ends within a block")
