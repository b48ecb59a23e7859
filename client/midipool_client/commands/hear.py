"""`midipool-client hear`: how the others are heard; a running client picks it up at once."""

import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument(
        "settings",
        nargs="*",
        metavar="KEY=VALUE",
        help="profile=lan|jam|safe|bar, bars=2, max-latency-ms=40, master=-3 (dB), monitor=-6|off "
        "(your own input), send=-3 (dB, to the room), send-mute=on, "
        "send-channels=1|2|4|all; with --player or --channel: gain=-6 (dB), "
        "pan=-0.5 (-1 is left, 1 right), mute=on, solo=on; none: show them",
    )
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--player", metavar="NAME", help="one other member's place in your mix")
    whose.add_argument(
        "--channel",
        metavar="N",
        help="one channel of your own input: mute is for the room alone, pan (or pan=auto) and "
        "solo are for your own mix, gain for both",
    )
    parser.add_argument(
        "--device", default="midiPool", metavar="NAME", help="your device name (%(default)s)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Set or show it; raises MidiPoolError."""
    from midipool.messages import check_name
    from midipool_client.audio.words import (
        channel_number,
        listening_of,
        with_channel,
        with_strip,
    )
    from midipool_client.settings import Settings

    settings = Settings.load()
    listening = settings.listening(options.device)
    channel = None if options.channel is None else channel_number(options.channel)
    if options.settings:
        if channel is not None:
            listening = with_channel(options.settings, channel, listening)
        elif options.player is None:
            listening = listening_of(options.settings, listening)
        else:
            listening = with_strip(options.settings, check_name(options.player), listening)
        settings.set_listening(listening, options.device)
        settings.save()
    if channel is not None:
        print(f"own channel {channel}: {listening.mix.channel(channel).in_words()}")
    elif options.player is None:
        print(f"device {options.device}: " + "\n".join(listening.in_words()))
    else:
        print(f"{options.player}: {listening.mix.strip_of(options.player).in_words()}")
    return 0
