"""Millions of made-up datagrams into media socket and relay, under sanitizers, by their C tests."""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from midipool.errors import Unavailable

ROOT = Path(__file__).resolve().parents[2]
TESTS = {"media socket": "media_hear_test", "relay": "relay_table_test"}


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--datagrams", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sanitizer", choices=("address", "thread"), default="address")


def run(options: argparse.Namespace) -> dict[str, Any]:
    build = [sys.executable, str(ROOT / "native" / "build_tests.py"), *TESTS.values()]
    subprocess.run(build, check=True, stdout=sys.stderr)
    counts, seconds = {}, {}
    for name, test in TESTS.items():
        binary = ROOT / "native" / "build" / options.sanitizer / test
        command = [str(binary), str(options.datagrams), str(options.seed)]
        began = time.monotonic()
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        seconds[name] = round(time.monotonic() - began, 1)
        if not told:
            raise Unavailable("without libsodium nothing can be fuzzed (Debian: libsodium23)")
        counts[name] = json.loads(told)
    return {
        "datagrams": options.datagrams,
        "seed": options.seed,
        "sanitizer": options.sanitizer,
        "seconds": seconds,
        "counts": counts,
    }


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    reasons = dict.fromkeys(reason for counts in result["counts"].values() for reason in counts)
    bars = {
        name: {reason: counts.get(reason, 0) for reason in reasons}
        for name, counts in result["counts"].items()
    }
    plots.bars(bars, path)
