"""Clients of a room host that do anything at any time, on virtual time; and what must hold.

No exception gets out. Each member's state is the server's. Each command is answered, at most once,
and an error names what is wrong. When all have left, nothing of them is left.
"""

import asyncio
import logging
import random
from collections import Counter
from typing import Any

import msgspec

from midipool.messages import CAPABILITIES, Hello, LoadRoom
from midipool_server.host import RoomHost
from midipool_server.lobby import Lobby
from midipool_server.modules.specs import parse_specs
from midipool_server.room import Room
from tests.bench.fuzz import mutate
from tests.server.message_fuzz.making import SEEDED_NAMES, TYPES, Maker
from tests.server.message_fuzz.mirror import Mirror
from tests.server.message_fuzz.wire import Wire

SECOND = 1_000_000
ROOMS = ("jam", "jam2")
MOST_CLIENTS = 10
IDLE_S = 30.0
MODULES = """
[drums]
command = ["drums"]
[delay]
command = ["delay", "{beats}", "{tape}"]
listed = false
options.beats = { default = 0.75, least = 0.25 }
options.tape = { default = "old", choices = ["old", "new"] }
"""
FIRST_ID = 1_000_000
WITH_ID = frozenset(
    cls.__struct_config__.tag
    for cls in TYPES
    if "id" in cls.__struct_fields__ and cls is not LoadRoom
)


class Client:
    """A connection, from both ends."""

    def __init__(self, id: int, room: str, host: RoomHost) -> None:
        self.id, self.room = id, room
        self.mirror = Mirror()
        self.wire = Wire(self.mirror.hear)
        self.connection = self.wire.connection(id)
        self.asked: dict[int, dict[str, Any]] = {}
        """Commands that are not answered yet."""
        self.plain = True
        """Whether it is a member that understands all."""
        self.next_command = FIRST_ID
        self.task = asyncio.create_task(host.serve(self.connection, room))

    @property
    def lives(self) -> bool:
        return not self.task.done() and not self.connection.closing and not self.wire.closed


