"""Reads what the system says of itself in /proc and /sys, and what this process may do."""

import grp
import os
import platform
import pwd
import resource
import socket
import struct
from contextlib import suppress
from pathlib import Path

from midipool_client.clock_socket import SO_TIMESTAMPNS
from midipool_client.doctor.machine import Cpu, Groups, Kernel, Limits, Power

MOST_BYTES = 4096
STAMP_PATIENCE_S = 1.0


def read_line(path: Path) -> str | None:
    """A file's first line; None where it cannot be read."""
    try:
        with path.open("rb") as file:
            lines = file.read(MOST_BYTES).decode(errors="replace").splitlines()
    except OSError:
        return None
    return lines[0].strip() if lines else ""


def read_lines(paths: list[Path]) -> list[str]:
    """The first lines of those files that can be read, each line once."""
    lines = (read_line(path) for path in paths)
    return sorted({line for line in lines if line is not None})


def look_at_kernel(root: Path = Path("/")) -> Kernel:
    """How the kernel may be interrupted, and which clock it counts on."""
    clocks = root / "sys/devices/system/clocksource/clocksource0"
    return Kernel(
        system=platform.system(),
        version=platform.version(),
        realtime=read_line(root / "sys/kernel/realtime") == "1",
        command_line=read_line(root / "proc/cmdline") or "",
        clock_source=read_line(clocks / "current_clocksource"),
        clock_sources=(read_line(clocks / "available_clocksource") or "").split(),
    )


def look_at_cpu(root: Path = Path("/")) -> Cpu:
    """Who decides how fast the processors run."""
    frequencies = sorted((root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq"))
    return Cpu(
        governors=read_lines([path / "scaling_governor" for path in frequencies]),
        drivers=read_lines([path / "scaling_driver" for path in frequencies]),
    )


def look_at_power(root: Path = Path("/")) -> Power:
    """What is switched off to save power."""
    supplies = sorted((root / "sys/class/power_supply").glob("*"))
    mains = [path for path in supplies if read_line(path / "type") == "Mains"]
    online = [line for path in mains if (line := read_line(path / "online")) is not None]
    routes = root / "proc/net/route"
    return Power(
        profile=read_line(root / "sys/firmware/acpi/platform_profile"),
        on_battery="1" not in online if online else None,
        usb_autosuspend_s=_number(read_line(root / "sys/module/usbcore/parameters/autosuspend")),
        sound_power_save_s=_number(
            read_line(root / "sys/module/snd_hda_intel/parameters/power_save")
        ),
        wireless=_wireless(root, _default_interfaces(routes)),
    )


def look_at_limits() -> Limits:
    """How much of the processor and the memory this process may keep for itself."""
    priority = None
    if hasattr(resource, "RLIMIT_RTPRIO"):
        priority = _limit(resource.RLIMIT_RTPRIO)
    return Limits(priority=priority, memory_bytes=_limit(resource.RLIMIT_MEMLOCK))


def look_at_groups() -> Groups:
    """Whether the user is in the group that the usual limits are for."""
    user = str(os.getuid())
    with suppress(KeyError):
        user = pwd.getpwuid(os.getuid()).pw_name
    try:
        audio = grp.getgrnam("audio")
    except KeyError:
        return Groups(user)
    return Groups(
        user=user,
        audio_exists=True,
        member=user in audio.gr_mem,
        in_force=audio.gr_gid in (os.getgid(), *os.getgroups()),
    )


def kernel_timestamps() -> bool:
    """Whether the kernel says when a datagram arrived, tried with one to ourselves."""
    if SO_TIMESTAMPNS is None:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.settimeout(STAMP_PATIENCE_S)
        try:
            ear.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            ear.bind(("127.0.0.1", 0))
            ear.sendto(struct.pack("B", 0), ear.getsockname())
            control = ear.recvmsg(16, 256)[1]
        except OSError:
            return False
    return any(level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS for level, kind, _ in control)


def running_programs(root: Path = Path("/")) -> list[str]:
    """The names of the sound servers that run, as the system shortens them."""
    wanted = {"jackd", "jackdbus", "jackdmp", "pipewire", "pulseaudio"}
    names = read_lines(sorted((root / "proc").glob("[0-9]*/comm")))
    return [name for name in names if name in wanted]


def _limit(number: int) -> int | None:
    """The soft limit; None when there is none."""
    soft, _ = resource.getrlimit(number)
    return None if soft == resource.RLIM_INFINITY else soft


def _number(text: str | None) -> int | None:
    with suppress(TypeError, ValueError):
        return int(text)  # type: ignore[arg-type]
    return None


def _default_interfaces(routes: Path) -> list[str]:
    """The network interfaces that lead to everywhere (destination 0 in the kernel's table)."""
    try:
        rows = [line.split() for line in routes.read_text(errors="replace").splitlines()[1:257]]
    except OSError:
        return []
    return sorted({row[0] for row in rows if len(row) > 1 and row[1] == "00000000"})


def _wireless(root: Path, interfaces: list[str]) -> list[str]:
    devices = root / "sys/class/net"
    return [name for name in interfaces if (devices / name / "wireless").exists()]
