"""A recording as a device plays what it is told, when it is told: on virtual time."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from midipool.clock_map import ClockMap
from midipool_client.audio.device_choice import TakeChoice
from midipool_client.playback.device import TakePlayback
from midipool_client.playback.pieces import TakePiece
from midipool_native import tap as taps
from midipool_native.tap import Tap
from tests.e2e.waiting import wait_until

RATE, SECOND_US = 44_100, 1_000_000
BEGIN_NS, ROOM_NS = 5_000_000_000_000, 90_000_000_000
WITHIN = 12


class Listener:
    """Runs a device, and has what its participant would send."""

    def __init__(self, take: TakePlayback) -> None:
        self.take, self.now_ns = take, BEGIN_NS
        self.map = ClockMap(BEGIN_NS, ROOM_NS, drift=1e-4)
        self.tap = Tap(2, RATE, 1 << 16)
        self.heard = np.zeros((0, 2), np.float32)
        take.core.set_tap(taps.INPUT, self.tap.handle)
        take.follow_clock(self.map)

    def until(self, room_s: float, *, disk: bool = True) -> None:
        """All of the room's time up to there, from when it began; `disk`: which is waited for."""
        while self.map.room_at(self.now_ns) < ROOM_NS + room_s * 1e9:
            self.now_ns = self.take.step(self.now_ns)
            deadline = time.monotonic() + 10
            self.take.tend()
            while disk and self.take.summed_s < 0.2:
                assert time.monotonic() < deadline
                self.take.tend()
            while data := self.tap.read(self.map, ROOM_NS):
                part = np.frombuffer(data, np.float32).reshape(-1, 2)
                self.heard = np.concatenate((self.heard, part))

    def clicks(self, channel: int) -> list[float]:
        """When there was one, in seconds."""
        loud = np.flatnonzero(self.heard[:, channel] > 0.2)
        starts = loud[np.diff(loud, prepend=-RATE) > WITHIN]
        return [round(float(start) / RATE, 3) for start in starts]


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    """Of a recording with a click each second at the left, and each half second at the right."""
    left, right = np.zeros((8 * RATE, 2), np.float32), np.zeros((8 * RATE, 2), np.float32)
    left[::RATE, 0] = right[:: RATE // 2, 1] = 0.9
    for name, sound in (("1.flac", left), ("2.flac", right)):
        soundfile.write(tmp_path / name, sound, RATE, "PCM_24")
    take = TakePlayback(TakeChoice(str(tmp_path), ["1.flac", "2.flac"], RATE), running=False)
    made = Listener(take)
    yield made
    take.close()
    made.tap.close()


def room_us(seconds: float) -> int:
    return ROOM_NS // 1000 + round(seconds * SECOND_US)


def piece(begin_s: float, end_s: float, take_s: float) -> TakePiece:
    return TakePiece(room_us(begin_s), room_us(end_s), round(take_s * SECOND_US))


def test_each_piece_is_heard_in_its_time(listener: Listener) -> None:
    # From 3.25 s on for two seconds, then again, with a gap in between.
    listener.take.play([piece(1, 3, 3.25), piece(3, 3.5, 3.25), piece(4, 5, 1)])
    listener.until(6)
    assert listener.clicks(0) == pytest.approx([1.75, 2.75, 4.0], abs=0.001)
    right = [1.25, 1.75, 2.25, 2.75, 3.25, 4.0, 4.5]
    assert listener.clicks(1) == pytest.approx(right, abs=0.001)


def test_a_track_that_is_muted_is_silent_and_comes_back(listener: Listener) -> None:
    listener.take.play([piece(1, 8, 0)])
    listener.take.mute([0])
    listener.until(2.3)
    listener.take.mute([])
    listener.until(4.5)
    assert listener.clicks(0) == pytest.approx([3.0, 4.0], abs=0.001)
    assert listener.clicks(1)[:2] == pytest.approx([1.0, 1.5], abs=0.001)


def test_a_change_of_plan_keeps_what_is_sent_soon_and_no_more(listener: Listener) -> None:
    listener.take.play([piece(1, 9, 0)])
    listener.until(2.25)
    listener.take.play([piece(1, 2.75, 0), piece(2.75, 9, 4.9)])
    listener.until(4)
    assert listener.clicks(0) == pytest.approx([1.0, 2.0, 2.85, 3.85], abs=0.001)


def test_a_disk_that_stalls_for_3_s_is_not_heard(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener.take.play([piece(1, 9, 0)])
    listener.until(2.25)
    reader, stalled = listener.take._reader, threading.Event()
    wait_until(lambda: not reader._has_work())
    read = reader._read_track
    with monkeypatch.context() as patched:
        patched.setattr(reader, "_read_track", lambda *a: stalled.wait(20) and read(*a))
        before = listener.take.missing
        listener.until(5.25, disk=False)
        assert listener.take.missing == before
        stalled.set()
    listener.until(7.25)
    assert listener.clicks(0) == pytest.approx([1, 2, 3, 4, 5, 6, 7], abs=0.001)
