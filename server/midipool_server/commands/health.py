"""`midipool-server health`: ask a server on this machine whether it is ready; for containers."""

import argparse
import contextlib
import http.client
import sys

from midipool_server.operations.udp_probe import ANY
from midipool_server.settings import Settings, given

PATIENCE_S = 3.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """With the server's own settings, it finds the server."""
    given.add_flags(parser)
    parser.set_defaults(run=_health)


def _health(options: argparse.Namespace) -> int:
    settings = given.given(options).settings()
    status, text = _asked(settings)
    print(text, file=sys.stdout if status == 200 else sys.stderr)
    return 0 if status == 200 else 1


def _asked(settings: Settings) -> tuple[int, str]:
    """What /readyz answers; (0, why not) if nothing does."""
    host = ANY.get(settings.host, settings.host)
    with contextlib.closing(
        http.client.HTTPConnection(host, settings.port, timeout=PATIENCE_S)
    ) as link:
        try:
            link.request("GET", "/readyz")
            answer = link.getresponse()
            return answer.status, answer.read(4096).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return 0, f"no server at {host}:{settings.port} ({error})"
