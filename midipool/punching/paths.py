"""The addresses of one remote member, checked side by side; the best that answers is the path."""

from collections.abc import Iterable

from midipool.punching.offer import PRFLX, RELAY, Candidate
from midipool.punching.pair import Pair
from midipool.punching.timing import Timing
from midipool.stun import Address

MAX_LEARNED = 16


class Paths:
    """Pairs of our socket with a member's addresses, and which one of them is in use."""

    def __init__(self, timing: Timing) -> None:
        self.in_use: Pair | None = None
        self._timing = timing
        self._pairs: dict[Address, Pair] = {}
        self._resting_until_us: int | None = None

    def __len__(self) -> int:
        return len(self._pairs)

    def get(self, at: Address) -> Pair | None:
        """The pair with an address."""
        return self._pairs.get(at)

    def offered(self, candidates: Iterable[Candidate]) -> None:
        """Take a new list of addresses; of those before, only what works is kept."""
        wanted = {one.at: one for one in candidates if one.kind != RELAY}
        for at, pair in list(self._pairs.items()):
            if at not in wanted and pair.offered:
                if pair.works:
                    pair.offered, pair.kind = False, PRFLX
                else:
                    del self._pairs[at]
        for at, one in wanted.items():
            pair = self._pairs.setdefault(at, Pair(at, one.kind, one.priority, True))
            pair.kind, pair.priority, pair.offered = one.kind, one.priority, True
        self._bound()
        self.begin_anew()

    def learn(self, at: Address, size: int) -> None:
        """A check of `size` bytes came from an address; it is asked back, soon."""
        pair = self._pairs.get(at)
        if pair is None:
            pair = self._pairs[at] = Pair(at, PRFLX, 0, False)
            self._bound()
        pair.received_bytes += size
        if pair.answered_us is None and pair.attempts > len(self._timing.retransmits_us):
            pair.begin_anew()
        elif pair.answered_us is None and pair.attempts > 1:
            pair.attempts = 1  # our checks may have died in a router that is open by now

    def begin_anew(self) -> None:
        """Check everything soon; what works keeps its answers."""
        self._resting_until_us = None
        for pair in self._pairs.values():
            pair.begin_anew()

    def forget(self) -> None:
        """Nobody is there any more."""
        self._pairs.clear()
        self.in_use = None

    def due(self, now_us: int) -> Pair | None:
        """The pair to check next, if one is due: what works first, then by priority."""
        ready = [
            pair
            for pair in self._pairs.values()
            if (due_us := self._due_us(pair, now_us)) is not None and due_us <= now_us
        ]
        return max(
            ready,
            key=lambda pair: (pair is self.in_use, pair.works, -pair.attempts, pair.priority),
            default=None,
        )

    def due_us(self, now_us: int) -> int | None:
        """When the next check is due."""
        all_due = [self._due_us(pair, now_us) for pair in self._pairs.values()]
        known = [due for due in all_due if due is not None]
        if self._resting_until_us is not None and self.exhausted(now_us):
            known.append(self._resting_until_us)
        return min(known, default=None)

    def exhausted(self, now_us: int) -> bool:
        """Whether every address was asked often enough, and none answers."""
        return all(
            pair.answered_us is None and self._due_us(pair, now_us) is None
            for pair in self._pairs.values()
        )

    def rest(self, now_us: int) -> None:
        """Try all again, some time after none had answered."""
        if self._resting_until_us is None:
            self._resting_until_us = now_us + self._timing.rest_us
        elif now_us >= self._resting_until_us:
            self.begin_anew()

    def lost(self, now_us: int) -> bool:
        """Whether the path in use answers no more; then none is in use, and all are checked."""
        for pair in self._pairs.values():
            in_use = pair is self.in_use
            limit_us = self._timing.lost_us if in_use else self._timing.cold_us
            if pair.answered_us is None or now_us - pair.answered_us <= limit_us:
                continue
            pair.forget()
            if in_use:
                self.in_use = None
                self.begin_anew()
                return True
        return False

    def doubt(self) -> bool:
        """Leave the path in use until it has proven itself again; False if there is none."""
        if self.in_use is None:
            return False
        self.in_use.doubts = self._timing.doubts
        self.in_use = None
        self.begin_anew()
        return True

    def choose(self, now_us: int) -> bool:
        """Use a path that is better by far, or any if there is none; whether that changed it."""
        fresh = [
            pair
            for pair in self._pairs.values()
            if pair.works and now_us - (pair.answered_us or 0) <= self._timing.lost_us
        ]
        best = min(fresh, key=lambda pair: (pair.cost_us, pair.at), default=None)
        if best is None or best is self.in_use:
            return False
        if self.in_use is not None:
            enough_us = max(
                self._timing.better_us, int(self._timing.better_part * self.in_use.cost_us)
            )
            if best.cost_us + enough_us > self.in_use.cost_us:
                return False
        self.in_use = best
        return True

    def _due_us(self, pair: Pair, now_us: int) -> int | None:
        return pair.due_us(self._timing, pair is self.in_use, now_us)

    def _bound(self) -> None:
        """Drop the oldest addresses that are neither offered nor work."""
        learned = [pair for pair in self._pairs.values() if not pair.offered]
        learned.sort(key=lambda pair: (pair is self.in_use, pair.works))
        for pair in learned[: max(0, len(learned) - MAX_LEARNED)]:
            del self._pairs[pair.at]
