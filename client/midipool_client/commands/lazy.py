"""A command's parser that is filled when the command is typed, as what it says must be loaded."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from midipool_client.commands.any_order import AnyOrderParser


class LazyParser(AnyOrderParser):
    """`fill` is called once, before anything is parsed or shown."""

    fill: Callable[[argparse.ArgumentParser], None] | None = None

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As any other parser does."""
        self._fill()
        return super().parse_known_args(args, namespace)

    def format_help(self) -> str:
        """As any other parser does."""
        self._fill()
        return super().format_help()

    def _fill(self) -> None:
        if self.fill is not None:
            fill, self.fill = self.fill, None
            fill(self)
