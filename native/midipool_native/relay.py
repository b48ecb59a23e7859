"""The relay of media datagrams, served by a C thread."""

import socket
from dataclasses import dataclass, fields
from typing import Any

from midipool.media_datagram import SERVER
from midipool_native._rt import ffi, lib
from midipool_native.checks import check
from midipool_native.media import check_key

MAX_CAPACITY: int = lib.MP_RELAY_CAPACITY
ROOM_MEMBERS: int = lib.MP_RELAY_ROOM
"""The relay takes so many members of one room."""


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """What one member may send."""

    packets_a_second: int = 2_000
    bits_a_second: int = 16_000_000
    burst_ms: int = 200


@dataclass(frozen=True, slots=True)
class RelayStats:
    """Datagrams since the start, by what became of them; mp_relay.h says what each counts."""

    forwarded: int
    alone: int
    hellos: int
    stun: int
    rubbish: int
    too_long: int
    unknown_sender: int
    wrong_address: int
    forged: int
    replayed: int
    too_fast: int
    muted: int
    stun_too_fast: int
    copies: int
    unsent: int


@dataclass(frozen=True, slots=True)
class RelayMember:
    """One member's counters; `heard`: its address is known now."""

    heard: bool
    packets: int
    bytes: int
    to_packets: int
    to_bytes: int
    hellos: int
    wrong_address: int
    forged: int
    replayed: int
    too_fast: int
    muted: int


class Relay:
    """Owns a bound UDP socket, passes media on between the members of a room, and answers STUN."""

    def __init__(
        self,
        sock: socket.socket,
        capacity: int,
        limits: RelayLimits | None = None,
        stun: socket.socket | None = None,
    ) -> None:
        """For `capacity` members, in rooms numbered below `capacity`. Raises NativeError.

        At `stun` it answers STUN alone: two ports show what a NAT does.
        """
        status = ffi.new("mp_status *")
        wanted = limits if limits is not None else RelayLimits()
        c_limits = ffi.new(
            "mp_relay_limits *", [wanted.packets_a_second, wanted.bits_a_second, wanted.burst_ms]
        )
        self.capacity = capacity
        self._stats: Any = ffi.new("mp_relay_stats *")
        self._sockets = [sock] if stun is None else [sock, stun]
        stun_fd = -1 if stun is None else stun.fileno()
        self._relay: Any = lib.mp_relay_start(sock.fileno(), stun_fd, capacity, c_limits, status)
        check(status[0], "audio relay")

    def add(self, sender: int, room: int, key_id: int, key: bytes) -> None:
        """A member whose hello will be heard; raises NativeError when there is no room."""
        check_key(key)
        assert sender != SERVER
        check(lib.mp_relay_add(self._relay, sender, room, key_id, key), "audio relay")

    def set_key(self, room: int, key_id: int, key: bytes) -> None:
        """The room's members seal with another key from now on."""
        check_key(key)
        check(lib.mp_relay_set_key(self._relay, room, key_id, key), "audio relay")

    def remove(self, sender: int) -> None:
        """Nothing of a member is passed on any more, nor to it."""
        lib.mp_relay_remove(self._relay, sender)

    def mute(self, sender: int, muted: bool) -> None:
        """Whether nothing that a member says is passed on; raises NativeError if there is none."""
        check(lib.mp_relay_mute(self._relay, sender, muted), "audio relay")

    def link(self, sender: int, listener: int, linked: bool) -> None:
        """Whether a listener gets a sender's sound; at first all do. Raises NativeError."""
        check(lib.mp_relay_link(self._relay, sender, listener, linked), "audio relay")

    def stats(self) -> RelayStats:
        """Of all datagrams; after closing, as far as it got."""
        if self._relay != ffi.NULL:
            lib.mp_relay_get_stats(self._relay, self._stats)
        return RelayStats(*(getattr(self._stats, field.name) for field in fields(RelayStats)))

    def member(self, sender: int) -> RelayMember | None:
        """One member's counters; None if there is no such member."""
        counts = ffi.new("mp_relay_member *")
        if not lib.mp_relay_get_member(self._relay, sender, counts):
            return None
        values = {field.name: getattr(counts, field.name) for field in fields(RelayMember)}
        return RelayMember(**values | {"heard": bool(counts.heard)})

    def close(self) -> None:
        """Stop the thread and close the socket."""
        if self._relay != ffi.NULL:
            self.stats()
            lib.mp_relay_stop(self._relay)
            self._relay = ffi.NULL
            for sock in self._sockets:
                sock.close()
