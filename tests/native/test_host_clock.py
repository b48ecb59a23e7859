import os
import subprocess
import sys
import threading
import time

import pytest

from midipool.errors import Unavailable
from midipool_native import host_clock

LOOK = """
import time
from midipool_native import host_clock
host_clock.set_off_for_tests()
host_clock.set_off_for_tests()
before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
now = host_clock.now_ns()
print(before, now, time.clock_gettime_ns(time.CLOCK_MONOTONIC))
"""


def off_ns(setting: str, at_ns: int) -> int:
    """How far off a clock so set is at a time of CLOCK_MONOTONIC."""
    offset_ms, ppm = (float(part) for part in setting.split(","))
    return round(offset_ms * 1e6 + at_ns * ppm * 1e-6)


@pytest.mark.parametrize("setting", ["250,100", "-3600000.5,-200", "0,0"])
def test_a_process_lives_on_the_clock_of_the_environment(setting: str) -> None:
    environment = os.environ | {
        host_clock.TEST_CLOCK: setting,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    looked = subprocess.run(
        [sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, check=True
    )
    before_ns, now_ns, after_ns = (int(word) for word in looked.stdout.split())
    assert before_ns + off_ns(setting, before_ns) - 2 <= now_ns
    assert now_ns <= after_ns + off_ns(setting, after_ns) + 2


@pytest.mark.parametrize(
    "setting",
    ["", ",", "250", "1,2,3", "soon,100", "nan,0", "0,nan", "inf,0", "0,-inf", "1e30,0", "0,-1e6"],
)
def test_a_setting_that_is_none_gives_one_clear_error(
    setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(host_clock.TEST_CLOCK, setting)
    if not setting:
        host_clock.set_off_for_tests()  # as if it were not set
        return
    with pytest.raises(Unavailable) as caught:
        host_clock.set_off_for_tests()
    assert f"{host_clock.TEST_CLOCK}={setting!r} is not OFFSET_MS,PPM" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unset_it_is_the_monotonic_clock() -> None:
    before_ns = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    now_ns = host_clock.now_ns()
    assert before_ns <= now_ns <= time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def test_time_asleep_is_never_negative() -> None:
    assert min(host_clock.asleep_ns() for _ in range(10_000)) >= 0


def test_a_kernel_timestamp_becomes_host_time() -> None:
    before_ns = host_clock.now_ns()
    host_ns = host_clock.from_realtime_ns(time.time_ns())
    assert before_ns - 1_000 <= host_ns <= host_clock.now_ns()


def test_a_thread_is_told_whether_it_got_its_priority() -> None:
    told: list[object] = []
    thread = threading.Thread(target=lambda: told.append(host_clock.realtime_thread(1)))
    thread.start()
    thread.join()
    assert isinstance(told[0], bool)
