"""A module's device: what is written sounds at its time, and what is heard has its own. On virtual
time."""

from collections.abc import Iterator

import numpy as np
import pytest

from midipool.clock_map import ClockMap
from midipool_client.audio.device_choice import ModuleChoice
from midipool_client.module.device import ModuleDevice
from midipool_native.tap import INPUT, Tap

RATE, CYCLE = 48_000, 240
BEGIN_NS, ROOM_NS = 5_000_000_000_000, 90_000_000_000
BEGIN = ROOM_NS * RATE // 10**9


class Machine:
    """Runs a device whose own input is in its mix: each click is heard a cycle later."""

    def __init__(self, hears: bool = True) -> None:
        self.device = ModuleDevice(ModuleChoice(hears=hears), 2, running=False)
        self.tap = Tap(2, RATE, 1 << 16)
        self.device.core.set_tap(INPUT, self.tap.handle)
        self.device.core.set_monitor(1.0)
        self.now_ns = BEGIN_NS
        self.device.follow_clock(ClockMap(BEGIN_NS, ROOM_NS, drift=0.0))

    def run(self, cycles: int) -> list[int]:
        """The frames of the room at which something is loud in the mix."""
        loud: list[int] = []
        for _ in range(cycles):
            self.now_ns = self.device.step(self.now_ns)
            while (heard := self.device.heard()) is not None:
                assert heard.count == CYCLE
                mix = np.frombuffer(heard.frames, np.float32).reshape(-1, 2)
                loud += [heard.at + int(n) for n in np.flatnonzero(np.abs(mix[:, 0]) > 0.2)]
        return loud


@pytest.fixture
def machine() -> Iterator[Machine]:
    made = Machine()
    yield made
    made.device.close()
    made.tap.close()


def click(count: int = CYCLE) -> bytes:
    frames = np.zeros((count, 2), np.float32)
    frames[0] = 0.5
    return frames.tobytes()


def test_what_is_written_sounds_at_its_frame_with_gaps_between(machine: Machine) -> None:
    machine.run(4)
    wanted = [BEGIN + 10 * CYCLE, BEGIN + 11 * CYCLE, BEGIN + 30 * CYCLE + 7]
    for at in wanted:
        machine.device.play(at, click())
    assert machine.run(60) == [at + CYCLE for at in wanted]
    assert (heard := machine.device.heard()) is None or heard.late == 0


def test_what_comes_too_late_is_counted_and_moves_nothing(machine: Machine) -> None:
    machine.run(20)
    machine.device.play(BEGIN + 4 * CYCLE, click())
    machine.device.play(BEGIN + 40 * CYCLE, click())
    assert machine.run(30) == [BEGIN + 41 * CYCLE]
    machine.now_ns = machine.device.step(machine.now_ns)
    heard = machine.device.heard()
    assert heard is not None
    assert heard.late == CYCLE


def test_a_flood_is_left_out_and_what_fitted_is_played(machine: Machine) -> None:
    machine.run(4)
    for n in range(400):  # 2 s
        machine.device.play(BEGIN + (10 + n) * CYCLE, click())
    loud = machine.run(500)
    assert loud[:100] == [BEGIN + (11 + n) * CYCLE for n in range(100)]
    assert 100 < len(loud) < 200


def test_before_the_rooms_clock_is_known_nothing_is_played_nor_heard() -> None:
    device = ModuleDevice(ModuleChoice(), 2, running=False)
    device.step(BEGIN_NS)
    device.play(BEGIN, click())
    assert device.heard() is None
    device.close()


def test_who_does_not_hear_knows_how_time_goes_on() -> None:
    machine = Machine(hears=False)
    machine.now_ns = machine.device.step(machine.now_ns)
    heard = machine.device.heard()
    assert heard is not None
    assert (heard.at, heard.count, heard.frames) == (BEGIN, CYCLE, b"")
    machine.device.close()
    machine.tap.close()
