import pytest

from midipool.messages import Start

from .simulation import SECOND, Simulation


@pytest.fixture
def jam() -> Simulation:
    """A room with one member."""
    simulation = Simulation()
    simulation.join()
    return simulation


@pytest.fixture
def playing(jam: Simulation) -> Simulation:
    """The same, a second after its start."""
    jam.command(Start(id=1))
    jam.run(SECOND)
    return jam
