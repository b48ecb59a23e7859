"""The process between the two ends of an impaired link.

Started with one argument of JSON: `parent` (pid), `ends` ([namespace, device] twice) and
`impairments` (there, back). Each line of JSON on stdin may hold `impairments` or
`connected`, and is answered by a line with the counts of both directions. The process
ends with SIGTERM, with its stdin, with its parent or with its namespaces.
"""

import ctypes
import errno
import gc
import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from .direction import Direction
from .impairment import Impairment
from .tun_device import open_tun, set_carrier

PR_SET_TIMERSLACK = 29  # <linux/prctl.h>
LONGEST_WAIT_US = 500_000  # how long a dead parent may go unnoticed


class Forwarder:
    """Both directions of a link, and the control channel on stdin and stdout."""

    def __init__(self, parent: int, ends: list[list[str]], impairments: list[Any]) -> None:
        near, far = (open_tun(namespace, device) for namespace, device in ends)
        there, back = (Impairment(**settings) for settings in impairments)
        self._parent = parent
        self._directions = [Direction(near, far, there), Direction(far, near, back)]
        self._control_fd = sys.stdin.fileno()
        self._typed = b""

    def run(self) -> None:
        """Forward until told to end or left alone."""
        self._answer()
        inputs = [self._control_fd, *(way.source_fd for way in self._directions)]
        while os.getppid() == self._parent:
            wait_us = self._deliver()
            readable, _, _ = select.select(inputs, [], [], wait_us / 1_000_000)
            for way in self._directions:
                if way.source_fd in readable:
                    way.take()
            if self._control_fd in readable and not self._obey():
                return

    def _deliver(self) -> int:
        """Deliver what is due; return how long to wait for what comes next, in µs."""
        now_us = time.monotonic_ns() // 1000
        dues_us = [way.deliver(now_us) for way in self._directions]
        waits_us = [due_us - time.monotonic_ns() // 1000 for due_us in dues_us if due_us]
        return max(0, min([LONGEST_WAIT_US, *waits_us]))

    def _obey(self) -> bool:
        """Carry out the commands on stdin; return whether it is still open."""
        arrived = os.read(self._control_fd, 65_536)
        *lines, self._typed = (self._typed + arrived).split(b"\n")
        for line in lines:
            command = json.loads(line)
            for way, settings in zip(
                self._directions, command.get("impairments", []), strict=False
            ):
                way.impair(Impairment(**settings))
            if "connected" in command:
                for way in self._directions:
                    way.connect(command["connected"])
                    set_carrier(way.source_fd, command["connected"])
            self._answer()
        return bool(arrived)

    def _answer(self) -> None:
        counts = [asdict(way.counts()) for way in self._directions]
        sys.stdout.write(json.dumps(counts) + "\n")
        sys.stdout.flush()


def be_punctual() -> None:
    """Ask for exact timers, for a place before ordinary processes, and for no pauses."""
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
    with suppress(PermissionError):  # lowest real-time priority: audio under test goes first
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    gc.disable()


def main() -> None:
    """Run one link from the settings in the first argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    be_punctual()
    try:
        Forwarder(**json.loads(sys.argv[1])).run()
    except OSError as error:
        if error.errno != errno.EBADFD:  # what a TUN device reads once its namespace is gone
            raise


if __name__ == "__main__":
    main()
