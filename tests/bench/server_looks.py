"""How a server with very many clients does: memory, lag, and how early things came."""

import math
import re
import urllib.request
from pathlib import Path

LAG_MS = "midipool_event_loop_lag_seconds"


def resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if "VmRSS" in line) / 1024, 1)


def metrics(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())


def lag_ms(metrics: str, share: float) -> float:
    """The bound in ms below which that share of the wake-ups was late."""
    rows = re.findall(rf'{LAG_MS}_bucket{{le="([^"]+)"}} (\S+)', metrics)
    total = float(rows[-1][1])
    return next(float(le) * 1000 for le, below in rows if float(below) >= share * total)


def spread(ordered: list[float]) -> dict[str, float]:
    if not ordered:
        return {}
    at = {"p50": 0.5, "p99": 0.99, "worst": 1.0}
    return {k: round(ordered[math.ceil(v * len(ordered)) - 1], 3) for k, v in at.items()}


def early(ordered_us: list[int]) -> dict[str, float]:
    """The least matters."""
    if not ordered_us:
        return {}
    return {
        "least": round(ordered_us[0] / 1000, 1),
        "p1": round(ordered_us[len(ordered_us) // 100] / 1000, 1),
        "p50": round(ordered_us[len(ordered_us) // 2] / 1000, 1),
        "late": sum(us <= 0 for us in ordered_us),
        "count": len(ordered_us),
    }
