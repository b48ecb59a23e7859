"""Who is in the room, on the page in a browser: what hosts do about it."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from midipool.messages import Revoke
from midipool_client.page.host import PageHost
from tests.client.page.looks import chromium_page
from tests.client.page.running import served_by
from tests.client.page.stuffed import INVITED, agreeing, in_its_room, stuffed

pytestmark = pytest.mark.timeout(60)


async def test_a_host_takes_an_invitation_back(tmp_path: Path) -> None:
    client = stuffed(tmp_path / "settings.json")
    asked = agreeing(client.player)
    host = PageHost()
    with in_its_room(client):
        host.enter(client)
        async with (
            served_by(host) as served,
            chromium_page(served.server.address) as (page, wrong),
        ):
            link = page.get_by_label("the link that lets in")
            await expect(link).to_have_value(f"http://127.0.0.1:1/jam#invite={INVITED}")
            revoke = page.get_by_role("button", name="revoke: the link lets in nobody new")
            await revoke.click()
            await expect(link).to_have_count(0)
            await expect(revoke).to_have_count(0)
            assert [type(one) for one in asked] == [Revoke]
            assert isinstance(asked[0], Revoke)
            assert asked[0].invitation == INVITED
            assert wrong == []
