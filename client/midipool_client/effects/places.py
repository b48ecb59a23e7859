"""Boards, as a page and its settings name them. Pure."""

from typing import Literal

BoardName = Literal["1", "2", "3", "4", "own", "master"]
