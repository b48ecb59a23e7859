"""Tells the LAN that somebody plays here, and what it sends."""

import argparse
import os
from collections.abc import Callable
from typing import Protocol

from midipool.lan.announcement import Announcement
from midipool.messages import AudioStream

VARIABLE = "MIDIPOOL_ANNOUNCE"


class Playing(Protocol):
    """What is announced of a player."""

    name: str

    @property
    def server_host(self) -> str | None:
        """Address of the server; None before there was one."""

    @property
    def sends(self) -> AudioStream | None:
        """What it sends; None without audio."""


def add_option(group: "argparse._ArgumentGroup") -> None:
    """Describe it."""
    said = os.environ.get(VARIABLE, "").strip().lower()
    group.add_argument(
        "--announce",
        action=argparse.BooleanOptionalAction,
        default=said not in ("false", "no", "off", "0"),
        help="tell the LAN your name and what you send, unless the server is on this machine; "
        f"never the room ({VARIABLE})",
    )


def announcement(player: Playing, is_loopback: Callable[[str], bool]) -> Announcement | None:
    """What is said now; None before the room is joined, and while it is on this machine."""
    host = player.server_host
    if host is None or is_loopback(host):
        return None
    return Announcement(kind="player", name=player.name, audio=player.sends)


async def announce_player(player: Playing) -> None:
    """Until cancelled."""
    from midipool_native.lan import announce, is_loopback

    await announce(lambda: announcement(player, is_loopback), 0)
