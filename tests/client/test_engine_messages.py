"""What client and engine say to one another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midipool.clock_map import ClockMap
from midipool.errors import InvalidMessage
from midipool_client.engine.messages import (
    EngineStatus,
    FromEngine,
    Heard,
    PortStatus,
    Problem,
    Ready,
    Spool,
    decode_from_engine,
    decode_to_engine,
    encode,
)

times = st.integers(-(2**62), 2**62)
rates = st.floats(-1e-2, 1e-2)
maps = st.builds(
    ClockMap, local_ns=times, room_ns=times, slew=rates, slew_end_ns=times, drift=rates
)
spools = st.builds(
    Spool,
    events=st.lists(st.tuples(times, st.binary(min_size=1, max_size=3)), max_size=5),
    discard_from_us=st.none() | times,
    clock_map=st.none() | maps,
)


def body_of(data: bytes) -> bytes:
    assert int.from_bytes(data[:4], "big") == len(data) - 4
    return data[4:]


@given(spools)
def test_a_spool_arrives_as_it_is(spool: Spool) -> None:
    assert decode_to_engine(body_of(encode(spool))) == spool


@pytest.mark.parametrize(
    "message",
    [
        Ready("jack", "client midiPool", realtime=True, latency_us=2_667),
        EngineStatus([PortStatus(1, 2, 3, 4, 5.5, connections=[(1, "daw:in")])]),
        Heard([(1, b"\x90\x40\x40"), (2, b"\xf8")], port=3),
        Problem("no ports"),
    ],
)
def test_what_an_engine_says_arrives_as_it_is(message: FromEngine) -> None:
    assert decode_from_engine(body_of(encode(message))) == message


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x90", encode(Problem("x"))])
def test_rubbish_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidMessage):
        decode_to_engine(body)
