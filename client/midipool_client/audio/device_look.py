"""What sound devices there are, and how that is shown. Pure."""

from collections.abc import Iterator, Sequence

import msgspec

from midipool_client.doctor.finding import printable
from midipool_native.portaudio import SoundDevice

HEADS = ("index", "name", "host API", "in", "out", "rate", "")
MOST_PORTS = 16


class JackLook(msgspec.Struct, frozen=True):
    """The JACK server that clients of this environment look for."""

    server: str
    running: bool
    error: str = ""
    """Why it is of no use, as far as that is known."""
    rate: int = 0
    period: int = 0
    realtime: bool = False
    ports: list[str] = []
    """All audio ports, CLIENT:PORT."""


class PortAudioLook(msgspec.Struct, frozen=True):
    """The devices that PortAudio sees."""

    version: str
    devices: list[SoundDevice]
    error: str = ""


class DevicesLook(msgspec.Struct, frozen=True):
    """All of it."""

    jack: JackLook
    portaudio: PortAudioLook
    midi_ports: list[str] = []
    """The system's own, beside JACK's."""


def in_lines(look: DevicesLook) -> Iterator[str]:
    """For people."""
    yield from _jack_lines(look.jack)
    yield ""
    yield from _portaudio_lines(look.portaudio)
    yield ""
    yield _auto(look)


def _jack_lines(jack: JackLook) -> Iterator[str]:
    if not jack.running:
        error = f": {printable(jack.error)}" if jack.error else ""
        yield f"JACK: no server runs under the name {printable(jack.server)!r}{error}"
        return
    realtime = "real-time" if jack.realtime else "not real-time"
    yield (
        f"JACK: server {printable(jack.server)}, {jack.rate} Hz, {jack.period} frames, {realtime}, "
        f"{len(jack.ports)} audio ports"
    )
    yield from (f"  {printable(port)}" for port in jack.ports[:MOST_PORTS])
    if len(jack.ports) > MOST_PORTS:
        yield f"  and {len(jack.ports) - MOST_PORTS} more"


def _portaudio_lines(look: PortAudioLook) -> Iterator[str]:
    if look.error:
        yield f"PortAudio: {printable(look.error)}"
        return
    version = look.version.removeprefix("PortAudio ").partition(",")[0]
    yield f"PortAudio: {printable(version)}"
    if not look.devices:
        yield "  it sees no sound device"
        return
    yield from _table([HEADS, *map(_row, look.devices)])


def _row(device: SoundDevice) -> tuple[str, ...]:
    default = {"in": device.default_input, "out": device.default_output}
    words = " and ".join(word for word, is_it in default.items() if is_it)
    if words:
        words = f"default {words}" + ("" if device.default_host_api else " of its host API")
    numbers = [str(n) for n in (device.inputs, device.outputs, device.rate)]
    return (str(device.index), printable(device.name), printable(device.host_api), *numbers, words)


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()


def _auto(look: DevicesLook) -> str:
    if look.jack.running:
        return "`join` takes JACK; with --input-device or --output-device it takes PortAudio's."
    if look.portaudio.devices:
        return (
            "`join` takes PortAudio's default devices; --input-device and --output-device choose."
        )
    return "`join` has no audio here: start JACK or PipeWire, or plug a sound device in."
