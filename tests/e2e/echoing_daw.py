"""A follower on JACK that passes all through: clock, transport and notes, some time later.

The program: `python -m tests.e2e.echoing_daw DEVICE DELAY_MS`. It connects itself to both ports of
the device as soon as they are there, and says so.
"""

import contextlib
import sys
from collections.abc import Iterator, Mapping

from midipool.clock_map import ClockMap
from midipool_demo.background import Background
from midipool_native.jack import JackSink
from midipool_native.spooler import Spooler

PATIENCE_NS = 20_000_000


def main(device: str, delay_ms: float) -> None:
    spooler = Spooler()
    spooler.submit(clock_map=ClockMap(0, 0))
    sink = JackSink(spooler, "echo", "out", "in")
    connected = False
    while True:
        if len(sink.connections()) < 2:
            sink.connect(True, f"{device}:midi_send")
            sink.connect(False, f"{device}:midi_receive")
        elif not connected:
            connected = True
            sys.stdout.write("connected\n")
            sys.stdout.flush()
        heard, _ = sink.heard(PATIENCE_NS)
        spooler.submit([(ns // 1000 + round(delay_ms * 1000), data) for ns, data in heard])


@contextlib.contextmanager
def echoing_daw(env: Mapping[str, str], device: str, delay_ms: float) -> Iterator[Background]:
    """Runs the program on a JACK server."""
    with Background.python("tests.e2e.echoing_daw", device, str(delay_ms), env=env) as program:
        yield program


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
