"""What the doctor says of a machine, given what it is."""

import os
from pathlib import Path

import pytest

from midipool_client.doctor import machine_look
from midipool_client.doctor.machine import (
    Cpu,
    Groups,
    Kernel,
    Limits,
    Power,
    judge_clock_source,
    judge_governor,
    judge_kernel,
    judge_permission,
    judge_power,
    judge_timestamps,
)
from midipool_client.doctor.timers import RealtimeTrial, judge_timers, lateness
from tests.client.doctor.looks import late, trial

DYNAMIC = "#1 SMP PREEMPT_DYNAMIC Fri"
MUSICIAN = Groups("ann", audio_exists=True, member=True, in_force=True)


@pytest.mark.parametrize(
    ("kernel", "status", "words"),
    [
        (Kernel(version="#1 SMP PREEMPT_RT Fri"), "good", "real-time kernel"),
        (Kernel(version="#1 SMP", realtime=True), "good", "real-time kernel"),
        (Kernel(version="#1 SMP PREEMPT Fri"), "good", "preempt=full"),
        (Kernel(version=DYNAMIC), "good", "PREEMPT_DYNAMIC"),
        (Kernel(version=DYNAMIC, command_line="quiet preempt=full"), "good", "preempt=full"),
        (Kernel(version=DYNAMIC, command_line="preempt=lazy"), "good", "preempt=lazy"),
        (Kernel(version=DYNAMIC, command_line="preempt=none"), "warning", "preempt=none"),
        (Kernel(version=DYNAMIC, command_line="preempt=voluntary"), "warning", "voluntary"),
        (Kernel(version="#1 SMP Fri"), "warning", "hardly ever interrupted"),
        (Kernel(system="Darwin"), "good", "Darwin"),
    ],
)
def test_whether_the_kernel_can_be_interrupted(kernel: Kernel, status: str, words: str) -> None:
    finding = judge_kernel(kernel)
    assert (finding.status, bool(finding.advice)) == (status, status == "warning")
    assert words in finding.text
    if status == "warning":
        assert "preempt=full" in finding.advice


def test_the_clock_source() -> None:
    assert judge_clock_source(Kernel(clock_source="tsc")).status == "good"
    assert judge_clock_source(Kernel(clock_source=None)).status == "unknown"
    unstable = judge_clock_source(Kernel(clock_source="hpet", clock_sources=["hpet", "acpi_pm"]))
    assert unstable.status == "warning"
    assert "dmesg" in unstable.advice
    chosen = judge_clock_source(Kernel(clock_source="hpet", clock_sources=["tsc", "hpet"]))
    assert "clocksource=" in chosen.advice


def test_the_governor() -> None:
    assert judge_governor(Cpu()).status == "unknown"
    assert judge_governor(Cpu(["performance"], ["intel_pstate"])).status == "good"
    for governors in (["powersave"], ["schedutil"], ["performance", "powersave"]):
        finding = judge_governor(Cpu(governors))
        assert finding.status == "warning"
        assert "cpupower frequency-set -g performance" in finding.advice


@pytest.mark.parametrize(
    ("power", "words", "advice"),
    [
        (Power(profile="low-power"), "low-power", "powerprofilesctl"),
        (Power(on_battery=True), "battery", "plug it in"),
        (Power(wireless=["wlan0"]), "radio link (wlan0)", "use a cable"),
        (Power(profile="quiet", on_battery=True), "quiet; it runs on its battery", "plug it in"),
    ],
)
def test_what_saves_power_and_should_not(power: Power, words: str, advice: str) -> None:
    finding = judge_power(power)
    assert finding.status == "warning"
    assert words in finding.text
    assert advice in finding.advice


def test_nothing_saves_power() -> None:
    assert judge_power(Power()).status == "unknown"
    assert judge_power(Power(profile="balanced", on_battery=False)).status == "good"


def test_kernel_timestamps() -> None:
    assert judge_timestamps(True).status == "good"
    assert judge_timestamps(False).status == "warning"


def test_what_is_permitted_needs_no_advice() -> None:
    finding = judge_permission(Limits(0, 65536), Groups("ann"), realtime=True, locked=True)
    assert (finding.status, finding.advice) == ("good", "")


@pytest.mark.parametrize(
    ("limits", "groups", "realtime", "advice"),
    [
        (Limits(0, 65536), Groups("ann"), False, "groupadd audio"),
        (Limits(0, 65536), Groups("ann", True), False, "usermod -aG audio ann"),
        (Limits(0, 65536), Groups("ann", True, True), False, "log out and in again: ann"),
        (
            Limits(0, 65536),
            MUSICIAN,
            False,
            "`@audio - rtprio 95` and `@audio - memlock unlimited`",
        ),
        (Limits(50, 65536), MUSICIAN, False, "rtprio 95"),
        (Limits(95, 65536), MUSICIAN, True, "memlock unlimited"),
        (Limits(95, None), MUSICIAN, False, "--cap-add=sys_nice"),
        (Limits(None, 65536), MUSICIAN, False, "--ulimit rtprio=95"),
    ],
)
def test_what_is_not_permitted_is_advised_on(
    limits: Limits, groups: Groups, realtime: bool, advice: str
) -> None:
    finding = judge_permission(limits, groups, realtime, locked=False)
    assert finding.status == "warning"
    assert advice in finding.advice
    assert ("real-time priority" in finding.text) == (not realtime)
    assert "locking memory" in finding.text


