"""What is wrong with what a DAW sends, in words for its player."""

from midipool.daw.clock import DawClock
from midipool.daw.room_view import RoomView

COMPLAINT_US = 5_000_000
TOO_MANY = "the DAW sends transport commands faster than a room can follow: some were left out"


class Complaints:
    """One at a time: while its cause lasts, or for some seconds."""

    def __init__(self, room: RoomView, clock: DawClock) -> None:
        self._room = room
        self._clock = clock
        self._left_out = 0
        self._text, self._until_us = "", -(2**62)

    def say(self, text: str) -> None:
        """This is wrong, just now."""
        self._text, self._until_us = text, self._room.now_us + COMPLAINT_US

    def look(self) -> None:
        """See whether commands were left out."""
        if self._room.left_out > self._left_out:
            self._left_out = self._room.left_out
            self.say(TOO_MANY)

    @property
    def text(self) -> str | None:
        """What is wrong; None while nothing is."""
        fault = self._clock.fault(self._room.now_us)
        if fault is not None:
            return f"the DAW's clock is {fault}: its tempo is not taken"
        return self._text if self._room.now_us < self._until_us else None
