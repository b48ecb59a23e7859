"""The media socket: what is heard and said of audio, on one UDP socket with a thread in C.

What is rare (STUN's messages, the relay's answers) comes up through a ring. A pipe, and not an
eventfd, says that there is something: asyncio's add_reader takes it on every system. One thread
of Python calls all of this; `take` and `send` may be the codec thread's instead, see
`native/src/mp_media_socket.h`.
"""

import contextlib
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from midipool.clock_map import ClockMap
from midipool.errors import InvalidValue, Unavailable
from midipool.media_datagram import MAX_DATAGRAM, MAX_PAYLOAD, MediaKind
from midipool_native._rt import ffi, lib
from midipool_native.checks import FULL, OK, check
from midipool_native.media import check_key
from midipool_native.media_address import Address, from_c, to_c
from midipool_native.media_stats import SenderLook, SenderStats, SocketStats, counts_of
from midipool_native.spooler import c_clock_map

MAX_SENDERS: int = lib.MP_MEDIA_SENDERS
MAX_DESTINATIONS: int = lib.MP_MEDIA_DESTINATIONS
DOING = "media socket"


class Destination(NamedTuple):
    """Where to send; up to `until_ns` of the host clock, if that is not None."""

    address: Address
    until_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Rare:
    """A STUN message, whole; or the payload of a HELLO_OK of the relay."""

    is_stun: bool
    sender: Address
    received_ns: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Packet:
    """What was in a datagram of another member's."""

    kind: MediaKind
    capture_us: int
    received_ns: int
    data: bytes


def open_udp(host: str = "", port: int = 0) -> socket.socket:
    """A UDP socket for media: `host` "" is every address, of IPv6 too where there is IPv6.

    Raises Unavailable, which says what is in the way.
    """
    try:
        if not host and socket.has_dualstack_ipv6():
            return _bound(socket.AF_INET6, "::", port)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return _bound(family, host or "0.0.0.0", port)
    except OSError as error:
        what = f"UDP port {port}" if port else "a UDP port"
        where = f" of {host}" if host else ""
        reason = error.strerror or str(error)
        raise Unavailable(f"{what}{where} cannot be opened for audio: {reason}") from None


