"""Opens the devices that were chosen, by PortAudio."""

from midipool.errors import InvalidValue, Unavailable
from midipool_client.audio.device_choice import PortAudioChoice
from midipool_client.audio.sound_devices import Chosen, choose, name_of, rates_to_try
from midipool_native import portaudio
from midipool_native.portaudio import Direction, PortAudioDevice, PortAudioError, StreamSetup

# At 48 kHz: what computers without a real-time kernel keep up with.
USUAL_PERIOD = 256


def open_portaudio(
    choice: PortAudioChoice, channels: int
) -> tuple[PortAudioDevice, PortAudioChoice]:
    """(the device, the choice by which it is found again); raises MidiPoolError."""
    chosen = choose(portaudio.list_devices(), choice, channels)
    rate = _rate(chosen, choice.rate, channels)
    period = choice.period or USUAL_PERIOD
    setup = StreamSetup(
        input=chosen.input,
        output=chosen.output,
        channels=channels,
        rate=rate,
        period=period,
        latency_s=period / rate if choice.period else None,
    )
    text = f"PortAudio: {chosen.text}, {rate} Hz, {period} frames"
    try:
        device = PortAudioDevice(setup, text)
    except PortAudioError as error:
        raise Unavailable(f"{chosen.text}: {error}{_advice(error, chosen)}") from None
    return device, chosen.again(choice)


def _rate(chosen: Chosen, wanted: int, channels: int) -> int:
    """The first one that all devices can have; raises MidiPoolError."""
    error = ""
    for rate in rates_to_try(chosen, wanted):
        error = _why_not(chosen, rate, channels)
        if not error:
            return rate
    raise InvalidValue("audio-rate", error)


def _why_not(chosen: Chosen, rate: int, channels: int) -> str:
    """Why they cannot have a rate; empty if they can."""
    sides: tuple[tuple[Direction, portaudio.SoundDevice | None], ...] = (
        ("input", chosen.input),
        ("output", chosen.output),
    )
    for direction, device in sides:
        if device is None:
            continue
        has = min(device.inputs, channels) if direction == "input" else channels
        try:
            portaudio.check_settings(device, direction, has, rate)
        except PortAudioError as error:
            if error.code != portaudio.BAD_RATE:
                raise Unavailable(f"{name_of(device)}: {error}{_advice(error, chosen)}") from None
            return (
                f"{name_of(device)} cannot have {rate} Hz as {direction}: its own is "
                f"{device.rate} Hz; choose that with --audio-rate, or another device"
            )
    return ""


def _advice(error: PortAudioError, chosen: Chosen) -> str:
    match error.code:
        case portaudio.BAD_COMBINATION:
            return "; these two do not work together: take one device for both directions"
        case portaudio.UNAVAILABLE:
            return "; another program may have it, or it was just unplugged"
    return "; `midipool-client devices` lists what there is"
