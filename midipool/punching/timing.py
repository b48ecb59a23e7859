"""The times and bounds of hole punching, in microseconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """How fast and how much; the defaults suit musicians, who wait for no path."""

    pace_us: int = 10_000
    """Between two checks of one puncher (Ta of RFC 8445)."""
    retransmits_us: tuple[int, ...] = (150_000, 200_000, 300_000, 500_000, 800_000, 1_200_000)
    """Waits after each attempt at a pair that never answered; then it rests."""
    rest_us: int = 10_000_000
    """From giving up on all pairs of a member until they are tried again."""
    consent_us: int = 800_000
    """Between two checks of the path in use (RFC 7675 asks 5 s; here the relay waits)."""
    hurry_us: int = 100_000
    """Between two checks of the path in use, when one was not answered."""
    lost_us: int = 1_500_000
    """Without an answer for so long, the path in use is lost."""
    warm_us: int = 5_000_000
    """Between two checks of a path that works and is not in use."""
    cold_us: int = 15_000_000
    """Without an answer for so long, a path not in use counts as none."""
    refresh_us: int = 10_000_000
    """Between two questions to a STUN server that has answered."""
    reoffer_us: int = 1_000_000
    """Until an offer nobody reacts to is sent again; doubles."""
    reoffers: int = 5
    better_us: int = 3_000
    better_part: float = 0.2
    """A path has to be quicker by both to replace the one in use."""
    doubts: int = 3
    """Answers in a row that a path needs after the engine heard nothing on it."""
