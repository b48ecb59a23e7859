"""A device with a MIDI input on JACK that says what it gets, until it is ended by a signal.

`python -m tests.e2e.plugged_device NAME`
"""

import sys

from midipool_native.jack import JackSink
from midipool_native.spooler import Spooler


def main(name: str) -> None:
    sink = JackSink(Spooler(), name, "out", "in")
    clocks = 0
    while True:
        for _, data in sink.heard(100_000_000)[0]:
            clocks += data == b"\xf8"
            text = f"F8 {clocks}" if data == b"\xf8" else data.hex().upper()
            sys.stdout.write(text + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
