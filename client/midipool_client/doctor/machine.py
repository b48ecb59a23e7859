"""What the machine is good for: its kernel, its processors, its power, its limits. Pure."""

from dataclasses import dataclass, field

from midipool_client.doctor.finding import Figure, Finding, printable, unknown

GOOD_CLOCK_SOURCES = {"tsc", "arch_sys_counter", "kvm-clock", "hyperv_clocksource_tsc_page"}
# What an engine asks for (docs/architecture.md, Threads).
WANTED_PRIORITY = 80
LIMITS_FILE = "/etc/security/limits.d/95-audio.conf"


@dataclass(frozen=True, slots=True)
class Kernel:
    """What the kernel says of itself."""

    system: str = "Linux"
    version: str = ""
    realtime: bool = False
    command_line: str = ""
    clock_source: str | None = None
    clock_sources: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Cpu:
    """Who decides how fast the processors run; empty where the system does not show it."""

    governors: list[str] = field(default_factory=list)
    drivers: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Power:
    """What is switched off to save power; None is not known."""

    profile: str | None = None
    on_battery: bool | None = None
    usb_autosuspend_s: int | None = None
    sound_power_save_s: int | None = None
    wireless: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Limits:
    """This process's limits; None is no limit, or that the system knows none."""

    priority: int | None = 0
    memory_bytes: int | None = 0


@dataclass(frozen=True, slots=True)
class Groups:
    """The user, and the group that the limits are usually given to."""

    user: str
    audio_exists: bool = False
    member: bool = False
    """By the system's list of users."""
    in_force: bool = False
    """In this session."""


def judge_kernel(kernel: Kernel) -> Finding:
    """Can the kernel be interrupted when a tick is due?"""
    name = "kernel"
    if kernel.system != "Linux":
        return Finding(name, "good", f"{kernel.system}: its kernel decides by itself")
    figures: dict[str, Figure] = {"version": kernel.version, "realtime": kernel.realtime}
    if kernel.realtime or "PREEMPT_RT" in kernel.version:
        return Finding(name, "good", "a real-time kernel (PREEMPT_RT)", "", figures)
    mode = _preemption(kernel)
    if mode in ("full", "lazy"):
        return Finding(name, "good", f"it can be interrupted (preempt={mode})", "", figures)
    if mode == "by default":
        return Finding(name, "good", "it can be interrupted (PREEMPT_DYNAMIC)", "", figures)
    advice = "boot with preempt=full on the kernel's command line, or install a lowlatency kernel"
    text = f"it is hardly ever interrupted while it works (preempt={mode})"
    return Finding(name, "warning", text, advice, figures)


def _preemption(kernel: Kernel) -> str:
    """none, voluntary, lazy, full, or how it was built where nobody chose."""
    for word in reversed(kernel.command_line.split()):
        if word.startswith("preempt=") and "PREEMPT_DYNAMIC" in kernel.version:
            return printable(word.removeprefix("preempt="))
    words = kernel.version.split()
    if "PREEMPT_DYNAMIC" in words:
        return "by default"
    return "full" if "PREEMPT" in words else "none"


def judge_clock_source(kernel: Kernel) -> Finding:
    """Is the time cheap to read, and even?"""
    name = "clock source"
    if kernel.clock_source is None:
        return unknown(name, "this system does not show it")
    source = printable(kernel.clock_source)
    figures: dict[str, Figure] = {
        "source": source,
        "available": kernel.clock_sources,
    }
    if kernel.clock_source in GOOD_CLOCK_SOURCES:
        return Finding(name, "good", source, "", figures)
    if "tsc" in kernel.clock_sources:
        advice = "the kernel prefers it to tsc: boot without clocksource= on its command line"
    else:
        advice = "see why in the kernel's log (`dmesg | grep -i tsc`); a firmware update may help"
    text = f"{source}: slow to read, and coarser than the processor's own counter"
    return Finding(name, "warning", text, advice, figures)


