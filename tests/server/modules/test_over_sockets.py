"""The list of modules by WebSocket and HTTP: all see it, hosts change it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from midipool_server.modules.specs import parse_specs
from tests.server.operations.test_metrics import metrics
from tests.server.test_web import HELLO, Server, receive

FILE = '[drums]\ncommand = ["drums"]\n[echo]\ncommand = ["echo"]\nlisted = false\n'
PATH = "/api/rooms/jam/modules"
ADD = {"type": "module_add", "program": "echo"}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """Its processes are never started: nobody is there who would."""
    made = Server()
    made.host.lobby.programs = parse_specs(FILE, "m.toml")
    await made.start()
    yield made
    await made.stop()


async def post(server: Server, token: str, body: Any = None) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    address = server.address + PATH
    async with server.http.post(address, json=body or ADD, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_members_hear_of_the_list_and_of_each_change(server: Server) -> None:
    anna = await server.connect()
    await anna.send_json({**HELLO, "name": "anna", "capabilities": ["modules"]})
    told = await receive(anna, "modules")
    assert [program["name"] for program in told["programs"]] == ["drums", "echo"]
    assert [module["name"] for module in told["modules"]] == ["drums"]
    assert (await receive(anna, "module_news"))["modules"][0]["state"] == "starting"
    await anna.send_json({**ADD, "id": 7})
    assert (await receive(anna, "ok"))["id"] == 7
    assert (await receive(anna, "module_news"))["modules"][0]["name"] == "echo"
    await anna.send_json({"type": "module_remove", "id": 8, "name": "echo"})
    assert (await receive(anna, "module_news"))["gone"] == ["echo"]
    await anna.send_json({**ADD, "program": "sh", "id": 9})
    error = await receive(anna, "error")
    assert (error["code"], error["field"], error["id"]) == ("no_such_program", "program", 9)


async def test_http_changes_it_with_a_hosts_token_alone(server: Server) -> None:
    tokens = []
    for name in ("anna", "bert"):
        socket = await server.connect()
        await socket.send_json({**HELLO, "name": name})
        tokens.append((await receive(socket, "welcome"))["token"])
    status, shown = await server.get(PATH)
    assert (status, [module["name"] for module in shown["modules"]]) == (200, ["drums"])
    for token in ("", tokens[1]):
        status, said = await post(server, token)
        assert (status, said["code"]) == (403, "not_host")
    status, shown = await post(server, tokens[0])
    assert (status, [module["name"] for module in shown["modules"]]) == (200, ["drums", "echo"])
    assert (await post(server, tokens[0]))[0] == 409
    assert (await post(server, tokens[0], {**ADD, "program": "sh"}))[0] == 404
    status, said = await post(server, tokens[0], {"type": "module_stop", "name": 3})
    assert (status, said["field"]) == (400, "name")
    assert (await post(server, tokens[0], {"type": "kick", "member": "bert"}))[0] == 400
    assert (await post(server, "f00d"))[0] == 409
    _, room = await server.get("/api/rooms/jam")
    assert [module["name"] for module in room["modules"]] == ["drums", "echo"]
    shown = await metrics(server)
    assert shown.of("modules", state="starting") == 1
    assert shown.of("modules", state="waiting") == 1
