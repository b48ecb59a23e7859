"""`midipool-server`: host rooms until a signal ends it."""

import argparse
import asyncio
import functools

from midipool_server.commands import config
from midipool_server.operations import logs
from midipool_server.settings import given


def run(options: argparse.Namespace) -> int:
    """Serve with the settings that were given; returns the exit code."""
    effective = given.given(options)
    config.complain(effective)
    if effective.problems:
        return 2
    settings = effective.settings()
    logs.set_up(settings.log_level, settings.log_format)
    from midipool_server.serving import serve

    asyncio.run(serve(settings, functools.partial(print, flush=True)))
    return 0
