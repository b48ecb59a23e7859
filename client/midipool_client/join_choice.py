"""With which devices a page joins, and how that is said and kept. Pure."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

DeviceName = Annotated[str, Meta(max_length=256)]


class JoinChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As the options of `midipool-client join` that have these names."""

    audio: Literal["auto", "jack", "portaudio", "none"] = "auto"
    input_device: DeviceName = ""
    """PortAudio's; empty is the system's."""
    output_device: DeviceName = ""
    channels: Literal[1, 2, 4] = 2
    midi: Literal["auto", "jack", "rtmidi"] = "auto"
    midi_port: DeviceName = ""
    """An existing one instead of a virtual one."""
    click: bool = False
    """Whether the first MIDI port gets the click."""

    def words(self) -> list[str]:
        """For the shell, but for what goes without saying."""
        said = {f"--{name.replace('_', '-')}": str(getattr(self, name)) for name in _VALUES}
        usual = {f"--{name.replace('_', '-')}": str(getattr(_USUAL, name)) for name in _VALUES}
        if self.audio != "portaudio":
            said |= {"--input-device": "", "--output-device": ""}
        words = [f"{option}={value}" for option, value in said.items() if value != usual[option]]
        return [*words, *["--click"] * self.click]


def choice_in(data: Mapping[str, Any]) -> JoinChoice:
    """What a settings file says; what it cannot mean is as if it was not said."""
    try:
        return msgspec.convert(data.get("join", {}), JoinChoice)
    except msgspec.ValidationError:
        return _USUAL


_VALUES = ("audio", "input_device", "output_device", "channels", "midi", "midi_port")
_USUAL = JoinChoice()
