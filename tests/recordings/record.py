"""Records real programs anew: `python -m tests.recordings.record NAME...`, or `all`.

It needs jackd2 and the packages of the programs (README.md). Each session has a JACK server and
a home folder of its own; a recording during which JACK was late is made once more.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from midipool.errors import Unavailable
from midipool_demo.jack_server import JackServer
from tests.recordings.load import FOLDER, encode
from tests.recordings.sessions import SESSIONS, Session

SAMPLE_RATE = 48_000
PERIOD_FRAMES = 256
ATTEMPTS = 5


def record(session: Session, folder: Path) -> list[Path]:
    """Play a session and write its recordings; raises Unavailable when it cannot be done."""
    for attempt in range(1, ATTEMPTS + 1):
        with JackServer(SAMPLE_RATE, PERIOD_FRAMES) as server:
            server.wait_ready()
            os.environ.update(server.env)
            try:
                with tempfile.TemporaryDirectory() as home:
                    recordings = session(Path(home))
            except Unavailable:
                if attempt == ATTEMPTS:
                    raise
                continue
        paths = []
        for name, recording in recordings.items():
            paths.append(folder / f"{name}.bin")
            paths[-1].write_bytes(encode(recording))
        return paths
    raise AssertionError("unreachable")


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.recordings.record", description=__doc__)
    parser.add_argument("names", nargs="+", choices=[*SESSIONS, "all"], metavar="NAME")
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="where to write (default: here)"
    )
    options = parser.parse_args()
    names = [*SESSIONS] if "all" in options.names else options.names
    for name in names:
        try:
            paths = record(SESSIONS[name], options.folder)
        except (Unavailable, RuntimeError, OSError) as error:
            sys.stderr.write(f"{name}: {error}\n")
            return 1
        sys.stdout.writelines(f"{path} {path.stat().st_size} bytes\n" for path in paths)
    return 0


if __name__ == "__main__":
    sys.exit(main())
