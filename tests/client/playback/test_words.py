"""What a recording that is played does, as people read it."""

from midipool.meter import Loop
from midipool.timeline import Timeline
from midipool_client.playback.plan import TakePlan
from midipool_client.playback.words import plan_in_words
from tests.client.playback.takes import room, song

STOPPED = room(Timeline(playing=False))


def said(plan: TakePlan, now_us: int) -> str:
    plan.look(now_us)
    return plan_in_words(plan, now_us)


def test_says_what_it_does_and_will_do() -> None:
    plan = TakePlan(song(), loop=Loop(2, 5))
    plan.follow(STOPPED, 0)
    assert (
        said(plan, 0)
        == "waits until the song plays, then plays from bar 1 of 10, repeats bars 2 to 4"
    )
    plan.follow(room(), 500_000)
    assert said(plan, 500_000) == "plays from bar 1 of 10 on, in 1.5 s, repeats bars 2 to 4"
    plan.repeat(None, 500_000)
    assert said(plan, 5_000_000) == "plays bar 2 of 10"
    plan.seek(7, 5_000_000)
    assert said(plan, 5_000_000) == "plays bar 2 of 10, goes to bar 7 in 1.0 s"
    plan.pause(7_000_000)
    assert said(plan, 8_000_000) == "paused at bar 7 of 10"
    plan.go_on(8_000_000)
    assert said(plan, 50_000_000) == "is over, after bar 10"


def test_says_when_it_does_not_go_with_the_room() -> None:
    plan = TakePlan(song())
    plan.follow(room(Timeline(playing=True, mbpm=90_000)), 0)
    assert "recorded at 120 BPM, 4/4, and the room is at 90 BPM, 4/4" in said(plan, 4_000_000)
