"""Commands of Link's peers, sent with patience."""

from midipool.messages import Ok, SetTempo, Start, Stop
from midipool_client.link.wish import ANSWER_NS, EVERY_NS, GIVE_UP_US, Wish


def asked(value: float = 130.0) -> tuple[Wish[float], SetTempo]:
    wish: Wish[float] = Wish(until_in_force=True)
    wish.want(value)
    command = SetTempo(id=0, bpm=value)
    assert wish.due(0, 120.0) == value
    wish.asked(command, value, 0)
    return wish, command


def test_what_the_room_has_already_is_not_asked_for() -> None:
    wish: Wish[float] = Wish()
    wish.want(120.0)
    assert wish.due(0, 120.0) is None
    assert not wish.open


def test_the_second_command_waits_and_is_the_newest() -> None:
    wish, _ = asked()
    assert not wish.want(140.0)
    assert wish.want(150.0), "a value was dropped unsaid"
    assert wish.due(EVERY_NS - 1, 120.0) is None
    assert wish.due(EVERY_NS, 120.0) == 150.0


def test_going_back_before_the_room_has_answered_is_asked_for() -> None:
    wish, _ = asked()
    wish.want(120.0)
    assert wish.due(EVERY_NS, 120.0) == 120.0


def test_a_wish_is_open_until_it_has_come_true() -> None:
    wish, command = asked()
    assert not wish.answered(command, Ok(0, 5000, 7, 1))
    wish.settle(1, 4999, 7)
    assert wish.open
    wish.settle(1, 5000, 6)
    assert wish.open, "the timeline has not come yet"
    wish.settle(1, 5000, 7)
    assert not wish.open


def test_a_start_that_lies_ahead_is_settled_once_it_is_agreed_upon() -> None:
    wish: Wish[bool] = Wish()
    command = Start(id=0)
    wish.asked(command, True, 0)
    wish.answered(command, Ok(0, 60_000_000, 7, 1))
    assert not wish.settle(10 * ANSWER_NS, 30_000_000, 6)
    assert wish.open
    assert not wish.settle(10 * ANSWER_NS, 30_000_000, 7)
    assert not wish.open


def test_a_change_that_was_overtaken_and_never_comes_is_given_up() -> None:
    wish, command = asked()
    wish.answered(command, Ok(0, 5000, 7, 1))
    assert not wish.settle(1, 5001 + GIVE_UP_US, 6)
    assert not wish.open


def test_a_refusal_ends_it() -> None:
    wish, command = asked()
    assert wish.answered(command, None)
    assert not wish.open


def test_the_answer_to_an_older_command_is_not_the_answer() -> None:
    wish, command = asked()
    assert not wish.answered(Stop(id=0), None)
    newer = SetTempo(id=0, bpm=130.0)
    wish.asked(newer, 130.0, EVERY_NS)
    assert not wish.answered(command, None)
    assert wish.open


def test_no_answer_is_a_refusal_in_the_end() -> None:
    wish, _ = asked()
    assert not wish.settle(ANSWER_NS, 0, 0)
    assert wish.settle(ANSWER_NS + 1, 0, 0)
    assert not wish.open
