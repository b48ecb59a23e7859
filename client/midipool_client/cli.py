"""midipool-client: join a room, or conduct one from the shell."""

import argparse
import logging
import sys

from midipool.errors import MidiPoolError
from midipool_client import doctor
from midipool_client.commands import (
    bridge_roc,
    calibrate,
    ctl,
    devices,
    discover,
    effects,
    hear,
    host,
    join,
    page,
    port_settings,
    record,
    room,
)
from midipool_client.commands.lazy import LazyParser


def main(argv: list[str] | None = None) -> int:
    """Run the client; returns the exit code."""
    options = _parser().parse_args(argv)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.INFO, format="%(message)s"
    )
    try:
        return int(options.run(options))
    except MidiPoolError as error:
        print(f"midipool-client: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="midipool-client",
        description="Your end of a midiPool room: virtual MIDI ports that tick with everybody's.",
    )
    parser.add_argument("--verbose", action="store_true", help="log more")
    page.add_options(parser)
    commands = parser.add_subparsers(
        metavar="COMMAND",
        title="commands (none: a page to join from)",
        parser_class=LazyParser,
    )
    join.add_options(commands.add_parser("join", help="play in a room"))
    host.add_options(commands.add_parser("host", help="open a server for this LAN, and play in it"))
    discover.add_options(
        commands.add_parser("discover", help="find servers and players on this LAN")
    )
    bridge_roc.add_options(
        commands.add_parser("bridge-roc", help="let roc-send and roc-recv join a room")
    )
    calibrate.add_options(commands.add_parser("calibrate", help="measure which offset a DAW needs"))
    port_settings.add_offset_options(
        commands.add_parser("offset", help="let a port's clock come later or earlier")
    )
    port_settings.add_click_options(commands.add_parser("click", help="how the click sounds"))
    hear.add_options(commands.add_parser("hear", help="how you hear the others, and your mix"))
    ctl.add_options(commands.add_parser("ctl", help="all that the page shows and does"))
    effects.add_options(commands.add_parser("effects", help="effects on your channels and ears"))
    record.add_options(commands.add_parser("record", help="record the room, on the bar"))
    room.add_options(commands.add_parser("room", help="conduct a room, or look at it"))
    devices.add_options(commands.add_parser("devices", help="list where audio can go"))
    doctor.add_options(
        commands.add_parser("doctor", help="see what this machine and a server are good for")
    )
    return parser
