"""libroc for midiPool: encoders and decoders of audio that repair lost packets."""

from midipool_native.roc.context import Context
from midipool_native.roc.library import ADVICE, Library, cache_folder, find, load, tool
from midipool_native.roc.pair import CONTROL, REPAIR, SOURCE, Decoder, Encoder
from midipool_native.roc.settings import (
    CHANNELS,
    LARGEST_PACKET_BYTES,
    RATES_HZ,
    DecoderSettings,
    EncoderSettings,
    Fec,
    payload_type,
)

__all__ = [
    "ADVICE",
    "CHANNELS",
    "CONTROL",
    "LARGEST_PACKET_BYTES",
    "RATES_HZ",
    "REPAIR",
    "SOURCE",
    "Context",
    "Decoder",
    "DecoderSettings",
    "Encoder",
    "EncoderSettings",
    "Fec",
    "Library",
    "cache_folder",
    "find",
    "load",
    "payload_type",
    "tool",
]
