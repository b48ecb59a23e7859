"""No check can fail the others, take too long, or print what it should not."""

import asyncio
import io
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from midipool.errors import Unavailable
from midipool_client.doctor import checks, machine_look
from midipool_client.doctor.checks import MIDI_NAMES, Examination
from midipool_client.doctor.finding import Finding, Report
from midipool_client.doctor.midi import MidiLook, judge_midi
from midipool_client.doctor.show import show
from midipool_client.doctor.timers import RealtimeTrial
from midipool_client.doctor.within import ask_program, within
from midipool_demo.background import child_environment
from tests.client.doctor.looks import MIDI, trial


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def fast_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {RealtimeTrial: trial(), MidiLook: MIDI}
    monkeypatch.setattr(checks, "ask_program", lambda module, answer, seconds: answers[answer])


def test_all_is_looked_at_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    fast_trials(monkeypatch)
    names = [finding.name for finding in Examination().run().checks]
    first = ["kernel", "clock source", "CPU frequency", "power saving", "real-time permission"]
    assert names == [*first, "timers", *MIDI_NAMES]


def test_the_names_are_those_that_the_judgement_gives() -> None:
    assert tuple(finding.name for finding in judge_midi(MIDI, "midiPool")) == MIDI_NAMES


def test_a_check_that_fails_is_unknown_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fast_trials(monkeypatch)
    expected = len(Examination().run().checks)

    def broken(root: Path = Path("/")) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(machine_look, "look_at_kernel", broken)
    report = Examination().run()
    assert len(report.checks) == expected
    kernel = report.checks[0]
    assert (kernel.name, kernel.status) == ("kernel", "unknown")
    assert "a bug" in kernel.text
    assert report.exit_code == 0


def test_trials_that_fail_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(module: str, answer: type, seconds: float) -> None:
        raise Unavailable("the trial ended with -11: it says nothing")

    monkeypatch.setattr(checks, "ask_program", broken)
    report = Examination().run()
    found = {finding.name: finding for finding in report.checks}
    for name in ("real-time permission", "timers", *MIDI_NAMES):
        assert found[name].status == "unknown"
        assert "ended with -11" in found[name].text
    assert report.verdict.figures["port_p99_us"] is None


def test_a_check_that_hangs_is_left_behind() -> None:
    released = threading.Event()
    begin_s = time.monotonic()
    with pytest.raises(TimeoutError, match=r"within 0.05 s"):
        within(0.05, lambda: released.wait(30))
    assert time.monotonic() - begin_s < 10
    released.set()


def test_a_check_that_hangs_does_not_keep_the_program_from_ending() -> None:
    code = (
        "import contextlib, threading\n"
        "from midipool_client.doctor.within import within\n"
        "with contextlib.suppress(TimeoutError): within(0.05, lambda: threading.Event().wait(60))"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=20, env=child_environment())
    assert done.returncode == 0


def test_what_a_check_raises_reaches_its_caller() -> None:
    assert within(10, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        within(10, lambda: 1 // 0)


def test_an_event_loop_can_run_within_a_time() -> None:
    async def work() -> str:
        await asyncio.sleep(0)
        return "done"

    assert within(10, lambda: asyncio.run(work())) == "done"


def test_programs_that_fail_say_why() -> None:
    with pytest.raises(Unavailable, match="no-such-module"):
        ask_program("no-such-module", MidiLook, 20)
    with pytest.raises(Unavailable, match="not readable"):
        ask_program("this", MidiLook, 20)  # which prints, but no JSON
    with pytest.raises(Unavailable, match=r"within 0.01 s"):
        ask_program("midipool_client.doctor.realtime_trial", RealtimeTrial, 0.01)


REPORT = Report(
    [
        Finding("kernel", "good", "fine [bold]"),
        Finding("timers", "warning", "late", "close what keeps the processors busy"),
    ],
    Finding("verdict", "good", "all is well"),
)


def test_plain_lines_where_there_is_no_terminal() -> None:
    out = io.StringIO()
    show(REPORT, out)
    lines = out.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["good", "warning", "->", "good"]
    assert "\x1b" not in out.getvalue()
    assert lines[2].strip() == "-> close what keeps the processors busy"


def test_on_a_terminal_nothing_is_lost_and_nothing_is_taken_for_markup() -> None:
    pytest.importorskip("rich")
    out = Terminal()
    show(REPORT, out)
    for words in ("fine [bold]", "late", "-> close what keeps", "all is well"):
        assert words in out.getvalue()
