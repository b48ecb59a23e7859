"""What members may do, as a snapshot has it. Pure."""

from typing import Annotated

from msgspec import Meta

from midipool.messages import Name, Role

MOST_ROLES = 256

Roles = Annotated[dict[Name, Role], Meta(max_length=MOST_ROLES)]
"""By the members' names."""
