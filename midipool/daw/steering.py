"""Keeps the room's tempo the DAW's, and while both play its phase too."""

from midipool.daw.clock import DawClock
from midipool.daw.phase_lock import DawPhase, PhaseLock, beats_of_tick, other_tempo, phase_error
from midipool.daw.room_view import RoomView
from midipool.daw.song import DawSong
from midipool.daw.song_commands import SongCommands
from midipool.daw.tempo import TempoReading
from midipool.messages import SetTempo, TransportCommand
from midipool.meter import BEAT

US_PER_MINUTE = 60_000_000
# A room that is this far off is somewhere else in the song: no tempo makes that good.
ELSEWHERE_BEATS = BEAT
# While the DAW's tempo is not settled yet, only what is beyond doubt is worth a command. A song
# that has just begun is sooner moved than hurried.
DOUBT_US, NEW_SONG_ELSEWHERE_US = 5_000.0, 40_000.0
RELOCATE_US = 5_000_000
# Corrections in a row that brought nothing.
VAIN_ATTEMPTS = 3
# A tempo that is this much another one, as a part of it, is worth a vote.
NOTICEABLE = 0.005


class Steering:
    """Asks the room for tempo changes, once a beat at most."""

    def __init__(self, room: RoomView, clock: DawClock, song: DawSong) -> None:
        self._room = room
        self._clock = clock
        self._song = song
        self._commands = SongCommands(room, clock)
        self._lock = PhaseLock()
        self._next_us = self._relocate_us = -(2**62)
        self.keeps_phase = True
        """Whether small corrections are wanted; in a room that votes each would be a vote."""

    @property
    def in_vain(self) -> bool:
        """The room does not get into phase, whatever its tempo is."""
        return self._lock.attempts > VAIN_ATTEMPTS

    def steer(self) -> list[TransportCommand]:
        """What to change now, at a tick of the DAW's."""
        reading = self._clock.early(self._room.now_us)
        if reading is None or self._room.now_us < self._next_us:
            return []
        if not self.keeps_phase:
            return self._propose_tempo(reading) if reading.settled else []
        at_us = self._room.at_us
        phase, room = self._phase(reading), self._room.chain.at(at_us)
        if phase is None or not room.playing:
            return self.take_tempo() if reading.settled else []
        error = abs(phase_error(phase, room, at_us))
        error_us = error * 60 / phase.bpm
        if not reading.settled and error_us < DOUBT_US and not self._lock.works:
            return []
        if error > ELSEWHERE_BEATS or (not reading.settled and error_us > NEW_SONG_ELSEWHERE_US):
            return self._relocate(phase)
        mbpm = self._lock.steer(phase, room, at_us, in_a_beat=not reading.settled)
        return [] if mbpm is None else self._set_tempo(mbpm)

    def take_tempo(self) -> list[TransportCommand]:
        """Give the room the DAW's tempo, if it is known and another."""
        bpm = self._clock.bpm(self._room.now_us)
        if bpm is None:
            return []
        mbpm = DawPhase(0, 0, bpm).mbpm()
        return self._set_tempo(mbpm) if other_tempo(mbpm, self._room.last.mbpm) else []

    def _propose_tempo(self, reading: TempoReading) -> list[TransportCommand]:
        """A tempo that anybody would notice is another one, once it is known well."""
        room_bpm = self._room.last.mbpm / 1000
        known = reading.error_bpm < NOTICEABLE / 5 * room_bpm
        noticeable = abs(reading.bpm - room_bpm) > NOTICEABLE * room_bpm
        return self.take_tempo() if known and noticeable else []

    def release(self) -> list[TransportCommand]:
        """No phase is worked off any more: leave the room at the true tempo."""
        mbpm = self._lock.release(self._room.last)
        return [] if mbpm is None else self._set_tempo(mbpm)

    def undo(self) -> list[TransportCommand]:
        """The room was steered in vain: give it back the tempo that it had."""
        mbpm = self._lock.undo(self._room.last)
        return [] if mbpm is None else self._set_tempo(mbpm)

    def _phase(self, reading: TempoReading) -> DawPhase | None:
        """Where the DAW's song is, if it plays and says so."""
        tick = self._song.next_tick
        if not self._song.running or tick is None:
            return None
        return DawPhase(reading.tick_time_us, beats_of_tick(tick - 1), reading.bpm)

    def _relocate(self, phase: DawPhase) -> list[TransportCommand]:
        """The room is somewhere else in the song, although nobody moved it there."""
        if self._room.now_us < self._relocate_us or phase.beats < 0:
            return []
        self._relocate_us = self._room.now_us + RELOCATE_US
        out = self.take_tempo()
        return out + self._commands.locate_playing(round(phase.beats), round(phase.time_us))

    def _set_tempo(self, mbpm: int) -> list[TransportCommand]:
        beat_us = round(US_PER_MINUTE * 1000 / mbpm)
        self._next_us = self._room.now_us + beat_us
        return self._room.ask(SetTempo(id=0, bpm=mbpm / 1000))
