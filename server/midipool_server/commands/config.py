"""`midipool-server config check`: what is wrong with the settings, or what holds."""

import argparse
import sys

from midipool_server.settings import Effective, given


def add_options(parser: argparse.ArgumentParser) -> None:
    """Its commands."""
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    check = commands.add_parser("check", help="name each error, or print what holds and why")
    check.add_argument("file", nargs="?", metavar="FILE", help="instead of --config")
    given.add_flags(check)
    check.set_defaults(run=_check)


def _check(options: argparse.Namespace) -> int:
    effective = given.given(options, options.file)
    complain(effective)
    if effective.problems:
        return 1
    print(table(effective))
    return 0


def complain(effective: Effective) -> None:
    """What is wrong, a line each."""
    for problem in (*effective.problems, *effective.warnings):
        print(problem, file=sys.stderr)


def table(effective: Effective) -> str:
    """What holds, and where it is from."""
    rows = [("setting", "value", "from"), *effective.rows()]
    name, value = (max(len(row[n]) for row in rows) for n in (0, 1))
    return "\n".join(f"{a:{name}}  {b:{value}}  {c}".rstrip() for a, b, c in rows)
