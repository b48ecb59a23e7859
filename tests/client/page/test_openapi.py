"""docs/page.openapi.json describes what the page's server really answers."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from midipool_client.page.host import PageHost
from midipool_client.page.server import PageServer
from midipool_client.recording.library import Library
from tests.client.page.running import NASTY, playing, running

# Without those that ask whether all that a schema allows is done: in no room nothing is.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,"
CHECKS += "response_schema_conformance"
DOCS = Path(__file__).parents[3] / "docs"
API: dict[str, Any] = json.loads((DOCS / "page.openapi.json").read_text())


def check(said: Any, path: str, method: str, status: int) -> None:
    """What was said is as the document has it for this answer."""
    (content,) = API["paths"][path][method]["responses"][str(status)]["content"].values()
    schema = {**content["schema"], "components": API["components"]}
    Draft202012Validator(schema).validate(said)


def test_the_document_is_openapi() -> None:
    validate(API)
    assert API["openapi"].startswith("3.1")


def test_it_names_all_that_the_server_answers_and_nothing_else() -> None:
    app = PageServer(PageHost(), 0, lambda: None).app()
    served = {
        (resource.canonical, route.method.lower())
        for resource in app.router.resources()
        for route in resource
        if route.method != "HEAD"
    }
    named = {(path, method) for path, methods in API["paths"].items() for method in methods}
    assert served == named, "docs/page_openapi.py says what the page's server answers"


@pytest.mark.parametrize("in_room", [True, False])
async def test_the_answers_are_as_it_says(tmp_path: Path, in_room: bool) -> None:
    host = PageHost(can_leave=True)
    if in_room:
        client = playing(tmp_path / "settings.json")
        host.enter(client)
    async with running(host) as page:
        headers = {"Authorization": f"Bearer {page.server.secret}"}
        async with page.http.get(f"{page.site}/state", headers=headers) as answer:
            check(await answer.json(), "/state", "get", answer.status)
        seen = set()
        for request in (
            {"type": "set_strip", "id": 1, "member": NASTY, "gain_db": -6.5},
            {"type": "set_mix", "id": 2, "monitor_db": None},
            {"type": "start", "id": 3},
            {"type": "join", "id": 4, "server": "", "name": "me"},
            {"type": "no_such", "id": 5},
            {"type": "tempo", "id": 6, "bpm": 5},
            {"type": "x" * 70_000, "id": 7},
        ):
            url = f"{page.site}/commands"
            async with page.http.post(url, json=request, headers=headers) as answer:
                check(await answer.json(), "/commands", "post", answer.status)
                seen.add(answer.status)
        assert seen == ({200, 400, 409, 413})


async def test_every_request_with_nothing_but_its_type_is_answered_as_it_says() -> None:
    tags = API["components"]["schemas"]["FromPage"]["discriminator"]["mapping"]
    assert len(tags) > 20
    async with running(PageHost()) as page:
        headers = {"Authorization": f"Bearer {page.server.secret}"}
        for tag in tags:
            request = {"type": tag, "id": 1}
            url = f"{page.site}/commands"
            async with page.http.post(url, json=request, headers=headers) as answer:
                check(await answer.json(), "/commands", "post", answer.status)


async def test_whatever_is_asked_is_answered_as_it_says(tmp_path: Path) -> None:
    """schemathesis asks what the document allows."""
    host = PageHost(library=Library(tmp_path / "recordings"))  # in a room some answers take 5 s
    async with running(host) as page:
        command = ["run", str(DOCS / "page.openapi.json"), "--url", page.site]
        command += ["--header", f"Authorization: Bearer {page.server.secret}"]
        command += ["--max-examples", "5", "--seed", "1", "--no-color"]
        command += ["--phases", "fuzzing", "--suppress-health-check", "all", "--checks", CHECKS]
        command += ["--exclude-path", "/socket"]  # a WebSocket is no HTTP
        command += ["--request-timeout", "5", "--generation-database", "none"]
        asking = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).parent / "schemathesis"),
            *command,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=tmp_path,
        )
        said, _ = await asking.communicate()
        assert asking.returncode == 0, said.decode()[-4000:]


def test_a_request_is_valid_there_if_the_client_takes_it() -> None:
    schema = {"$ref": "#/components/schemas/FromPage", "components": API["components"]}
    told = Draft202012Validator(schema)
    assert told.is_valid({"type": "set_strip", "id": 1, "member": "bass", "gain_db": -6})
    assert not told.is_valid({"type": "set_strip", "id": 1, "member": "bass", "gain_db": 60})
    assert not told.is_valid({"type": "set_strip", "member": "bass"})
