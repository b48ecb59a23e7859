"""Hosts of a lab: Linux network namespaces, with the processes and sockets in them."""

import ctypes
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .processes import kill_strays, stop

NAMESPACES = Path("/run/netns")
TUN_DEVICE = "/dev/net/tun"
CLONE_NEWNET = 0x40000000  # <linux/sched.h>
CAP_NET_ADMIN, CAP_SYS_ADMIN = 12, 21  # <linux/capability.h>


def why_unavailable() -> str | None:
    """Say in one line why no lab can be had here; None if it can."""
    if sys.platform != "linux":
        return "network namespaces need Linux"
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "the command ip (iproute2) is not installed"
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    needed = 1 << CAP_NET_ADMIN | 1 << CAP_SYS_ADMIN
    if int(status["CapEff"], 16) & needed != needed:
        return "root lacks CAP_NET_ADMIN or CAP_SYS_ADMIN here"
    try:
        os.close(os.open(TUN_DEVICE, os.O_RDWR))
    except OSError as error:
        return f"{TUN_DEVICE} cannot be opened: {error.strerror}"
    return None


def ip(*arguments: str) -> str:
    """Run the ip command; what it says on failure becomes the exception's text."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


@contextmanager
def entered(namespace: str) -> Iterator[None]:
    """Move the calling thread into a namespace; what it opens there stays there."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        target = os.open(NAMESPACES / namespace, os.O_RDONLY | os.O_CLOEXEC)
        try:
            _set_namespace(target)
        finally:
            os.close(target)
        try:
            yield
        finally:
            _set_namespace(home)
    finally:
        os.close(home)


def _set_namespace(fd: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)  # os.setns exists from Python 3.12 on
    if libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def remove(namespace: str) -> None:
    """Kill every process in a namespace and delete it; gone already is fine."""
    with suppress(OSError):
        pids = {int(pid) for pid in ip("netns", "pids", namespace).split()}
        kill_strays(pids - {os.getpid()})
    with suppress(OSError):
        ip("netns", "delete", namespace)


class Host:
    """A machine of its own network, on one `address`."""

    def __init__(self, name: str, address: str) -> None:
        self.name = name
        self.address = address
        self._processes: list[subprocess.Popen[Any]] = []
        self._sockets: list[socket.socket] = []
        self._devices = 0
        ip("netns", "add", name)

    @property
    def is_ipv6(self) -> bool:
        """Whether it has IPv6, and no IPv4."""
        return ":" in self.address

    def configure(self) -> None:
        """Bring loopback up, and keep the kernel from talking on links by itself."""
        self.ip("link", "set", "lo", "up")
        if self.is_ipv6:
            for key in ("accept_ra", "accept_dad"):
                self.sysctl(f"ipv6/conf/default/{key}", 0)
            return
        with suppress(FileNotFoundError):  # a kernel without IPv6
            self.sysctl("ipv6/conf/default/disable_ipv6", 1)  # new links; ::1 stays

    def close(self) -> None:
        """End the processes, close the sockets and delete the namespace."""
        try:
            stop(self._processes)
        finally:
            for opened in self._sockets:
                opened.close()
            remove(self.name)

    def run(
        self, command: Sequence[str], *, check: bool = True, timeout_s: float = 30.0
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on this host to its end."""
        inside = ["ip", "netns", "exec", self.name, *command]
        return subprocess.run(
            inside, check=check, timeout=timeout_s, capture_output=True, text=True
        )

    def popen(self, command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a command on this host; the lab ends it."""
        inside = ["ip", "netns", "exec", self.name, *command]
        process: subprocess.Popen[Any] = subprocess.Popen(inside, **options)
        self._processes.append(process)
        return process

    def socket(self, kind: int = socket.SOCK_DGRAM, port: int | None = None) -> socket.socket:
        """Open a socket of this process on this host, bound if given a port (0: any)."""
        with entered(self.name):
            opened = socket.socket(socket.AF_INET6 if self.is_ipv6 else socket.AF_INET, kind)
        self._sockets.append(opened)
        if port is not None:
            opened.bind((self.address, port))
        return opened

    def ip(self, *arguments: str) -> str:
        """Run the ip command for this host."""
        return ip("-n", self.name, *arguments)

    def cut(self, address: str, *, out: bool = True, into: bool = True) -> None:
        """Drop, without a word, what goes to an address and comes from it; mend() ends it.

        A router drops what it would pass on. It needs nftables.
        """
        family = "ip6" if ":" in address else "ip"
        rules = [f"{family} daddr {address} drop"] * out + [f"{family} saddr {address} drop"] * into
        lines = ["table inet cut {"]
        for hook in ("input", "output", "forward"):
            lines += [f"chain {hook} {{", f"type filter hook {hook} priority filter", *rules, "}"]
        self.nft("-f", "-", stdin="\n".join([*lines, "}", ""]))

    def mend(self) -> None:
        """Let pass what cut() stopped."""
        self.nft("delete", "table", "inet", "cut")

    def nft(self, *arguments: str, stdin: str | None = None) -> str:
        """Run the nft command on this host."""
        command = ["ip", "netns", "exec", self.name, "nft", *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True)
        if done.returncode != 0:
            raise OSError(f"nft {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def wait_for_carrier(self, device: str, within_s: float = 5.0) -> None:
        """Return once the kernel sends through a device that was plugged in again."""
        deadline_s = time.monotonic() + within_s
        while "NO-CARRIER" in self.ip("link", "show", device):
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{device} of {self.name} has no carrier")

    def sysctl(self, key: str, value: int) -> None:
        """Set `net/<key>` on this host."""
        with entered(self.name):
            Path("/proc/sys/net", key).write_text(str(value))

    def devices(self) -> list[str]:
        """Its network devices, but loopback."""
        listed = (line.split(":")[1].strip() for line in self.ip("-o", "link").splitlines())
        return [name.partition("@")[0] for name in listed if name != "lo"]

    def new_device(self, prefix: str) -> str:
        """Name for one more network device of this host."""
        self._devices += 1
        return f"{prefix}{self._devices - 1}"

    def forward(self) -> None:
        """Pass packets on between this host's links."""
        self.sysctl("ipv4/ip_forward", 1)
        self.sysctl("ipv4/conf/all/proxy_arp", 1)
