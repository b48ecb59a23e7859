"""The player's controllers while a client plays: hears them, and asks as a page would."""

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from midipool.errors import InvalidMessage, InvalidValue
from midipool_client.controllers import looking
from midipool_client.controllers.goals import goal_of
from midipool_client.controllers.mapping import ControllerMap, check_fits
from midipool_client.controllers.sources import Source, source_of
from midipool_client.controllers.target import Target
from midipool_client.live_settings import LiveSettings
from midipool_client.page.controllers_state import ControllersPart, LearnedView
from midipool_client.page.learn_requests import Forget, Learn, LearnEnd, LearnRequest
from midipool_client.page.messages import Done, FromPage, Refused, decode
from midipool_client.page.state import State
from midipool_native import host_clock

log = logging.getLogger(__name__)

LOOK_AGAIN_S = 0.1
MOST = 256
MOST_WAITING = 16


class ControllerDesk:
    """`ask` does what a page asks for, `look` sees how the client stands."""

    def __init__(
        self, ask: Callable[[FromPage], Awaitable[Done | Refused]], look: Callable[[], State]
    ) -> None:
        self._ask = ask
        self._look = look
        self._map = ControllerMap()
        self._live: LiveSettings | None = None
        self._looked_s = 0.0
        self._state = State()
        self._waiting: dict[Source, deque[dict[str, Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._problem = ""

    def enter(self, live: LiveSettings) -> None:
        """The client plays, with these settings."""
        self._live = live
        self._map.stop_learning()
        live.on_learned = self._map.set_learned
        self._map.set_learned(live.learned)

    def close(self) -> None:
        """Ask for nothing any more."""
        for task in self._tasks:
            task.cancel()
        if self._timer is not None:
            self._timer.cancel()

    # ---- pages ----

    def obey(self, request: LearnRequest) -> None:
        """Learn or forget; raises InvalidValue."""
        self._problem = ""
        match request:
            case Learn():
                self._learn(request)
            case LearnEnd():
                self._map.stop_learning()
            case Forget(source="all"):
                self._keep({})
            case Forget():
                learned = {s: t for s, t in self._learned.items() if s != request.source}
                if learned == self._learned:
                    raise InvalidValue("source", f"{request.source} was not learned")
                self._keep(learned)

    @property
    def part(self) -> ControllersPart:
        """What a page shows."""
        learning = self._map.learning
        return ControllersPart(
            learning="" if learning is None else learning.target.in_words(),
            learned=[
                LearnedView(
                    source=str(source),
                    does=goal.target.in_words(),
                    how=goal.how,
                    waits=self._map.waits(source),
                )
                for source, goal in self._map.goals.items()
            ],
            problem=self._problem,
        )

    def _learn(self, request: Learn) -> None:
        target = Target(request.request, request.field, request.how, request.low, request.high)
        target = looking.as_learned(self._look(), target)
        if len(self._learned) >= MOST:
            raise InvalidValue("learn", f"{MOST} controllers are enough: forget one first")
        source = source_of(request.source) if request.source else None
        if source is not None:
            check_fits(goal_of(target), source)
        now_us = host_clock.now_ns() // 1000
        self._map.learn(target, now_us)
        if source is not None:
            self._bind(source)
        self._set_timer(now_us)

    def _bind(self, source: Source) -> None:
        goal = self._map.learning
        assert goal is not None
        self._map.stop_learning()
        self._keep({**self._learned, str(source): goal.target})
        log.info("%s: %s", source, goal.target.in_words())

    @property
    def _learned(self) -> dict[str, Target]:
        return {} if self._live is None else dict(self._live.learned)

    def _keep(self, learned: dict[str, Target]) -> None:
        if self._live is not None:
            self._live.learn(learned)

    # ---- what comes in ----

    def heard(self, events: list[tuple[int, bytes]]) -> None:
        """(host ns, bytes) came in at the control input."""
        for host_ns, data in events:
            asked, learned = self._map.heard(data, host_ns // 1000, self._seen)
            for source, request in asked:
                self._submit(source, request)
            if learned is not None:
                self._bind(learned)
                self._look()
        self._set_timer(host_clock.now_ns() // 1000)

    def _seen(self) -> State:
        """How the client stands; what we asked for ourselves is seen at once."""
        if time.monotonic() > self._looked_s + LOOK_AGAIN_S:
            self._looked_s, self._state = time.monotonic(), self._look()
        return self._state

    def _set_timer(self, now_us: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_us = self._map.next_deadline()
        if due_us is not None:
            wait_s = max(due_us - now_us, 0) / 1e6
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._poll)

    def _poll(self) -> None:
        now_us = host_clock.now_ns() // 1000
        learned = self._map.poll(now_us)
        if learned is not None:
            self._bind(learned)
        self._look()
        self._set_timer(now_us)

    # ---- what is asked for ----

    def _submit(self, source: Source, request: dict[str, Any]) -> None:
        """A source's requests go one after the other; of a level only the newest waits."""
        busy = source in self._waiting
        waiting = self._waiting.setdefault(source, deque(maxlen=MOST_WAITING))
        if self._map.goals[source].kind == "level":
            waiting.clear()
        waiting.append(request)
        if not busy:
            task = asyncio.get_running_loop().create_task(self._drain(source))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _drain(self, source: Source) -> None:
        try:
            while waiting := self._waiting[source]:
                await self._do(waiting.popleft())
        finally:
            del self._waiting[source]

    async def _do(self, request: dict[str, Any]) -> None:
        try:
            answer = await self._ask(decode(json.dumps(request)))
            problem = answer.text if isinstance(answer, Refused) else ""
        except InvalidMessage as error:
            problem = error.text
        self._looked_s = 0.0
        if problem and problem != self._problem:
            log.info("a controller does nothing: %s", problem)
        self._problem = problem
