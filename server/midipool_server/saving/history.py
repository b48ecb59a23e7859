"""Which documents of a room's past are kept: the newest, then fewer the older they are. Pure.

Times are UNIX seconds.
"""

from collections.abc import Iterable

NEWEST = 8
HOURS = 24
DAYS = 30
HOUR_S, DAY_S = 3600, 86_400
LEAST_BETWEEN_S = 60
"""What changes sooner is in the next one."""


def superfluous(times_s: Iterable[int], now_s: int) -> list[int]:
    """Those to be removed: beside the newest, the last of each hour and of each day stay."""
    newest_first = sorted(times_s, reverse=True)
    kept = set(newest_first[:NEWEST])
    for length_s, most in ((HOUR_S, HOURS), (DAY_S, DAYS)):
        seen: set[int] = set()
        for at_s in newest_first:
            if now_s - at_s < most * length_s and at_s // length_s not in seen:
                kept.add(at_s)
            seen.add(at_s // length_s)
    return [at_s for at_s in newest_first if at_s not in kept]
