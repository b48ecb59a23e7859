"""Members that are programs: how they keep up, and those of them that the server runs in a room."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from midipool.messages.access import HostCommand
from midipool.messages.fields import Message, Name, Text
from midipool.timeline import RoomTimeUs

MAX_MODULES = 16
MAX_PROGRAMS = 64
MAX_OPTIONS = 16
OPTION_RULE = "1 to 32 small letters, digits or `_`, the first a letter"
OPTION_TEXT_RULE = (
    "at most 64 letters, digits, spaces, `_`, `.` or `-`, the first a letter or a digit"
)

ModuleState = Literal[
    "waiting", "starting", "playing", "degraded", "restarting", "stopping", "stopped", "failed"
]
Frames = Annotated[int, Meta(ge=0, le=2**53)]
OptionName = Annotated[
    str, Meta(max_length=32, pattern=r"^[a-z][a-z0-9_]*$(?!\n)", description=OPTION_RULE)
]
# A value becomes a part of a command: it is neither an option nor a path.
OptionText = Annotated[
    str, Meta(max_length=64, pattern=r"^(\w[\w .-]*)?$(?!\n)", description=OPTION_TEXT_RULE)
]
OptionValue = Annotated[float, Meta(ge=-1e9, le=1e9)] | OptionText
OptionValues = Annotated[dict[OptionName, OptionValue], Meta(max_length=MAX_OPTIONS)]


class ModuleHealth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a program keeps up with the room, since it joined."""

    overrun_frames: Frames = 0
    """Heard, and not read in time."""
    underrun_frames: Frames = 0
    """To be played, and not written in time."""


class ModuleOption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What can be said to a program when it is added."""

    name: OptionName
    default: OptionValue
    """A number, or text: so are all its values."""
    least: float | None = None
    """Of a number."""
    most: float | None = None
    """Of a number."""
    choices: list[OptionValue] = msgspec.field(default_factory=list)
    """The only values, if there are any."""
    about: Text = ""
    """For people."""


class ModuleProgram(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program that the server's operator allows in this room."""

    name: Name
    about: Text = ""
    """For people."""
    options: list[ModuleOption] = msgspec.field(default_factory=list)
    """What can be said to it."""


class RoomModule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A module in the room's list."""

    name: Name
    """As a member."""
    program: Name
    """Which of the operator's it is."""
    options: OptionValues = msgspec.field(default_factory=dict)
    """Those that are not as by default."""
    state: ModuleState = "waiting"
    """`waiting`: for its turn, or for players; `playing`: it is in the room; `degraded`: it is, and
    `why` says what is wrong; `restarting`: it failed, and is started again at `again_us`;
    `stopped`: by a host, or it ended by itself; `failed`: it is not started again by itself."""
    why: str = ""
    """For people: what is wrong, or was the last time."""
    again_us: RoomTimeUs | None = None
    """Room time at which it is started again."""
    restarts: Annotated[int, Meta(ge=0, le=2**53)] = 0
    """How often it was started again because it failed."""


class AddModule(HostCommand, tag="module_add", frozen=True, kw_only=True):
    """Put a module into the room's list, and start it. For hosts."""

    program: Name
    """One of those that the operator allows in the room."""
    name: Name | None = None
    """As what it joins; null: as the program is called."""
    options: OptionValues = msgspec.field(default_factory=dict)
    """What is not said is as by default."""


class StartModule(HostCommand, tag="module_start", frozen=True, kw_only=True):
    """Start a module of the list that was stopped, or failed. For hosts."""

    name: Name
    """The module's."""


class StopModule(HostCommand, tag="module_stop", frozen=True, kw_only=True):
    """End a module; it stays in the list. For hosts."""

    name: Name
    """The module's."""


class RestartModule(HostCommand, tag="module_restart", frozen=True, kw_only=True):
    """End a module and start it again, whatever it does now. For hosts."""

    name: Name
    """The module's."""


class RemoveModule(HostCommand, tag="module_remove", frozen=True, kw_only=True):
    """End a module, and take it out of the list. For hosts."""

    name: Name
    """The module's."""


class Modules(Message, tag="modules", frozen=True, omit_defaults=False):
    """All modules of the room that the server runs, and what else it could; behind `welcome`."""

    programs: Annotated[list[ModuleProgram], Meta(max_length=MAX_PROGRAMS)]
    """For `module_add`."""
    modules: Annotated[list[RoomModule], Meta(max_length=MAX_MODULES)]
    """In the order in which they are started."""


class ModuleNews(Message, tag="module_news", frozen=True):
    """What is different in the list of modules."""

    modules: Annotated[list[RoomModule], Meta(max_length=MAX_MODULES)] = msgspec.field(
        default_factory=list
    )
    """Whole, those that are new (behind the others) or changed."""
    gone: list[Name] = msgspec.field(default_factory=list)
    """Those that are in the list no more."""


ModuleCommand = AddModule | StartModule | StopModule | RestartModule | RemoveModule
