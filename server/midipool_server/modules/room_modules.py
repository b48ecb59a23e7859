"""A room's modules: who changes the list, what is kept of it, and what everybody is told. Pure."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from midipool.errors import MidiPoolError, Refused
from midipool.graph.nodes import why_not_called
from midipool.messages import (
    MAX_MODULES,
    AddModule,
    Message,
    ModuleCommand,
    ModuleNews,
    Modules,
    Name,
    RemoveModule,
    RestartModule,
    RoomModule,
    StartModule,
    StopModule,
)
from midipool.snapshot.modules import ModuleEntry
from midipool_server.access import roles
from midipool_server.access.audit import What
from midipool_server.access.invitations import Invited, signed
from midipool_server.access.means import Means
from midipool_server.feature import Feature, Handler
from midipool_server.floor import Floor
from midipool_server.modules.listing import ModuleList, Pass, Task
from midipool_server.modules.specs import ModuleSpec, program_of
from midipool_server.outgoing import Outgoing
from midipool_server.places import Member
from midipool_server.rate_limit import RateLimit
from midipool_server.saving.section import Loading, Section, Then

log = logging.getLogger(__name__)

COMMANDS_A_SECOND, COMMAND_BURST = 1.0, 20.0
# A process that is in comes back without it.
INVITED_S = 60
COMMANDS: tuple[type[Message], ...] = (
    AddModule,
    StartModule,
    StopModule,
    RestartModule,
    RemoveModule,
)


class Note(Protocol):
    """Writes a line of the audit log."""

    def __call__(self, what: What, name: str = "", address: str = "", **more: str) -> None:
        """It happened."""


class KeptModules(msgspec.Struct, frozen=True):
    """For a server that comes back."""

    modules: list[ModuleEntry]
    known: list[Name] = []
    """Which programs the operator had listed: those that are new come in."""


class RoomModules(Feature):
    """The list is the hosts'; which programs there are is the operator's."""

    key = "modules"

    def __init__(
        self,
        room: str,
        floor: Floor,
        specs: Mapping[str, ModuleSpec],
        means: Means,
        unix_us: Callable[[int], int],
        note: Note,
    ) -> None:
        self._room, self._floor, self._means = room, floor, means
        self._unix_us, self._note = unix_us, note
        self._now_us = 0
        own = {name: spec for name, spec in specs.items() if spec.plays_in(room)}
        self._list = ModuleList(own, self._new_pass)
        self._told: dict[str, RoomModule] = {}
        self._limit = RateLimit(COMMANDS_A_SECOND, COMMAND_BURST)
        for name in self._listed_programs()[:MAX_MODULES]:
            self._list.put(ModuleEntry(name=name))

    @property
    def alive(self) -> bool:
        """Whether a process of a module runs."""
        return self._list.alive

    def take_tasks(self) -> list[Task]:
        """What is to be done with processes."""
        tasks, self._list.tasks = self._list.tasks, []
        return tasks

    def shown(self, now_us: int) -> list[RoomModule]:
        """The list as everybody sees it."""
        return self._list.shown(now_us)

    def whole(self, now_us: int) -> Modules:
        """It, and what could be in it."""
        programs = [program_of(name, spec) for name, spec in self._list.specs.items()]
        return Modules(programs, self.shown(now_us))

    # ---- what hosts ask for ----

    def handlers(self) -> Mapping[type[Message], Handler]:
        """Hosts' commands."""
        return dict.fromkeys(COMMANDS, self._do)

    def change(self, now_us: int, actor: str | None, command: ModuleCommand) -> list[Outgoing]:
        """Do it for a member, or a remote that acts for none; raises Refused, InvalidValue."""
        roles.check(self._floor.places.role_of(actor), type(command))
        if not self._limit.allow(now_us):
            raise Refused("too_fast", "modules are changed too often: wait a moment")
        name, what = self._change(now_us, command)
        text = f"{what} the module {name}"
        self._note("module", name, by=actor or "", text=what)
        return [*self._floor.notice(now_us, "did", actor, text), *self._tend(now_us)]

    def _do(self, now_us: int, id: int, command: ModuleCommand) -> list[Outgoing]:
        told = self.change(now_us, self._floor.places.acting(id), command)
        return [Outgoing(self._floor.ok(command.id, now_us), id), *told]

    def _change(self, now_us: int, command: ModuleCommand) -> tuple[str, str]:
        match command:
            case AddModule():
                return self._add(command), "added"
            case StartModule(name=name):
                self._list.start(now_us, name)
                return name, "started"
            case StopModule(name=name):
                self._list.end(now_us, name, "stop")
                return name, "stopped"
            case RestartModule(name=name):
                self._list.restart(now_us, name)
                return name, "restarted"
            case RemoveModule(name=name):
                self._list.end(now_us, name, "drop")
                return name, "removed"

    def _add(self, add: AddModule) -> str:
        name, spec = add.name or add.program, self._list.spec(add.program)
        if text := why_not_called(name):
            raise Refused("name_taken", text, "name")
        if name in (*self._list.names, *self._floor.places.names()):
            text = f"{name!r} is in the room or in its list already: give it another name"
            raise Refused("name_taken", text, "name")
        if len(self._list.names) >= MAX_MODULES:
            text = f"a room has {MAX_MODULES} modules at most: remove one first"
            raise Refused("modules_full", text)
        program = None if add.program == name else add.program
        options = spec.checked(add.options)
        self._list.put(ModuleEntry(name=name, program=program, options=options))
        return name

    # ---- what happens ----

    def exited(self, now_us: int, name: str, code: int, why: str) -> list[Outgoing]:
        """A process is no more."""
        self._list.exited(now_us, name, code, why)
        return self._tend(now_us)

    def end(self, now_us: int) -> list[Outgoing]:
        """The server ends: they go in order, and are wanted again when it is back."""
        self._list.end_all()
        return self._tend(now_us)

    def greet(self, now_us: int, member: Member) -> list[Outgoing]:
        """All of it."""
        if "modules" not in member.capabilities:
            return []
        return [Outgoing(self.whole(now_us), member.id)]

    def came(self, now_us: int, member: Member, old: Member | None) -> list[Outgoing]:
        """A player, or one of them."""
        return self._tend(now_us)

    def lost(self, now_us: int, member: Member) -> list[Outgoing]:
        """The same."""
        return self._tend(now_us)

    def left(self, now_us: int, gone: list[Member]) -> list[Outgoing]:
        """The same."""
        return self._tend(now_us)

    def poll(self, now_us: int) -> list[Outgoing]:
        """Time passes."""
        due_us = self._list.next_us()
        return [] if due_us is None or now_us < due_us else self._tend(now_us)

    def next_deadline(self) -> int | None:
        """When one of them is due."""
        return self._list.next_us()

    def describe(self, now_us: int) -> dict[str, object]:
        """As everybody is told, if there are any."""
        shown = self.shown(now_us)
        return {"modules": shown} if shown else {}

    # ---- what is kept ----

    def sections(self) -> Sequence[Section]:
        """The list."""
        return [Section("modules", self._saved, self._load, self._check)]

    def _saved(self, now_us: int) -> list[ModuleEntry] | None:
        return self._list.kept if self._list.specs or self._list.names else None

    def _check(self, loading: Loading, said: list[ModuleEntry]) -> None:
        if said == self._list.kept:
            return
        if not self._floor.places.is_host(loading.actor):
            text = "only a host of the room changes its modules: ask one, or leave `modules` out"
            raise Refused("not_host", text, "modules")
        players = {m.name for m in self._floor.places.members() if not m.is_module}
        for place, entry in enumerate(said, 1):
            where = f"modules[{place}]"
            self._list.check(entry, where)
            text = why_not_called(entry.name)
            if entry.name in players:
                text = f"somebody named {entry.name!r} is in the room: name the module otherwise"
            if text:
                raise Refused("name_taken", text, f"{where}.name")

    def _load(self, loading: Loading, said: list[ModuleEntry]) -> list[Outgoing]:
        if said == self._list.kept:
            return []
        self._list.become(loading.now_us, said)
        told = self._tend(loading.now_us)
        return [*told, *self._floor.tell("modules", self.whole(loading.now_us))]

    def to_keep(self, now_us: int) -> KeptModules:
        """The list."""
        return KeptModules(self._list.kept, self._listed_programs())

    def bring_back(self, now_us: int, said: Any, then: Then) -> None:
        """As it was; what the operator allows no more stays in the list, and is not run."""
        kept = msgspec.convert(said, KeptModules)
        self._list = ModuleList(self._list.specs, self._new_pass)
        new = [ModuleEntry(name=n) for n in self._listed_programs() if n not in kept.known]
        names = {entry.name for entry in kept.modules}
        for entry in [*kept.modules, *(e for e in new if e.name not in names)][:MAX_MODULES]:
            self._list.put(entry)
            try:
                self._list.check(entry, "module")
            except MidiPoolError as error:
                log.warning("room %s: module %s is not run: %s", self._room, entry.name, error)
                self._list.give_up(now_us, entry.name, str(error))

    # ---- inside ----

    def _listed_programs(self) -> list[str]:
        return [name for name, spec in self._list.specs.items() if spec.listed]

    def _tend(self, now_us: int) -> list[Outgoing]:
        """Look, and tell what is different."""
        self._now_us = now_us
        self._list.look(now_us, self._floor.places.members())
        before, shown = self._told, self.shown(now_us)
        self._told = {module.name: module for module in shown}
        changed = [module for module in shown if before.get(module.name) != module]
        gone = [name for name in before if name not in self._told]
        if not changed and not gone:
            return []
        return self._floor.tell("modules", ModuleNews(changed, gone))

    def _new_pass(self) -> Pass:
        """Nobody else knows it; a server that cannot sign lets it into open rooms alone."""
        id = self._means.new_id()
        until_s = int(self._unix_us(self._now_us) / 1e6) + INVITED_S
        try:
            invited = Invited(id, self._room, "player", until_s, uses=1)
            return Pass(id, signed(invited, self._means.key()))
        except MidiPoolError:
            return Pass()
