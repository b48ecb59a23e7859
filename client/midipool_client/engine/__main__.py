"""The MIDI engine: a program of its own that puts spooled bytes on MIDI ports, and nothing else.

It reads batches from standard input and reports on standard output (messages.py). When its input
ends it stops the devices and goes. `python -m midipool_client.engine CONFIG`, CONFIG being JSON.
"""

import os
import signal
import sys
import threading
from typing import BinaryIO

import msgspec

from midipool.errors import InvalidMessage
from midipool_client.engine.framing import read_body
from midipool_client.engine.messages import (
    EngineConfig,
    EngineStatus,
    FromEngine,
    Problem,
    decode_to_engine,
    encode,
)
from midipool_client.engine.port import EnginePort
from midipool_native import host_clock

STATUS_S = 0.25
# Before all that has no deadline, behind JACK: its clients' callbacks run at 5 unless it is told
# otherwise, and must not wait while we decode. What does have a deadline here raises itself.
ENGINE_PRIORITY = 2


class Engine:
    """Owns the ports."""

    def __init__(self, config: EngineConfig, out: BinaryIO) -> None:
        self._config = config
        self._out = out
        self._out_lock = threading.Lock()
        self._stopping = threading.Event()
        locked = host_clock.lock_memory()
        self._realtime = host_clock.realtime_thread(ENGINE_PRIORITY) and locked
        self._ports = [
            EnginePort(index, port, self._realtime, self._say)
            for index, port in enumerate(config.ports)
        ]

    def run(self, source: BinaryIO) -> int:
        """Work until `source` ends; returns the exit code."""
        opened = [port.open() for port in self._ports]
        if not any(opened) and not self._config.again:
            return 1
        watch = threading.Thread(target=self._watch, daemon=True)
        watch.start()
        while (body := read_body(source)) is not None:
            self._take(body)
        self._stopping.set()
        watch.join()
        for port in self._ports:
            port.close()
        return 0

    def _take(self, body: bytes) -> None:
        try:
            spool = decode_to_engine(body)
        except InvalidMessage as error:
            self._say(Problem(str(error)))
            return
        if spool.port < len(self._ports):
            self._ports[spool.port].take(spool)

    def _watch(self) -> None:
        while not self._stopping.wait(STATUS_S):
            self._say(EngineStatus([port.watch() for port in self._ports]))

    def _say(self, message: FromEngine) -> None:
        try:
            with self._out_lock:
                self._out.write(encode(message))
                self._out.flush()
        except OSError:
            pass  # The client is gone; our input ends as well.


def main() -> int:
    """Run an engine as the client configured it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the client decides when to end
    sys.setswitchinterval(1e-4)  # the MIDI threads do not wait for another's time slice
    host_clock.set_off_for_tests()
    host_clock.name_thread("midipool-midi")
    config = msgspec.json.decode(sys.argv[1], type=EngineConfig)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between our messages
    return Engine(config, out).run(sys.stdin.buffer)


if __name__ == "__main__":
    sys.exit(main())
