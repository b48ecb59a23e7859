"""What the media socket counted, and how well each sender is heard: the health view's figures."""

from dataclasses import dataclass, fields
from typing import Any, Self

from midipool_native._rt import ffi, lib
from midipool_native.checks import OK
from midipool_native.media_address import Address, from_c


@dataclass(frozen=True, slots=True)
class SocketStats:
    """Counts since the socket was opened; `native/src/mp_media_socket.h` says of what."""

    datagrams: int
    bytes: int
    media: int
    stun: int
    hello_ok: int
    rubbish: int
    too_long: int
    unknown_sender: int
    unknown_key: int
    flooded: int
    forged: int
    replayed: int
    stale: int
    queue_full: int
    rare_full: int
    receive_errors: int
    sealed: int
    sent: int
    sent_bytes: int
    send_busy: int
    send_refused: int
    send_failed: int
    send_errno: int
    no_key: int
    standby: int
    asked: int
    counter: int
    realtime: int
    dscp: int


COUNTS = tuple(field.name for field in fields(SocketStats))


def counts_of(handle: Any) -> dict[str, int]:
    """SocketStats by name, of an `mp_media_socket *`."""
    stats = ffi.new("mp_media_socket_stats *")
    lib.mp_media_socket_get_stats(handle, stats)
    return {name: getattr(stats, name) for name in COUNTS}


@dataclass(frozen=True, slots=True)
class SenderLook:
    """How a slot is heard just now; cheap enough for many times a second. None is "not yet"."""

    dropped: int
    """Stale, flooded, and those that the queue was full for."""
    reordered: int
    """Came behind a later one."""
    duplicates: int
    """Came once more, and not stale."""
    silence_us: int | None
    direct_silence_us: int | None
    via_relay: bool | None

    @classmethod
    def of(cls, handle: Any, slot: int) -> Self | None:
        """Of a slot of an `mp_media_socket *`; None for an empty one."""
        look = ffi.new("mp_media_sender_look *")
        if lib.mp_media_socket_look_at(handle, slot, look) != OK:
            return None
        silence_ns, direct_ns, relayed = look.silence_ns, look.direct_silence_ns, look.via_relay
        return cls(
            look.dropped,
            look.reordered,
            look.duplicates,
            None if silence_ns < 0 else silence_ns // 1000,
            None if direct_ns < 0 else direct_ns // 1000,
            None if relayed < 0 else bool(relayed),
        )


@dataclass(frozen=True, slots=True)
class SenderStats:
    """Of one slot. None is "not known"; spread and delay are of the last 10 s, and of source
    packets, as the jitter is. Spread is how much later a packet came than the quickest."""

    packets: int
    bytes: int
    source: int
    repair: int
    control: int
    keepalive: int
    lost: int
    out_of_order: int
    duplicates: int
    stale: int
    flooded: int
    queue_full: int
    relayed: int
    jitter_ns: int | None
    spread_p50_ns: int | None
    spread_p95_ns: int | None
    spread_max_ns: int | None
    delay_ns: int | None
    silence_ns: int | None
    direct_silence_ns: int | None
    via_relay: bool | None
    address: Address | None

    @classmethod
    def of(cls, handle: Any, slot: int) -> Self | None:
        """Of a slot of an `mp_media_socket *`; None for an empty one."""
        stats = ffi.new("mp_media_sender_stats *")
        if lib.mp_media_socket_get_sender(handle, slot, stats) != OK:
            return None
        told: dict[str, Any] = {"address": from_c(getattr(stats, "from"))}
        for field in fields(cls):
            if field.name != "address":
                value = getattr(stats, field.name)
                told[field.name] = None if value == -1 else value
        if told["via_relay"] is not None:
            told["via_relay"] = bool(told["via_relay"])
        return cls(**told)
