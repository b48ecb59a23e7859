"""`midipool-client room URL kick`, `role`, `door`, `invite` ...: what hosts of a room do."""

import argparse
import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from midipool.messages import AccessCommand
    from midipool_client.room_url import RoomUrl

ACTIONS = (
    *("access", "kick", "ban", "unban", "mute", "unmute", "role", "door", "lock", "unlock"),
    *("admit", "turn-away", "password", "invite", "revoke"),
)


def add_options(actions: Any, acting: argparse.ArgumentParser) -> None:
    """Describe the actions."""
    shown = actions.add_parser("access", help="who is what here, and who waits", parents=[acting])
    shown.add_argument("--json", action="store_true", help="as JSON")
    named = argparse.ArgumentParser(add_help=False, parents=[acting])
    named.add_argument("member", metavar="NAME")
    because = argparse.ArgumentParser(add_help=False, parents=[named])
    because.add_argument("--reason", default="", help="what the member is told")
    actions.add_parser("kick", help="put a member out", parents=[because])
    actions.add_parser("ban", help="put a member out for good", parents=[because])
    actions.add_parser("unban", help="let somebody in again that was banned", parents=[named])
    actions.add_parser("mute", help="let nobody hear a member", parents=[named])
    actions.add_parser("unmute", help="let everybody hear it again", parents=[named])
    role = actions.add_parser("role", help="make a member something else", parents=[named])
    role.add_argument("role", choices=["host", "player", "listener"])
    door = actions.add_parser("door", help="say who may come in", parents=[acting])
    door.add_argument(
        "door",
        choices=["open", "ask", "locked"],
        help="whoever may; who was not invited waits for a host; nobody new",
    )
    actions.add_parser("lock", help="the same as door locked", parents=[acting])
    actions.add_parser("unlock", help="the same as door open", parents=[acting])
    actions.add_parser("admit", help="let in who waits", parents=[named])
    actions.add_parser("turn-away", help="do not let in who waits", parents=[because])
    password = actions.add_parser("password", help="let in who knows it", parents=[acting])
    password.add_argument("--remove", action="store_true", help="none is needed any more")
    invite = actions.add_parser("invite", help="print a link that lets in", parents=[acting])
    invite.add_argument(
        "--role", choices=["host", "player", "listener"], default="player", help="(%(default)s)"
    )
    invite.add_argument("--hours", type=float, default=4.0, help="how long (%(default)g)")
    invite.add_argument("--uses", type=int, help="how many people (any number)")
    revoke = actions.add_parser("revoke", help="let nobody in by a link", parents=[acting])
    revoke.add_argument("invitation", metavar="INVITATION", help="the link, or its id alone")


def run(url: "RoomUrl", options: argparse.Namespace) -> int:
    """Do it, and print what is to be known; raises MidiPoolError."""
    from midipool_client import remote

    if options.action == "access":
        asyncio.run(_show(url, options))
        return 0
    command = command_of(options)
    if options.action == "invite":
        text = asyncio.run(remote.invitation(url, command, options.acting_as))
        print(f"{url.http(url.room)}#invite={text}")
        return 0
    asyncio.run(remote.send_command(url, command, options.acting_as))
    return 0


def command_of(options: argparse.Namespace) -> "AccessCommand":
    """What the options ask for; raises InvalidValue."""
    from midipool import messages as m

    match options.action:
        case "kick":
            return m.Kick(id=1, member=options.member, reason=options.reason)
        case "ban":
            return m.Ban(id=1, member=options.member, reason=options.reason)
        case "unban":
            return m.Unban(id=1, member=options.member)
        case "mute" | "unmute":
            return m.Mute(id=1, member=options.member, muted=options.action == "mute")
        case "role":
            return m.GiveRole(id=1, member=options.member, role=options.role)
        case "door":
            return m.SetDoor(id=1, door=options.door)
        case "lock" | "unlock":
            return m.SetDoor(id=1, door="locked" if options.action == "lock" else "open")
        case "admit":
            return m.Admit(id=1, member=options.member)
        case "turn-away":
            return m.TurnAway(id=1, member=options.member, reason=options.reason)
        case "password":
            return m.SetPassword(id=1, password=None if options.remove else _typed())
        case "revoke":
            _, _, behind = options.invitation.partition("#invite=")
            return m.Revoke(id=1, invitation=behind or options.invitation)
        case _:
            return m.Invite(id=1, role=options.role, hours=options.hours, uses=options.uses)


def _typed() -> str:
    """Typed twice, or a line of stdin; raises InvalidValue."""
    import getpass
    import sys

    from midipool.errors import InvalidValue

    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    said = getpass.getpass("the room's password: ")
    if getpass.getpass("once more: ") != said:
        raise InvalidValue("password", "these were two different ones: nothing has changed")
    return said


async def _show(url: "RoomUrl", options: argparse.Namespace) -> None:
    import json

    import msgspec

    from midipool_client.remote import room_access

    access, door = await room_access(url, options.acting_as)
    if options.json:
        print(json.dumps({**msgspec.to_builtins(access), **msgspec.to_builtins(door)}))
        return
    print("\n".join(in_words(access, door)))


def in_words(access: Any, door: Any) -> list[str]:
    """For people."""
    doors = {"open": "open", "ask": "who comes waits for a host", "locked": "locked"}
    needs = ", with a password" if access.has_password else ""
    lines = [f"door: {doors[access.door]}{needs}"]
    for member in access.members:
        lines.append(f"  {member.name}: {member.role}{', muted' if member.muted else ''}")
    lines += [f"  {name}: waits at the door" for name in door.waiting]
    lines += [f"  {name}: banned" for name in door.banned]
    return lines
