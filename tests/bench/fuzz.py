"""Millions of broken messages into every decoder: only the documented error may come out.

And hostile datagrams at a relay: the room behind it must go on.
"""

import argparse
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from midipool import messages
from midipool.clock_map import ClockMap
from midipool.datagram import decode_clock_reply, encode_clock_probe
from midipool.errors import InvalidDatagram, InvalidMessage
from midipool.media_datagram import parse_header
from midipool.meter import Loop, Meter, Position
from midipool.timeline import Ramp, Timeline
from midipool_client.engine import messages as engine_messages
from tests.bench import fuzz_relay

TIMELINE = Timeline(playing=True, ramp=Ramp(140_000, 4_000_000), loop=Loop(2, 5))
FROM_CLIENTS = [
    messages.hello("drums"),
    messages.Start(id=1, at="bar", epoch=3),
    messages.SetTempo(id=2, bpm=132.5, ramp_bars=4),
    messages.Locate(id=3, position=Position(17, 3)),
    messages.SetLoop(id=4, loop=Loop(5, 9)),
    messages.SetMeter(id=5, meter=Meter(7, 8)),
    messages.Takeover(timelines=[TIMELINE]),
    messages.MemberStatus(100.0, 20.0, 1.5, 3.0, -4.0),
    messages.MediaOffer(
        to="bass",
        generation=1,
        ufrag="abcd",
        pwd="0123456789abcdefABCDEF",
        candidates=[messages.MediaCandidate("host", "2001:db8::1", 4000, 9)],
    ),
]
FROM_SERVER = [
    messages.Ok(id=1, target_send_timestamp=5, revision=1, epoch=1),
    messages.Error(code="bad_value", message="no", field="bpm", id=2),
    messages.ClockReply(t1_ns=1, t2_ns=2, t3_ns=3),
    messages.Closing(reason="bye"),
]
TO_ENGINE = engine_messages.Spool([(1, b"\xf8")], 5, ClockMap(1, 2, 1e-6, 3, 1e-6))
CLOCK_REPLY = b"\xf1" + encode_clock_probe(1, 2)[1:]
WORDS = [b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"1e999", b"-1", b"9" * 40, b"\\u0000"]

Target = tuple[str, Callable[[bytes], Any], tuple[type[Exception], ...], list[bytes]]
TARGETS: list[Target] = [
    (
        "client message",
        messages.decode_client,
        (InvalidMessage,),
        [messages.encode(m) for m in FROM_CLIENTS],
    ),
    (
        "server message",
        messages.decode_server,
        (InvalidMessage,),
        [messages.encode(m) for m in FROM_SERVER],
    ),
    ("media header", parse_header, (InvalidDatagram,), [fuzz_relay.SEALED]),
    ("sealed datagram", fuzz_relay.open_sealed, (InvalidDatagram,), [fuzz_relay.SEALED]),
    ("clock datagram", decode_clock_reply, (InvalidDatagram,), [CLOCK_REPLY]),
    (
        "engine message",
        engine_messages.decode_to_engine,
        (InvalidMessage,),
        [engine_messages.encode(TO_ENGINE)[4:]],
    ),
]


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)


def run(options: argparse.Namespace) -> dict[str, Any]:
    chance = random.Random(options.seed)
    counts = {name: {"decoded": 0, "refused": 0} for name, *_ in TARGETS}
    end = time.monotonic() + options.seconds
    with fuzz_relay.room() as room:
        while time.monotonic() < end:
            _fuzz_decoders(chance, counts)
            room.attack(chance, mutate)
        relay = room.counts()
        counts["relay"] = room.summary()
    return {"seconds": options.seconds, "seed": options.seed, "counts": counts, "relay": relay}


def _fuzz_decoders(chance: random.Random, counts: dict[str, dict[str, int]]) -> None:
    for name, decode, errors, corpus in TARGETS:
        for _ in range(500):
            # Anything but the documented error ends the run with the bytes that caused it.
            counts[name][_try(decode, errors, mutate(chance.choice(corpus), chance))] += 1


def _try(decode: Callable[[bytes], Any], errors: tuple[type[Exception], ...], data: bytes) -> str:
    try:
        decode(data)
    except errors:
        return "refused"
    except BaseException as error:
        raise AssertionError(f"{error!r} from {data!r}") from error
    return "decoded"


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, cut out, doubled, or replaced by words that decoders dislike."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(out) + 1)
        end = min(at + chance.randint(0, 8), len(out))
        match chance.randrange(5):
            case 0:
                out[at:end] = chance.randbytes(chance.randint(0, 8))
            case 1:
                out[at:end] = b""
            case 2:
                out[at:at] = out[at:end] * chance.randint(1, 50)
            case 3:
                out[at:end] = chance.choice(WORDS)
            case _:
                del out[at:]
    return bytes(out)


def plot(result: dict[str, Any], path: Path) -> None:
    from tests.bench import plots

    plots.bars({name: dict(counts) for name, counts in result["counts"].items()}, path)
