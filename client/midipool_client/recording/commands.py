"""What a shell, or whoever else reaches the client, may ask of the recorder."""

from typing import Annotated, Any, Literal

import msgspec

from midipool.errors import InvalidValue
from midipool_client.recording.recorder import Recorder


class Start(msgspec.Struct, tag_field="do", tag="record_start", forbid_unknown_fields=True):
    """Record from the next bar line on."""

    format: Literal["flac", "wav"] = "flac"
    quota_gb: Annotated[float, msgspec.Meta(gt=0)] | None = None


class Stop(msgspec.Struct, tag_field="do", tag="record_stop", forbid_unknown_fields=True):
    """End the recording."""


async def obey(recorder: Recorder, words: dict[str, Any]) -> str:
    """Do it; what was done. Raises MidiPoolError."""
    try:
        asked: Start | Stop = msgspec.convert(words, Start | Stop)
    except msgspec.ValidationError as error:
        raise InvalidValue("record", str(error)) from None
    match asked:
        case Start():
            return await recorder.start(asked.format, asked.quota_gb)
        case Stop():
            return await recorder.stop()
