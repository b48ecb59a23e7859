"""A client in a room, and its page, which is served and let in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from midipool_client.live_settings import Playing
from midipool_client.page.host import PageHost
from tests.client.page.running import Running, playing, served_by


@pytest.fixture
def client(tmp_path: Path) -> Playing:
    return playing(tmp_path / "settings.json")


@pytest.fixture
async def served(client: Playing) -> AsyncIterator[Running]:
    host = PageHost()
    host.enter(client)
    async with served_by(host) as made:
        await made.enter()
        yield made
