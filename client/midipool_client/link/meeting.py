"""Who else is in the Link session, and since when. Pure.

Link tells nobody that it has joined another session: its tempo, phase and peers just change. So
what changes around the arrival of the first peers is taken for their session, not for a command.
A start or a stop says when it was made, and is judged by that.
"""

from midipool_client.link.state import LinkState

LISTEN_NS = 2_000_000_000
"""Link finds the peers of a network within this time, or there are none."""
SETTLE_NS = 500_000_000
"""Twice the period at which Link's peers tell what their session is like."""


class Meeting:
    """Follows the number of peers; `settled` says when what they are like is known."""

    def __init__(self) -> None:
        self.met_ns: int | None = None
        """Host time at which the peers came; None while we are alone."""
        self._quiet_until_ns: int | None = None
        self._open = False

    def see(self, link: LinkState, tempo_changed: bool) -> bool:
        """Take a look at the session; True once for each meeting, when it has settled."""
        if self._quiet_until_ns is None:
            self._quiet_until_ns = link.host_ns + LISTEN_NS
        if link.peers == 0:
            self.met_ns, self._open = None, False
            if tempo_changed:  # the session that we join comes before its peers do
                self._be_quiet(link.host_ns)
        elif self.met_ns is None:
            self.met_ns, self._open = link.host_ns, True
            self._quiet_until_ns = link.host_ns + SETTLE_NS
        if self._open and self.settled(link.host_ns):
            self._open = False
            return True
        return False

    def settled(self, now_ns: int) -> bool:
        """Whether the session is known, so that what changes now is somebody's wish."""
        return self._quiet_until_ns is not None and now_ns >= self._quiet_until_ns

    def _be_quiet(self, now_ns: int) -> None:
        assert self._quiet_until_ns is not None
        self._quiet_until_ns = max(self._quiet_until_ns, now_ns + SETTLE_NS)
