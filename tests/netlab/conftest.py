from collections.abc import Iterator

import pytest

from . import Lab, why_unavailable


@pytest.fixture
def lab() -> Iterator[Lab]:
    if reason := why_unavailable():
        pytest.skip(reason)
    with Lab() as made:
        yield made
