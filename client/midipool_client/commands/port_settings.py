"""`midipool-client offset` and `click`: settings that a running client picks up at once."""

import argparse

from midipool.errors import InvalidValue


def add_offset_options(parser: argparse.ArgumentParser) -> None:
    """Describe `offset`."""
    parser.add_argument("ms", help="how much later everything comes; negative is earlier; or: show")
    parser.add_argument(
        "--device", default="midiPool", metavar="NAME", help="the port's device name (%(default)s)"
    )
    parser.add_argument("--daw", metavar="NAME", help="for this DAW, on whatever device")
    parser.set_defaults(run=run_offset)


def run_offset(options: argparse.Namespace) -> int:
    """Set or show an offset."""
    from midipool_client.ports.words import offset_ms_of
    from midipool_client.settings import Settings

    settings = Settings.load()
    if options.ms != "show":
        settings.set_offset_ms(offset_ms_of(options.ms), options.device, options.daw)
        settings.save()
    what = f"DAW {options.daw}" if options.daw else f"device {options.device}"
    print(f"{what}: {settings.offset_ms(options.device, options.daw):+.1f} ms")
    return 0


def add_click_options(parser: argparse.ArgumentParser) -> None:
    """Describe `click`."""
    parser.add_argument(
        "settings",
        nargs="*",
        metavar="KEY=VALUE",
        help="volume=0.5, channel=10, note=77, accent_note=76, velocity=96, accent_velocity=127, "
        "length_ms=30, compound=on, only_count_in=on; none: show them",
    )
    parser.set_defaults(run=run_click)


def run_click(options: argparse.Namespace) -> int:
    """Set or show how the click sounds."""
    import msgspec

    from midipool_client.settings import Settings

    settings = Settings.load()
    click = settings.click
    for words in options.settings:
        key, _, value = words.partition("=")
        if key not in click.__struct_fields__:
            known = ", ".join(click.__struct_fields__)
            raise InvalidValue("click", f"knows no {key!r}, but {known}")
        value = {"on": "true", "off": "false"}.get(value, value)
        try:
            click = msgspec.convert(
                {**msgspec.to_builtins(click), key: msgspec.json.decode(value)}, type(click)
            )
        except msgspec.MsgspecError as error:
            rule = str(error).partition(f"{key}: ")[2]
            raise InvalidValue(key, rule or f"cannot be {value!r}") from None
    if options.settings:
        settings.click = click
        settings.save()
    print(", ".join(f"{key}={value}" for key, value in msgspec.to_builtins(click).items()))
    return 0
