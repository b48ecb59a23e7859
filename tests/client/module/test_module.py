"""Modules in a room of a real server, with MIDI and without sound."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import mido
import numpy as np
import pytest

import midipool_client
from midipool.errors import InvalidValue, Refused, Unavailable
from midipool.messages import Start
from midipool_client import Module
from midipool_client.module.module import NAME_VARIABLE, Block
from midipool_client.module.notes import MOST_WAITING
from midipool_client.remote import room_status, send_command
from midipool_client.room_url import parse_room_url
from tests.client.page.running import until
from tests.client.test_talk_together import Together

ON = bytes((0x90, 60, 64))


@pytest.fixture
async def server() -> AsyncIterator[Together]:
    made = Together()
    await made.start()
    yield made
    await made.stop()


def module(server: Together, name: str, *, midi_in: bool = False, midi_out: bool = False) -> Module:
    url = f"ws://127.0.0.1:{server.port}/jam"
    return Module(url, name, audio_in=0, audio_out=0, midi_in=midi_in, midi_out=midi_out)


async def read_until_midi(listener: Module) -> Block:
    async with asyncio.timeout(10):
        async for block in listener:
            if block.midi:
                return block
    raise AssertionError


async def test_a_note_is_played_when_the_song_comes_to_its_beat(server: Together) -> None:
    keys, ear = module(server, "keys", midi_out=True), module(server, "ear", midi_in=True)
    async with ear:
        async with keys:
            with pytest.raises(InvalidValue, match="does not come there"):
                keys.write_midi(ON, at_beats=1.0)
            await send_command(parse_room_url(f"ws://127.0.0.1:{server.port}/jam"), Start(id=1))
            await until(lambda: keys.playing)
            wanted = round(keys.beats) + 1.0
            due_us = keys.time_at(wanted)
            keys.write_midi(mido.Message("note_on", note=60, velocity=64), at_beats=wanted)
            block = await read_until_midi(ear)
            assert [event[1:] for event in block.midi] == [("keys", ON)]
            assert block.midi[0].time_us == due_us
            # It came when it was played: what the others hear at once they hear in time.
            assert block.time_us > block.midi[0].time_us - 20_000
            assert sorted(ear.members) == ["ear", "keys"]
        # Nothing of it hangs.
        block = await read_until_midi(ear)
        assert [event[1:] for event in block.midi] == [("keys", bytes((0x80, 60, 64)))]


async def test_blocks_come_one_behind_the_other_with_their_place_in_the_song(
    server: Together,
) -> None:
    async with module(server, "pulse") as pulse:
        blocks = [await pulse.read() for _ in range(5)]
        step_us = pulse.block_frames * 1_000_000 // pulse.rate
        assert np.diff([block.time_us for block in blocks]).tolist() == [step_us] * 4
        assert blocks[0].due_us - blocks[0].time_us == 30_000
        assert blocks[0].frames.shape == (480, 0)
        assert (pulse.position, pulse.tempo, str(pulse.meter)) == ((1, 1), 120.0, "4/4")
        assert not [*blocks[0].grid(1 / 4)]


async def test_it_is_a_module_to_the_others_and_says_how_it_does(server: Together) -> None:
    async with module(server, "pulse") as pulse:
        async with asyncio.timeout(10):
            while True:
                await pulse.read()
                url = parse_room_url(f"ws://127.0.0.1:{server.port}/jam")
                [member] = (await room_status(url))["members"]
                if member["status"] is not None:
                    break
        assert member["kind"] == "analyzer"
        assert member["status"]["module"] == {"overrun_frames": 0, "underrun_frames": 0}


async def test_a_server_that_comes_back_has_the_module_back(server: Together) -> None:
    async with module(server, "pulse") as pulse:
        first = await pulse.read()
        await server.stop()
        await until(lambda: not pulse.connected)
        assert (await pulse.read()).time_us > first.time_us
        await server.start()
        await until(lambda: pulse.connected)
        assert (await pulse.read()).time_us > first.time_us


async def test_what_a_program_raises_is_its_own_and_the_room_is_left(server: Together) -> None:
    async def fail() -> None:
        async with module(server, "pulse") as pulse:
            await pulse.read()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with module(server, "pulse") as again:
        assert again.members == ["pulse"]
        with pytest.raises(Refused, match="already"):
            await module(server, "pulse").__aenter__()


async def test_sigterm_and_end_let_the_blocks_end(server: Together) -> None:
    async with module(server, "pulse") as pulse:
        await pulse.read()
        os.kill(os.getpid(), signal.SIGTERM)
        async for _ in pulse:
            pass
    async with module(server, "pulse") as pulse:
        pulse.end()
        await pulse.read()  # raises what ends the block here
        raise AssertionError


async def test_a_flood_of_notes_is_refused_at_its_source(server: Together) -> None:
    async with module(server, "keys", midi_out=True) as keys:
        later_us = keys.room_us + 10_000_000
        for _ in range(MOST_WAITING):
            keys.write_midi(ON, at_us=later_us)
        with pytest.raises(Refused, match="wait for their time"):
            keys.write_midi(ON, at_us=later_us)
        assert keys.connected


async def test_what_a_module_has_not_got_is_said_by_name(server: Together) -> None:
    async with module(server, "pulse") as pulse:
        with pytest.raises(InvalidValue, match="no audio_out"):
            await pulse.write([0.0])
        with pytest.raises(InvalidValue, match="no midi_out"):
            pulse.write_midi(ON)
    with pytest.raises(Unavailable, match="async with"):
        await pulse.read()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"audio_in": 3}, "audio_in"),
        ({"audio_out": -1}, "audio_out"),
        ({"block_frames": 10}, "block_frames"),
        ({"latency_ms": 1000.0}, "latency_ms"),
        ({"profile": "slow"}, "profile"),
        ({"name": " "}, "name"),
        ({"url": "jam"}, "url"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_opened(
    wrong: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidValue, match=field):
        Module(**{"url": "ws://127.0.0.1/jam", **wrong})  # type: ignore[arg-type]


def test_who_starts_it_can_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME_VARIABLE, "drums 2")
    assert Module("ws://127.0.0.1/jam", "drums").name == "drums 2"


def test_the_package_has_what_programs_use_and_no_more() -> None:
    assert midipool_client.Module is Module
    with pytest.raises(AttributeError):
        _ = midipool_client.Modul
