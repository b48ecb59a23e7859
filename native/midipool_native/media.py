"""Sealing and opening media datagrams, and the window that knows which ones have come."""

from typing import Any

from midipool.errors import InvalidDatagram, InvalidValue
from midipool.media_datagram import (
    KEY_SIZE,
    MAX_DATAGRAM,
    MAX_PAYLOAD,
    MediaHeader,
    MediaKind,
)
from midipool_native._rt import ffi, lib
from midipool_native.checks import OK, check


def sodium_found() -> bool:
    """Whether libsodium can be loaded."""
    return bool(lib.mp_sodium_available() == OK)


def seal(key: bytes, header: MediaHeader, payload: bytes) -> bytes:
    """A whole datagram; raises InvalidValue, and NativeError without libsodium."""
    check_key(key)
    if len(payload) > MAX_PAYLOAD:
        raise InvalidValue("payload", f"at most {MAX_PAYLOAD} bytes")
    check(lib.mp_sodium_available(), "sealing audio")
    datagram = ffi.new("uint8_t[]", MAX_DATAGRAM)
    size = lib.mp_media_seal(key, _to_c(header), payload, len(payload), datagram)
    return bytes(ffi.buffer(datagram, size))


def open_sealed(key: bytes, datagram: bytes) -> tuple[MediaHeader, bytes]:
    """Header and payload; raises InvalidDatagram for what was not sealed with `key`."""
    check_key(key)
    check(lib.mp_sodium_available(), "opening audio")
    header = ffi.new("mp_media_header *")
    payload = ffi.new("uint8_t[]", MAX_PAYLOAD)
    size = lib.mp_media_open(key, datagram, len(datagram), header, payload)
    if size < 0 or header.counter == 0:
        raise InvalidDatagram("not sealed with this key")
    return _from_c(header), bytes(ffi.buffer(payload, size))


class Replay:
    """Which of one sender's counters have come."""

    def __init__(self) -> None:
        self._window: Any = ffi.new("mp_replay *")

    def accept(self, counter: int) -> bool:
        """Note a counter of an authenticated datagram; False if it came before or is too old."""
        return bool(lib.mp_replay_accept(self._window, counter))


def check_key(key: bytes) -> None:
    """Raise InvalidValue unless `key` can be a room's."""
    if len(key) != KEY_SIZE:
        raise InvalidValue("key", f"has {KEY_SIZE} bytes")


def _to_c(header: MediaHeader) -> Any:
    made = ffi.new("mp_media_header *")
    made.kind, made.key_id, made.sender = header.kind, header.key_id, header.sender
    made.counter, made.capture_us = header.counter, header.capture_us
    return made


def _from_c(header: Any) -> MediaHeader:
    return MediaHeader(
        MediaKind(header.kind), header.key_id, header.sender, header.counter, header.capture_us
    )
