"""What the server answers over HTTP is what docs/server.openapi.json says, whatever is asked."""

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from aiohttp import web
from openapi_spec_validator import validate

from midipool_demo.background import Background
from midipool_demo.stage import free_port
from midipool_server.host import RoomHost
from midipool_server.lobby import Lobby
from midipool_server.web import make_app
from tests.server.test_web import Server, receive

SPEC = Path(__file__).resolve().parents[2] / "docs" / "server.openapi.json"


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SPEC.read_text())
    return loaded


def routes() -> Iterator[tuple[str, str]]:
    """(path, method) of all that the server answers."""
    app = make_app(RoomHost(Lobby("0" * 16), lambda: 0, lambda: 0))
    for route in app.router.routes():
        resource = route.resource
        assert resource is not None
        if route.method != "HEAD" and not isinstance(resource, web.StaticResource):
            yield re.sub(r"\{(\w+):[^{}]+\}", r"{\1}", resource.canonical), route.method.lower()


def test_the_document_is_openapi_and_has_all_that_is_answered(spec: dict[str, Any]) -> None:
    validate(spec)
    told = {(path, method) for path, of in spec["paths"].items() for method in of}
    assert told == {*routes()}


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    await made.start()
    yield made
    await made.stop()


async def test_a_room_is_as_it_is_told(spec: dict[str, Any], server: Server) -> None:
    drums = await server.join("drums")
    await drums.send_json({"type": "start", "id": 1})
    await receive(drums, "ok")
    for path, name in (
        ("/api/rooms/jam", "Room"),
        ("/api/rooms", "Rooms"),
        ("/api/rooms/jam/stats", "RoomStatistics"),
        ("/api/rooms/jam/stats?cell_s=7", "Problem"),
        ("/api/rooms/jam/graph", "Graph"),
        ("/api/rooms/nowhere/graph", "Problem"),
        ("/api/rooms/jam/modules", "ModulesThere"),
        ("/api/rooms/nowhere", "Problem"),
        ("/healthz", "Health"),
        ("/readyz", "NotReady"),  # nobody says to this one that it listens
        ("/jam", "Problem"),
    ):
        _, body = await server.get(path)
        schema = {"$ref": f"#/components/schemas/{name}", "components": spec["components"]}
        jsonschema.validate(body, schema)


def test_whatever_is_asked_is_answered_as_the_document_says(tmp_path: Path) -> None:
    """schemathesis asks what the document allows, what it forbids, and other methods."""
    port = free_port()
    with Background.python("midipool_server", "--port", str(port), "--list-rooms") as server:
        server.wait_for_output("ws://")
        command = [str(Path(sys.executable).parent / "schemathesis"), "run", str(SPEC)]
        command += ["--url", f"http://127.0.0.1:{port}", "--max-examples", "15", "--seed", "1"]
        command += ["--phases", "examples,coverage,fuzzing", "--suppress-health-check", "all"]
        # Events never end, and a room's WebSocket is no HTTP.
        command += ["--exclude-path-regex", "events$|^/.room.$", "--no-color"]
        command += ["--request-timeout", "5", "--generation-database", "none"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
        assert server.alive
        # What strangers send is no error of ours.
        assert "Traceback" not in server.output()
        assert " ERROR " not in server.output()
