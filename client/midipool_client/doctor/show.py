"""Findings for people: in colours on a terminal where rich is installed, else plain lines."""

import json
import sys
from collections.abc import Iterator
from typing import TextIO

from midipool_client.doctor.finding import Report

COLOURS = {"good": "green", "warning": "yellow", "bad": "red", "unknown": "cyan"}
STATUS_WIDTH, NAME_WIDTH = 8, 21


def show(report: Report, out: TextIO, as_json: bool = False) -> None:
    """Write a report."""
    if as_json:
        out.write(json.dumps(report.as_json(), indent=2, ensure_ascii=False) + "\n")
        return
    if not (out.isatty() and _show_in_colours(report, out)):
        out.writelines(f"{line}\n" for line in lines(report))
    out.flush()


def lines(report: Report) -> Iterator[str]:
    """Two lines for each finding: what is, and behind an arrow what to do."""
    for finding in (*report.checks, report.verdict):
        yield f"{finding.status:<{STATUS_WIDTH}} {finding.name:<{NAME_WIDTH}} {finding.text}"
        if finding.advice:
            yield f"{'':<{STATUS_WIDTH}} {'':<{NAME_WIDTH}} -> {finding.advice}"


def _show_in_colours(report: Report, out: TextIO) -> bool:
    """False where rich is not installed."""
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        return False
    table = Table.grid(padding=(0, 2))
    for finding in (*report.checks, report.verdict):
        advice = f"\n-> {finding.advice}" if finding.advice else ""
        table.add_row(
            Text(finding.status, style=f"bold {COLOURS[finding.status]}"),
            Text(finding.name, style="bold"),
            Text(finding.text).append(advice, style="italic"),
        )
    Console(file=out).print(table)
    return True


def examine(url: str | None, device_name: str, as_json: bool, stun: list[str]) -> int:
    """Make all checks and print them; returns the exit code. Raises InvalidValue for the URL."""
    from midipool_client.doctor.checks import Examination
    from midipool_client.room_url import parse_room_url
    from midipool_native import host_clock

    host_clock.set_off_for_tests()
    where = parse_room_url(url) if url is not None else None
    report = Examination(device_name, where, stun).run()
    show(report, sys.stdout, as_json)
    return report.exit_code
