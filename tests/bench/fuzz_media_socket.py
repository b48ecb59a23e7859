"""Millions of made-up datagrams into the media socket, under sanitizers, by its C test."""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from midipool.errors import Unavailable

ROOT = Path(__file__).resolve().parents[2]
TEST = "media_hear_test"


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--datagrams", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sanitizer", choices=("address", "thread"), default="address")


def run(options: argparse.Namespace) -> dict[str, Any]:
    subprocess.run([sys.executable, ROOT / "native" / "build_tests.py", TEST], check=True)
    binary = ROOT / "native" / "build" / options.sanitizer / TEST
    command = [str(binary), str(options.datagrams), str(options.seed)]
    began = time.monotonic()
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    seconds = time.monotonic() - began
    if not told:
        raise Unavailable("without libsodium nothing can be fuzzed (Debian: libsodium23)")
    return {
        "datagrams": options.datagrams,
        "seed": options.seed,
        "sanitizer": options.sanitizer,
        "seconds": round(seconds, 1),
        "counts": json.loads(told),
    }


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    plots.bars({"media socket": dict(result["counts"])}, path)
