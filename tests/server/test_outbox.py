"""What one client is sent: in order, together, bounded, and never waited for."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from midipool_server import outbox
from midipool_server.outbox import UNREAD_BYTES, Outbox
from tests.server.test_web import Server, receive


class Wire:
    """A transport that takes what it is given."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.waiting = 0
        self.closing = False

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def is_closing(self) -> bool:
        return self.closing


def made(wire: Wire, size: int = 256) -> Outbox:
    transport: Any = wire
    return Outbox(transport, lambda: True, size)


def frames(*texts: bytes) -> bytes:
    return b"".join(bytes((0x81, len(text))) + text for text in texts)


async def turns(number: int = 5) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def test_what_is_there_goes_out_in_one_write() -> None:
    box = made(wire := Wire())
    assert all(box.put(text) for text in (b"a", b"bc"))
    assert wire.writes == []
    await box.written()
    assert wire.writes == [frames(b"a", b"bc")]
    assert len(box) == 0


async def test_what_can_wait_goes_with_what_cannot_and_keeps_its_place() -> None:
    box = made(wire := Wire())
    box.put(b"later", can_wait=True)
    await turns()
    assert wire.writes == []
    box.put(b"now")
    box.put(b"later too", can_wait=True)
    await turns()
    assert wire.writes == [frames(b"later", b"now", b"later too")]


async def test_what_can_wait_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "CAN_WAIT_S", 0.01)
    box = made(wire := Wire())
    box.put(b"later", can_wait=True)
    async with asyncio.timeout(10):
        await box.written()
    assert wire.writes == [frames(b"later")]


async def test_who_does_not_read_has_so_much_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "LOOK_AGAIN_S", 0.01)
    box = made(wire := Wire(), size=3)
    wire.waiting = UNREAD_BYTES
    assert [box.put(b"%d" % n) for n in range(5)] == [True, True, True, False, False]
    await turns()
    assert (wire.writes, len(box)) == ([], 3)
    wire.waiting = 0
    async with asyncio.timeout(10):
        await box.written()
    assert wire.writes == [frames(b"0", b"1", b"2")]


async def test_nothing_is_written_behind_the_end() -> None:
    for end in ("closing", "close"):
        box = made(wire := Wire())
        box.put(b"a")
        if end == "close":
            box.close()
        wire.closing = end == "closing"
        await turns()
        await box.written()
        assert wire.writes == []


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    await made.start()
    yield made
    await made.stop()


async def test_messages_of_every_length_are_read_by_another_implementation(server: Server) -> None:
    drums = await server.join("drums")
    await receive(drums, "members")
    [connection] = server.host._connections.values()
    texts = ["x" * size for size in (1, 125, 126, 65_535, 65_536, 300_000)]
    for text in texts:
        connection.send_encoded(text.encode())
    async with asyncio.timeout(10):
        assert [await drums.receive_str() for _ in texts] == texts
