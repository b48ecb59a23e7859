"""What this client adds to its room's document, and takes from one: its mix and its effects."""

import logging

import msgspec

from midipool.errors import MidiPoolError
from midipool.messages import PartGiven
from midipool.snapshot.fields import printable
from midipool.snapshot.members import (
    Effects,
    MemberPart,
    boards_of,
    decode_part,
    effects_of,
    encode_part,
    files_of,
)
from midipool_client.effects.rack import Rack
from midipool_client.live_settings import LiveSettings

log = logging.getLogger(__name__)


class OwnPart:
    """A client without audio has a mix, which waits for some, and no effects."""

    def __init__(self, name: str, live: LiveSettings, rack: Rack | None) -> None:
        self._name = name
        self._live = live
        self._rack = rack

    def said(self) -> bytes:
        """For a document."""
        effects = None if self._rack is None else effects_of(self._rack.boards)
        return encode_part(MemberPart(mix=self._live.listening.mix, effects=effects))

    def given(self, message: PartGiven) -> None:
        """Become what a document says of us."""
        try:
            part = decode_part(message.data)
            if part.mix is not None:
                self._live.listen(msgspec.structs.replace(self._live.listening, mix=part.mix))
            if part.effects is not None and self._rack is not None:
                self._set_effects(self._rack, part.effects, message.by == self._name)
        except MidiPoolError as error:
            log.warning("what %s loaded is not taken: %s", message.by or "somebody", error)
            return
        log.info("%s loaded the room: mix and effects are as it says", message.by or "somebody")

    def _set_effects(self, rack: Rack, effects: Effects, is_ours: bool) -> None:
        """What others load names no file here that we do not have on a board already."""
        files = files_of(effects if is_ours else effects_of(rack.boards))
        if others := files_of(effects) - files:
            text = ", ".join(sorted(map(printable, others)))
            log.warning("effects with files that others name are left out: %s", text)
        rack.set_boards(boards_of(effects, files))
