"""The media socket over loopback, as the audio engine uses it."""

import asyncio
import select
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from midipool.clock_map import ClockMap
from midipool.errors import InvalidValue, Unavailable
from midipool.media_datagram import MAX_PAYLOAD, MediaHeader, MediaKind
from midipool_native import host_clock, media
from midipool_native.checks import NO_MEDIA_KEY, NativeError
from midipool_native.media_address import Address
from midipool_native.media_socket import Destination, MediaSocket, Packet, Rare, open_udp

pytestmark = pytest.mark.skipif(not media.sodium_found(), reason="there is no libsodium")

KEY, NEXT_KEY = bytes(range(32)), bytes(range(32, 64))
KEY_ID, NEXT_KEY_ID = 7, 8
ANNA, BEN = 1001, 1002
SLOT = 5
STUN = bytes.fromhex("0001 0000 2112a442 000102030405060708090a0b")
LOOPBACK = "127.0.0.1"


def until(happens: Callable[[], bool]) -> None:
    """Wait for it."""
    end = time.monotonic() + 20
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.001)


def taken(sock: MediaSocket, count: int) -> list[Packet]:
    """So many packets of the slot, and no more."""
    packets: list[Packet] = []

    def enough() -> bool:
        while packet := sock.take(SLOT):
            packets.append(packet)
        return len(packets) >= count

    until(enough)
    assert len(packets) == count
    return packets


def place(sock: MediaSocket) -> Address:
    return Address(LOOPBACK, sock.port)


@pytest.fixture
def anna() -> Iterator[MediaSocket]:
    sock = MediaSocket(open_udp(LOOPBACK))
    sock.send_as(KEY_ID, KEY, ANNA)
    yield sock
    sock.close()


@pytest.fixture
def ben(anna: MediaSocket) -> Iterator[MediaSocket]:
    """Hears Anna, who sends to Ben."""
    sock = MediaSocket(open_udp())
    sock.add_key(KEY_ID, KEY)
    sock.hear(SLOT, ANNA, KEY_ID)
    anna.set_destinations([Destination(place(sock))])
    yield sock
    sock.close()


@pytest.fixture
def stranger() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((LOOPBACK, 0))
        sock.settimeout(20)
        yield sock


def test_each_kind_of_media_arrives_as_it_was_sent(anna: MediaSocket, ben: MediaSocket) -> None:
    sent = [
        (MediaKind.SOURCE, 1_000_000, b"source"),
        (MediaKind.REPAIR, -5, b""),
        (MediaKind.CONTROL, 2**50, bytes(MAX_PAYLOAD)),
    ]
    before_ns = host_clock.now_ns()
    for packet in sent:
        anna.send(*packet)
    packets = taken(ben, 3)
    assert [(p.kind, p.capture_us, p.data) for p in packets] == sent
    assert all(before_ns - 1_000_000 <= p.received_ns <= host_clock.now_ns() for p in packets)
    anna.keepalive(0)
    until(lambda: ben.stats().media == 4)
    heard = ben.sender_stats(SLOT)
    assert heard is not None
    assert (heard.source, heard.repair, heard.control, heard.keepalive) == (1, 1, 1, 1)
    assert (heard.packets, heard.lost, heard.duplicates) == (4, 0, 0)
    assert (heard.address, heard.via_relay) == (place(anna), False)
    assert ben.take(SLOT) is None
    assert ben.sender_stats(SLOT + 1) is None


