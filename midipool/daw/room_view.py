"""The room as a member's DAW will find it: its timelines, and the commands that are under way."""

from collections import deque
from dataclasses import dataclass

from midipool import transport
from midipool.errors import InvalidValue
from midipool.messages import TransportCommand
from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain

# A command that was neither done nor refused for so long is not waited for any more.
LOST_US = 2_000_000
# More in a second than a DAW can mean.
MAX_COMMANDS, COMMANDS_WINDOW_US = 20, 1_000_000


@dataclass(frozen=True, slots=True)
class _UnderWay:
    command: TransportCommand
    at_us: int


class RoomView:
    """The chain that the room told, and on top of it what our own commands will make of it."""

    def __init__(self, lead_us: int) -> None:
        self.lead_us = lead_us
        """How long after now a command takes effect that is asked for now."""
        self.now_us = 0
        self.chain = TimelineChain((Timeline(),))
        self.left_out = 0
        """Commands that were not asked for, because they were too many."""
        self._told = self.chain
        self._under_way: list[_UnderWay] = []
        self._asked_us: deque[int] = deque()

    @property
    def last(self) -> Timeline:
        """The timeline that will be in force when everything is done."""
        return self.chain.last

    @property
    def at_us(self) -> int:
        """When a command takes effect that is asked for now."""
        return self.now_us + self.lead_us

    def advance(self, now_us: int) -> None:
        """It is `now_us`: commands that should long be done are not waited for any more."""
        self.now_us = max(self.now_us, now_us)
        waited_for = [each for each in self._under_way if now_us - each.at_us < LOST_US]
        if len(waited_for) < len(self._under_way):
            self._under_way = waited_for
            self._expect()

    def told(self, chain: TimelineChain, ours: bool) -> bool:
        """The room has a new chain; True when somebody else has changed it."""
        newer = chain.revision > self._told.revision or chain.last.epoch < self._told.last.epoch
        self._told = chain
        if ours:
            del self._under_way[:1]
        self._expect()
        return newer and not ours

    def ask(self, *commands: TransportCommand) -> list[TransportCommand]:
        """These commands, which take effect one lead time from now; none when they are too many."""
        while self._asked_us and self.now_us - self._asked_us[0] >= COMMANDS_WINDOW_US:
            self._asked_us.popleft()
        if len(self._asked_us) + len(commands) > MAX_COMMANDS:
            self.left_out += len(commands)
            return []
        for command in commands:
            self._asked_us.append(self.now_us)
            self._under_way.append(_UnderWay(command, self.at_us))
        self._expect()
        return list(commands)

    def refused(self, command: TransportCommand) -> None:
        """The room does not do a command of ours."""
        kinds = [type(each.command) for each in self._under_way]
        if type(command) in kinds:
            del self._under_way[kinds.index(type(command))]
        self._expect()

    def _expect(self) -> None:
        chain = self._told
        for each in self._under_way:
            agreed_us = max(each.at_us, chain.last.origin_time_us)
            at_us = transport.begins_us(chain.last, each.command, agreed_us)
            try:
                chain = chain.then(transport.apply(chain.last, each.command, at_us))
            except InvalidValue:
                continue
        self.chain = chain
