"""`midipool-server invite ROOM`: a link that lets somebody in."""

import argparse
import socket
import sys
import time
from typing import get_args

from midipool.errors import InvalidValue
from midipool.messages import MAX_HOURS, MAX_USES, Role
from midipool_server.access import invitations
from midipool_server.access.invitations import Invited
from midipool_server.access.store import new_id
from midipool_server.commands.with_settings import with_settings
from midipool_server.settings import Settings, given

WILDCARDS = ("", "0.0.0.0", "::")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("room", metavar="ROOM")
    parser.add_argument(
        "--role", choices=get_args(Role), default="player", help="as what (%(default)s)"
    )
    parser.add_argument(
        "--hours", type=float, default=4.0, help="how long the link lets anybody in (%(default)g)"
    )
    parser.add_argument("--uses", type=int, help="how many people may use it (any number)")
    given.add_flags(parser)
    parser.set_defaults(run=run)


@with_settings
def run(options: argparse.Namespace, settings: Settings) -> int:
    """Print the link; returns the exit code, raises MidiPoolError."""
    from midipool_server.access_service import open_store
    from midipool_server.lobby import check_room_name

    check_room_name(options.room)
    if not 0 < options.hours <= MAX_HOURS:
        raise InvalidValue("hours", f"must be more than 0, and at most {MAX_HOURS}")
    if options.uses is not None and not 1 <= options.uses <= MAX_USES:
        raise InvalidValue("uses", f"must be 1 to {MAX_USES}")
    invited = Invited(
        new_id(),
        options.room,
        options.role,
        int(time.time() + options.hours * 3600),
        options.uses,
    )
    text = invitations.signed(invited, open_store(settings).key())
    print(f"{base_of(settings)}/{options.room}#invite={text}")
    again = f"midipool-server revoke {options.room} {invited.id}"
    print(f"its id is {invited.id}; {again} takes it back", file=sys.stderr)
    if not settings.public_url:
        print(
            "the address is a guess: say --public-url https://HOST for the one that players use",
            file=sys.stderr,
        )
    return 0


def base_of(settings: Settings) -> str:
    """How players reach this server, as far as the settings say."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    host = socket.getfqdn() if settings.host in WILDCARDS else settings.host
    host = f"[{host}]" if ":" in host else host
    if settings.behind_proxy:
        return f"https://{host}"
    return f"http{'s' if settings.tls_cert else ''}://{host}:{settings.port}"
