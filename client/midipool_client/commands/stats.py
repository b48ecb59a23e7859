"""`midipool-client room URL stats`: how the room's members heard one another, over time."""

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from midipool_client.room_url import RoomUrl

CELLS = {"10s": 10, "minute": 60, "hour": 3600}


def add_options(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describe the command."""
    stats = actions.add_parser("stats", help="loss, reordering, jitter, latency over time")
    out = stats.add_mutually_exclusive_group()
    out.add_argument("--csv", metavar="FILE", help="a line for each stretch of time; - for stdout")
    out.add_argument("--json", metavar="FILE", help="the same as JSON; - for stdout")
    stats.add_argument(
        "--every",
        choices=list(CELLS),
        default="minute",
        help="how long a stretch is: of the last 5 minutes, 2 hours, or 2 days (%(default)s)",
    )


def run(url: "RoomUrl", options: argparse.Namespace) -> int:
    """Show them, or write a file; raises Unavailable, Refused."""
    import asyncio
    import json
    import sys

    from midipool_client.remote import room_statistics

    file = options.csv or options.json
    kind = "csv" if options.csv else "json"
    body = asyncio.run(room_statistics(url, kind, CELLS[options.every]))
    if file is None:
        print("\n".join(in_words(json.loads(body))))
    elif file == "-":
        sys.stdout.write(body.decode())
    else:
        _write(file, body)
    return 0


def in_words(statistics: dict[str, Any]) -> list[str]:
    """All of the time together: a line for each who hears somebody."""
    pairs = statistics["pairs"]
    if not pairs:
        return ["nobody has heard anybody yet"]
    return [_line(pair["listener"], pair["member"], pair["total"]) for pair in pairs]


def _line(listener: str, member: str, total: dict[str, Any]) -> str:
    packets = total["packets"] + total["lost"]
    if total["latency_p50_ms"] is None:
        heard = "nothing heard"
    else:
        marks = [("p50", "50"), ("p95", "95"), ("p99", "99")]
        said = ", ".join(f"{mark} {total[f'latency_p{n}_ms']:.1f}" for mark, n in marks)
        heard = f"latency {said}, most {total['latency_max_ms']:.1f} ms"
    return (
        f"{listener} hears {member} for {_duration(total['seconds'])}: {packets:,} packets, "
        f"{total['loss']:.2%} lost, {total['residual_loss']:.2%} missing after repair, "
        f"{total['reordered']:,} out of order, {total['duplicates']:,} twice; {heard}, "
        f"jitter {total['jitter_ms']:.1f} ms"
    )


def _duration(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _write(file: str, body: bytes) -> None:
    """All or nothing."""
    import os
    from pathlib import Path

    from midipool.errors import Unavailable

    path = Path(file)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(body)
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise Unavailable(f"{file} cannot be written ({error.strerror})") from None
