"""What an operator can read later: who was let in, refused and removed, and by whom. Pure."""

from typing import Literal

import msgspec

What = Literal[
    "admitted",
    "waits",
    "refused",
    "left",
    "kicked",
    "banned",
    "unbanned",
    "muted",
    "unmuted",
    "role",
    "door",
    "password",
    "invitation",
    "revoked",
    "module",
]


class AuditEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line. No password, token or invitation stands here, nor what tells them."""

    what: What
    room: str
    name: str = ""
    """Whom it is about."""
    address: str = ""
    by: str = ""
    """The host who did it."""
    role: str = ""
    how: str = ""
    """What somebody came in by, or what became of something."""
    code: str = ""
    """Why it was refused, as in `error`."""
    invitation: str = ""
    """An invitation's id."""
    text: str = ""
