"""The last minutes of how the others are heard, for plots of pages that come later. Pure."""

from collections import deque
from collections.abc import Sequence

from midipool.messages import Hearing
from midipool_client.page.messages import HeardOnce, HeardSoFar

KEPT_S = 300
MOST_PLAYERS = 64


class HearingHistory:
    """A look each second; what is older, or of more players than a room has, is let go."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, list[HeardOnce]]] = deque(maxlen=KEPT_S)

    def take(self, at_s: float, hears: Sequence[Hearing]) -> None:
        """How they are heard, at a time since 1970."""
        heard = [
            HeardOnce(h.member, h.latency_ms, h.jitter_ms, round(h.residual_loss, 6))
            for h in hears[:MOST_PLAYERS]
        ]
        self._looks.append((at_s, heard))

    def forget(self) -> None:
        """That was another room."""
        self._looks.clear()

    def so_far(self) -> HeardSoFar:
        """For a page that just came."""
        return HeardSoFar([at_s for at_s, _ in self._looks], [heard for _, heard in self._looks])
