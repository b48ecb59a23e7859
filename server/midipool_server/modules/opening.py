"""Modules as the settings say."""

from collections.abc import Mapping
from pathlib import Path

from midipool.errors import InvalidValue, Unavailable
from midipool_server.host import RoomHost
from midipool_server.modules.processes import ModulePark
from midipool_server.modules.specs import ModuleSpec, parse_specs
from midipool_server.settings import Settings


def allowed_programs(settings: Settings) -> Mapping[str, ModuleSpec]:
    """What the operator lets rooms run; raises Unavailable."""
    if not settings.modules:
        return {}
    try:
        return parse_specs(Path(settings.modules).read_text(encoding="utf-8"), settings.modules)
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(f"the file of --modules cannot be read: {error}") from None
    except InvalidValue as error:
        raise Unavailable(str(error)) from None


def open_park(settings: Settings, host: RoomHost) -> ModulePark:
    """What runs them."""
    scheme = "wss" if settings.tls_cert else "ws"
    anywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
    name = f"[{settings.host}]" if ":" in settings.host else settings.host
    where = f"{scheme}://{anywhere.get(settings.host, name)}:{settings.port}"
    # The certificate is for the name by which others reach the server.
    pinned = str(Path(settings.tls_cert).resolve()) if settings.tls_cert else ""
    environment = {"MIDIPOOL_SERVER_CERTIFICATE": pinned} if pinned else {}
    return ModulePark(host, lambda room: f"{where}/{room}", settings.max_modules, environment)