def _bound(family: int, host: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.bind((host, port))
    except (OSError, OverflowError) as error:
        sock.close()
        raise error if isinstance(error, OSError) else OSError(str(error)) from None
    return sock


class MediaSocket:
    """Owns a bound UDP socket, and receives on it until it is closed."""

    def __init__(self, sock: socket.socket, *, priority: int = 0) -> None:
        """`priority` 1 to 99 is asked for as a real-time one. Raises NativeError; then, too, the
        socket is closed."""
        self._socket = sock
        self._wake_from, self._wake_to = os.pipe()
        os.set_blocking(self._wake_from, False)
        os.set_blocking(self._wake_to, False)
        status = ffi.new("mp_status *")
        self.handle: Any = lib.mp_media_socket_start(sock.fileno(), self._wake_to, priority, status)
        if status[0] != OK:
            self._close_files()
        check(status[0], DOING)

    @property
    def port(self) -> int:
        """The local port."""
        return int(self._socket.getsockname()[1])

    # ---- what is rare ----

    def fileno(self) -> int:
        """Readable when there is something rare; for `loop.add_reader`."""
        return self._wake_from

    def rare(self) -> list[Rare]:
        """Take out all that there is. Call it whenever `fileno` is readable."""
        # First the pipe: what comes from then on writes anew, once the ring was seen empty.
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_from, 64)
        found = []
        rare = ffi.new("mp_rare *")
        while lib.mp_media_socket_take_rare(self.handle, rare):
            sender = from_c(getattr(rare, "from"))
            assert sender is not None
            data = bytes(ffi.buffer(rare.bytes, rare.size))
            found.append(Rare(rare.kind == lib.MP_RARE_STUN, sender, rare.received_ns, data))
        return found

    def send_raw(self, to: Address, data: bytes) -> bool:
        """Send a STUN message; False if it did not go, as if the network had lost it.

        Raises InvalidValue for too many bytes; NativeError for IPv6 without IPv6.
        """
        if len(data) > MAX_DATAGRAM:
            raise InvalidValue("datagram", f"at most {MAX_DATAGRAM} bytes")
        return _went(lib.mp_media_socket_send_raw(self.handle, to_c(to), data, len(data)))

    def hello(self, relay: Address, capture_us: int) -> bool:
        """Greet the relay, at room time `capture_us`; as `send_raw`. NativeError without a key."""
        return _went(lib.mp_media_socket_hello(self.handle, to_c(relay), capture_us))

    def keepalive(self, capture_us: int) -> None:
        """Let all destinations know that we are there. NativeError without a key."""
        check(lib.mp_media_socket_keepalive(self.handle, capture_us), DOING)

    # ---- who, and with which key ----

    def send_as(self, key_id: int, key: bytes, sender: int, after: int = 0) -> None:
        """Seal with this key as `sender` from now on, with counters above `after`.

        A new process under a key that an earlier one used needs a new sender id, or an `after`
        that the earlier one cannot have reached: the last that it told of, and 2**20.
        """
        check_key(key)
        check(lib.mp_media_socket_send_as(self.handle, key_id, key, sender, after), DOING)

    def send_nothing(self) -> None:
        """Seal nothing until there is a key again."""
        check(lib.mp_media_socket_send_nothing(self.handle), DOING)

    def add_key(self, key_id: int, key: bytes) -> None:
        """Open with this key too; of the former ones the newest stays."""
        check_key(key)
        check(lib.mp_media_socket_add_key(self.handle, key_id, key), DOING)

    def remove_key(self, key_id: int) -> None:
        """Do not open with this key any more."""
        check(lib.mp_media_socket_remove_key(self.handle, key_id), DOING)

    def hear(self, slot: int, sender: int, key_id: int) -> None:
        """Hear a member's sender id under a key in a slot; of its former ids the newest stays."""
        check(lib.mp_media_socket_hear(self.handle, slot, sender, key_id), DOING)

    def unhear(self, slot: int) -> None:
        """Empty a slot."""
        check(lib.mp_media_socket_unhear(self.handle, slot), DOING)

    # ---- where ----

    def set_destinations(self, destinations: Iterable[Destination]) -> None:
        """Send to these, from the next datagram on: the relay once, and each direct one."""
        wanted = list(destinations)
        if len(wanted) > MAX_DESTINATIONS:
            raise InvalidValue("destinations", f"at most {MAX_DESTINATIONS}")
        made = ffi.new("mp_destination[]", max(len(wanted), 1))
        for place, destination in zip(made, wanted, strict=False):
            place.address = to_c(destination.address)[0]
            place.until_ns = destination.until_ns or 0
        status = lib.mp_media_socket_set_destinations(self.handle, made, len(wanted))
        check(status, DOING)

    def set_relay(self, relay: Address | None) -> None:
        """What comes from there counts as relayed."""
        check(lib.mp_media_socket_set_relay(self.handle, to_c(relay)), DOING)

    def set_map(self, clock_map: ClockMap | None) -> None:
        """Room time from host time, for one-way delays."""
        made = ffi.NULL if clock_map is None else c_clock_map(clock_map)
        check(lib.mp_media_socket_set_map(self.handle, made), DOING)

    # ---- media ----

    def set_sink(self, sink: Any, arg: Any) -> None:
        """Give each packet to a C function, an `mp_media_sink`; ffi.NULL: to `take` again."""
        check(lib.mp_media_socket_set_sink(self.handle, sink, arg), DOING)

    def send(self, kind: MediaKind, capture_us: int, data: bytes) -> None:
        """Seal source, repair or control, and send it to all destinations. NativeError if not."""
        if len(data) > MAX_PAYLOAD:
            raise InvalidValue("payload", f"at most {MAX_PAYLOAD} bytes")
        status = lib.mp_media_socket_send(self.handle, kind, capture_us, data, len(data))
        check(status, DOING)

    def take(self, slot: int) -> Packet | None:
        """The next packet of a slot, or None."""
        packet = ffi.new("mp_media_packet *")
        if not lib.mp_media_socket_take(self.handle, slot, packet):
            return None
        data = bytes(ffi.buffer(packet.bytes, packet.size))
        return Packet(MediaKind(packet.kind), packet.capture_us, packet.received_ns, data)

    # ---- health ----

    def stats(self) -> SocketStats:
        """What the socket did so far."""
        return SocketStats(**self.counts())

    def counts(self) -> dict[str, int]:
        """The same by name."""
        return counts_of(self.handle)

    def look_at(self, slot: int) -> SenderLook | None:
        """How a slot is heard just now; None for an empty one."""
        return SenderLook.of(self.handle, slot)

    def sender_stats(self, slot: int) -> SenderStats | None:
        """How a slot is heard; None for an empty one."""
        return SenderStats.of(self.handle, slot)

    def close(self) -> None:
        """Stop the thread and close the socket; twice is as once."""
        if self.handle != ffi.NULL:
            lib.mp_media_socket_stop(self.handle)
            self.handle = ffi.NULL
            self._close_files()

    def _close_files(self) -> None:
        os.close(self._wake_from)
        os.close(self._wake_to)
        self._socket.close()


def _went(status: int) -> bool:
    """Whether a datagram went, where the network decides; raises NativeError for the rest."""
    if status in (FULL, lib.MP_SYSTEM_FAILED):
        return False
    check(status, DOING)
    return True
