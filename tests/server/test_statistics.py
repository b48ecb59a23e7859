"""A room keeps how its members heard one another, for whoever asks."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from midipool.errors import Refused, Unavailable
from midipool_client.commands.stats import in_words
from midipool_client.remote import room_statistics
from midipool_client.room_url import RoomUrl, parse_room_url
from tests.server.test_web import Server, receive


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    await made.start()
    yield made
    await made.stop()


def url_of(server: Server) -> RoomUrl:
    return parse_room_url(server.address.replace("http", "ws") + "/jam")


async def heard(server: Server) -> None:
    """drums hears bass, in two reports."""
    drums, bass = await server.join("drums"), await server.join("bass")
    for packets in (100, 197):
        counts = {"packets": packets, "lost": packets - 100 and 3, "reordered": 1, "duplicates": 2}
        said: dict[str, Any] = {"member": "bass", "profile": "jam", "latency_ms": 21.5}
        report = {"type": "audio_report", "hears": [{**said, "counts": counts}]}
        await drums.send_json(report)
        await receive(bass, "heard_by")
    await drums.close()  # who has gone is still in the statistics


async def test_as_json_csv_and_words(server: Server) -> None:
    await heard(server)
    body = json.loads(await room_statistics(url_of(server), "json", 10))
    [pair] = body["pairs"]
    assert (pair["listener"], pair["member"]) == ("drums", "bass")
    assert (pair["total"]["packets"], pair["total"]["lost"], pair["total"]["loss"]) == (97, 3, 0.03)
    assert pair["total"]["latency_p95_ms"] == 21.5
    assert body["cell_s"] == 10
    assert "100 packets, 3.00% lost" in in_words(body)[0]
    lines = (await room_statistics(url_of(server), "csv", 60)).decode().splitlines()
    assert lines[0].startswith("time,listener,member,seconds,packets,lost")
    assert lines[1].split(",")[1:3] == ["drums", "bass"]


async def test_what_cannot_be_had_is_said(server: Server, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no such room"):
        await room_statistics(url_of(server), "json", 60)
    await server.join("drums")
    with pytest.raises(Unavailable, match="cell_s: must be 10, 60 or 3600"):
        await room_statistics(url_of(server), "json", 7)
    with pytest.raises(Unavailable, match="format: must be json or csv"):
        await room_statistics(url_of(server), "xml", 60)
    assert in_words(json.loads(await room_statistics(url_of(server), "json", 60))) == [
        "nobody has heard anybody yet"
    ]


async def test_no_more_ask_at_once_than_the_server_bears(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await server.join("drums")
    monkeypatch.setattr("midipool_server.statistics_web.MOST_AT_ONCE", 0)
    with pytest.raises(Unavailable, match="too many ask"):
        await room_statistics(url_of(server), "json", 60)
