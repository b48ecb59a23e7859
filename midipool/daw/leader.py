"""What a member's DAW says, as commands for the room.

A DAW that starts, stops, jumps or changes its tempo takes the room along. A command takes effect
one lead time later than the DAW did it; so it says since when the DAW's song was where, and the
room joins it on the way. From then on the room is kept in phase with the DAW's clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from midipool.daw.clock import DawClock
from midipool.daw.complaints import Complaints
from midipool.daw.control import (
    ControlEvent,
    LoopArea,
    MmcLocate,
    SongPosition,
    Tick,
    TimeCodeRate,
    control_events,
)
from midipool.daw.echo import EchoGuard
from midipool.daw.lead_role import LeadRole, Mode, RoleName
from midipool.daw.loop_guess import LoopGuess
from midipool.daw.parser import MidiMessage
from midipool.daw.phase_lock import beats_of_tick
from midipool.daw.room_view import RoomView
from midipool.daw.said_place import SaidPlaces, SongPositionUnit
from midipool.daw.song import Began, Ceased, DawSong, Happening, Jumped, Moved
from midipool.daw.song_commands import SongCommands
from midipool.daw.steering import Steering
from midipool.messages import TransportCommand
from midipool.meter import Loop
from midipool.timeline_chain import TimelineChain

CLOCK = b"\xf8"
# A follower may be half a second late, and go on for as long. A clock behind that is its own.
UNPROMPTED_US = 1_200_000
FOLLOWS = "the DAW's clock follows the room's, so it cannot lead: set the DAW to its own clock"


@dataclass(frozen=True, slots=True)
class LeaderState:
    """What displays show of it."""

    role: RoleName
    bpm: float | None
    """The DAW's tempo; None while it is not known, or no clock comes."""
    complaint: str | None
    """What is wrong with what the DAW sends: while it lasts, or for some seconds."""


