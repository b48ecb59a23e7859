"""Commands of our own on their way to the room, and what became of them. Pure."""

from collections import OrderedDict
from collections.abc import Callable

from msgspec.structs import replace

from midipool.messages import (
    AccessCommand,
    Ballot,
    Error,
    GraphEdit,
    LoadRoom,
    LoadSong,
    ModuleCommand,
    Ok,
    Say,
    SetMode,
    SetRecorder,
    SongEdit,
    TransportCommand,
)

MAX_WAITING = 256
MAX_OWN = 256

Answer = Callable[[Ok | Error | None], None]
"""Is called once; with None when no answer will come any more."""
Asked = (
    TransportCommand
    | SetMode
    | Ballot
    | Say
    | SongEdit
    | LoadSong
    | LoadRoom
    | AccessCommand
    | GraphEdit
    | SetRecorder
    | ModuleCommand
)


class Commander:
    """Numbers commands, brings each answer to whoever asked, and knows which changes are ours."""

    def __init__(self) -> None:
        self._next_id = 1
        self._waiting: OrderedDict[int, tuple[Answer, bool]] = OrderedDict()
        self._own: OrderedDict[int, None] = OrderedDict()

    def number(self, command: Asked, answer: Answer, from_port: bool = True) -> Asked:
        """The command as it is to be sent; only what comes from a port is taken for ours."""
        id, self._next_id = self._next_id, self._next_id + 1
        self._waiting[id] = answer, from_port
        if len(self._waiting) > MAX_WAITING:
            self._waiting.popitem(last=False)[1][0](None)
        return replace(command, id=id)

    def answered(self, message: Ok | Error) -> bool:
        """An answer came; False if it belongs to none of our commands."""
        waiting = self._waiting.pop(message.id, None) if message.id is not None else None
        if waiting is None:
            return False
        answer, from_port = waiting
        if isinstance(message, Ok) and from_port:
            self._own[message.revision] = None
            if len(self._own) > MAX_OWN:
                self._own.popitem(last=False)
        answer(message)
        return True

    def is_ours(self, revision: int) -> bool:
        """Whether a change of the room came from a command of ours."""
        return revision in self._own

    def disconnected(self) -> None:
        """No answer comes any more, and another server counts its own revisions."""
        waiting, self._waiting = self._waiting, OrderedDict()
        for answer, _ in waiting.values():
            answer(None)
        self._own.clear()
