"""The modules that the server runs in the room, as a member knows them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from midipool.messages import ModuleNews, ModuleProgram, Modules, RoomModule, Welcome


@dataclass(slots=True)
class KnownModules:
    """The list, and what could be in it; `known` is False on a server that has no such list."""

    known: bool = False
    programs: list[ModuleProgram] = field(default_factory=list)
    modules: Mapping[str, RoomModule] = field(default_factory=dict)
    """By name, in order."""

    def told(self, message: Modules | ModuleNews) -> None:
        """The room says something of them."""
        new = {module.name: module for module in message.modules}
        if isinstance(message, Modules):
            self.known, self.programs, self.modules = True, message.programs, new
            return
        both = {**self.modules, **new}
        self.modules = {name: m for name, m in both.items() if name not in message.gone}

    def welcomed(self, welcome: Welcome) -> None:
        """A server with modules says so next."""
        if "modules" not in welcome.capabilities:
            self.known, self.programs, self.modules = False, [], {}