class Leader:
    """Takes what is heard from a DAW and what the room does; returns commands, with id 0.

    All times are room times in µs, and go back by no more than jitter. `lead_us` is how long
    after now a command that is returned now will take effect; the caller keeps it true.
    `song_position` is what the DAW's F2 counts: *auto* finds out, if it says places by MMC too.
    """

    def __init__(
        self, mode: Mode = "auto", lead_us: int = 150_000, song_position: SongPositionUnit = "auto"
    ) -> None:
        self.mode: Mode = mode
        self._room = RoomView(lead_us)
        self._clock = DawClock()
        self._song = DawSong()
        self._places = SaidPlaces(song_position)
        self._commands = SongCommands(self._room, self._clock)
        self._steering = Steering(self._room, self._clock, self._song)
        self._echo = EchoGuard()
        self._role = LeadRole(mode)
        self._guess = LoopGuess()
        self._guessed: Loop | None = None
        """The loop that the room has from us, because it was guessed."""
        self._clock_sent_us: int | None = None
        self._complaints = Complaints(self._room, self._clock)

    @property
    def lead_us(self) -> int:
        """From when a command is returned until it takes effect."""
        return self._room.lead_us

    @lead_us.setter
    def lead_us(self, lead_us: int) -> None:
        self._room.lead_us = lead_us

    # ---- what comes in ----

    def heard(self, message: MidiMessage) -> list[TransportCommand]:
        """The DAW sent a message, which came at its room time; what the room is asked for it."""
        if self.mode == "follow":
            return []
        out = self.poll(message.time_us)
        for event in control_events(message, unsaid_rate=self._places.rate):
            if isinstance(event, Tick):
                out += self._tick(event.time_us)
            else:
                out += self._control(event, message)
        return out

    def sent(self, events: Iterable[tuple[int, bytes]]) -> None:
        """What is put on the port that the DAW listens to, in order: room times and bytes.

        It may be told ahead of time; what is told for a time before that takes back the rest.
        """
        for time_us, data in events:
            self._echo.sent(time_us, data)
            before_us = self._clock_sent_us
            if data == CLOCK or (before_us is not None and time_us < before_us):
                self._clock_sent_us = time_us

    def room_changed(self, chain: TimelineChain, ours: bool) -> None:
        """The room has new timelines; `ours` says that a command of ours made them."""
        if self._room.told(chain, ours):
            self._give_up()

    def keep_phase(self, wanted: bool) -> None:
        """Whether the room is to be kept in phase with the DAW, by small changes of its tempo."""
        self._steering.keeps_phase = wanted

    def refused(self, command: TransportCommand, reason: str) -> None:
        """The room did not do a command of ours; it is left alone until the DAW does more."""
        self._room.refused(command)
        self._complaints.say(f"the room refused what the DAW did: {reason}")
        self._give_up()

    def poll(self, now_us: int) -> list[TransportCommand]:
        """What the room is asked by `now_us`, because the DAW said no more; call it now and then.

        `next_deadline` says when it is due, at the latest every half second is often enough else.
        """
        self._room.advance(now_us)
        self._complaints.look()
        out = self._carry_out(self._song.poll(self._room.now_us))
        ticking = self._clock.early(self._room.now_us) is not None
        if not (self._role.steers and self._song.running and ticking):
            out += self._steering.release()
        return out

    def next_deadline(self) -> int | None:
        """Room time at which `poll` has something to do; None while nothing is waited for."""
        return self._song.next_deadline()

    @property
    def state(self) -> LeaderState:
        """What it is doing, for displays."""
        reading = self._clock.reading(self._room.now_us)
        bpm = None if reading is None else reading.bpm
        return LeaderState(self._role.name, bpm, self._complaints.text)

    # ---- what the DAW does ----

    def _tick(self, time_us: int) -> list[TransportCommand]:
        fitted_us = self._clock.tick(time_us, begins=self._song.waits_for_clock)
        if self.mode == "auto":
            self._judge(time_us)
        out = self._carry_out(self._song.tick(fitted_us))
        if self._song.running:
            self._places.went_on()
        reading = self._clock.settled(self._room.now_us)
        if reading is not None:
            self._role.hear_tempo(reading.bpm, reading.error_bpm)
        out += self._loop_over()
        if self._role.steers and self._steering.in_vain and self._echo.clock_is_echo:
            return out + self._stop_chasing()
        return out + self._steering.steer() if self._role.steers else out

    def _stop_chasing(self) -> list[TransportCommand]:
        """The DAW's clock goes wherever the room's goes: it was no leader's."""
        self._give_up(doubtful=True)
        self._complaints.say(FOLLOWS)
        return self._steering.undo()

    def _judge(self, time_us: int) -> None:
        """Whose clock it is."""
        self._echo.tick(time_us)
        sent_us = self._clock_sent_us
        unprompted = sent_us is None or time_us - sent_us > UNPROMPTED_US
        self._role.judge(self._echo.clock_is_echo, unprompted)

    def _control(self, event: ControlEvent, message: MidiMessage) -> list[TransportCommand]:
        if isinstance(event, LoopArea):
            return self._commands.set_loop(event.loop)
        if isinstance(event, TimeCodeRate):
            self._places.rate = event.rate
            return []
        own = not self._echo.is_echo(message.time_us, message.data) or self.mode == "lead"
        if isinstance(event, SongPosition | MmcLocate):
            # A player who stops the room and then rewinds means it. At worst it is where we are.
            own = own or (self._role.leads and not self._room.last.playing)
            return self._carry_out(self._song.hear(self._places.read(event, *self._bpm()), own))
        return self._carry_out(self._song.hear(event, own))

    def _bpm(self) -> tuple[float, bool]:
        """The tempo by which the DAW's seconds are beats, and whether it is the DAW's own."""
        bpm = self._clock.bpm(self._room.now_us) if self._role.own_clock else None
        # A DAW that follows has the room's tempo, and one that stands may have said none.
        return (self._room.last.mbpm / 1000, False) if bpm is None else (bpm, True)

    def _carry_out(self, happenings: list[Happening]) -> list[TransportCommand]:
        return [command for each in happenings for command in self._happened(each)]

    def _happened(self, happening: Happening) -> list[TransportCommand]:
        if isinstance(happening, Jumped):
            return self._jumped(happening)
        self._role.take()
        self._guess.forget()
        match happening:
            case Began():
                return self._began(happening)
            case Ceased():
                return self._commands.stop()
            case Moved(tick=tick):
                return self._commands.move(_beats(tick))

    def _began(self, began: Began) -> list[TransportCommand]:
        # First the tempo, so that the room's song is on its way as fast as the DAW's.
        out = self._steering.take_tempo() if self._role.steers else []
        if began.anew:
            return out + self._commands.start(began.since_us)
        beats = None if began.tick is None else _beats(began.tick)
        return out + self._commands.go_on(beats, began.since_us)

    def _jumped(self, jump: Jumped) -> list[TransportCommand]:
        beats, new_loop = _beats(jump.tick), False
        if jump.from_tick is not None:
            meter = self._room.last.meter
            new_loop = self._guess.jumped(_beats(jump.from_tick), beats, meter)
        if self._guess.went_round and not new_loop and not self._role.leads:
            return []  # The DAW goes round as before: that is no reason to lead again.
        self._role.take()
        out = self._commands.jump(beats, jump.since_us)
        if new_loop and self._guess.loop is not None:
            self._guessed = self._guess.loop
            out += self._commands.set_loop(self._guessed)
        return out

    def _loop_over(self) -> list[TransportCommand]:
        """A loop that was guessed ends where the DAW plays on behind it."""
        tick = self._song.next_tick
        if tick is None or not self._song.running or not self._guess.played_to(_beats(tick)):
            return []
        ours = self._role.leads and self._room.last.loop == self._guessed
        return self._commands.set_loop(None) if ours else []

    # ---- who leads ----

    def _give_up(self, doubtful: bool = False) -> None:
        reading = self._clock.settled(self._room.now_us)
        self._role.give_up(None if reading is None else reading.bpm, doubtful)


def _beats(tick: int) -> int:
    """Micro-beats of a tick of the song."""
    return round(beats_of_tick(tick))
