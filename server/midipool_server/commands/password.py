"""`midipool-server password ROOM`: the password that a room begins with."""

import argparse
import getpass
import secrets
import sys

from midipool.errors import InvalidValue
from midipool_server.commands.with_settings import with_settings
from midipool_server.settings import Settings, given


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("room", metavar="ROOM", nargs="?", help="none: say which rooms have one")
    parser.add_argument("--remove", action="store_true", help="let the room begin without one")
    given.add_flags(parser)
    parser.set_defaults(run=run)


@with_settings
def run(options: argparse.Namespace, settings: Settings) -> int:
    """Ask for it and keep its hash; returns the exit code, raises MidiPoolError."""
    from midipool_server.access import passwords
    from midipool_server.access_service import open_store
    from midipool_server.lobby import check_room_name

    store = open_store(settings)
    if options.room is None:
        print("\n".join(store.rooms_with_password()) or "no room begins with a password")
        return 0
    check_room_name(options.room)
    if options.remove:
        new = store.set_password(options.room, None)
        print("it begins without a password" if new else "it had none")
        return 0
    salt = secrets.token_bytes(passwords.SALT_BYTES)
    store.set_password(options.room, passwords.hashed(_asked(options.room), salt))
    print(f"room {options.room} begins with it the next time; one that is there keeps its own")
    return 0


def _asked(room: str) -> str:
    """Typed twice, or a line of stdin; raises InvalidValue."""
    import msgspec

    from midipool.messages import PASSWORD_RULE, Password

    if sys.stdin.isatty():
        said = getpass.getpass(f"password of room {room}: ")
        if getpass.getpass("once more: ") != said:
            raise InvalidValue("password", "these were two different ones: nothing has changed")
    else:
        said = sys.stdin.readline().rstrip("\r\n")
    try:
        return msgspec.convert(said, Password)
    except msgspec.ValidationError:
        raise InvalidValue("password", f"must be {PASSWORD_RULE}") from None
