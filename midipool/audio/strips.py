"""A player's own mix: a strip for each of the others, the sum of them, and one's own input."""

from collections.abc import Mapping

import msgspec

from midipool.errors import InvalidValue

LEAST_DB, MOST_DB = -90.0, 18.0


class Strip(msgspec.Struct, frozen=True, kw_only=True):
    """How loud one other member is, and where; raises InvalidValue."""

    gain_db: float = 0.0
    pan: float = 0.0
    """-1 is left, 1 is right."""
    mute: bool = False
    solo: bool = False
    """Who is soloed silences all who are not."""

    def __post_init__(self) -> None:
        check_db("gain", self.gain_db)
        if not -1.0 <= self.pan <= 1.0:
            raise InvalidValue("pan", f"must be -1 (left) to 1 (right), not {self.pan:g}")

    @property
    def gain(self) -> float:
        """As a factor."""
        return factor(self.gain_db)

    def in_words(self) -> str:
        """For people."""
        words = [f"{self.gain_db:+g} dB" if self.gain_db else "0 dB"]
        if self.pan:
            words.append(f"pan {self.pan:+g}")
        words += ["muted"] * self.mute + ["solo"] * self.solo
        return ", ".join(words)


class Mix(msgspec.Struct, frozen=True, kw_only=True):
    """All strips, by member. Who comes back has its strip again; raises InvalidValue."""

    master_db: float = 0.0
    monitor_db: float | None = None
    """How loud one's own input is in the own mix; None is off."""
    send_db: float = 0.0
    """How loud one's own input is sent to the room."""
    send_mute: bool = False
    """Whether the room gets silence; one's own monitor is as before."""
    strips: Mapping[str, Strip] = {}

    def __post_init__(self) -> None:
        check_db("master", self.master_db)
        check_db("send", self.send_db)
        if self.monitor_db is not None:
            check_db("monitor", self.monitor_db)

    def strip_of(self, member: str) -> Strip:
        """A member's; as it comes for those for whom nothing was set."""
        return self.strips.get(member, _PLAIN)

    @property
    def master(self) -> float:
        """As a factor."""
        return factor(self.master_db)

    @property
    def monitor(self) -> float:
        """As a factor."""
        return 0.0 if self.monitor_db is None else factor(self.monitor_db)

    @property
    def send(self) -> float:
        """As a factor; 0 while muted."""
        return 0.0 if self.send_mute else factor(self.send_db)

    def heard(self, member: str) -> bool:
        """Whether a member sounds, by mute and solo of all."""
        strip = self.strip_of(member)
        return not strip.mute and (strip.solo or not any(s.solo for s in self.strips.values()))


def check_db(field: str, db: float) -> float:
    """The gain, if it is one; raises InvalidValue."""
    if not LEAST_DB <= db <= MOST_DB:
        raise InvalidValue(field, f"must be {LEAST_DB:g} to {MOST_DB:g} dB, not {db:g}")
    return db


def factor(db: float) -> float:
    """Decibels as a factor."""
    return float(10 ** (db / 20))


_PLAIN = Strip()
