"""midipool-server: host rooms."""

import argparse
import sys

from midipool.errors import MidiPoolError
from midipool_server.commands import config, health, invite, password, revoke, serve
from midipool_server.settings import given


def main(argv: list[str] | None = None) -> int:
    """Run the server, or a command of its host's; returns the exit code."""
    options = _parser().parse_args(argv)
    try:
        return int(options.run(options))
    except MidiPoolError as error:
        print(f"midipool-server: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="midipool-server",
        description="Host midiPool rooms: one shared timeline for each.",
        epilog="A flag comes before MIDIPOOL_MAX_ROOMS in the environment, that before max_rooms "
        "in the file of --config.",
    )
    given.add_flags(parser)
    parser.set_defaults(run=serve.run)
    commands = parser.add_subparsers(metavar="COMMAND", title="commands (none: serve)")
    health.add_options(commands.add_parser("health", help="ask the server here if it is ready"))
    config.add_options(commands.add_parser("config", help="look at the settings"))
    text = "print a link that lets somebody into a room"
    invite.add_options(commands.add_parser("invite", help=text))
    text = "let nobody in by a link any more"
    revoke.add_options(commands.add_parser("revoke", help=text))
    text = "set the password that a room begins with"
    password.add_options(commands.add_parser("password", help=text))
    return parser
