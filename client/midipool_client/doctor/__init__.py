"""`midipool-client doctor`: what this machine, its MIDI and the way to a server are good for."""

import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("url", nargs="?", help="ws://HOST:PORT/ROOM, to look at the way there too")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument(
        "--device-name", default="midiPool", help="of the MIDI device (%(default)s)"
    )
    parser.add_argument(
        "--stun",
        action="append",
        default=[],
        metavar="HOST:PORT",
        help="look at the router by this STUN server, not the room's; may be given more than once",
    )
    parser.set_defaults(run=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    from midipool_client.doctor.show import examine

    return examine(options.url, options.device_name, options.json, options.stun)
