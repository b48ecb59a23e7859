"""What Prometheus is told of a server that works."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from midipool.messages import ERROR_CODES
from midipool_server.operations import loop_lag
from midipool_server.operations.exposition import Exposition
from midipool_server.operations.tally import Buckets
from tests.server.test_web import HELLO, Server, closed, receive

STATUS = {
    "type": "member_status",
    "round_trip_us": 3_000.0,
    "error_bound_us": 400.0,
    "drift_ppm": 0.1,
    "jitter_us": 20.0,
    "offset_us": 0.0,
}


class Metrics(dict[tuple[str, frozenset[tuple[str, str]]], float]):
    """Samples by name and labels."""

    def __init__(self, text: str) -> None:
        super().__init__()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self[sample.name, frozenset(sample.labels.items())] = sample.value

    def of(self, name: str, **labels: str) -> float:
        return self[f"midipool_{name}", frozenset(labels.items())]


async def metrics(server: Server) -> Metrics:
    async with server.http.get(server.address + "/metrics") as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return Metrics(await answer.text())


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    await made.start()
    yield made
    await made.stop()


async def test_members_rooms_and_what_they_do_are_counted(server: Server) -> None:
    drums, bass = await server.join("drums"), await server.join("bass")
    await drums.send_json(STATUS)
    await drums.send_json({"type": "start", "id": 1})
    await receive(drums, "ok")
    await drums.send_json({"type": "tempo", "id": 2, "bpm": 5})
    await receive(drums, "error")
    other = await server.connect()
    await other.send_json({**HELLO, "name": "bass"})
    await closed(other)
    connection = server.host._connections[2]
    connection.drop("it does not read")
    await closed(bass)
    async with asyncio.timeout(10):
        await connection.ended.wait()
    told = await metrics(server)
    assert told.of("rooms") == 1
    assert told.of("members", state="connected") == 1
    assert told.of("members", state="away") == 1
    assert told.of("joins_total") == 2
    assert told.of("joins_refused_total", reason="name_taken") == 1
    assert told.of("messages_received_total", type="start") == 1
    assert told.of("messages_refused_total", code="bad_message") == 1
    assert told.of("connections_cut_total", reason="outbox_full") == 1
    assert told.of("clock_error_seconds_bucket", le="0.00025") == 0
    assert told.of("clock_error_seconds_bucket", le="0.0005") == 1
    assert told.of("clock_error_worst_seconds") == pytest.approx(400e-6)
    # The start and the bar behind it, each announced before its time.
    assert told.of("bar_sync_lead_seconds_count") >= 2
    assert told.of("bar_sync_lead_seconds_bucket", le="0.1") == 0
    assert told.of("draining") == 0
    assert told["process_resident_memory_bytes", frozenset()] > 1e6


async def test_whatever_comes_there_are_no_more_series(server: Server) -> None:
    """A label's values are ours, never those of who connects."""
    await server.join("drums")
    before = await metrics(server)
    for n in range(20):
        socket = await server.connect(f"room{n}")
        await socket.send_json({**HELLO, "name": f"player{n}"})
        await socket.send_str(json.dumps({"type": f"kind{n}", "id": 1}))
        await receive(socket, "error")
        refused = await server.connect(f"bad name {n}")
        await refused.send_json(HELLO)
        await closed(refused)
        await server.http.get(f"{server.address}/api/rooms/nowhere{n}")
    after = await metrics(server)
    new = {key for key in after if key not in before}
    assert {name for name, _ in new} <= {"midipool_messages_refused_total"}
    assert {dict(labels)["code"] for _, labels in new} <= {*ERROR_CODES}
    assert not any("player" in str(key) or "room1" in str(key) for key in after)


async def test_rooms_are_told_apart_only_if_that_is_wanted(server: Server) -> None:
    await server.join("drums")
    assert "room_members" not in Exposition(server.host).text().decode()
    by_room = Metrics(Exposition(server.host, by_room=True).text().decode())
    assert by_room.of("room_members", room="jam") == 1


async def test_a_loop_that_stands_still_is_seen() -> None:
    lags = Buckets((0.01, 0.05))
    watching = asyncio.create_task(loop_lag.watch(lags))
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(10):
        while not lags.counts[-1]:
            await asyncio.sleep(loop_lag.EVERY_S / 2)
            busy_until = loop.time() + 0.2
            while loop.time() < busy_until:
                pass
    watching.cancel()
    assert lags.sum > 0.05


@given(st.lists(st.floats(-10, 100), max_size=50))
def test_a_histogram_counts_each_value_once_where_it_belongs(values: list[float]) -> None:
    buckets = Buckets((0.0, 1.0, 10.0))
    for value in values:
        buckets.add(value)
    below: list[Any] = [sum(v <= bound for v in values) for bound in (0.0, 1.0, 10.0, 1e9)]
    assert [sum(buckets.counts[: n + 1]) for n in range(4)] == below
