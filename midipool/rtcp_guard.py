"""What an encoder or decoder of libroc has heard, so that it is told nothing that crashes it."""

from midipool.errors import InvalidDatagram
from midipool.rtcp import check_compound

MOST_SOURCES = 16


class RtcpGuard:
    """One for each encoder and decoder. `native/src/rtcp_check.c` is the twin.

    libroc crashes when a source changes its CNAME, and ends the process when others bear the SSRC
    of its own: `own_ssrc`, that of the control packets popped from it, 0 until it is known.
    """

    def __init__(self) -> None:
        self.own_ssrc = 0
        self._names: dict[int, bytes] = {}

    def admit(self, data: bytes) -> None:
        """Raise InvalidDatagram unless `data` may be pushed now."""
        ssrc, name = check_compound(data)
        if ssrc == self.own_ssrc:
            raise InvalidDatagram("RTCP that bears our own source number (SSRC)")
        if self._names.get(ssrc, name) != name:
            raise InvalidDatagram("RTCP of a source that changed its CNAME")
        if ssrc not in self._names and len(self._names) == MOST_SOURCES:
            raise InvalidDatagram(f"RTCP of more than {MOST_SOURCES} sources")
        self._names[ssrc] = name
