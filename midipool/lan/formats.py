"""Which formats of sound an end sends, said in one short line. Pure.

What midiPool's members send one another is one format with free numbers: RTP of 16 bits at 48 kHz,
1, 2 or 4 channels, packets of some frames in blocks of Reed-Solomon code. Whatever the sound
devices have is converted at both ends.
"""

import re

from midipool.audio.encoding import STREAM_RATE, Encoding, check_encoding
from midipool.audio.listening import channels_in_words
from midipool.errors import InvalidValue
from midipool.messages import AudioStream

_LINE = re.compile(r"L16/48000/(\d)/(\d{1,4})/rs8m:(\d{1,3})\+(\d{1,3})", re.ASCII)


def check_stream(stream: AudioStream) -> AudioStream:
    """The stream, if members of this version can send and take it; raises InvalidValue."""
    check_encoding(
        Encoding(stream.packet_frames, stream.source_packets, stream.repair_packets),
        stream.channels,
    )
    return stream


def line_of(stream: AudioStream) -> str:
    """`L16/48000/2/128/rs8m:4+4`."""
    block = f"{stream.source_packets}+{stream.repair_packets}"
    return f"L16/{STREAM_RATE}/{stream.channels}/{stream.packet_frames}/rs8m:{block}"


def read_line(text: str) -> AudioStream | None:
    """The stream of a line; None if it is none that we know."""
    found = _LINE.fullmatch(text)
    if found is None:
        return None
    try:
        channels, frames, source, repair = (int(part) for part in found.groups())
        return check_stream(AudioStream(channels, frames, source, repair))
    except InvalidValue:
        return None


def in_words(stream: AudioStream) -> str:
    """For people."""
    packet_ms = 1000 * stream.packet_frames / STREAM_RATE
    return (
        f"{channels_in_words(stream.channels)}, 16 bits at {STREAM_RATE / 1000:g} kHz, "
        f"packets of {packet_ms:.1f} ms, {stream.repair_packets} to repair {stream.source_packets}"
    )
