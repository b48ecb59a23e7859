from hypothesis import given, settings
from hypothesis import strategies as st

from midipool.errors import InvalidDatagram
from midipool.rtcp import check_compound
from midipool.rtcp_guard import RtcpGuard
from midipool_native._rt import ffi, lib
from tests.midipool.rtcp_packets import description, sender_report
from tests.midipool.test_rtcp import SAFE, UNSAFE


def python_says(data: bytes) -> bool:
    try:
        check_compound(data)
    except InvalidDatagram:
        return False
    return True


def c_says(data: bytes) -> bool:
    return bool(lib.mp_rtcp_is_safe(ffi.from_buffer(data), len(data)))


@st.composite
def nearly_fine(draw: st.DrawFn) -> bytes:
    """A compound of the tests with some bytes changed, and cut or lengthened at times."""
    data = bytearray(draw(st.sampled_from([*SAFE.values(), *UNSAFE.values()])))
    where = st.integers(0, max(len(data) - 1, 0))
    telling = st.sampled_from([0, 1, 2, 3, 128, 129, 200, 202, 207, 255]) | st.integers(0, 255)
    for at, value in draw(st.lists(st.tuples(where, telling), max_size=3)):
        data[at : at + 1] = bytes((value,))
    return bytes(data[: draw(st.just(len(data)) | where)] + draw(st.just(b"") | st.binary()))


def test_c_and_python_agree_on_each_case() -> None:
    assert [c_says(data) for data in SAFE.values()] == [True] * len(SAFE)
    assert [c_says(data) for data in UNSAFE.values()] == [False] * len(UNSAFE)


@settings(max_examples=600, deadline=None)
@given(nearly_fine() | st.binary(max_size=64))
def test_c_and_python_agree_on_any_bytes(data: bytes) -> None:
    assert c_says(data) == python_says(data)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5)), max_size=60))
def test_c_and_python_admit_the_same(told: list[tuple[int, int]]) -> None:
    guard = RtcpGuard()
    guard.own_ssrc = 3
    in_c = ffi.new("mp_rtcp_guard *", {"own_ssrc": 3})
    for ssrc, name in told:
        data = sender_report(ssrc) + description(ssrc, b"a" * (name // 2 + 1))
        try:
            guard.admit(data)
            admitted = True
        except InvalidDatagram:
            admitted = False
        assert bool(lib.mp_rtcp_admit(in_c, ffi.from_buffer(data), len(data))) == admitted
