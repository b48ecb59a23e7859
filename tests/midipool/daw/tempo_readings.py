"""What a tempo estimator says of a train, tick by tick."""

from midipool.daw.tempo import TempoEstimator, TempoReading

from .simulated_daw import gaussian, uniform

TEMPOS = [60, 120, 133.7, 174]
JITTERS = {"even": uniform(1_000), "half": gaussian(500), "bell": gaussian(1_000)}


def readings(times: list[int]) -> list[TempoReading | None]:
    """What is said after each tick."""
    estimator = TempoEstimator()
    out = []
    for time_us in times:
        estimator.tick(time_us)
        out.append(estimator.reading)
    return out


def bpms(times: list[int], begin: int) -> list[float]:
    """The readings from a tick on, all of which must be settled."""
    said = readings(times)[begin:]
    assert all(reading is not None and reading.settled for reading in said)
    return [reading.bpm for reading in said if reading is not None]


def worst(times: list[int], begin: int, bpm: float) -> float:
    return max(abs(each - bpm) for each in bpms(times, begin))