def test_what_is_captured_from_the_wire_and_sent_again_is_dropped(
    anna: MediaSocket, ben: MediaSocket, stranger: socket.socket
) -> None:
    anna.set_destinations([Destination(Address(LOOPBACK, stranger.getsockname()[1]))])
    for i in range(1200):
        anna.send(MediaKind.SOURCE, i, b"music")
    yesterday = [stranger.recv(2048) for _ in range(20)]
    for datagram in yesterday:
        stranger.sendto(datagram, (LOOPBACK, ben.port))
    taken(ben, 20)
    for datagram in yesterday:  # twice
        stranger.sendto(datagram, (LOOPBACK, ben.port))
    until(lambda: ben.stats().replayed == 20)
    anna.set_destinations([Destination(place(ben))])
    anna.send(MediaKind.SOURCE, 5, b"today")
    taken(ben, 1)
    old = media.seal(KEY, MediaHeader(MediaKind.SOURCE, KEY_ID, ANNA, 100), b"never came")
    stranger.sendto(old, (LOOPBACK, ben.port))
    until(lambda: ben.stats().replayed == 21)
    assert ben.stats().stale == 1, "what a second way may have brought is no record"
    assert ben.take(SLOT) is None


def test_what_is_not_from_the_room_is_counted_and_has_no_effect(
    ben: MediaSocket, stranger: socket.socket
) -> None:
    header = MediaHeader(MediaKind.SOURCE, KEY_ID, ANNA, 1)
    good = media.seal(KEY, header, b"music")
    wrong = {
        "rubbish": [
            b"",
            b"\x7f",
            b"\x00\x01",
            good[:30],
            b"\xf9" + good[1:],
            b"\xf0\x02" + good[2:],
        ],
        "too_long": [good + bytes(1500)],
        "unknown_key": [media.seal(KEY, MediaHeader(MediaKind.SOURCE, 99, ANNA, 1), b"")],
        "unknown_sender": [media.seal(KEY, MediaHeader(MediaKind.SOURCE, KEY_ID, BEN, 1), b"")],
        "forged": [
            media.seal(NEXT_KEY, header, b"music"),
            good[:-1] + bytes([good[-1] ^ 1]),
            good[:14] + bytes(8) + good[22:-1] + b"\0",
            good[:-1],
            media.seal(KEY, MediaHeader(MediaKind.HELLO_OK, KEY_ID, ANNA, 1), b""),
        ],
    }
    for datagrams in wrong.values():
        for datagram in datagrams:
            stranger.sendto(datagram, (LOOPBACK, ben.port))
    stranger.sendto(good, (LOOPBACK, ben.port))
    assert taken(ben, 1)[0].data == b"music"
    stats = ben.stats()
    assert {name: getattr(stats, name) for name in wrong} == {
        name: len(datagrams) for name, datagrams in wrong.items()
    }
    assert (stats.media, stats.replayed, stats.flooded) == (1, 0, 0)


def test_a_new_key_and_a_new_way_cost_no_packet(anna: MediaSocket, ben: MediaSocket) -> None:
    ben.set_relay(place(anna))
    for i in range(60):
        if i == 20:  # the room says it; Ben hears it first
            ben.add_key(NEXT_KEY_ID, NEXT_KEY)
            ben.hear(SLOT, ANNA + 50, NEXT_KEY_ID)
            anna.send_as(NEXT_KEY_ID, NEXT_KEY, ANNA + 50)
        if i == 40:
            anna.set_destinations([Destination(place(ben)), Destination(place(ben))])
        anna.send(MediaKind.SOURCE, i, b"%d" % i)
    assert [p.data for p in taken(ben, 60)] == [b"%d" % i for i in range(60)]
    until(lambda: ben.stats().replayed == 20)
    heard = ben.sender_stats(SLOT)
    assert heard is not None
    assert (heard.lost, heard.duplicates, heard.via_relay, heard.relayed) == (0, 20, True, 60)
    ben.remove_key(NEXT_KEY_ID)
    anna.send(MediaKind.SOURCE, 0, b"")
    until(lambda: ben.stats().unknown_key == 2)


