"""A frame of meters, little-endian. Pure.

offset  type  what
     0  u8    1
     1  u8    how many levels follow
     2  u16   `mixer.meters_of` of the order that they have
     4  f64   room time in µs when it was made; NaN while it is not known
    12  f32   peak of the first, 1.0 is full scale
    16  f32   RMS of the first
    20        and so on, 8 bytes each
"""

import struct
from collections.abc import Sequence
from math import isnan, nan

from midipool_client.audio.engine_messages import Level, Levels
from midipool_client.page.state import MixerPart

KIND = 1
MOST = 255
_HEAD = struct.Struct("<BBHd")
_LEVEL = struct.Struct("<ff")


def frame(
    order: Sequence[str], order_of: int, channels: int, levels: Levels, room_us: int | None
) -> bytes:
    """The levels in the order that the page was told last; `channels` are one's own."""
    shown = order[:MOST]
    inputs = [*levels.inputs[:channels], *[Level()] * (channels - len(levels.inputs))]
    own = [levels.input, levels.mix, *inputs]
    others = [levels.voices.get(member, Level()) for member in shown[len(own) :]]
    head = _HEAD.pack(KIND, len(shown), order_of % 65536, nan if room_us is None else room_us)
    return head + b"".join(_LEVEL.pack(level.peak, level.rms) for level in [*own, *others])


def frame_of(part: MixerPart, levels: Levels, room_us: int | None) -> bytes:
    """The levels of a mix as the page was told it last."""
    return frame(part.meters, part.meters_of, len(part.channels), levels, room_us)


def order_of(members: Sequence[str], channels: int) -> list[str]:
    """Whose levels a frame holds. A member may be called `master`: the first are never one."""
    return ["input", "master", *(f"input {n}" for n in range(1, channels + 1)), *members]


def read(frame: bytes) -> tuple[int, float | None, list[tuple[float, float]]]:
    """(how many levels, room time in µs, each level's peak and RMS) of a frame of ours."""
    _, count, _, room_us = _HEAD.unpack_from(frame)
    levels = list(_LEVEL.iter_unpack(frame[_HEAD.size :]))
    return count, None if isnan(room_us) else room_us, levels
