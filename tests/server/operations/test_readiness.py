"""A server says that it is ready only while it can be joined."""

import socket

import pytest

from midipool_native import host_clock, media
from midipool_native.clock_responder import ClockResponder
from midipool_server import media_service
from midipool_server.operations import readiness, udp_probe
from midipool_server.operations.readiness import Readiness


def bound(host: str = "127.0.0.1") -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((host, 0))
    return sock


async def test_the_clocks_port_is_asked_as_a_client_asks() -> None:
    assert host_clock.now_ns() > 0
    responder = ClockResponder(sock := bound("0.0.0.0"), bytes(8))
    port = sock.getsockname()[1]
    assert await udp_probe.clock_answers("0.0.0.0", port)
    responder.close()
    assert not await udp_probe.clock_answers("127.0.0.1", port)


@pytest.mark.skipif(not media.sodium_found(), reason="there is no libsodium")
async def test_both_ports_of_stun_are_asked() -> None:
    free, other = bound(), bound()
    ports = [sock.getsockname()[1] for sock in (free, other)]
    free.close()
    other.close()
    relay = media_service.open_relay("127.0.0.1", ports[0], 8, ports[1])
    assert relay is not None
    assert [await udp_probe.stun_answers("127.0.0.1", port) for port in ports] == [True, True]
    relay.close()
    assert not await udp_probe.stun_answers("127.0.0.1", ports[0])


async def test_a_port_that_takes_and_does_not_answer_is_no_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(udp_probe, "PATIENCE_S", 0.05)
    with bound() as silent:
        assert not await udp_probe.clock_answers("127.0.0.1", silent.getsockname()[1])


async def test_each_thing_that_is_lacking_is_named_and_ports_are_not_asked_all_the_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers, asked = True, 0

    async def probe() -> bool:
        nonlocal asked
        asked += 1
        return answers

    ready = Readiness({"UDP port 9": probe})
    assert await ready.lacks() == ["the rooms' TCP port is not open"]
    ready.listening = True
    for _ in range(10):
        assert await ready.lacks() == []
    assert asked == 1
    monkeypatch.setattr(readiness, "FRESH_S", 0.0)
    answers = False
    assert await ready.lacks() == ["UDP port 9 does not answer"]
    ready.draining = True
    assert (await ready.lacks())[0] == "the server goes down"
