"""What is logged: one line each, about whom, and nothing that is secret."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from midipool_server.operations import logs
from tests.server.test_web import HELLO, Server, closed, receive


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    await made.start()
    yield made
    await made.stop()


class Lines(logging.Handler):
    """What is logged, as JSON lines."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(logs._with_about)
        self.setFormatter(logs.JsonLines())
        self.told: list[dict[str, object]] = []
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(json.loads(self.format(record)))
        self.texts.append(logs.TextLines().format(record))

    def about(self, message: str) -> dict[str, object]:
        [line] = [line for line in self.told if str(line["message"]).startswith(message)]
        return line


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, top = Lines(), logging.getLogger("midipool_server")
    top.addHandler(handler)
    top.setLevel(logging.DEBUG)
    yield handler
    top.removeHandler(handler)
    top.setLevel(logging.NOTSET)


async def test_who_comes_goes_and_is_not_let_in_is_logged_with_room_and_name(
    server: Server, lines: Lines
) -> None:
    drums, bass = await server.join("drums"), await server.join("bass")
    other = await server.connect("other")
    await other.send_json({**HELLO, "version": 9})
    await closed(other)
    await drums.close()
    stalled = server.host._connections[2]
    # The one who sends it is not the one whom it is about.
    stalled.drop("it does not read what it is sent")
    await closed(bass)
    async with asyncio.timeout(10):
        await stalled.ended.wait()
    joined = [(line["room"], line["member"]) for line in lines.told if line["message"] == "joined"]
    assert joined == [("jam", "drums"), ("jam", "bass")]
    assert lines.about("left")["member"] == "drums"
    assert lines.about("lost")["member"] == "bass"
    assert lines.about("cut: ")["member"] == "bass"
    refused = lines.about("not let in (bad_version)")
    assert (refused["room"], refused["level"], "member" in refused) == ("other", "info", False)


async def test_no_secret_is_logged(server: Server, lines: Lines) -> None:
    token = "0123456789abcdef" * 2
    socket = await server.connect()
    await socket.send_json({**HELLO, "token": token})
    given = (await receive(socket, "welcome"))["token"]
    await socket.send_str('{"type": "nonsense", "token": "hunter2hunter2"}')
    await receive(socket, "error")
    await socket.close()
    assert lines.told
    everything = "\n".join(lines.texts)
    assert not any(secret in everything for secret in (token, given, "hunter2hunter2"))


@pytest.mark.parametrize("name", ["a\nERROR forged room=x", "\x1b[2J", "a b", 'say "hi"', "ä"])
def test_no_name_makes_a_line_of_its_own(name: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "who: %s", (name,), None)
    record.member = name
    text = logs.TextLines().format(record)
    assert "\n" not in text
    assert "\x1b" not in text
    assert json.loads(text.partition(" member=")[2]) == name
    told = logs.JsonLines().format(record)
    assert "\n" not in told
    assert json.loads(told)["member"] == name


def test_an_exception_stays_in_its_object() -> None:
    try:
        raise ValueError("why")
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed", (), info)
    told = json.loads(logs.JsonLines().format(record))
    assert "ValueError: why" in told["exception"]
    assert (told["level"], told["message"]) == ("error", "failed")
