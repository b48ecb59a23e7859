"""Modules as the settings say."""

import time
from pathlib import Path

from midipool.errors import InvalidValue, MidiPoolError, Unavailable
from midipool_server.access.gate import Gate
from midipool_server.access.invitations import Invited, signed
from midipool_server.host import RoomHost
from midipool_server.modules.processes import ModulePark
from midipool_server.modules.specs import parse_specs
from midipool_server.settings import Settings

# Who is in comes back without it.
INVITED_S = 3600


def open_park(settings: Settings, host: RoomHost, gate: Gate) -> ModulePark | None:
    """What looks after modules; None where there are none. Raises Unavailable."""
    if not settings.modules:
        return None
    try:
        specs = parse_specs(Path(settings.modules).read_text(encoding="utf-8"), settings.modules)
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(f"the file of --modules cannot be read: {error}") from None
    except InvalidValue as error:
        raise Unavailable(str(error)) from None
    scheme = "wss" if settings.tls_cert else "ws"
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
    name = f"[{settings.host}]" if ":" in settings.host else settings.host
    where = f"{scheme}://{anywhere.get(settings.host, name)}:{settings.port}"

    def invitation_for(room: str) -> str:
        try:
            until_s = round(time.time()) + INVITED_S
            invited = Invited(gate.means.new_id(), room, "player", until_s, uses=1)
            return signed(invited, gate.means.key())
        except MidiPoolError:
            return ""  # an open room lets it in

    return ModulePark(host, specs, lambda room: f"{where}/{room}", invitation_for)
