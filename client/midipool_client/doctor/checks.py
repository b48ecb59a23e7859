"""Makes all checks, each with a time limit; none of them can fail the others."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from midipool_client.doctor import machine, machine_look, midi, nat, network, timers, verdict
from midipool_client.doctor.finding import Finding, Report, printable, unknown
from midipool_client.doctor.midi import MidiLook
from midipool_client.doctor.nat import NatLook
from midipool_client.doctor.nat_look import find_servers, look_at_nat
from midipool_client.doctor.network import NetworkLook
from midipool_client.doctor.network_look import NetworkLooking
from midipool_client.doctor.timers import RealtimeTrial
from midipool_client.doctor.within import ask_program, within
from midipool_client.room_url import RoomUrl

T = TypeVar("T")

READING_S = 3.0
REALTIME_TRIAL_S = 12.0
# A JACK server that is just starting or stopping may hold a client up for some seconds.
MIDI_TRIAL_S = 12.0
# Four steps of four seconds, the WebSocket's five twice, and both ways of probing.
NETWORK_S = 40.0
# A STUN server that does not answer, asked five times over.
NAT_S = 10.0
MIDI_NAMES = (
    "JACK library",
    "JACK server",
    "ALSA sequencer",
    "rtmidi",
    "other MIDI ports",
    "device name",
    "MIDI ports",
)


@dataclass(slots=True)
class Examination:
    """One run of all checks; the network's only with `url`."""

    device_name: str = "midiPool"
    url: RoomUrl | None = None
    stun: list[str] = field(default_factory=list)
    """STUN servers to ask in place of the room's, as HOST:PORT."""
    found: list[Finding] = field(default_factory=list)

    def run(self) -> Report:
        """Look at everything."""
        self._system()
        trial = self._realtime()
        look = self._midi()
        way = self._network()
        self._nat(way)
        port_us = verdict.port_error_us(look, trial)
        return Report(self.found, verdict.judge(self.found, port_us, way))

    def _system(self) -> None:
        self._look(
            ("kernel", "clock source"),
            machine_look.look_at_kernel,
            lambda kernel: [machine.judge_kernel(kernel), machine.judge_clock_source(kernel)],
        )
        self._look(
            ("CPU frequency",),
            machine_look.look_at_cpu,
            lambda cpu: [machine.judge_governor(cpu)],
        )
        self._look(
            ("power saving",),
            machine_look.look_at_power,
            lambda power: [machine.judge_power(power)],
        )

    def _realtime(self) -> RealtimeTrial | None:
        def look() -> RealtimeTrial:
            module = "midipool_client.doctor.realtime_trial"
            return ask_program(module, RealtimeTrial, REALTIME_TRIAL_S)

        def judge(trial: RealtimeTrial) -> list[Finding]:
            limits, groups = machine_look.look_at_limits(), machine_look.look_at_groups()
            permission = machine.judge_permission(limits, groups, trial.realtime, trial.locked)
            return [permission, timers.judge_timers(trial)]

        names = ("real-time permission", "timers")
        return self._look(names, look, judge, REALTIME_TRIAL_S + 1)

    def _midi(self) -> MidiLook | None:
        def look() -> MidiLook:
            return ask_program("midipool_client.doctor.midi_trial", MidiLook, MIDI_TRIAL_S)

        def judge(look: MidiLook) -> list[Finding]:
            return midi.judge_midi(look, self.device_name)

        return self._look(MIDI_NAMES, look, judge, MIDI_TRIAL_S + 1)

    def _network(self) -> NetworkLook | None:
        url = self.url
        if url is None:
            return None
        stamps = self._look(
            ("kernel timestamps",),
            machine_look.kernel_timestamps,
            lambda there: [machine.judge_timestamps(there)],
        )
        looking = NetworkLooking(url, bool(stamps))
        return self._look(network.ALL_STEPS, looking.look, network.judge_network, NETWORK_S)

    def _nat(self, way: NetworkLook | None) -> None:
        if way is None and not self.stun:
            return

        def look() -> NatLook | None:
            servers = find_servers(self.stun) if self.stun else way.stun if way else ()
            return look_at_nat(servers)

        self._look((nat.NAME,), look, lambda seen: [nat.judge_nat(seen)], NAT_S)

    def _look(
        self,
        names: tuple[str, ...],
        look: Callable[[], T],
        judge: Callable[[T], list[Finding]],
        seconds: float = READING_S,
    ) -> T | None:
        """Look within a time, and judge; a failure is a finding for each name."""
        try:
            seen = within(seconds, look)
            self.found += judge(seen)
        except Exception as error:
            text = f"could not be looked at: {printable(str(error), 240) or type(error).__name__}"
            self.found += [unknown(name, text) for name in names]
            return None
        return seen
