"""The impaired link: two TUN devices, and a process of its own that joins them."""

import json
import os
import select
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from .direction import QUEUE_PACKETS, Counts
from .impairment import Impairment
from .namespaces import Host
from .processes import stop

ANSWER_WITHIN_S = 10.0


class TunLink:
    """A routed link from a host to another, impaired in each direction on its own."""

    def __init__(
        self, host: Host, hub: Host, there: Impairment, back: Impairment | None = None
    ) -> None:
        self._ends = [(host, host.new_device("tun"), hub), (hub, hub.new_device("tun"), host)]
        settings = {
            "parent": os.getpid(),
            "ends": [(end.name, device) for end, device, _ in self._ends],
            "impairments": _both_ways(there, back),
        }
        self._process = _start_forwarder(json.dumps(settings))
        try:
            self._read_answer()
            for end, device, peer in self._ends:
                addresses = (end.address, "peer", peer.address)
                end.ip("address", "add", *addresses, "dev", device)
                # The device's own queue must not be the first to overflow.
                end.ip("link", "set", device, "txqueuelen", str(QUEUE_PACKETS), "up")
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The process that forwards."""
        return self._process.pid

    def impair(self, there: Impairment, back: Impairment | None = None) -> None:
        """Change what happens to packets from now on; without `back` the same both ways."""
        self._ask(impairments=_both_ways(there, back))

    def down(self) -> None:
        """Pull the cable: packets on their way are lost."""
        self._ask(connected=False)

    def up(self) -> None:
        """Plug the cable in again."""
        self._ask(connected=True)
        for end, device, _ in self._ends:
            end.wait_for_carrier(device)

    def counts(self) -> tuple[Counts, Counts]:
        """Count the packets there and back since the link began."""
        return self._ask()

    def close(self) -> None:
        """End the link; its devices go with it."""
        stop([self._process])

    def _ask(self, **command: Any) -> tuple[Counts, Counts]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()
        return self._read_answer()

    def _read_answer(self) -> tuple[Counts, Counts]:
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], ANSWER_WITHIN_S)
        answer = self._process.stdout.readline() if readable else b""
        if not answer:
            raise RuntimeError("the forwarder of a link does not answer; see its stderr")
        there, back = json.loads(answer)
        return Counts(**there), Counts(**back)


def _both_ways(there: Impairment, back: Impairment | None) -> list[dict[str, Any]]:
    # The same settings, but not the same luck.
    back = replace(there, seed=there.seed + 1) if back is None else back
    return [asdict(there), asdict(back)]


def _start_forwarder(settings: str) -> subprocess.Popen[bytes]:
    package = Path(__file__).parent
    paths = [str(package.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-m", f"{package.name}.forwarder", settings],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
