"""A server's part in access: its gate, its audit log and its certificate, as the settings say."""

import asyncio
import logging
import os
import signal
import ssl
import time
from pathlib import Path

from midipool.errors import Unavailable
from midipool_server.access.audit import AuditEvent
from midipool_server.access.audit_file import AuditFile
from midipool_server.access.gate import Gate
from midipool_server.access.store import AccessStore, default_folder
from midipool_server.public_address import Network, networks
from midipool_server.settings import Settings

log = logging.getLogger(__name__)


class NoAudit:
    """Nobody wants to know."""

    def write(self, event: AuditEvent) -> None:
        """It is gone."""

    def close(self) -> None:
        """There is nothing to close."""


def open_audit(settings: Settings) -> AuditFile | NoAudit:
    """The audit log; raises Unavailable."""
    return AuditFile(Path(settings.audit_log)) if settings.audit_log else NoAudit()


def open_store(settings: Settings) -> AccessStore:
    """Where passwords and the key of invitations are; raises Unavailable."""
    folder = settings.state_dir
    return AccessStore(Path(folder) if folder else default_folder(os.environ))


def open_gate(settings: Settings) -> Gate:
    """What checks passwords and invitations; raises Unavailable."""
    try:
        store = open_store(settings)
    except Unavailable:
        if settings.invited_only:
            raise
        log.warning("there is no home folder, so there are no invitations: give --state-dir")
        return Gate(unix_s=time.time)
    return Gate(store, settings.invited_only, time.time)


def proxies(settings: Settings) -> tuple[Network, ...]:
    """Whose words about who asks are believed."""
    return networks(settings.proxies) if settings.behind_proxy else ()


def tls(settings: Settings) -> ssl.SSLContext | None:
    """By the certificate, which is read again at SIGHUP; raises Unavailable."""
    if not settings.tls_cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    _load(context, settings)

    def again() -> None:
        try:
            _load(context, settings)
            log.info("the certificate was read again")
        except Unavailable as error:
            log.error("the certificate stays the old one: %s", error)

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, again)
    return context


def _load(context: ssl.SSLContext, settings: Settings) -> None:
    files = f"--tls-cert {settings.tls_cert}, --tls-key {settings.tls_key}"
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password=_no_password)
    except ssl.SSLError as error:
        reason = error.reason or str(error)
        raise Unavailable(f"no certificate and key that go together ({reason}): {files}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Unavailable(f"the certificate cannot be read ({reason}): {files}") from None


def _no_password() -> str:
    raise ValueError("the key has a password: give one without")
