"""How the others are heard over the session, for plots and downloads. Pure."""

from collections.abc import Iterator, Sequence

from midipool.audio.statistics_book import OWN_LEVELS, StatisticsBook
from midipool.audio.statistics_text import Asked, pieces
from midipool.messages import Hearing
from midipool_client.page.messages import HeardOnce, HeardSoFar

MOST_PLAYERS = 64
SECONDS = 0
"""The level of which a plot's last minutes are."""


class HearingHistory:
    """A look each second; of each other player a ring of seconds, minutes and hours."""

    def __init__(self) -> None:
        self.book = StatisticsBook(OWN_LEVELS, MOST_PLAYERS)

    def take(self, at_s: float, listener: str, hears: Sequence[Hearing]) -> None:
        """How `listener` hears them, at a time since 1970."""
        for hearing in hears:
            self.book.take(round(at_s * 1e6), listener, hearing)

    def forget(self) -> None:
        """That was another room."""
        self.book.forget()

    def so_far(self) -> HeardSoFar:
        """The last minutes, for a page that just came."""
        looks: dict[float, list[HeardOnce]] = {}
        for member, cell in self.book.rows(SECONDS):
            once = HeardOnce(member, cell.latency_p50_ms, cell.jitter_ms, cell.residual_loss)
            looks.setdefault(cell.at_s, []).append(once)
        return HeardSoFar(sorted(looks), [looks[at_s] for at_s in sorted(looks)])

    def text(self, wanted: Asked, at_s: float) -> Iterator[bytes]:
        """All of it, as it is asked for."""
        return pieces(self.book, wanted, round(at_s * 1e6), 0)
