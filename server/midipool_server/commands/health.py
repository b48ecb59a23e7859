"""`midipool-server health`: ask a server on this machine whether it is ready; for containers."""

import argparse
import contextlib
import http.client
import ssl
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
    with contextlib.closing(_connection(host, settings)) as link:
        try:
            link.request("GET", "/readyz")
            answer = link.getresponse()
            return answer.status, answer.read(4096).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return 0, f"no server at {host}:{settings.port} ({error})"


def _connection(host: str, settings: Settings) -> http.client.HTTPConnection:
    """By TLS if the server speaks it. Whose certificate that is does not matter on this machine: it
    may be self-signed, and is for the name that players use."""
    if not settings.tls_cert:
        return http.client.HTTPConnection(host, settings.port, timeout=PATIENCE_S)
    anybodys = ssl.create_default_context()
    anybodys.check_hostname = False
    anybodys.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, settings.port, timeout=PATIENCE_S, context=anybodys)
