"""Before there is a room: what devices there are, and a try of them with a live level."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from midipool.audio.strips import Mix
from midipool.errors import InvalidValue, MidiPoolError
from midipool_client.audio.device_choice import (
    AutoChoice,
    DeviceChoice,
    JackChoice,
    PortAudioChoice,
)
from midipool_client.audio.device_look import DevicesLook
from midipool_client.audio.engine_messages import AudioConfig
from midipool_client.audio.engine_messages import Mix as EngineMix
from midipool_client.audio.process import AudioProcess
from midipool_client.audio.sound_devices import name_of
from midipool_client.doctor.within import ask_program
from midipool_client.join_choice import JoinChoice
from midipool_client.page.messages import CheckDevices, EndCheck, LookForDevices
from midipool_client.page.meters import order_of
from midipool_client.page.state import ChannelView, MixerPart, SoundDeviceName, WayIn
from midipool_native.portaudio import SoundDevice

log = logging.getLogger(__name__)

DEVICE = "midiPool"
# A JACK server that is just starting or stopping may hold a look up for some seconds.
LOOK_S = 15.0
LEVELS_MS = 40


class DevicesTried:
    """Sound devices, open until `end`."""

    def __init__(self, request: CheckDevices, levels_came: Callable[[], None]) -> None:
        """Raises InvalidValue."""
        choice = request.choice
        device = device_of(choice)
        if device is None:
            raise InvalidValue("audio", "there is no sound to check: choose where it is")
        self.request = request
        self.engine = AudioProcess(
            AudioConfig(DEVICE, choice.channels, device=device), self._ready, lambda _: None
        )
        self.engine.on_levels = levels_came
        self.engine.watch(LEVELS_MS)
        self._running = asyncio.create_task(self.engine.run())

    def hear_yourself(self, request: CheckDevices) -> None:
        """Let the input come out, or not."""
        self.request = request
        self._tell()

    async def end(self) -> None:
        """Close them."""
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running

    @property
    def mixer(self) -> MixerPart:
        """The level, in the mixer's part."""
        engine, channels = self.engine, self.request.choice.channels
        return MixerPart(
            audio=engine.state,
            device=engine.ready.text if engine.ready is not None else engine.problem,
            meters=order_of([], channels),
            channels=[
                ChannelView(channel=n, strip=_PLAIN, pan=_PLAIN.pan_of(n, channels), heard=False)
                for n in range(1, channels + 1)
            ],
        )

    def _ready(self, _: object) -> None:
        self._tell()

    def _tell(self) -> None:
        self.engine.tell(EngineMix(monitor=1.0 if self.request.hear_yourself else 0.0, send=0.0))


class DevicesBefore:
    """The part `way_in` of a page's state; `changed` is called when it is another one."""

    def __init__(self, changed: Callable[[], None], levels_came: Callable[[], None]) -> None:
        self.part = WayIn()
        self.tried: DevicesTried | None = None
        self._connections: list[tuple[str, str]] = []
        self._changed, self._levels_came = changed, levels_came
        self._looking: asyncio.Task[None] | None = None
        self._one = asyncio.Lock()

    def choose(self, choice: JoinChoice) -> None:
        """What is taken, or was taken the last time."""
        self.part = replace(self.part, choice=choice)

    async def obey(self, request: LookForDevices | CheckDevices | EndCheck) -> None:
        """Do what a page asks for; raises InvalidValue."""
        match request:
            case LookForDevices():
                self.look()
            case CheckDevices():
                await self.check(request)
            case EndCheck():
                await self.end_check()

    def look(self) -> None:
        """See what there is, if nobody looks already."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    async def check(self, request: CheckDevices) -> None:
        """Open devices to see the level; raises InvalidValue."""
        async with self._one:
            if self.tried is not None and _same_devices(self.tried.request, request):
                self.tried.hear_yourself(request)
                return
            await self._end()
            self.tried = DevicesTried(request, self._levels_came)

    async def end_check(self) -> None:
        """Close them."""
        async with self._one:
            await self._end()

    def take_connections(self) -> list[tuple[str, str]]:
        """What was connected to the ports that were tried, for the room that is joined now."""
        connections, self._connections = self._connections, []
        return connections

    def now(self) -> WayIn:
        """The part as it is."""
        if self.tried is None:
            return replace(self.part, check="off", hear_yourself=False)
        hears = self.tried.request.hear_yourself
        return replace(self.part, check=self.tried.engine.state, hear_yourself=hears)

    async def close(self) -> None:
        """Leave nothing open."""
        await self.end_check()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _end(self) -> None:
        tried, self.tried = self.tried, None
        if tried is not None:
            self._connections = tried.engine.connections
            await tried.end()

    async def _look(self) -> None:
        self.part = replace(self.part, looking=True)
        self._changed()
        try:
            look = await asyncio.to_thread(
                ask_program, "midipool_client.audio.device_trial", DevicesLook, LOOK_S
            )
            self.part = replace(self.part, looking=False, **seen(look))
        except MidiPoolError as error:
            self.part = replace(self.part, looking=False, problem=str(error))
        self._changed()


def seen(look: DevicesLook) -> dict[str, Any]:
    """What a look changes of the part."""
    jack = look.jack
    devices = look.portaudio.devices
    return {
        "jack": f"{jack.rate} Hz, {jack.period} frames" if jack.running else "",
        "inputs": [_named(d, d.inputs, d.default_input) for d in devices if d.inputs],
        "outputs": [_named(d, d.outputs, d.default_output) for d in devices if d.outputs],
        "midi_ports": look.midi_ports,
        "problem": look.portaudio.error,
    }


def device_of(choice: JoinChoice) -> DeviceChoice | None:
    """The device that an engine opens; None for MIDI only."""
    named = PortAudioChoice(
        input=choice.input_device or "default", output=choice.output_device or "default"
    )
    match choice.audio:
        case "none":
            return None
        case "jack":
            return JackChoice()
        case "portaudio":
            return named
    return AutoChoice()


def _named(device: SoundDevice, channels: int, usual: bool) -> SoundDeviceName:
    usual = usual and device.default_host_api
    return SoundDeviceName(name=name_of(device), channels=channels, usual=usual)


def _same_devices(one: CheckDevices, other: CheckDevices) -> bool:
    def plain(request: CheckDevices) -> msgspec.Struct:
        return replace(request.choice, midi="auto", midi_port="", click=False)

    return plain(one) == plain(other)


_PLAIN = Mix().channel(1)