class Crowd:
    """Everybody."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now_us = 5_000 * SECOND
        self.host = RoomHost(
            Lobby("0123456789abcdef"), lambda: self.now_us, lambda: self.now_us * 1000
        )
        self.host.lobby.programs = parse_specs(MODULES, "m.toml")
        self.host.run_modules = self._run_modules
        self.maker = Maker(self.chance)
        self.clients: list[Client] = []
        self.tokens: list[str] = []
        self.sent: Counter[str] = Counter()
        self.said: Counter[str] = Counter()
        """Codes of errors that were answered."""
        self.last: list[Any] = []
        """What was sent last, for who looks for a bug."""
        self.complaints: list[str] = []
        self._log = _Complaints(self.complaints)

    async def __aenter__(self) -> "Crowd":
        logging.getLogger().addHandler(self._log)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, about: self.complaints.append(str(about)))
        return self

    async def __aexit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self._log)
        for client in self.clients:
            client.wire.break_off()
        await asyncio.gather(*(c.task for c in self.clients), return_exceptions=True)
        for timer in self.host._timers.values():
            timer.cancel()

    # ---- what they do ----

    async def step(self) -> None:
        """Somebody does something."""
        chance = self.chance.random()
        living = [client for client in self.clients if client.lives]
        if not living or (chance < 0.02 and len(living) < MOST_CLIENTS):
            await self.come()
        elif chance < 0.03:
            await self.go(self.chance.choice(living))
        elif chance < 0.035:
            await self.stall(self.chance.choice(living))
        elif chance < 0.036:
            await self.flood(self.chance.choice(living))
        elif chance < 0.037:
            await self.all_go(self.chance.choice(ROOMS))
        else:
            inside = [client for client in living if client.mirror.welcome is not None]
            some = inside if inside and self.chance.random() < 0.95 else living
            await self.send(self.chance.choice(some), self._something())
        await self.let_pass(self._while_us())

    def _while_us(self) -> int:
        chance = self.chance.random()
        if chance < 0.0005:
            return self.chance.randint(SECOND, 130 * SECOND)
        return self.chance.randint(0, 30_000 if chance < 0.95 else 400_000)

    def _something(self) -> Any:
        chance = self.chance.random()
        if chance < 0.7:
            return self.maker.any()
        if chance < 0.85:
            return self.maker.mutated(self.maker.any())
        if chance < 0.86:
            return self.maker.of(Hello)
        data = mutate(msgspec.json.encode(self.maker.any()), self.chance)
        return data if self.chance.random() < 0.5 else data.decode("utf-8", "replace")

    async def come(self) -> None:
        """A client connects and says hello, or something else."""
        client = Client(self.host.next_id(), self.chance.choice(ROOMS), self.host)
        self.clients.append(client)
        hello: Any = {"type": "hello", "version": 1, "name": self.chance.choice(SEEDED_NAMES)}
        chance = self.chance.random()
        if chance < 0.7:
            hello["capabilities"] = list(CAPABILITIES)
        elif chance < 0.9:
            hello = self.maker.of(Hello)
            client.plain = False
        else:
            hello = self._something()
            client.plain = False
        if isinstance(hello, dict) and self.tokens and self.chance.random() < 0.5:
            hello["token"] = self.chance.choice(self.tokens)
        self._say(client, hello)
        await self.settle()
        if client.mirror.welcome is not None:
            self.tokens = [*self.tokens[-20:], client.mirror.welcome.token]

    async def go(self, client: Client) -> None:
        """One leaves in order, or its network breaks."""
        (client.wire.leave if self.chance.random() < 0.5 else client.wire.break_off)()
        await self.settle()

    async def all_go(self, room: str) -> None:
        """A room ends, whatever was locked in it."""
        for client in self.clients:
            if client.room == room:
                client.wire.leave()
        await self.settle()
        await self.let_pass(130 * SECOND)

    async def stall(self, client: Client) -> None:
        """One stops reading, or reads again."""
        transport = client.wire.transport
        transport.stalled = not transport.stalled
        if not transport.stalled:
            client.connection._outbox._write()  # which looks again in real time else
        await self.settle()

    async def flood(self, client: Client) -> None:
        """Very much at once."""
        for _ in range(300):
            self._say(client, self._something())
        await self.settle()

    async def send(self, client: Client, message: Any) -> None:
        """A message, whatever it is."""
        if isinstance(message, dict) and _is_command(message):
            message = {**message, "id": client.next_command}
            client.next_command += 1
            client.asked[message["id"]] = message
        self._say(client, message)
        await self.settle()

    def _say(self, client: Client, message: Any) -> None:
        kind = message.get("type") if isinstance(message, dict) else "bytes"
        self.sent[kind if isinstance(kind, str) else "no type"] += 1
        self.last = [*self.last[-9:], (client.id, message)]
        data = message
        if isinstance(message, dict):
            data = msgspec.json.encode(message)
            data = data.decode() if self.chance.random() < 0.9 else data
        client.wire.say(data)

    # ---- time ----

    async def let_pass(self, us: int) -> None:
        """Poll rooms when they ask for it, as the host's timers do."""
        until_us = self.now_us + us
        while True:
            due = [(at, room) for room in self._rooms() if (at := room.next_deadline()) is not None]
            at_us, room = min(due, key=lambda pair: pair[0], default=(until_us + 1, None))
            if room is None or at_us > until_us:
                break
            self.now_us = max(at_us, self.now_us)
            self.host._poll(room)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        self.now_us = until_us

    def _rooms(self) -> list[Room]:
        return list(self.host.lobby.rooms.values())

    async def settle(self) -> None:
        """Until all that was said was taken in, and answered."""
        give_up_s = asyncio.get_running_loop().time() + IDLE_S
        while not all(client.wire.idle or client.task.done() for client in self.clients):
            await asyncio.sleep(0)
            assert asyncio.get_running_loop().time() < give_up_s, "the server hangs"
        for _ in range(3):
            await asyncio.sleep(0)
        for client in [c for c in self.clients if c.task.done()]:
            self._ended(client)
        for client in self.clients:
            for id in [id for id in client.asked if client.mirror.answered[id]]:
                del client.asked[id]

    def _ended(self, client: Client) -> None:
        self.clients.remove(client)
        self.said.update(client.mirror.errors)
        if (error := client.task.exception()) is not None:
            self.complaints.append(repr(error))

    # ---- what must hold ----

    async def check(self) -> None:
        """All of it, now; raises AssertionError with what was sent last."""
        await self.settle()
        assert not self.complaints, (self.complaints[:3], self.last)
        for client in self.clients:
            answered = client.mirror.answered.items()
            doubled = {
                id: n for id, n in answered if n > 1 and FIRST_ID <= id < client.next_command
            }
            assert not (client.plain and doubled), (doubled, self.last)
            self._check_state(client)
        self._learn()

    def _check_state(self, client: Client) -> None:
        room = self.host.lobby.rooms.get(client.room)
        member = None if room is None else room.members.get(client.id)
        told = client.mirror.welcome is not None and not client.wire.transport.stalled
        if room is None or member is None or not (client.plain and client.lives and told):
            return
        differs = client.mirror.differs(room, self.now_us)
        assert not differs, (differs, self.last)

    def _learn(self) -> None:
        """What there is now is asked for more often."""
        songs, votes, epochs = [], [], []
        for room in self._rooms():
            songs += [song.id for song in room.songs.book.songs[:5]]
            votes += [room.conducting.votes.running.id] if room.conducting.votes.running else []
            epochs.append(room.chain.last.epoch)
        names: list[object] = [*SEEDED_NAMES]
        self.maker.known = {
            "song": [*songs],
            "before": [*songs, None],
            "vote": [*votes],
            "epoch": [*epochs],
            "member": names,
            "program": ["drums", "delay", "sh"],
            "options": [{}, {"beats": 0.5}, {"tape": "new"}, {"tape": "../x"}],
            "token": [*self.tokens[-5:], ""],
        }
        self.maker.known["since"] = [None, self.now_us, self.now_us + SECOND]

    def _run_modules(self, room: Room) -> None:
        """Processes end when they are told to, or at once; none ever comes into the room."""
        for task in room.modules.take_tasks():
            if task.do != "start" or self.chance.random() < 0.5:
                asyncio.get_running_loop().call_soon(self._module_ended, room, task.name)

    def _module_ended(self, room: Room, name: str) -> None:
        if self.host.lobby.rooms.get(room.name) is room:
            code = self.chance.choice([0, 1, -9])
            self.host.send(room, room.modules.exited(self.now_us, name, code, "it is over"))

    async def end(self) -> None:
        """All leave; nothing of them is left."""
        for client in [*self.clients]:
            if client.wire.transport.stalled:
                await self.stall(client)
        await self.let_pass(30 * SECOND)  # votes and what is gathered for a document end
        await self.check()
        for client in self.clients:
            unanswered = [*client.asked.values()]
            assert not (client.plain and client.lives and unanswered), unanswered[:3]
        for client in self.clients:
            client.wire.leave()
        await self.settle()
        await self.let_pass(300 * SECOND)  # kept places end
        await self.check()
        assert not self.clients
        assert self.host.lobby.rooms == {}, self.host.lobby.rooms.keys()
        assert self.host.connected == 0
        assert not self.host._timers


class _Complaints(logging.Handler):
    """What is logged as an error."""

    def __init__(self, into: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._into = into
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self._into.append(self.format(record))


def _is_command(message: dict[str, Any]) -> bool:
    kind, id = message.get("type"), message.get("id")
    return isinstance(kind, str) and kind in WITH_ID and type(id) is int and 0 <= id <= 2**53