def test_who_is_in_the_group_is_not_told_to_join_it() -> None:
    finding = judge_permission(Limits(0, 65536), MUSICIAN, realtime=False, locked=False)
    assert "usermod" not in finding.advice
    assert "limits.d" in finding.advice


@pytest.mark.parametrize(
    ("p99_us", "max_us", "realtime", "status"),
    [
        (40, 90, True, "good"),
        (199, 2999, False, "good"),
        (40, 9000, True, "warning"),
        (600, 900, True, "warning"),
        (600, 900, False, "warning"),
        (1001, 1100, True, "bad"),
    ],
)
def test_how_exactly_threads_wake_up(
    p99_us: float, max_us: float, realtime: bool, status: str
) -> None:
    finding = judge_timers(trial(p99_us, realtime, max_us))
    assert finding.status == status
    assert f"p99 {p99_us} µs" in finding.text
    assert bool(finding.advice) == (status != "good")
    if status != "good":
        assert ("real-time permission" in finding.advice) == (not realtime)


def test_what_counts_is_how_the_engine_has_it_here() -> None:
    busy, exact = late(5000), late(50)
    assert judge_timers(RealtimeTrial(True, True, busy, exact)).status == "good"
    assert judge_timers(RealtimeTrial(False, False, busy, None)).status == "bad"


def test_a_trial_that_was_not_made() -> None:
    assert judge_timers(None).status == "unknown"


def test_lateness_is_summed_up() -> None:
    found = lateness([number * 1000 for number in range(1000, 0, -1)])
    assert (found.p50_us, found.p99_us, found.max_us, found.count) == (500, 990, 1000, 1000)
    assert lateness([7000]).p99_us == 7


def put(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_the_system_is_read_from_its_files(tmp_path: Path) -> None:
    clocks = "sys/devices/system/clocksource/clocksource0"
    put(tmp_path, f"{clocks}/current_clocksource", "hpet\n")
    put(tmp_path, f"{clocks}/available_clocksource", "tsc hpet acpi_pm \n")
    put(tmp_path, "sys/kernel/realtime", "1\n")
    put(tmp_path, "proc/cmdline", "quiet preempt=full\n")
    kernel = machine_look.look_at_kernel(tmp_path)
    assert kernel.realtime
    assert kernel.command_line == "quiet preempt=full"
    assert (kernel.clock_source, kernel.clock_sources) == ("hpet", ["tsc", "hpet", "acpi_pm"])

    for number, governor in enumerate(("performance", "powersave", "powersave")):
        put(tmp_path, f"sys/devices/system/cpu/cpu{number}/cpufreq/scaling_governor", governor)
    assert machine_look.look_at_cpu(tmp_path).governors == ["performance", "powersave"]

    put(tmp_path, "sys/class/power_supply/AC/type", "Mains\n")
    put(tmp_path, "sys/class/power_supply/AC/online", "0\n")
    put(tmp_path, "sys/class/power_supply/BAT0/type", "Battery\n")
    put(tmp_path, "sys/firmware/acpi/platform_profile", "low-power\n")
    put(tmp_path, "sys/module/usbcore/parameters/autosuspend", "2\n")
    put(tmp_path, "sys/module/snd_hda_intel/parameters/power_save", "rubbish\n")
    head = "Iface\tDestination\tGateway\n"
    routes = "wlan0\t00000000\t0100A8C0\neth0\t0000A8C0\t00000000\n"
    put(tmp_path, "proc/net/route", head + routes)
    put(tmp_path, "sys/class/net/wlan0/wireless/status", "")
    power = machine_look.look_at_power(tmp_path)
    assert power == Power("low-power", True, 2, None, ["wlan0"])

    put(tmp_path, "proc/12/comm", "jackd\n")
    put(tmp_path, "proc/13/comm", "bash\n")
    assert machine_look.running_programs(tmp_path) == ["jackd"]


def test_a_system_without_these_files_is_no_error(tmp_path: Path) -> None:
    assert machine_look.look_at_kernel(tmp_path).clock_source is None
    assert machine_look.look_at_cpu(tmp_path) == Cpu()
    assert machine_look.look_at_power(tmp_path) == Power()
    assert machine_look.running_programs(tmp_path) == []


def test_rubbish_in_them_is_no_error(tmp_path: Path) -> None:
    for path in ("proc/cmdline", "sys/kernel/realtime", "proc/net/route", "proc/1/comm"):
        put(tmp_path, path, "")
        (tmp_path / path).write_bytes(os.urandom(8192))
    machine_look.look_at_kernel(tmp_path)
    machine_look.look_at_power(tmp_path)
    assert machine_look.running_programs(tmp_path) == []


def test_what_this_process_may_do_can_be_read() -> None:
    assert machine_look.look_at_groups().user
    limits = machine_look.look_at_limits()
    assert limits.priority is None or limits.priority >= 0
