"""Settings as this process was given them: its file, environment and flags."""

import argparse
import os
from pathlib import Path

from midipool.errors import Unavailable
from midipool_server.settings.declared import ALL
from midipool_server.settings.effective import Effective
from midipool_server.settings.toml_file import MAX_BYTES

CONFIG_VARIABLE = "MIDIPOOL_CONFIG"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Every setting as a flag, but for secrets: what is on a command line, others can see."""
    parser.add_argument(
        "--config",
        metavar="FILE",
        default=argparse.SUPPRESS,
        help=f"settings in TOML; flags and MIDIPOOL_... variables come first ({CONFIG_VARIABLE})",
    )
    for setting in ALL.values():
        if setting.secret:
            continue
        text = f"{setting.text} ({setting.shown(setting.default)})".replace("%", "%%")
        if setting.is_switch:
            action = argparse.BooleanOptionalAction
            parser.add_argument(setting.flag, action=action, default=argparse.SUPPRESS, help=text)
            continue
        metavar = setting.name.rpartition("_")[2].upper()
        parser.add_argument(setting.flag, metavar=metavar, default=argparse.SUPPRESS, help=text)
    parser.add_argument(
        "--verbose",
        action="store_const",
        dest="log_level",
        const="debug",
        default=argparse.SUPPRESS,
        help="the same as --log-level debug",
    )


def given(options: argparse.Namespace, file: str | None = None) -> Effective:
    """What file, environment and flags say together; raises Unavailable for a file that is not.

    `file` comes before --config and MIDIPOOL_CONFIG.
    """
    file = file or getattr(options, "config", None) or os.environ.get(CONFIG_VARIABLE) or None
    flags = {name: value for name, value in vars(options).items() if name in ALL}
    return Effective.of((file, _read(file)) if file else None, os.environ, flags)


def _read(file: str) -> str:
    try:
        with Path(file).open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise Unavailable(f"{file}: more than {MAX_BYTES} bytes are no configuration")
        return data.decode()
    except OSError as error:
        text = f"{file} cannot be read ({error.strerror}): give --config another file"
        raise Unavailable(text) from None
    except UnicodeDecodeError:
        raise Unavailable(f"{file}: this is no TOML: it must be UTF-8") from None
