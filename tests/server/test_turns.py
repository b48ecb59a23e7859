"""Very many want the same at once: the event loop goes round in between."""

import asyncio

from midipool_server.turns import Turns

from .test_web import Server


async def rounds_of(turns: Turns, many: int) -> list[int]:
    """In which round of the event loop each has its turn."""
    now = 0
    taken: list[int] = []

    def count() -> None:
        nonlocal now
        now += 1
        if len(taken) < many:
            asyncio.get_running_loop().call_soon(count)

    async def want() -> None:
        await turns.take()
        taken.append(now)

    count()
    await asyncio.gather(*(want() for _ in range(many)))
    return taken


async def test_few_have_their_turn_at_once() -> None:
    assert len(set(await rounds_of(Turns(4), 4))) == 1


async def test_of_many_so_many_have_theirs_in_each_round() -> None:
    rounds = await rounds_of(Turns(4), 40)
    assert rounds == sorted(rounds)
    assert max(rounds.count(n) for n in set(rounds)) <= 8  # what waited, and who comes just then
    assert len(set(rounds)) >= 9


async def test_who_comes_later_finds_turns_again() -> None:
    turns = Turns(2)
    await rounds_of(turns, 11)
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # a round passes
    assert len(set(await rounds_of(turns, 2))) == 1


async def test_who_waits_no_more_takes_nobodys_turn() -> None:
    turns = Turns(1)
    first, gone, stays = (asyncio.create_task(turns.take()) for _ in range(3))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait_for(stays, 5)
    assert first.done()
    assert gone.cancelled()


async def test_a_client_is_let_in_when_it_is_its_turn() -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    class Later(Turns):
        async def take(self) -> None:
            asked.set()
            await go_on.wait()

    server = Server()
    server.host.turns = Later(1)
    await server.start()
    try:
        coming = asyncio.create_task(server.join("drums"))
        async with asyncio.timeout(10):
            await asked.wait()
            assert not server.host.lobby.rooms
            go_on.set()
            await coming
        assert server.host.lobby.rooms
    finally:
        await server.stop()
