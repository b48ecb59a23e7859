"""Who hears whom, as a snapshot has it. Pure."""

from typing import Annotated

import msgspec
from msgspec import Meta

from midipool.messages import MAX_GROUPS, MAX_LINK_RULES, Group, LinkRule


class GraphSection(msgspec.Struct, frozen=True, kw_only=True):
    """What people have set: groups of members, and links beside the usual ones."""

    groups: Annotated[list[Group], Meta(max_length=MAX_GROUPS)] = []
    rules: Annotated[list[LinkRule], Meta(max_length=MAX_LINK_RULES)] = []
