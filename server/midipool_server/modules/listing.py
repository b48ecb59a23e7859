"""The modules of a room, each with what is run and how it does. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace

from midipool.errors import InvalidValue, Refused
from midipool.messages import OptionValue, RoomModule
from midipool.snapshot.modules import ModuleEntry
from midipool_server.modules.run import Do, Order, Run, Then
from midipool_server.modules.specs import ModuleSpec
from midipool_server.modules.supervisor import Sight, Supervisor
from midipool_server.places import Member


class Pass(NamedTuple):
    """By which a process comes in, whatever the room wants."""

    id: str = ""
    text: str = ""


class Task(NamedTuple):
    """For the edge: what is to be done with a module's process."""

    do: Do
    name: str
    spec: ModuleSpec | None = None
    """Of what is to be started."""
    options: Mapping[str, OptionValue] = {}
    invitation: str = ""


@dataclass(slots=True)
class ModuleList:
    """What is to be done by others is in `tasks`, and is taken out there."""

    specs: Mapping[str, ModuleSpec]
    """What the operator allows in this room."""
    new_pass: Callable[[], Pass]
    tasks: list[Task] = field(default_factory=list)
    _entries: dict[str, ModuleEntry] = field(default_factory=dict)
    _passes: dict[str, Pass] = field(default_factory=dict)
    """Of the processes that were started last."""
    _supervisor: Supervisor = field(default_factory=Supervisor)

    @property
    def names(self) -> list[str]:
        """All of it, in order."""
        return list(self._entries)

    @property
    def kept(self) -> list[ModuleEntry]:
        """As it can be kept."""
        return [self.entry(name) for name, run in self._supervisor.runs.items() if not run.goes]

    @property
    def alive(self) -> bool:
        """Whether any process runs."""
        return self._supervisor.alive

    def entry(self, name: str) -> ModuleEntry:
        """One of them as it can be kept; raises Refused."""
        if name not in self._entries:
            known = ", ".join(self._entries) or "none"
            text = f"the room's list has no module {name!r}; it has: {known}"
            raise Refused("no_such_module", text, "name")
        stopped = not self._supervisor.runs[name].wanted
        return replace(self._entries[name], stopped=stopped)

    def spec(self, program: str) -> ModuleSpec:
        """What the operator says of a program; raises Refused."""
        if program not in self.specs:
            known = ", ".join(self.specs) or "none"
            text = f"the server's operator allows no program {program!r} in this room; there are: "
            raise Refused("no_such_program", text + known, "program")
        return self.specs[program]

    def check(self, entry: ModuleEntry, where: str) -> None:
        """Raise Refused unless it can be run here; `where` it is in a document."""
        try:
            self.spec(entry.runs).checked(entry.options)
        except Refused as error:
            key = "name" if entry.program is None else "program"
            raise Refused(error.code, error.text, f"{where}.{key}") from None
        except InvalidValue as error:
            raise Refused("bad_value", str(error), f"{where}.{error.field}") from None

    # ---- what people set ----

    def put(self, entry: ModuleEntry) -> None:
        """One more, behind the others."""
        spec = self.specs.get(entry.runs)
        run = Run(entry.name, "never" if spec is None else spec.restart, not entry.stopped)
        self._entries[entry.name], self._supervisor.runs[entry.name] = entry, run

    def give_up(self, now_us: int, name: str, why: str) -> None:
        """It stays in the list, and cannot be run."""
        self._supervisor.runs[name].give_up(now_us, why)

    def start(self, now_us: int, name: str) -> None:
        """Let it play; raises Refused."""
        self.check(self.entry(name), "module")
        self._supervisor.runs[name].start(now_us)

    def restart(self, now_us: int, name: str) -> None:
        """Begin anew; raises Refused."""
        self.check(self.entry(name), "module")
        if self._supervisor.runs[name].is_alive:
            self.end(now_us, name, "again")
        else:
            self._supervisor.runs[name].start(now_us)

    def end(self, now_us: int, name: str, then: Then) -> None:
        """Stop it, or forget it; raises Refused."""
        self.entry(name)
        self._take(self._supervisor.runs[name].end(now_us, then))
        if then == "drop" and not self._supervisor.runs[name].is_alive:
            self._forget(name)

    def become(self, now_us: int, said: Sequence[ModuleEntry]) -> None:
        """Be these; what is one of them already plays on."""
        wanted = {entry.name: entry for entry in said}
        for name in self.names:
            if name not in wanted:
                self.end(now_us, name, "drop")
        for entry in said:
            run, before = self._supervisor.runs.get(entry.name), self._entries.get(entry.name)
            if run is None or before is None or not run.is_alive:
                self.put(entry)
            elif entry.stopped:
                self._replace(now_us, entry, "stop")
            elif run.goes or not _is_same(before, entry):
                self._replace(now_us, entry, "again")
            else:
                run.start(now_us)
        self._order_as(list(wanted))

    # ---- what happens ----

    def exited(self, now_us: int, name: str, code: int, why: str) -> None:
        """A process is no more."""
        if self._supervisor.exited(now_us, name, code, why):
            self._forget(name)

    def end_all(self) -> None:
        """Nothing is started any more."""
        self._supervisor.end()

    def look(self, now_us: int, members: Sequence[Member]) -> None:
        """Who is in the room now."""
        here = [member for member in members if member.connected]
        ours = {m.name: _late_frames(m) for m in here if self._is_ours(m)}
        players = any(not m.is_module and m.name not in ours for m in here)
        self._take(self._supervisor.look(now_us, Sight(players, ours)))

    def next_us(self) -> int | None:
        """When to look again, if nothing happens."""
        return self._supervisor.next_us()

    def shown(self, now_us: int) -> list[RoomModule]:
        """As everybody sees it."""
        return [self._shown(now_us, entry) for entry in self._entries.values()]

    # ---- inside ----

    def _replace(self, now_us: int, entry: ModuleEntry, then: Then) -> None:
        """A process is to end for another one, or for none."""
        self._entries[entry.name] = entry
        self._supervisor.runs[entry.name].policy = self.specs[entry.runs].restart
        self.end(now_us, entry.name, then)

    def _shown(self, now_us: int, entry: ModuleEntry) -> RoomModule:
        run = self._supervisor.runs[entry.name]
        state, why = run.shown(now_us)
        return RoomModule(
            name=entry.name,
            program=entry.runs,
            options=dict(entry.options),
            state=state,
            why=why,
            again_us=run.again_us if state == "restarting" else None,
            restarts=run.restarts,
        )

    def _is_ours(self, member: Member) -> bool:
        """Whether it is a process of ours, and the newest: by its pass, where it has one."""
        known = self._passes.get(member.name)
        return known is not None and (
            member.invitation == known.id if known.id else member.is_module
        )

    def _take(self, orders: Sequence[Order]) -> None:
        for do, name in orders:
            if do != "start":
                self.tasks.append(Task(do, name))
                continue
            entry, self._passes[name] = self._entries[name], self.new_pass()
            invitation = self._passes[name].text
            self.tasks.append(Task(do, name, self.specs[entry.runs], entry.options, invitation))

    def _forget(self, name: str) -> None:
        self._entries.pop(name, None)
        self._passes.pop(name, None)
        self._supervisor.runs.pop(name, None)

    def _order_as(self, names: Sequence[str]) -> None:
        """Those first; what is still ending comes behind them."""
        order = [*names, *(name for name in self._entries if name not in names)]
        self._entries = {name: self._entries[name] for name in order}
        self._supervisor.runs = {name: self._supervisor.runs[name] for name in order}


def _is_same(one: ModuleEntry, other: ModuleEntry) -> bool:
    return (one.runs, one.options) == (other.runs, other.options)


def _late_frames(member: Member) -> int:
    """How many frames were not written, or not read, in time."""
    health = None if member.status is None else member.status.module
    return 0 if health is None else health.overrun_frames + health.underrun_frames
