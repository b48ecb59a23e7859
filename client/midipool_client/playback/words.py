"""A recording that is played, for people. Pure."""

from midipool_client.playback.plan import TakePlan


def plan_in_words(plan: TakePlan, now_us: int) -> str:
    """What it does, for people."""
    phase, bar = plan.phase(now_us), plan.bar(now_us)
    loop = f", repeats bars {plan.loop.start_bar} to {plan.loop.end_bar - 1}" if plan.loop else ""
    beside = f"; {plan.beside(now_us)}" if plan.beside(now_us) else ""
    begins_us = plan.begins_us(now_us)
    wait_s = 0.0 if begins_us is None else (begins_us - now_us) / 1e6
    if phase == "playing":
        goes = f", goes to bar {plan.next_bar(now_us)} in {wait_s:.1f} s" if begins_us else ""
        return f"plays bar {bar} of {plan.song.bars}{goes}{loop}{beside}"
    if phase == "paused":
        return f"paused at bar {bar} of {plan.song.bars}{loop}"
    if phase == "ended":
        return f"is over, after bar {plan.song.bars}"
    if begins_us is None:
        return f"waits until the song plays, then plays from bar {bar} of {plan.song.bars}{loop}"
    return f"plays from bar {bar} of {plan.song.bars} on, in {wait_s:.1f} s{loop}{beside}"


def member_name(name: str, number: int) -> str:
    """What the room calls it."""
    last = "" if number == 1 else f" {number}"
    return f"take {name}"[: 64 - len(last)].rstrip() + last
