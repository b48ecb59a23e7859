"""Whose link is the problem: who hears whom how, in one glance. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from midipool.messages import Hearing, MemberInfo
from midipool_client.page.state import Health, MemberHealth

Grade = Literal["good", "watch", "bad"]
GRADES: tuple[Grade, ...] = ("good", "watch", "bad")

# Of what is missing after repair: from here on it is heard, and from there on it disturbs.
LEFT_WATCH, LEFT_BAD = 0.001, 0.01
LOSS_WATCH = 0.05
JITTER_WATCH_MS = 30.0
# Two players as far apart as that in their clocks do not play together.
BOUND_WATCH_US, BOUND_BAD_US = 5_000.0, 20_000.0
LATE_TICKS_WATCH = 0.01


class Pair(NamedTuple):
    """One hears another."""

    listener: str
    player: str
    grade: Grade
    words: str
    missing: float = 0.0
    """Share of the sound: of pairs of one grade the worst is named."""

    @property
    def badness(self) -> tuple[int, float]:
        """To find the worst of several."""
        return GRADES.index(self.grade), self.missing


def health_of(
    members: Sequence[MemberInfo],
    hears: Mapping[str, Sequence[Hearing]],
    me: str,
    xruns: int = 0,
) -> Health:
    """The state of all links. Only who is connected, and sends sound, can be a problem."""
    connected = {member.name for member in members if member.connected}
    pairs = [_pair(name, h) for name, heard in hears.items() for h in heard if name in connected]
    pairs = [pair for pair in pairs if pair.player in connected]
    blamed = blame(pairs)
    rows = [_row(member, hears, blamed.get(member.name), me) for member in members]
    state, words = _sum_up(rows, pairs)
    return Health(state=state, words=words, xruns=xruns, members=rows, known=True)


def blame(pairs: Sequence[Pair]) -> dict[str, Pair]:
    """Whose link it is: all that it has with the others is bad, and theirs without it is good."""
    left = [pair for pair in pairs if pair.grade != "good"]
    found: dict[str, Pair] = {}
    while left:
        shares = {name: _share(name, left, pairs) for name in _names(left)}
        worst = max(sorted(shares), key=lambda name: shares[name])
        tied = sum(share == shares[worst] for share in shares.values()) > 1
        if tied or shares[worst] < 0.5:
            break
        mine = [pair for pair in left if worst in pair[:2]]
        found[worst] = max(mine, key=lambda pair: pair.badness)
        left = [pair for pair in left if worst not in pair[:2]]
    return found


def _names(pairs: Iterable[Pair]) -> set[str]:
    return {name for pair in pairs for name in pair[:2]}


def _share(name: str, bad: Sequence[Pair], every: Sequence[Pair]) -> float:
    of_all = sum(name in pair[:2] for pair in every)
    return sum(name in pair[:2] for pair in bad) / max(of_all, 1)


def _pair(listener: str, hearing: Hearing) -> Pair:
    grade, words = _grade(hearing)
    missing = 1.0 if hearing.path == "none" else hearing.residual_loss
    return Pair(listener, hearing.member, grade, words, missing)


def _grade(hearing: Hearing) -> tuple[Grade, str]:
    if hearing.answer == "refused":
        return "bad", f"refused: {hearing.answer_reason}"
    if hearing.answer == "failed":
        return "bad", f"failed, and tried again: {hearing.answer_reason}"
    if hearing.path == "none":
        return "bad", "nothing comes through"
    left, lost = f"{hearing.residual_loss:.1%}", f"{hearing.loss:.1%}"
    if hearing.residual_loss >= LEFT_BAD:
        return "bad", f"{left} of the sound is missing"
    if hearing.residual_loss >= LEFT_WATCH:
        return "watch", f"{left} of the sound is missing"
    if hearing.loss >= LOSS_WATCH:
        return "watch", f"{lost} is lost, and repaired"
    if hearing.jitter_ms >= JITTER_WATCH_MS:
        return "watch", f"it comes unevenly, by {hearing.jitter_ms:.0f} ms"
    return "good", ""


def _row(
    member: MemberInfo, hears: Mapping[str, Sequence[Hearing]], link: Pair | None, me: str
) -> MemberHealth:
    grade, words = _own_grade(member)
    if link is not None and GRADES.index(link.grade) > GRADES.index(grade):
        grade, words = link.grade, link.words
    return MemberHealth(
        name=member.name,
        me=member.name == me,
        connected=member.connected,
        state=grade,
        words=words,
        status=member.status,
        hears=list(hears.get(member.name, ())),
    )


def _own_grade(member: MemberInfo) -> tuple[Grade, str]:
    """What is wrong with a member whoever hears it."""
    status = member.status
    if not member.connected:
        return "bad", "away: the connection is broken"
    if status is None:
        return "watch", "the clock is not measured yet"
    bound_ms = status.error_bound_us / 1000
    if status.error_bound_us >= BOUND_WATCH_US:
        words = f"the clock is known to ±{bound_ms:.0f} ms only"
        return ("bad" if status.error_bound_us >= BOUND_BAD_US else "watch"), words
    if status.ticks and status.late_ticks / status.ticks >= LATE_TICKS_WATCH:
        return "watch", f"{status.late_ticks / status.ticks:.1%} of MIDI ticks were late"
    return "good", ""


def _sum_up(rows: Sequence[MemberHealth], pairs: Sequence[Pair]) -> tuple[Grade, str]:
    worst = max(rows, key=lambda row: GRADES.index(row.state), default=None)
    if worst is not None and worst.state != "good":
        return worst.state, f"{worst.name}: {worst.words}"
    pair = max(pairs, key=lambda pair: pair.badness, default=None)
    if pair is not None and pair.grade != "good":
        return pair.grade, f"{pair.listener} hears {pair.player}: {pair.words}"
    return "good", "all links are good"