def test_who_is_not_heard_directly_any_more_is_sent_to_and_asked_by_the_relay(
    anna: MediaSocket, ben: MediaSocket, stranger: socket.socket
) -> None:
    """The stranger is the relay."""

    def relayed(sock: MediaSocket, *kinds: int) -> dict[MediaKind, bytes]:
        """What the relay gets while the socket goes on sending, until it has all kinds."""
        got: dict[MediaKind, bytes] = {}
        while not set(kinds) <= set(got):
            sock.send(MediaKind.SOURCE, 0, b"music")
            while select.select([stranger], [], [], 0.002)[0]:
                datagram, source = stranger.recvfrom(2048)
                header, text = media.open_sealed(KEY, datagram)
                if source[1] == sock.port:
                    got[header.kind] = datagram if header.kind == MediaKind.KEEPALIVE else text
        return got

    relay = Address(*stranger.getsockname())
    ben.send_as(KEY_ID, KEY, BEN)
    ben.set_destinations([Destination(place(anna))])
    anna.add_key(KEY_ID, KEY)
    anna.hear(SLOT, BEN, KEY_ID)
    for sock in (anna, ben):
        sock.set_relay(relay)
    anna.send(MediaKind.SOURCE, 0, b"music")
    until(lambda: ben.stats().media == 1)
    # From here on nothing of Anna's gets through, and Anna does not know.
    got = relayed(ben, MediaKind.HELLO, MediaKind.KEEPALIVE, MediaKind.SOURCE)
    assert got[MediaKind.SOURCE] == b"music"
    assert ben.stats().standby > 0
    before = anna.stats().standby
    stranger.sendto(got[MediaKind.KEEPALIVE], (LOOPBACK, anna.port))
    until(lambda: anna.stats().media > 0)
    assert before == 0
    assert relayed(anna, MediaKind.SOURCE)[MediaKind.SOURCE] == b"music"
    heard = ben.sender_stats(SLOT)
    assert heard is not None
    assert heard.direct_silence_ns is not None
    assert anna.stats().standby > 0
    # Whom nobody hears sends nobody anything, also while it is asked.
    ben.set_destinations([])
    before = ben.stats().standby
    for _ in range(5):
        ben.send(MediaKind.SOURCE, 0, b"music")
    assert ben.stats().standby == before


def test_loss_and_delay_are_told(anna: MediaSocket, ben: MediaSocket) -> None:
    ben.set_map(ClockMap(0, 1_000_000_000))
    anna.keepalive(0)
    for i in range(40):
        anna.hello(Address(LOOPBACK, 9), 0)  # nothing that Ben could miss
        anna.set_destinations([Destination(place(ben))] if i % 4 else [])
        room_us = (host_clock.now_ns() + 1_000_000_000) // 1000
        anna.send(MediaKind.SOURCE, room_us - 30_000, b"")
    anna.set_destinations([Destination(place(ben))])
    anna.keepalive(0)
    until(lambda: ben.stats().media == 32)
    heard = ben.sender_stats(SLOT)
    assert heard is not None
    assert heard.lost == 10
    assert heard.delay_ns is not None
    assert heard.delay_ns >= 29_000_000
    assert heard.silence_ns is not None
    assert heard.spread_max_ns is not None
    assert heard.spread_max_ns >= (heard.spread_p95_ns or 0) >= (heard.spread_p50_ns or 0)


async def test_stun_and_the_relays_answer_wake_the_loop(
    anna: MediaSocket, ben: MediaSocket, stranger: socket.socket
) -> None:
    loop = asyncio.get_running_loop()
    found: asyncio.Queue[Rare] = asyncio.Queue()

    def take() -> None:
        for rare in ben.rare():
            found.put_nowait(rare)

    loop.add_reader(ben, take)
    relay = Address(LOOPBACK, stranger.getsockname()[1])
    try:
        for _ in range(3):
            assert anna.send_raw(place(ben), STUN)
            stun = await asyncio.wait_for(found.get(), 20)
            assert (stun.is_stun, stun.sender, stun.data) == (True, place(anna), STUN)
        assert anna.hello(relay, 17)
        header, payload = media.open_sealed(KEY, stranger.recv(2048))
        assert header == MediaHeader(MediaKind.HELLO, KEY_ID, ANNA, 1, 17)
        assert payload == b""
        answer = media.seal(KEY, MediaHeader(MediaKind.HELLO_OK, KEY_ID, 0, 1), b"you")
        stranger.sendto(answer, (LOOPBACK, ben.port))
        told = await asyncio.wait_for(found.get(), 20)
        assert (told.is_stun, told.sender, told.data) == (False, relay, b"you")
        # Behind the address stands a token, with which the next hello begins.
        you = bytes([0, 1, 0, 9, 127, 0, 0, 1]) + b"a token!"
        answer = media.seal(KEY, MediaHeader(MediaKind.HELLO_OK, KEY_ID, 0, 2), you)
        anna.add_key(KEY_ID, KEY)
        stranger.sendto(answer, (LOOPBACK, anna.port))
        until(lambda: anna.stats().hello_ok == 1)
        assert anna.hello(relay, 18)
        assert media.open_sealed(KEY, stranger.recv(2048))[1] == b"a token!"
    finally:
        loop.remove_reader(ben)


