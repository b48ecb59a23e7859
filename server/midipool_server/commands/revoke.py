"""`midipool-server revoke ROOM INVITATION`: nobody comes in by it any more."""

import argparse
import re
import time

from midipool.errors import InvalidValue
from midipool_server.commands.with_settings import with_settings
from midipool_server.settings import Settings, given

IS_ONE = re.compile(r"[A-Za-z0-9_.-]+")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("room", metavar="ROOM")
    parser.add_argument("invitation", metavar="INVITATION", help="its id, or the whole link")
    given.add_flags(parser)
    parser.set_defaults(run=run)


@with_settings
def run(options: argparse.Namespace, settings: Settings) -> int:
    """Keep it where a server that runs finds it; returns the exit code, raises MidiPoolError."""
    from midipool_server.access.revoked import meant
    from midipool_server.access_service import open_store
    from midipool_server.lobby import check_room_name

    check_room_name(options.room)
    _, _, behind = options.invitation.partition("#invite=")
    said = behind or options.invitation
    if not IS_ONE.fullmatch(said):
        raise InvalidValue("invitation", "give the id that `invite` printed, or the whole link")
    store = open_store(settings)
    key = store.key() if "." in said else None
    id, until_s = meant(said, key, options.room, time.time())
    store.take_back(options.room, id, until_s, time.time())
    print(f"{id} lets nobody into room {options.room} any more; who is in by it stays")
    return 0
