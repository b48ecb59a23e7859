"""A parser that takes a command's options and values in any order."""

import argparse
from collections.abc import Sequence
from typing import Any


class AnyOrderParser(argparse.ArgumentParser):
    """By itself argparse takes all values where it meets the first of them; those behind an option
    are too many then."""

    _sorts = False

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As any other parser does."""
        if self._sorts or self._subparsers is not None:
            return super().parse_known_args(args, namespace)
        self._sorts = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._sorts = False
