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

    @classmethod
    def of(cls, handle: Any) -> Self:
        """Of an `mp_media_socket *`."""
        stats = ffi.new("mp_media_socket_stats *")
        lib.mp_media_socket_get_stats(handle, stats)
        return cls(**{field.name: getattr(stats, field.name) for field in fields(cls)})


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
