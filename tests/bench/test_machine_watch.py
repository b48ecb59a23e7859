"""Which xruns are the machine's."""

import numpy as np

from tests.bench.machine_watch import Stalls

MS = 1_000_000


def test_what_happens_near_a_stall_is_the_machines() -> None:
    stalls = Stalls(np.array([[1_000 * MS, 4 * MS], [2_000 * MS, 3 * MS]]))
    assert stalls.others([1_004 * MS, 1_500 * MS, 1_990 * MS, 2_100 * MS]) == [
        1_500 * MS,
        2_100 * MS,
    ]


def test_a_machine_that_goes_on_excuses_nothing() -> None:
    assert Stalls(np.empty((0, 2), np.int64)).others([5]) == [5]
