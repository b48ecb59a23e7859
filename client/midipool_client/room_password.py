"""A room's password: from a file, the environment, or typed when the room asks for it."""

import argparse
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from midipool_client.room_url import RoomUrl

VARIABLE = "MIDIPOOL_PASSWORD"
ASKED_FOR = ("password_needed", "bad_password")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe where it is from. On a command line everybody on the machine could read it."""
    parser.add_argument(
        "--password-file",
        metavar="FILE",
        help=f"whose first line is the room's password (or {VARIABLE}; else it is asked for)",
    )


def given(url: "RoomUrl", options: argparse.Namespace) -> "RoomUrl":
    """The room with its password, if one was said; raises Unavailable."""
    from dataclasses import replace

    from midipool.errors import Unavailable

    file = getattr(options, "password_file", None)
    if file is None:
        said = os.environ.get(VARIABLE)
        return replace(url, password=said) if said else url
    try:
        with open(file, encoding="utf-8") as opened:
            return replace(url, password=opened.readline(256).rstrip("\r\n"))
    except (OSError, UnicodeDecodeError) as error:
        text = f"the password cannot be read from {file}"
        raise Unavailable(f"{text} ({getattr(error, 'strerror', None) or error})") from None


def asked_for(url: "RoomUrl", run: Callable[["RoomUrl"], None]) -> None:
    """Run with the room, again with a password that is typed if the room asks for one.

    Raises what `run` does; Refused, where nobody can type.
    """
    import getpass
    from dataclasses import replace

    from midipool.errors import Refused

    while True:
        try:
            run(url)
            return
        except Refused as refused:
            if refused.code not in ASKED_FOR or not sys.stdin.isatty():
                raise
            url = replace(url, password=getpass.getpass(f"{refused.text}\npassword: "))
