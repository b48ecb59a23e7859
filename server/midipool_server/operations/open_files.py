"""How many connections the system allows."""

import contextlib
import logging

log = logging.getLogger(__name__)

FEW = 4096


def allow_many() -> None:
    """Raise our own limit of open files to what the system lets us have."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    if 0 <= soft < FEW:
        log.warning("only %d files can be open at once, and so fewer connections (ulimit -n)", soft)
