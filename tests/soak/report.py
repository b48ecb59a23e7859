"""What a soak found, as JSON and as a short table."""

import os
import sys
import time
from collections import Counter
from typing import Any

import numpy as np

from tests.soak.port_meter import PortMeter
from tests.soak.state import Soak

STRICT = ("Traceback", " ERROR ")
SHOWN, MOST_SHOWN = 30, 50


def make_report(run: Soak, meters: list[PortMeter]) -> dict[str, Any]:
    """All figures of a run."""
    watches = run.watches
    return {
        "seed": run.options.seed,
        "minutes": run.options.minutes,
        "ran_s": round(time.monotonic() - run.began_s, 1),
        "clients": run.options.members,
        "with_audio": run.options.lasting,
        "jack_servers": len(run.stage.jacks),
        "no_packet_loss_because": run.stage.why_no_loss,
        "machine": {
            "cores": os.cpu_count(),
            "python": sys.version.split()[0],
            "load": _spread(run.loads),
            "too_busy_share": round(run.busy_looks / max(len(run.loads), 1), 2),
            "stood_still": len(run.stalls),
            "stood_still_s": round(sum(for_s for _, for_s in run.stalls), 1),
        },
        "actions": dict(Counter(action.do for _, action in run.done)),
        "skipped": dict(run.skipped),
        "refused": dict(run.refused),
        "ticks": {name: watch.ticks for name, watch in watches.ticks.items()},
        "cues": {name: watch.cues for name, watch in watches.ticks.items()},
        "xruns": [meter.xruns for meter in meters],
        "cycles": [meter.cycles for meter in meters],
        "cycles_not_heard": [meter.missed for meter in meters],
        "ticks_in_these": {n: w.forgiven for n, w in watches.ticks.items() if w.forgiven},
        "meter_lost": [meter.lost for meter in meters],
        "positions": {
            "looks": watches.agreement.looks,
            "worst_ms": round(watches.agreement.worst_us / 1000, 2),
        },
        "sound": {"heard": watches.sounds.heard, "silent_though_linked": watches.sounds.silent},
        "notes_heard": watches.notes.heard,
        "observer_errors": dict(Counter(run.observer.errors).most_common(20)),
        "server_returns": watches.counts["server returns"],
        "growth": _growth(run),
        "violations": [run.in_words(violation) for violation in watches.violations]
        + [f"no error in a log: {said} (seed {run.options.seed})" for said in _said(run)],
    }


def _growth(run: Soak) -> dict[str, Any]:
    grown = {}
    for what, watch in run.watches.growth.items():
        first, last = watch.compared()
        if first is not None and last is not None:
            grown[what] = {
                "seconds": round((watch.uses[-1].at_us - watch.uses[0].at_us) / 1e6),
                "kib": [first.kib, last.kib],
                "files": [first.files, last.files],
                "threads": [first.threads, last.threads],
            }
    return grown


def _said(run: Soak) -> list[str]:
    """Lines that a program says only when something is wrong in it."""
    outputs = {f"server {n}": text for n, text in enumerate(run.server_logs)}
    if run.stage.server is not None:
        outputs["server"] = run.stage.server.output()
    for name, member in run.stage.members.items():
        said = [*member.said, member.client.output() if member.client is not None else ""]
        outputs[name] = "".join(said)
    found = []
    for who, text in outputs.items():
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if any(word in line for word in STRICT):
                found.append("\n".join([f"{who}: {line}", *lines[number + 1 : number + SHOWN]]))
    return found[:MOST_SHOWN]


def _spread(values: list[float]) -> dict[str, float]:
    if not values:
        return {}
    points = {"least": 0.0, "median": 0.5, "most": 1.0}
    return {name: round(float(np.quantile(values, q)), 1) for name, q in points.items()}


def in_a_table(report: dict[str, Any]) -> str:
    """For people."""
    machine = report["machine"]
    rows = [
        ("seed", report["seed"]),
        ("ran", f"{report['ran_s'] / 60:.1f} of {report['minutes']:g} minutes"),
        ("load", " ".join(f"{k} {v}" for k, v in machine["load"].items())),
        ("too busy", f"{machine['too_busy_share']:.0%} of the time: what takes time is not judged"),
        ("stood still", f"{machine['stood_still']} times, {machine['stood_still_s']} s together"),
        ("actions", ", ".join(f"{n} {k}" for k, n in sorted(report["actions"].items()))),
        ("packet loss", report["no_packet_loss_because"] or "on the line of half of the clients"),
        ("ticks heard", sum(report["ticks"].values())),
        ("positions", f"{report['positions']['looks']}, {report['positions']['worst_ms']} ms off"),
        ("sound", f"{report['sound']['heard']} times heard"),
        ("notes heard", report["notes_heard"]),
        ("server", f"{report['server_returns']} times back as it was"),
        ("xruns", f"{report['xruns']}, cycles left out by JACK {report['cycles_not_heard']}"),
        ("violations", len(report["violations"])),
    ]
    return "\n".join(f"{name:12} {value}" for name, value in rows)
