"""Answers clock probes on a UDP socket, from a C thread that nothing holds up."""

import socket
from typing import Any

from midipool_native._rt import ffi, lib
from midipool_native.checks import check


class ClockResponder:
    """Owns a bound UDP socket and answers the probes that come to it."""

    def __init__(self, sock: socket.socket, clock_id: bytes) -> None:
        """`clock_id` has 8 bytes. Raises NativeError."""
        if len(clock_id) != 8:
            raise ValueError("a clock id has 8 bytes")
        status = ffi.new("mp_status *")
        self._stats: Any = ffi.new("mp_responder_stats *")
        self._socket = sock
        self._responder: Any = lib.mp_responder_start(sock.fileno(), clock_id, status)
        check(status[0], "clock responder")

    def stats(self) -> tuple[int, int]:
        """(probes answered, datagrams that were not probes); after closing, as far as it got."""
        if self._responder != ffi.NULL:
            lib.mp_responder_get_stats(self._responder, self._stats)
        return self._stats.answered, self._stats.rubbish

    def close(self) -> None:
        """Stop the thread and close the socket."""
        if self._responder != ffi.NULL:
            self.stats()
            lib.mp_responder_stop(self._responder)
            self._responder = ffi.NULL
            self._socket.close()