def judge_governor(cpu: Cpu) -> Finding:
    """Do the processors run at their full speed when a tick is due?"""
    name = "CPU frequency"
    if not cpu.governors:
        return unknown(name, "this system does not show it (virtual machines have none)")
    governors = " and ".join(map(printable, cpu.governors))
    text = f"governor {governors}" + (f" ({', '.join(cpu.drivers)})" if cpu.drivers else "")
    if cpu.governors == ["performance"]:
        return Finding(name, "good", text, "", {"governors": cpu.governors})
    advice = "while you play: sudo cpupower frequency-set -g performance"
    text += ": a processor that idles wakes up slowly"
    return Finding(name, "warning", text, advice, {"governors": cpu.governors})


def judge_power(power: Power) -> Finding:
    """Does something sleep that should not?"""
    name = "power saving"
    found: list[tuple[str, str]] = []
    if power.profile in ("low-power", "quiet", "cool"):
        advice = "powerprofilesctl set performance"
        found.append((f"the machine's profile is {power.profile}", advice))
    if power.on_battery:
        found.append(("it runs on its battery", "plug it in"))
    if power.wireless:
        where = ", ".join(map(printable, power.wireless))
        text = f"its way out is a radio link ({where}), whose delay varies"
        found.append((text, f"use a cable, or: sudo iw dev {where} set power_save off"))
    figures: dict[str, Figure] = {
        "profile": power.profile,
        "on_battery": power.on_battery,
        "usb_autosuspend_s": power.usb_autosuspend_s,
        "sound_power_save_s": power.sound_power_save_s,
        "wireless": power.wireless,
    }
    if found:
        texts, advices = zip(*found, strict=True)
        return Finding(name, "warning", "; ".join(texts), "; ".join(advices), figures)
    if all(value in (None, []) for value in figures.values()):
        return unknown(name, "this system does not show it")
    return Finding(name, "good", "nothing that matters is switched off", "", figures)


def judge_timestamps(there: bool) -> Finding:
    """Does the kernel say when a clock probe arrived?"""
    name = "kernel timestamps"
    figures: dict[str, Figure] = {"there": there}
    if there:
        return Finding(name, "good", "the kernel says when a clock probe arrived", "", figures)
    text = "this system gives none: a busy machine measures the room's clock less exactly"
    advice = "nothing on this system; Linux has them"
    return Finding(name, "warning", text, advice, figures)


def judge_permission(limits: Limits, groups: Groups, realtime: bool, locked: bool) -> Finding:
    """May a program have real-time priority, and keep its memory? Both were tried."""
    name = "real-time permission"
    figures: dict[str, Figure] = {
        "rtprio": limits.priority,
        "memlock_bytes": limits.memory_bytes,
        "realtime": realtime,
        "locked": locked,
    }
    if realtime and locked:
        text = "real-time priority and locked memory are permitted"
        return Finding(name, "good", text, "", figures)
    refused = [("real-time priority", realtime), ("locking memory", locked)]
    text = f"{' and '.join(what for what, got in refused if not got)}: not permitted"
    return Finding(name, "warning", text, _permission_advice(limits, groups, realtime), figures)


def _permission_advice(limits: Limits, groups: Groups, realtime: bool) -> str:
    enough = limits.priority is None or limits.priority >= WANTED_PRIORITY
    if enough and not realtime:
        return (
            "the limits would allow it: in a container, start it with --cap-add=sys_nice and "
            "--ulimit rtprio=95; else look at /proc/sys/kernel/sched_rt_runtime_us"
        )
    if groups.member and not groups.in_force:
        return f"log out and in again: {groups.user} is in the group audio, this session is not"
    lines = "`@audio - rtprio 95` and `@audio - memlock unlimited`"
    advice = f"put the lines {lines} into {LIMITS_FILE}"
    if not groups.audio_exists:
        advice = f"sudo groupadd audio; {advice}"
    if not groups.member and not groups.in_force:
        advice += f"; sudo usermod -aG audio {groups.user}"
    return f"{advice}; then log out and in again"
