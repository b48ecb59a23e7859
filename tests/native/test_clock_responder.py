import socket
from collections.abc import Iterator

import pytest

from midipool.datagram import decode_clock_reply, encode_clock_probe
from midipool_native import host_clock
from midipool_native.clock_responder import ClockResponder

CLOCK_ID = bytes.fromhex("a1b2c3d4e5f60718")
NONCE, T1_NS = 0x0102030405060708, 0x1112131415161718
PROBE = bytes.fromhex("f0010000 0102030405060708 1112131415161718" + "00" * 24)
REPLY_HEAD = bytes.fromhex("f1010000 0102030405060708 1112131415161718")


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock


@pytest.fixture
def responder(server: socket.socket) -> Iterator[ClockResponder]:
    responder = ClockResponder(server, CLOCK_ID)
    yield responder
    responder.close()


@pytest.fixture
def client(server: socket.socket, responder: ClockResponder) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(server.getsockname())
        sock.settimeout(20)
        yield sock


def test_a_probe_is_what_the_responder_answers(client: socket.socket) -> None:
    assert encode_clock_probe(NONCE, T1_NS) == PROBE
    before_ns = host_clock.now_ns()
    client.send(PROBE)
    data = client.recv(2048)
    after_ns = host_clock.now_ns()
    assert data[:20] == REPLY_HEAD
    assert data[36:] == CLOCK_ID
    reply = decode_clock_reply(data)
    assert (reply.nonce, reply.t1_ns, reply.clock_id) == (NONCE, T1_NS, CLOCK_ID.hex())
    # The wall clock, which stamps arrivals, may be slewed.
    assert before_ns - 1_000_000 <= reply.t2_ns <= reply.t3_ns <= after_ns


def test_rubbish_is_counted_and_gets_no_answer(
    client: socket.socket, responder: ClockResponder
) -> None:
    for rubbish in (b"", b"\xf0", PROBE[:-1], PROBE + b"\0", b"\xf1" + PROBE[1:]):
        client.send(rubbish)
    client.send(PROBE)
    assert client.recv(2048)[:20] == REPLY_HEAD
    assert responder.stats()[1] == 5
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(2048)


def test_closing_keeps_the_counts_and_frees_the_port(
    client: socket.socket, server: socket.socket, responder: ClockResponder
) -> None:
    address = server.getsockname()
    for _ in range(2):  # when the second is answered, the first was counted
        client.send(PROBE)
        client.recv(2048)
    responder.close()
    responder.close()
    answered, rubbish = responder.stats()
    assert 1 <= answered <= 2
    assert rubbish == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
        again.bind(address)


def test_a_clock_id_has_eight_bytes(server: socket.socket) -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        ClockResponder(server, b"short")
