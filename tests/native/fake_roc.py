"""A codec of plain 16-bit samples behind RTP, in the shape of libroc's calls."""

from typing import Any

import numpy as np

from midipool_native._rt import ffi, lib

RTP_HEAD = 12
FEC_TAIL = 6
SCALE = 32767.0


class FakeRoc:
    """Encoder and decoder of one stream; `calls` is for EncoderSetup and PlayerSetup."""

    def __init__(self, channels: int, frames: int) -> None:
        self._channels = channels
        self._frames = frames
        self._timestamp = 0
        self._waiting: bytes | None = None
        self._held: dict[int, bytes] = {}
        self._next: int | None = None
        self._callbacks = {
            "encoder_push_frame": ffi.callback("int(void *, mp_roc_frame *)", self._push_frame),
            "encoder_pop_packet": ffi.callback(
                "int(void *, int, mp_roc_packet *)", self._pop_packet
            ),
            "decoder_push_packet": ffi.callback(
                "int(void *, int, mp_roc_packet *)", self._push_packet
            ),
            "decoder_pop_frame": ffi.callback("int(void *, mp_roc_frame *)", self._pop_frame),
        }
        self.calls: Any = ffi.new("mp_roc_calls *")
        for name, callback in self._callbacks.items():
            setattr(self.calls, name, callback)
        self.handle: Any = ffi.new("char *")

    def _push_frame(self, _encoder: Any, frame: Any) -> int:
        data = ffi.buffer(frame.samples, frame.samples_size)
        samples = np.rint(np.frombuffer(data, np.float32) * SCALE).astype(">i2")
        head = bytes([0x80, 0, 0, 0]) + self._timestamp.to_bytes(4, "big") + bytes([0, 0, 0, 9])
        self._waiting = head + samples.tobytes() + bytes(FEC_TAIL)
        self._timestamp += self._frames
        return 0

    def _pop_packet(self, _encoder: Any, interface: int, packet: Any) -> int:
        if interface != lib.MP_ROC_SOURCE or self._waiting is None:
            return -1
        ffi.memmove(packet.bytes, self._waiting, len(self._waiting))
        packet.bytes_size = len(self._waiting)
        self._waiting = None
        return 0

    def _push_packet(self, _decoder: Any, interface: int, packet: Any) -> int:
        data = bytes(ffi.buffer(packet.bytes, packet.bytes_size))
        if interface == lib.MP_ROC_SOURCE:
            timestamp = int.from_bytes(data[4:8], "big")
            self._next = timestamp if self._next is None else self._next
            self._held[timestamp] = data[RTP_HEAD:-FEC_TAIL]
        return 0

    def _pop_frame(self, _decoder: Any, frame: Any) -> int:
        if self._next is None:
            return 0
        data = self._held.pop(self._next, None)
        self._next += self._frames
        if data is not None:
            samples = np.frombuffer(data, ">i2").astype(np.float32) / np.float32(SCALE)
            ffi.memmove(frame.samples, samples.tobytes(), frame.samples_size)
        return 0