def test_more_stun_than_anybody_takes_is_dropped(anna: MediaSocket, ben: MediaSocket) -> None:
    for sent in range(1, 101):
        assert anna.send_raw(place(ben), STUN)
        until(lambda sent=sent: ben.stats().stun == sent)  # type: ignore[misc]
    assert ben.stats().rare_full == 100 - 64
    assert len(ben.rare()) == 64
    assert ben.rare() == []
    assert select.select([ben], [], [], 0)[0] == []


def test_a_socket_without_a_key_says_so(anna: MediaSocket) -> None:
    anna.send_nothing()
    for send in (
        lambda: anna.send(MediaKind.SOURCE, 0, b""),
        lambda: anna.keepalive(0),
        lambda: anna.hello(Address(LOOPBACK, 9), 0),
    ):
        with pytest.raises(NativeError, match="no key") as caught:
            send()
        assert caught.value.status == NO_MEDIA_KEY
    assert anna.stats().no_key == 3


def test_a_sender_that_comes_back_counts_on(anna: MediaSocket) -> None:
    anna.keepalive(0)
    anna.send_as(NEXT_KEY_ID, NEXT_KEY, ANNA)
    assert anna.stats().counter == 0
    anna.send_as(KEY_ID, KEY, ANNA)
    assert anna.stats().counter == 1
    anna.send_as(KEY_ID, KEY, ANNA, after=2**20)
    anna.keepalive(0)
    assert anna.stats().counter == 2**20 + 1


def test_what_cannot_be_is_refused(anna: MediaSocket) -> None:
    with pytest.raises(InvalidValue, match="payload"):
        anna.send(MediaKind.SOURCE, 0, bytes(MAX_PAYLOAD + 1))
    with pytest.raises(InvalidValue, match="key"):
        anna.send_as(1, b"short", ANNA)
    with pytest.raises(InvalidValue, match="at most 64"):
        anna.set_destinations([Destination(Address(LOOPBACK, 9))] * 65)
    with pytest.raises(NativeError, match="range"):
        anna.set_destinations([Destination(Address("::1", 9))])
    with pytest.raises(NativeError, match="range"):
        anna.hear(64, ANNA, KEY_ID)
    for ip, port in (("example.org", 1), ("10.0.0.1", 0), ("fe80::1%eth0", 1), ("1.2.3.4", 65536)):
        with pytest.raises(InvalidValue):
            Address(ip, port)


def test_a_port_that_cannot_be_opened_is_named(anna: MediaSocket) -> None:
    with pytest.raises(Unavailable, match=rf"UDP port {anna.port} of 127\.0\.0\.1 .*: .+"):
        open_udp(LOOPBACK, anna.port)
    with pytest.raises(Unavailable, match=r"of 192\.0\.2\.1 .*: .+"):
        open_udp("192.0.2.1")


def test_closing_frees_the_port_at_once(anna: MediaSocket) -> None:
    port = anna.port
    began = time.monotonic()
    anna.close()
    anna.close()
    assert time.monotonic() - began < 5
    open_udp(LOOPBACK, port).close()
