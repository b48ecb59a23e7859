"""Commands that bring a room's song to where a DAW's song is."""

from midipool.daw.clock import DawClock
from midipool.daw.phase_lock import DawPhase, phase_error
from midipool.daw.place import place_of, place_on_the_way
from midipool.daw.room_view import RoomView
from midipool.messages import Continue, Locate, SetLoop, Start, Stop, TransportCommand
from midipool.meter import SIXTEENTH_BEATS, Loop

# A DAW that says where it is, and is not further off than this, has said nothing new.
SAME_PLACE_BEATS = SIXTEENTH_BEATS / 2


class SongCommands:
    """Asks the room for what the DAW's song does. `beats` are the song's micro-beats."""

    def __init__(self, room: RoomView, clock: DawClock) -> None:
        self._room = room
        self._clock = clock

    def start(self, since_us: int) -> list[TransportCommand]:
        """The song began at its beginning."""
        return self._room.ask(Start(id=0, since=since_us))

    def stop(self) -> list[TransportCommand]:
        """The song was stopped."""
        return self._room.ask(Stop(id=0)) if self._room.last.playing else []

    def go_on(self, beats: int | None, since_us: int) -> list[TransportCommand]:
        """The song went on at `beats`; None: nobody knows where."""
        room = self._room.last
        if room.playing and beats is not None:
            return self.jump(beats, since_us)
        if beats is None:
            return self._room.ask(Continue(id=0, since=since_us))
        found = place_on_the_way(room.meter, beats, since_us, self._bpm(), self._room.now_us)
        if found is None:
            return []
        place, place_us = found
        go_on = Continue(id=0, since=place_us)
        if room.origin_beats == place.beats:
            return self._room.ask(go_on)
        return self._room.ask(Locate(id=0, position=place.position), go_on)

    def jump(self, beats: int, since_us: int) -> list[TransportCommand]:
        """The song plays, and got to `beats`; nothing if the room's will be there already."""
        at_us = self._room.at_us
        room = self._room.chain.at(at_us)
        if not self._room.last.playing:
            return self.move(beats)
        daw = DawPhase(since_us, beats, self._bpm())
        if room.playing and abs(phase_error(daw, room, at_us)) <= SAME_PLACE_BEATS:
            return []
        return self.locate_playing(beats, since_us)

    def locate_playing(self, beats: int, since_us: int) -> list[TransportCommand]:
        """Take the room to where the playing song is, wherever it is itself."""
        meter, now_us = self._room.last.meter, self._room.now_us
        found = place_on_the_way(meter, beats, since_us, self._bpm(), now_us)
        if found is None:
            return []
        return self._room.ask(Locate(id=0, position=found[0].position, since=found[1]))

    def move(self, beats: int) -> list[TransportCommand]:
        """The song stands, and was moved: to the count that a beat lies in."""
        room = self._room.last
        place = place_of(room.meter, beats)
        if place is None or (not room.playing and room.origin_beats in (beats, place.beats)):
            return []
        return self._room.ask(Locate(id=0, position=place.position))

    def set_loop(self, loop: Loop | None) -> list[TransportCommand]:
        """These bars repeat, or none."""
        if self._room.last.loop == loop:
            return []
        return self._room.ask(SetLoop(id=0, loop=loop))

    def _bpm(self) -> float:
        """The DAW's tempo if it is known, else the room's."""
        reading = self._clock.early(self._room.now_us)
        return self._room.last.mbpm / 1000 if reading is None else reading.bpm
