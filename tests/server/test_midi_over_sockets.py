"""Members play together over real sockets."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from midipool import messages
from midipool.messages import MAX_MIDI_EVENTS, Midi, TimedMidi

from .test_web import Server, receive

ON, OFF = [5_000_000, "903c40"], [5_100_000, "803c40"]


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    await made.start()
    yield made
    await made.stop()


async def play(socket: aiohttp.ClientWebSocketResponse, *events: Any) -> None:
    await socket.send_json({"type": "midi", "events": events})


async def nothing_but(socket: aiohttp.ClientWebSocketResponse, *types: str) -> None:
    """Asks the server something; only messages of these types come before its answer."""
    await socket.send_json({"type": "clock_probe", "t1_ns": 1})
    while (message := json.loads((await socket.receive()).data))["type"] != "clock_reply":
        assert message["type"] in types


async def test_a_note_reaches_the_other_members_and_nobody_else(server: Server) -> None:
    bass, keys = await server.join("bass"), await server.join("keys")
    remote = await server.join("desk", role="remote")
    await play(bass, ON, OFF)
    got = await receive(keys, "midi_from")
    assert got == {"type": "midi_from", "name": "bass", "events": [ON, OFF]}
    await nothing_but(bass, "members")
    await nothing_but(remote, "members")


async def test_a_remote_is_told_that_it_plays_nothing(server: Server) -> None:
    keys = await server.join("keys")
    remote = await server.join("desk", role="remote")
    await play(remote, ON)
    assert (await receive(remote, "error"))["code"] == "not_member"
    await nothing_but(keys, "members")


async def test_playing_does_not_count_as_talking(server: Server) -> None:
    bass, keys = await server.join("bass"), await server.join("keys")
    for number in range(400):
        await play(bass, [number, "b00140"])
    for number in range(400):
        assert (await receive(keys, "midi_from"))["events"][0][0] == number
    await nothing_but(bass, "members")


async def test_one_who_plays_too_much_is_told_and_stays(server: Server) -> None:
    bass, keys = await server.join("bass"), await server.join("keys")
    flood = messages.encode(Midi([TimedMidi(0, "b00140")] * MAX_MIDI_EVENTS)).decode()
    for _ in range(100):
        await bass.send_str(flood)
    error = await receive(bass, "error")
    assert error["code"] == "too_fast"
    await nothing_but(bass, "members")
    while not (await receive(keys, "midi_from")).get("silence"):
        pass


async def test_a_flood_of_messages_ends_the_connection_as_any_flood_does(server: Server) -> None:
    bass = await server.join("bass")
    with contextlib.suppress(ConnectionError):
        for _ in range(4000):
            await bass.send_str('{"type":"midi"}')
    assert (await receive(bass, "error"))["code"] == "too_fast"
    await receive(bass, "closing")


async def test_the_notes_of_one_whose_connection_breaks_are_ended(server: Server) -> None:
    bass, keys = await server.join("bass"), await server.join("keys")
    await play(bass, ON)
    await receive(keys, "midi_from")
    await bass.close()
    assert (await receive(keys, "midi_from")) == {
        "type": "midi_from",
        "name": "bass",
        "silence": True,
    }


async def test_one_who_comes_back_on_another_connection_plays_on(server: Server) -> None:
    keys = await server.join("keys")
    first = await server.connect()
    await first.send_json({"type": "hello", "version": 1, "name": "bass"})
    token = (await receive(first, "welcome"))["token"]
    await play(first, ON)
    await receive(keys, "midi_from")
    second = await server.join("bass", token=token)
    await play(second, ON)
    # Not when the first connection has ended at last: then it would end the second one's note.
    assert (await receive(keys, "midi_from")).get("silence")
    assert (await receive(keys, "midi_from"))["events"] == [ON]
    await receive(first, "closing")
    await first.close()
    await play(second, OFF)
    assert (await receive(keys, "midi_from")).get("silence") is None


async def test_bytes_that_are_no_message_are_refused_with_their_place(server: Server) -> None:
    bass = await server.join("bass")
    await play(bass, ON, [0, "fa"])
    error = await receive(bass, "error")
    assert error["code"] == "bad_message"
    assert error["field"] == "events[1][1]"
