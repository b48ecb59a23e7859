"""A synthesizer at the end of a port, which tells what it still does."""

CENTRE = 8192
RESTS = {1: 0, 2: 0, 11: 127, 64: 0, 65: 0, 66: 0, 67: 0, 68: 0, 69: 0}


class Synthesizer:
    """Takes whole messages. With `layers`, every note-on needs a note-off of its own."""

    def __init__(self, layers: bool = False) -> None:
        self._layers = layers
        self.notes: dict[tuple[int, int], int] = {}
        self._moved: dict[tuple[int, ...], int] = {}

    @property
    def sounds(self) -> bool:
        """Whether a note sounds or something stands off its rest."""
        return bool(self.notes or self._moved)

    def play(self, data: bytes) -> None:
        kind, channel = data[0] & 0xF0, data[0] & 0x0F
        match kind, *data[1:]:
            case 0x80, key, _:
                self._off((channel, key))
            case 0x90, key, 0:
                self._off((channel, key))
            case 0x90, key, _:
                count = self.notes.get((channel, key), 0) + 1
                self.notes[channel, key] = count if self._layers else 1
            case 0xB0, number, value:
                self._control(channel, number, value)
            case 0xA0, key, value:
                self._move((channel, kind, key), value, 0)
            case 0xD0, value:
                self._move((channel, kind), value, 0)
            case 0xE0, low, high:
                self._move((channel, kind), low + 128 * high, CENTRE)

    def _off(self, note: tuple[int, int]) -> None:
        if note in self.notes:
            self.notes[note] -= 1
            if self.notes[note] == 0:
                del self.notes[note]

    def _control(self, channel: int, number: int, value: int) -> None:
        if number == 121:
            self._moved = {what: v for what, v in self._moved.items() if what[0] != channel}
        elif number >= 120 and number != 122:
            self.notes = {note: n for note, n in self.notes.items() if note[0] != channel}
        elif number in RESTS:
            self._move((channel, 0xB0, number), value, RESTS[number])

    def _move(self, what: tuple[int, ...], value: int, rest: int) -> None:
        self._moved[what] = value
        if value == rest:
            del self._moved[what]
