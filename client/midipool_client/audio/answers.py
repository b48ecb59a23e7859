"""What we answer to the streams that the others offer, by what there is to hear them with. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from midipool.audio.acceptance import Trouble, trouble_with
from midipool.messages import MAX_HEARINGS, Hearing
from midipool_client.audio.engine_messages import AudioStatus
from midipool_client.audio.hearing import MemberHearing


@dataclass(frozen=True, slots=True)
class Ears:
    """What there is to hear with."""

    engine: Literal["starting", "running", "unavailable"]
    problem: str = ""
    """What the engine complained of."""
    ready: bool = True
    has_key: bool = True
    """Whether the server has a place for sound, and so a key for it."""


def answer_all(
    members: Iterable[MemberHearing], ears: Ears, status: AudioStatus | None, now_us: int
) -> bool:
    """Answer those who offer something that is for us; returns whether any answer is another."""
    failures = {failure.name: failure for failure in status.failures} if status else {}
    entered = {voice.name for voice in status.voices} if status else set()
    offered = [member for member in members if member.stream is not None and member.is_sent]
    before = [_said(member) for member in offered]
    for place, member in enumerate(offered):
        acceptance = member.acceptance
        acceptance.hinder(_hindrance(member, place, ears))
        if (failure := failures.get(member.name)) is not None:
            acceptance.failed(now_us, failure.attempt, failure.reason)
        elif member.name in entered:
            acceptance.taken(now_us)
        acceptance.look(now_us)
    return before != [_said(member) for member in offered]


def refusing(heard_by: Mapping[str, Hearing]) -> set[str]:
    """Who does not take what we send."""
    return {name for name, hearing in heard_by.items() if hearing.answer == "refused"}


def answer_in_words(name: str, before: Hearing | None, now: Hearing) -> str:
    """What another one's answer is to us, for people; empty if that is nothing new."""
    said = before.answer if before is not None else None
    if said == now.answer:
        return ""
    match now.answer:
        case "refused":
            return f"{name} refuses what we send: {now.answer_reason}"
        case "failed":
            return f"{name} cannot hear us, and tries again: {now.answer_reason}"
        case "accepted" if said is not None:
            return f"{name} takes what we send"
    return ""


def _said(member: MemberHearing) -> tuple[str | None, str, int]:
    acceptance = member.acceptance
    return acceptance.answer, acceptance.reason, acceptance.attempt


def _hindrance(member: MemberHearing, place: int, ears: Ears) -> Trouble | None:
    """What keeps a member, the `place`th, from being heard, as far as we know it ourselves."""
    if member.stream is not None and (trouble := trouble_with(member.stream)) is not None:
        return trouble
    if ears.engine == "unavailable":
        return Trouble(ears.problem or "there is no audio on this machine", lasts=True)
    if not ears.has_key:
        return Trouble("the server has no relay, and so no key for sound", lasts=True)
    if not ears.ready:
        return Trouble(ears.problem or "the audio engine is being started")
    if place >= MAX_HEARINGS:
        return Trouble(f"{MAX_HEARINGS} others are heard already, which is as many as can be")
    return None
