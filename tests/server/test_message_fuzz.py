"""Whatever clients send, in whatever order: the room goes on, and all know the same of it.

`./run bench fuzz_messages` sends a million.
"""

import asyncio
import typing

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from midipool.messages import ClientMessage, SetPassword
from tests.midipool.from_types import values
from tests.server.message_fuzz.crowd import Crowd

MESSAGES = 1_000
TYPES = [cls for cls in typing.get_args(ClientMessage) if cls is not SetPassword]
builtins = st.sampled_from(TYPES).flatmap(values).map(msgspec.to_builtins)


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_crowd_that_sends_anything_breaks_nothing(seed: int) -> None:
    async with Crowd(seed) as crowd:
        while crowd.sent.total() < MESSAGES:
            await crowd.step()
            if crowd.chance.random() < 0.02:
                await crowd.check()
        await crowd.end()
        assert len(crowd.said) > 10, "it was answered only some errors"


class AnyOrder(RuleBasedStateMachine):
    """The same with hypothesis, which looks for the shortest way into what is wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.crowd = Crowd(1)
        self.do(self.crowd.__aenter__())
        self.do(self.crowd.come())

    def do(self, coroutine: typing.Coroutine[typing.Any, typing.Any, typing.Any]) -> None:
        self.loop.run_until_complete(coroutine)

    @property
    def living(self) -> list[typing.Any]:
        return [client for client in self.crowd.clients if client.lives]

    @precondition(lambda self: len(self.living) < 6)
    @rule()
    def come(self) -> None:
        self.do(self.crowd.come())

    @precondition(lambda self: self.living)
    @rule(data=st.data(), message=builtins)
    def send(self, data: st.DataObject, message: dict[str, typing.Any]) -> None:
        self.do(self.crowd.send(data.draw(st.sampled_from(self.living)), message))

    @precondition(lambda self: self.living)
    @rule(data=st.data(), message=builtins)
    def send_something_wrong(self, data: st.DataObject, message: dict[str, typing.Any]) -> None:
        wrong = self.crowd.maker.mutated(message)
        self.do(self.crowd.send(data.draw(st.sampled_from(self.living)), wrong))

    @precondition(lambda self: self.living)
    @rule(data=st.data())
    def go(self, data: st.DataObject) -> None:
        self.do(self.crowd.go(data.draw(st.sampled_from(self.living))))

    @precondition(lambda self: self.living)
    @rule(data=st.data())
    def stall(self, data: st.DataObject) -> None:
        self.do(self.crowd.stall(data.draw(st.sampled_from(self.living))))

    @rule(us=st.integers(0, 5_000_000))
    def wait(self, us: int) -> None:
        self.do(self.crowd.let_pass(us))

    @invariant()
    def all_holds(self) -> None:
        self.do(self.crowd.check())

    def teardown(self) -> None:
        try:
            self.do(self.crowd.end())
        finally:
            self.do(self.crowd.__aexit__())
            self.do(self.loop.shutdown_default_executor())
            self.loop.close()


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=4,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
