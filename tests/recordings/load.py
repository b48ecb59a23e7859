"""Recordings of real programs' MIDI: the file format, read and written.

A file is a line of ASCII, `midipool-recording 1 <frames a second>`, and then an event after the
other: u32, the frames since the event before (the first since the recording began), u16, the count
of its bytes, and its bytes, all integers little-endian. An event is one MIDI message, as JACK
handed it over.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from midipool.errors import InvalidValue

FOLDER = Path(__file__).resolve().parent
MAGIC = b"midipool-recording 1 "
HIGHEST_RATE = 9_999_999
LONGEST_HEADER = len(MAGIC) + len(f"{HIGHEST_RATE}\n")
_EVENT = struct.Struct("<IH")


class Event(NamedTuple):
    """A MIDI message and the frame, from the recording's beginning, at which it came."""

    frame: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Recording:
    """What a program sent at one MIDI port; events in order of time."""

    sample_rate: int
    events: tuple[Event, ...]

    def time_us(self, event: Event) -> int:
        """µs from the recording's beginning to `event`, rounded down."""
        return event.frame * 1_000_000 // self.sample_rate


def load(name: str) -> Recording:
    """The recording `name`.bin of this folder; raises OSError, InvalidValue."""
    return decode((FOLDER / f"{name}.bin").read_bytes())


def names() -> list[str]:
    """The recordings that are here, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.bin"))


def decode(content: bytes) -> Recording:
    """A file's recording; raises InvalidValue."""
    line, newline, _ = content[:LONGEST_HEADER].partition(b"\n")
    rate = line.removeprefix(MAGIC)
    well_formed = newline and line.startswith(MAGIC) and rate.isdigit() and rate[:1] != b"0"
    if not well_formed:
        raise InvalidValue("recording", f"begins with {MAGIC.decode()!r} and its sample rate")
    events = []
    place = len(line) + 1
    frame = 0
    while place < len(content):
        head_end = place + _EVENT.size
        if head_end > len(content):
            raise InvalidValue("recording", f"breaks off within the event at byte {place}")
        since, size = _EVENT.unpack_from(content, place)
        data = content[head_end : head_end + size]
        if size == 0 or len(data) < size:
            raise InvalidValue(
                "recording", f"the event at byte {place} has {len(data)} bytes, not {size or 1}"
            )
        frame += since
        events.append(Event(frame, data))
        place = head_end + size
    return Recording(int(rate), tuple(events))


def encode(recording: Recording) -> bytes:
    """The file of a recording; raises InvalidValue if it has what cannot be written."""
    if not 0 < recording.sample_rate <= HIGHEST_RATE:
        raise InvalidValue("recording", f"no sample rate of {recording.sample_rate}")
    parts = [MAGIC, b"%d\n" % recording.sample_rate]
    before = 0
    for event in recording.events:
        since = event.frame - before
        if not (0 <= since < 1 << 32 and 0 < len(event.data) < 1 << 16):
            raise InvalidValue(
                "recording", f"no event of {len(event.data)} bytes {since} frames after another"
            )
        parts += [_EVENT.pack(since, len(event.data)), event.data]
        before = event.frame
    return b"".join(parts)
