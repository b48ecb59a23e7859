"""Who may change the room, as a snapshot has it. Pure."""

import msgspec

from midipool.errors import InvalidValue
from midipool.messages import Mode, Name


class ModeSection(msgspec.Struct, frozen=True, kw_only=True):
    """The mode, and by whom it is held; raises InvalidValue."""

    mode: Mode
    leader: Name | None = None
    locked_by: Name | None = None

    def __post_init__(self) -> None:
        for field, mode in (("leader", "leader"), ("locked_by", "locked")):
            given = getattr(self, field)
            if self.mode == mode and given is None:
                raise InvalidValue(field, f"must be given with mode `{mode}`")
            if self.mode != mode and given is not None:
                raise InvalidValue(field, f"goes with mode `{mode}`, not with `{self.mode}`")
