"""What systemd is told of a service of `Type=notify`; without systemd nobody is."""

import asyncio
import os
import socket
from collections.abc import Mapping


def notify(state: str, environment: Mapping[str, str] = os.environ) -> None:
    """Say `READY=1`, `STOPPING=1`, `WATCHDOG=1` or `STATUS=...`."""
    path = environment.get("NOTIFY_SOCKET")
    if not path:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        # An abstract address begins with a zero byte, which an environment cannot hold.
        sock.sendto(state.encode(), "\0" + path[1:] if path.startswith("@") else path)


def watchdog_s(environment: Mapping[str, str] = os.environ) -> float | None:
    """How often a sign of life is due, with half of the time to spare; None if none is wanted."""
    wanted = environment.get("WATCHDOG_USEC", "")
    ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(wanted) * 1e-6 / 2 if wanted.isdigit() and int(wanted) and ours else None


async def stay_alive() -> None:
    """Give signs of life as long as the event loop turns, where systemd watches for them."""
    every_s = watchdog_s()
    while every_s is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(every_s)
