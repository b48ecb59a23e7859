"""`midipool-client devices`: where audio can go."""

import argparse

# A JACK server that is just starting or stopping may hold a client up for some seconds.
LOOK_S = 15.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Look and print; raises Unavailable."""
    import msgspec

    from midipool_client.audio.device_look import DevicesLook, in_lines
    from midipool_client.doctor.within import ask_program

    look = ask_program("midipool_client.audio.device_trial", DevicesLook, LOOK_S)
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(look)).decode())
    else:
        print("\n".join(in_lines(look)))
    return 0
