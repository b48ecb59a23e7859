"""`midipool-client doctor` as a program, and the way to real servers."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web

from midipool import messages
from midipool_client.doctor import network_look
from midipool_client.doctor.finding import Finding
from midipool_client.doctor.network import ALL_STEPS, STEPS, judge_network
from midipool_client.doctor.network_look import NetworkLooking
from midipool_client.room_url import parse_room_url
from midipool_client.server_link import ServerLink
from midipool_demo.background import Background
from midipool_demo.jack_server import JackServer
from midipool_demo.stage import free_port
from midipool_native import host_clock
from midipool_server import clock_service
from midipool_server.host import RoomHost
from midipool_server.lobby import Lobby
from midipool_server.web import make_app

NO_JACK = {"JACK_DEFAULT_SERVER": "no-such-server"}

TAKEN = """
import jack, time
client = jack.Client("Taken", no_start_server=True)
client.midi_outports.register("out")
client.activate()
print("there", flush=True)
time.sleep(60)
"""


@dataclass
class Outcome:
    code: int
    output: str

    def json(self) -> Any:
        # What libraries complain of goes to standard error, which is in here too.
        return json.loads(self.output[self.output.index("{\n") :])

    def finding(self, name: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = [c for c in self.json()["checks"] if c["name"] == name]
        assert len(found) == 1
        return found[0]


def doctor(*words: str, env: dict[str, str] | None = None) -> Outcome:
    with Background.python("midipool_client", "doctor", *words, env=env) as program:
        code = program.process.wait(50)
        return Outcome(code, program.output())


@pytest.fixture
def jack() -> Iterator[JackServer]:
    if shutil.which("jackd") is None:
        pytest.skip("jackd is not installed: apt-get install jackd2")
    with JackServer() as server:
        server.wait_ready()
        yield server


@contextlib.contextmanager
def a_server(*options: str) -> Iterator[str]:
    with Background.python("midipool_server", "--port", str(port := free_port()), *options) as it:
        it.wait_for_output("midipool-server: ws://")
        yield f"ws://127.0.0.1:{port}/jam"


def look(url: str) -> dict[str, Finding]:
    findings = judge_network(NetworkLooking(parse_room_url(url)).look())
    assert [finding.name for finding in findings] == list(ALL_STEPS)
    return {finding.name: finding for finding in findings}


def test_a_machine_without_jack() -> None:
    outcome = doctor("--json", env=NO_JACK)
    assert outcome.finding("JACK server")["status"] in ("warning", "unknown")
    ports = outcome.finding("MIDI ports")
    if sys.platform == "linux" and not os.path.exists("/dev/snd/seq"):
        assert (ports["status"], outcome.code) == ("bad", 1)
        assert ports["advice"].startswith("start JACK")
        assert outcome.json()["verdict"]["status"] == "bad"
    else:
        assert ports["figures"] == {"backend": "rtmidi"}


@pytest.mark.jack
@pytest.mark.idle
def test_a_machine_with_jack_and_a_server(jack: JackServer) -> None:
    with a_server() as url:
        outcome = doctor(url, "--json", env=jack.env)
    statuses = [check["status"] for check in (*outcome.json()["checks"], outcome.json()["verdict"])]
    assert outcome.code == int("bad" in statuses)
    figures = outcome.finding("JACK server")["figures"]
    assert (figures["sample_rate"], figures["period_frames"]) == (48_000, 128)
    assert figures["kind"] == "JACK2"
    assert outcome.finding("MIDI ports")["figures"] == {"backend": "jack"}
    assert outcome.finding("device name")["status"] == "good"
    timers = outcome.finding("timers")["figures"]
    assert timers["normal_count"] == 1000
    assert 0 < timers["normal_p50_us"] <= timers["normal_p99_us"] <= timers["normal_max_us"]
    assert outcome.finding("clock probes")["figures"]["answered"] > 25
    assert 0 < outcome.finding("clock")["figures"]["error_bound_ms"] < 20
    if "bad" not in statuses:  # then it says no more than what is
        assert isinstance(outcome.json()["verdict"]["figures"]["p99_within_1_ms"], bool)


@pytest.mark.jack
@pytest.mark.idle
def test_lines_for_people_and_a_name_that_is_taken(jack: JackServer) -> None:
    with Background([sys.executable, "-c", TAKEN], jack.env) as other:
        other.wait_for_output("there")
        outcome = doctor("--device-name", "Taken", env=jack.env)
    assert "'Taken:out'" in outcome.output
    assert "Taken is taken" in outcome.output
    assert "join with another --device-name" in outcome.output
    # What to do next depends on how this machine is.
    next_step = "do what is advised there" if outcome.code else "with a server: midipool-client"
    assert next_step in outcome.output


def test_an_address_that_is_none() -> None:
    outcome = doctor("ftp://host/jam")
    assert outcome.code == 1
    assert "is not a room's address such as ws://" in outcome.output


def test_a_server_with_nobody_in_the_room() -> None:
    with a_server() as url:
        found = look(url)
    assert {finding.status for finding in found.values()} == {"good"}
    assert found["WebSocket"].figures == {"version": messages.hello("x").version} | {
        "room_exists": False
    }


def test_a_server_without_udp_and_nobody_in_the_room() -> None:
    with a_server("--no-udp") as url:
        found = look(url)
    assert found["clock probes"].status == "warning"
    assert "--no-udp" in found["clock probes"].advice
    assert found["clock"].status == "unknown"
    assert "while somebody is in the room" in found["clock"].advice


async def test_a_server_without_udp_is_asked_by_websocket() -> None:
    with a_server("--no-udp") as url:
        async with ServerLink(parse_room_url(url), messages.hello("drums")) as drums:
            await drums.hello()
            found = await asyncio.to_thread(look, url)
    assert found["WebSocket"].figures["room_exists"] is True
    assert found["clock"].status == "good"
    assert found["clock"].figures["carried_by"] == "websocket"


@contextlib.asynccontextmanager
async def our_own(clock_port: int) -> AsyncIterator[str]:
    """A server whose UDP port is whatever we say."""
    lobby = Lobby("0123456789abcdef", clock_port)
    runner = web.AppRunner(make_app(RoomHost(lobby, clock_service.now_us, host_clock.now_ns)))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"ws://127.0.0.1:{runner.addresses[0][1]}/jam"
    await runner.cleanup()


async def test_udp_that_does_not_get_through() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        async with our_own(port) as url:
            alone = await asyncio.to_thread(look, url)
            async with ServerLink(parse_room_url(url), messages.hello("drums")) as drums:
                await drums.hello()
                found = await asyncio.to_thread(look, url)
    for finding in (alone["clock probes"], found["clock probes"]):
        assert finding.status == "warning"
        assert (finding.figures["sent"], finding.figures["answered"]) == (50, 0)
        assert f"let UDP {port} through" in finding.advice
    assert alone["clock"].status == "unknown"
    assert found["clock"].figures["carried_by"] == "websocket"


def failed(url: str, step: str) -> Finding:
    found = look(url)
    assert found[step].status == "bad"
    assert {found[name].status for name in STEPS[: STEPS.index(step)]} <= {"good"}
    assert found["clock"].status == "unknown"
    return found[step]


def test_an_unknown_host() -> None:
    finding = failed("ws://no-such-host.invalid/jam", "name")
    assert "no host named 'no-such-host.invalid'" in finding.text


def test_nobody_listens() -> None:
    finding = failed(f"ws://127.0.0.1:{free_port()}/jam", "TCP")
    assert "Connection refused" in finding.text
    assert "start midipool-server there" in finding.advice


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_look, "STEP_S", 0.5)


@pytest.mark.usefixtures("impatient")
def test_a_host_that_does_not_answer() -> None:
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # Its queue is full then, and it lets further knocks go unanswered.
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        finding = failed(f"ws://127.0.0.1:{full.getsockname()[1]}/jam", "TCP")
    assert "does not answer within 0.5 s" in finding.text


@pytest.mark.usefixtures("impatient")
def test_a_host_that_takes_the_call_and_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        finding = failed(f"ws://127.0.0.1:{other.getsockname()[1]}/jam", "HTTP")
    assert "does not answer within 0.5 s" in finding.text


@contextlib.asynccontextmanager
async def another_program(body: bytes, status: int = 200) -> AsyncIterator[int]:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body, status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"<html>", 200, "not as ours does"),
        (b'{"status": "ok"}', 200, "not as ours does"),
        (b"", 404, "HTTP status 404"),
        (b"", 302, "HTTP status 302"),
    ],
)
async def test_another_program_listens_there(body: bytes, status: int, words: str) -> None:
    async with another_program(body, status) as port:
        finding = await asyncio.to_thread(failed, f"ws://127.0.0.1:{port}/jam", "HTTP")
    assert words in finding.text
    assert "correct the address" in finding.advice


async def test_a_proxy_that_passes_no_websockets_on() -> None:
    async with another_program(b'{"status": "ok", "rooms": 0, "members": 0}') as port:
        finding = await asyncio.to_thread(failed, f"ws://127.0.0.1:{port}/jam", "WebSocket")
    assert "a proxy in front of the server" in finding.advice


async def test_tls_where_there_is_none() -> None:
    async with our_own(0) as url:
        secure = url.replace("ws://", "wss://")
        finding = await asyncio.to_thread(failed, secure, "HTTP")
    assert "use ws:// in place of wss://" in finding.advice


async def test_a_name_that_no_room_can_have() -> None:
    async with our_own(0) as url:
        finding = await asyncio.to_thread(failed, url.replace("/jam", "/-"), "WebSocket")
    assert "a room's name has" in finding.text
    assert finding.advice == "choose another name for the room"
