"""What arrives at one port: control that leads the room, and notes for the others. Pure."""

from collections.abc import Sequence

from midipool.daw.lead_role import Mode
from midipool.daw.leader import Leader
from midipool.daw.parser import MidiMessage, MidiParser
from midipool.daw.said_place import SongPositionUnit
from midipool.messages import TransportCommand
from midipool.midi_clock import MidiEvent
from midipool.timeline_chain import TimelineChain

TOO_LONG = "a SysEx of more than 256 bytes came and was left out: send shorter ones"
NO_MIDI = "bytes came that are no MIDI, and were left out: look at what sends to this port"
# A cable that is plugged in may come in the middle of a message.
FEW_FAULTS = 16


class PortInput:
    """Takes bytes, with the room time (as the port has it) at which they came."""

    def __init__(self, lead: Mode | None, song_position: SongPositionUnit = "auto") -> None:
        self.leader = Leader(lead, song_position=song_position) if lead is not None else None
        self._parser = MidiParser()

    def heard(
        self, events: Sequence[tuple[int, bytes]]
    ) -> tuple[list[TransportCommand], list[MidiMessage]]:
        """(what the room is asked for, what is for the others)."""
        commands: list[TransportCommand] = []
        notes: list[MidiMessage] = []
        for time_us, data in events:
            for message in self._parser.feed(data, time_us):
                if is_played(message.data):
                    notes.append(message)
                if self.leader is not None:
                    commands += self.leader.heard(message)
        return commands, notes

    def sent(self, events: Sequence[MidiEvent]) -> None:
        """What left at the port's output, with the room time that it was for."""
        if self.leader is not None:
            self.leader.sent(events)

    def room_changed(self, chain: TimelineChain, ours: bool) -> None:
        """The room has other timelines."""
        if self.leader is not None:
            self.leader.room_changed(chain, ours)

    def refused(self, command: TransportCommand, reason: str) -> None:
        """The room does not do it."""
        if self.leader is not None:
            self.leader.refused(command, reason)

    def keep_phase(self, wanted: bool) -> None:
        """Whether small corrections of the tempo are wanted."""
        if self.leader is not None:
            self.leader.keep_phase(wanted)

    def set_lead_us(self, lead_us: int) -> None:
        """A command that is sent now takes effect so much later."""
        if self.leader is not None:
            self.leader.lead_us = lead_us

    @property
    def complaints(self) -> list[str]:
        """What is wrong with what arrives."""
        faults = self._parser.faults
        found = [self.leader.state.complaint] if self.leader is not None else []
        found.append(TOO_LONG if faults.too_long else None)
        found.append(NO_MIDI if faults.stray_bytes + faults.cut_off > FEW_FAULTS else None)
        return [text for text in found if text]

    def next_deadline(self) -> int | None:
        """When `poll` has something to do by itself; None if that is never."""
        return self.leader.next_deadline() if self.leader is not None else None

    def poll(self, now_us: int) -> list[TransportCommand]:
        """Commands that time brings."""
        return self.leader.poll(now_us) if self.leader is not None else []


def is_played(data: bytes) -> bool:
    """Whether a message is for the others: channel voice, and SysEx that is no MMC or loop."""
    if 0x80 <= data[0] < 0xF0:
        return True
    return data[0] == 0xF0 and not data.startswith((b"\xf0\x7f", b"\xf0\x7d\x6d\x50"))
