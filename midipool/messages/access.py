"""Who may come into a room, as what, and what its hosts do about it."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from midipool.messages.fields import CommandId, Message, Name, Text

PASSWORD_RULE = "1 to 128 characters, none of them a control character"
INVITATION_RULE = "what `midipool-server invite` or a host's `invite` printed, whole"
MAX_HOURS = 24 * 366
MAX_USES = 10_000

Role = Literal["host", "player", "listener"]
Door = Literal["open", "ask", "locked"]
Password = Annotated[
    str,
    Meta(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$(?!\n)"),
]
InvitationText = Annotated[
    str, Meta(max_length=512, pattern=r"^[A-Za-z0-9_.-]*$(?!\n)", description=INVITATION_RULE)
]
Hours = Annotated[float, Meta(ge=0.01, le=MAX_HOURS)]
Uses = Annotated[int, Meta(ge=1, le=MAX_USES)]


class HostCommand(Message, frozen=True, kw_only=True):
    """The base of what hosts do; answered by `ok` or `error` with its `id`."""

    id: CommandId
    """Chosen by the sender, repeated in the answer."""


class Kick(HostCommand, tag="kick", frozen=True, kw_only=True):
    """Put a member out; it may come back as anybody may. For hosts."""

    member: Name
    """Whom."""
    reason: Text = ""
    """For people; the member is told."""


class Ban(HostCommand, tag="ban", frozen=True, kw_only=True):
    """Put a member out, or who waits, and let it in no more: by its name, token and address, unless
    others in the room come from that address. For hosts."""

    member: Name
    """Whom."""
    reason: Text = ""
    """For people; the member is told."""


class Unban(HostCommand, tag="unban", frozen=True, kw_only=True):
    """Let somebody in again that was banned. For hosts."""

    member: Name
    """The name that was banned."""


class Mute(HostCommand, tag="mute", frozen=True, kw_only=True):
    """Let nobody hear a member: neither its audio nor its MIDI. For hosts."""

    member: Name
    """Whom."""
    muted: bool = True
    """False: it is heard again."""


class GiveRole(HostCommand, tag="give_role", frozen=True, kw_only=True):
    """Make a member a host, a player or a listener. For hosts."""

    member: Name
    """Whom."""
    role: Role
    """`listener`: hears, talks in the chat, and sends nothing else."""


class SetDoor(HostCommand, tag="door", frozen=True, kw_only=True):
    """Say who may come in. For hosts."""

    door: Door
    """`open`: whoever may; `ask`: who was not invited waits for a host; `locked`: nobody new."""


class Admit(HostCommand, tag="admit", frozen=True, kw_only=True):
    """Let somebody in who waits. For hosts."""

    member: Name
    """Who waits."""


class TurnAway(HostCommand, tag="turn_away", frozen=True, kw_only=True):
    """Do not let somebody in who waits. For hosts."""

    member: Name
    """Who waits."""
    reason: Text = ""
    """For people; who waits is told."""


class SetPassword(HostCommand, tag="password", frozen=True, kw_only=True):
    """Let nobody in without this password, but by an invitation. For hosts."""

    password: Password | None
    """Null: none is needed."""


class Invite(HostCommand, tag="invite", frozen=True, kw_only=True):
    """Make an invitation; `invitation` comes before `ok`. For hosts."""

    role: Role = "player"
    """As what it lets in."""
    hours: Hours = 4.0
    """How long it lets anybody in."""
    uses: Uses | None = None
    """How many people; null: any number."""


class Revoke(HostCommand, tag="revoke", frozen=True, kw_only=True):
    """Let nobody in any more by an invitation of this room; who is in stays. For hosts."""

    invitation: Annotated[InvitationText, Meta(min_length=1)]
    """Its text, or its id alone."""


class MemberAccess(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a member may do."""

    name: Name
    """The member's."""
    role: Role = "player"
    """`host`, `player` or `listener`."""
    muted: bool = False
    """Nobody hears it."""


class Access(Message, tag="access", frozen=True, omit_defaults=False):
    """What members may do, and who may come in; behind `welcome`, and when it changes."""

    members: list[MemberAccess]
    """All of them."""
    door: Door
    """As `door` sets it."""
    has_password: bool
    """Whether one is needed, but by who is invited."""


class AtTheDoor(Message, tag="at_the_door", frozen=True, omit_defaults=False):
    """For hosts: who waits, and who is banned; when it changes."""

    waiting: list[Name]
    """For `admit` and `turn_away`."""
    banned: list[Name]
    """For `unban`."""


class Waiting(Message, tag="waiting", frozen=True):
    """The first answer to `hello` while the door is at `ask`: `welcome`, or an end, comes later."""

    text: Text
    """For people."""


class Invitation(Message, tag="invitation", frozen=True):
    """What a host asked for with `invite`."""

    id: CommandId
    """The command's."""
    text: InvitationText
    """For `hello.invitation`; behind a `#` at the end of the room's address it is a link."""


AccessCommand = (
    Kick
    | Ban
    | Unban
    | Mute
    | GiveRole
    | SetDoor
    | Admit
    | TurnAway
    | SetPassword
    | Invite
    | Revoke
)
