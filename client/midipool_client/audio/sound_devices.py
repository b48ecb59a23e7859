"""Which of PortAudio's devices are meant, and what they can have. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from midipool.errors import InvalidValue, Unavailable
from midipool_client.audio.device_choice import DEFAULT, NONE, PortAudioChoice
from midipool_client.audio.device_options import RATES
from midipool_native.portaudio import Direction, SoundDevice

# Where several systems offer the same device, the one with the lowest latency.
BEST_HOST_APIS = ("Windows WASAPI",)
SHOWN = 5
HOW_TO_SEE = "`midipool-client devices` lists them"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The devices of a stream; None is none in that direction."""

    input: SoundDevice | None
    output: SoundDevice | None

    @property
    def text(self) -> str:
        """For people."""
        sides = {"from": self.input, "to": self.output}
        named = [f"{word} {name_of(side)}" for word, side in sides.items() if side is not None]
        if self.input is not None and self.input == self.output:
            named = [name_of(self.input)]
        if self.input is None:
            named.append("without an input")
        if self.output is None:
            named.append("without an output")
        return ", ".join(named)

    def again(self, choice: PortAudioChoice) -> PortAudioChoice:
        """The choice by names: an index may be another device's when they are plugged anew."""
        return PortAudioChoice(
            input=_lasting(choice.input, self.input),
            output=_lasting(choice.output, self.output),
            rate=choice.rate,
            period=choice.period,
        )


def name_of(device: SoundDevice) -> str:
    """Name and host API, by which it can be chosen."""
    return f"{device.name}, {device.host_api}"


def choose(devices: Sequence[SoundDevice], choice: PortAudioChoice, channels: int) -> Chosen:
    """The devices that are meant; raises InvalidValue or Unavailable, which say what to do."""
    inputs = _candidates(devices, choice.input, "input")
    outputs = _candidates(devices, choice.output, "output")
    nothing: list[SoundDevice | None] = [None]
    pairs = [
        Chosen(i, o)
        for i in inputs or nothing
        for o in outputs or nothing
        if i is None or o is None or i.host_api == o.host_api
    ]
    if not inputs and not outputs:
        raise Unavailable(f"there is no sound device: plug one in; {HOW_TO_SEE}")
    if not pairs:
        text = f"must be of the same host API as the input, {name_of(inputs[0])}: {HOW_TO_SEE}"
        raise InvalidValue("output-device", text)
    best = min(_rank(pair) for pair in pairs)
    pairs = [pair for pair in pairs if _rank(pair) == best]
    _must_be_one([pair.input for pair in pairs], choice.input, "input")
    _must_be_one([pair.output for pair in pairs], choice.output, "output")
    _must_have_channels(pairs[0], channels)
    return pairs[0]


def rates_to_try(chosen: Chosen, wanted: int) -> list[int]:
    """The wanted one alone, or those that are likely, the likeliest first."""
    if wanted:
        return [wanted]
    own = [side.rate for side in (chosen.output, chosen.input) if side is not None]
    return [rate for rate in dict.fromkeys([*own, 48_000, *RATES]) if rate in RATES]


def _candidates(
    devices: Sequence[SoundDevice], wanted: str, direction: Direction
) -> list[SoundDevice]:
    usable = [device for device in devices if _channels(device, direction)]
    if wanted == NONE:
        return []
    if wanted == DEFAULT:
        flag = f"default_{direction}"
        return [device for device in usable if getattr(device, flag)]
    found = _matching(usable, wanted)
    if found:
        return found
    if others := _matching(devices, wanted):
        text = f"{name_of(others[0])} has no {direction}s: {HOW_TO_SEE}"
        raise InvalidValue(f"{direction}-device", text)
    raise InvalidValue(f"{direction}-device", f"there is no {wanted!r} now: {HOW_TO_SEE}")


def _matching(devices: Sequence[SoundDevice], wanted: str) -> list[SoundDevice]:
    """By index; by the whole name; by a part of it."""
    if wanted.isascii() and wanted.isdigit():
        return [device for device in devices if device.index == int(wanted)]
    name = wanted.casefold().strip()
    whole = [d for d in devices if name in (d.name.casefold(), name_of(d).casefold())]
    return whole or [d for d in devices if name in name_of(d).casefold()]


def _rank(pair: Chosen) -> int:
    """Less is better."""
    device = pair.output or pair.input
    if device is None:
        raise AssertionError("a pair of nothing")
    apis = [*BEST_HOST_APIS, device.host_api if device.default_host_api else ""]
    return apis.index(device.host_api) if device.host_api in apis else len(apis)


def _must_be_one(found: Sequence[SoundDevice | None], wanted: str, direction: Direction) -> None:
    different = [device for device in dict.fromkeys(found) if device is not None]
    if len(different) > 1:
        listed = "; ".join(f"{d.index}: {name_of(d)}" for d in different[:SHOWN])
        text = f"{wanted!r} may be any of these, say which by its number: {listed}"
        raise InvalidValue(f"{direction}-device", text)


def _must_have_channels(chosen: Chosen, channels: int) -> None:
    # One channel goes into all that are sent: a microphone.
    if chosen.input is not None and 1 < chosen.input.inputs < channels:
        _too_few("input", chosen.input, chosen.input.inputs, channels)
    if chosen.output is not None and chosen.output.outputs < channels:
        _too_few("output", chosen.output, chosen.output.outputs, channels)


def _too_few(direction: Direction, device: SoundDevice, has: int, channels: int) -> None:
    fits = 2 if has >= 2 else 1
    raise InvalidValue(
        f"{direction}-device",
        f"{name_of(device)} has {has} {direction}{'s' if has > 1 else ''}, and {channels} are "
        f"wanted: choose another one, or --channels {fits}",
    )


def _channels(device: SoundDevice, direction: Direction) -> int:
    return device.inputs if direction == "input" else device.outputs


def _lasting(wanted: str, device: SoundDevice | None) -> str:
    return wanted if device is None or wanted in (DEFAULT, NONE) else name_of(device)
