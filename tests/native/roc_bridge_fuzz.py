"""Hostile datagrams at a bridge to plain ROC, between good ones, with real sockets and libroc.

`python -m tests.native.roc_bridge_fuzz SEED DATAGRAMS [unguarded]`: they are cut, bit-flipped,
late, doubled or random; repair is corrupted while source packets are missing; RTCP is what ends
libroc. Prints the counts as JSON. With `unguarded` libroc gets them as they are.
"""

import json
import random
import socket
import sys
from typing import Any

from midipool_native import roc
from midipool_native.roc_bridge import PlainRoc, RocBridge
from tests.midipool.rtcp_packets import description, receiver_report, sender_report

FRAMES, RATE_HZ = 220, 44_100
CYCLE_NS = 10**9 * FRAMES // RATE_HZ
KINDS = (roc.SOURCE, roc.REPAIR, roc.CONTROL)


def broken(dice: random.Random, kind: int, data: bytes) -> bytes:
    """Something made of a good datagram."""
    what = dice.randrange(6)
    if what == 0:
        return dice.randbytes(dice.randrange(1, 2000))
    if what == 1:
        return data[: dice.randrange(1, len(data) + 1)]
    if kind == roc.CONTROL and what < 4:
        ssrc = int.from_bytes(data[4:8])
        return dice.choice(
            [
                sender_report(ssrc),
                receiver_report(ssrc),
                sender_report(ssrc) + description(ssrc, b"x"),
            ]
        )
    flipped = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 8))):
        # Mostly where something is said: the head, what repair makes of it, and the tail.
        at = dice.choice((dice.randrange(20), dice.randrange(len(data)), -dice.randrange(1, 7)))
        flipped[at % len(flipped)] ^= 1 << dice.randrange(8)
    return bytes(flipped)


def stream(dice: random.Random, encoder: roc.Encoder) -> list[tuple[int, bytes]]:
    """The next datagrams: some lost, some late, some broken, some twice."""
    encoder.push_frame(dice.randbytes(4) * FRAMES * 2)
    out = []
    for kind in KINDS:
        while packet := encoder.pop_packet(kind):
            if dice.random() > 0.2:
                out.append((kind, packet))
            while dice.random() < 0.5:
                out.append((kind, broken(dice, kind, packet)))
            if dice.random() < 0.1:
                out.append((kind, packet))
    return out


def settings() -> roc.EncoderSettings:
    return roc.EncoderSettings(RATE_HZ, 2, FRAMES, roc.Fec(4, 3), control=True)


def at_the_bridge(dice: random.Random, datagrams: int) -> dict[str, Any]:
    """Through its sockets; a packet's time is a cycle."""
    plain = PlainRoc(listen_host="127.0.0.1", listen_ports=(0, 0, 0), latency_us=30_000)
    with roc.Context() as context, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        bridge = RocBridge(plain, running=False)
        encoder = roc.Encoder(context, settings())
        sent, late, now_ns = 0, [], 10**12
        while sent < datagrams:
            if dice.random() < 0.001:
                encoder.close()
                encoder = roc.Encoder(context, settings())
                now_ns += 10**9
                bridge.cycle(now_ns)
            late += stream(dice, encoder)
            dice.shuffle(late)
            while len(late) > 10:
                kind, data = late.pop()
                sock.sendto(data, ("127.0.0.1", bridge.listen_ports[KINDS.index(kind)]))
                sent += 1
            bridge.cycle(now_ns)
            bridge.trouble()
            now_ns += CYCLE_NS
        stats = bridge.stats()
        bridge.close()
    return {"sent": sent, "passed": stats.passed, "streams": stats.streams, **stats.refused}


def at_libroc(dice: random.Random, datagrams: int) -> dict[str, Any]:
    """Straight into a decoder."""
    with roc.Context() as context:
        encoder = roc.Encoder(context, settings())
        hearing = roc.DecoderSettings(RATE_HZ, 2, True, 30_000, control=True)
        decoder = roc.Decoder(context, hearing)
        decoder._guard.admit = lambda data: None  # type: ignore[method-assign]
        sent, late = 0, []
        while sent < datagrams:
            late += stream(dice, encoder)
            dice.shuffle(late)
            while len(late) > 10:
                decoder.push_packet(*late.pop())
                sent += 1
            decoder.pop_frame(FRAMES)
    return {"sent": sent}


if __name__ == "__main__":
    run = at_libroc if "unguarded" in sys.argv else at_the_bridge
    counts = run(random.Random(int(sys.argv[1])), int(sys.argv[2]))
    sys.stdout.write(json.dumps(counts) + "\n")
