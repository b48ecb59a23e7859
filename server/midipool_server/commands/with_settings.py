"""Commands of an operator's that go by the server's settings."""

import argparse
import functools
from collections.abc import Callable

from midipool_server.commands.config import complain
from midipool_server.settings import Settings, given


def with_settings(
    work: Callable[[argparse.Namespace, Settings], int],
) -> Callable[[argparse.Namespace], int]:
    """Let `work` have the settings; with ones that are wrong, which is said, the code is 2."""

    @functools.wraps(work)
    def run(options: argparse.Namespace) -> int:
        effective = given.given(options)
        if effective.problems:
            complain(effective)
            return 2
        return work(options, effective.settings())

    return run
