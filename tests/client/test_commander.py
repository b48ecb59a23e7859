"""Commands of our own and their answers."""

from midipool.messages import Error, Ok, Start, Stop
from midipool_client.commander import MAX_WAITING, Commander

Answered = list[Ok | Error | None]


def ok(id: int, revision: int = 7) -> Ok:
    return Ok(id=id, target_send_timestamp=1, revision=revision, epoch=1)


def test_each_answer_goes_to_who_asked() -> None:
    commander, first, second = Commander(), Answered(), Answered()
    a = commander.number(Start(id=0), first.append)
    b = commander.number(Stop(id=0), second.append)
    assert a.id != b.id
    refusal = Error(code="locked", message="no", id=b.id)
    assert commander.answered(refusal)
    assert commander.answered(ok(a.id))
    assert not commander.answered(ok(a.id))
    assert (first, second) == ([ok(a.id)], [refusal])


def test_it_knows_which_changes_are_its_own() -> None:
    commander = Commander()
    command = commander.number(Start(id=0), lambda answer: None)
    commander.answered(ok(command.id, revision=12))
    assert commander.is_ours(12)
    assert not commander.is_ours(13)


def test_an_answer_that_will_not_come_is_told() -> None:
    commander, answers = Commander(), Answered()
    command = commander.number(Start(id=0), answers.append)
    commander.disconnected()
    assert answers == [None]
    assert not commander.answered(ok(command.id))


def test_a_server_that_never_answers_does_not_fill_the_memory() -> None:
    commander, answers = Commander(), Answered()
    for _ in range(MAX_WAITING + 5):
        commander.number(Start(id=0), answers.append)
    assert answers == [None] * 5


def test_what_is_no_answer_to_a_command_is_somebody_elses() -> None:
    assert not Commander().answered(Error(code="too_fast", message="slow down"))
