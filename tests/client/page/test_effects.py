"""Boards on the page: by its messages, and by hand in a browser."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, expect

pytest.importorskip("pedalboard", reason="effects need pedalboard: pip install 'midipool[effects]'")

from midipool.timeline import Timeline
from midipool.timeline_chain import TimelineChain
from midipool_client.effects.folder import EffectsFolder
from midipool_client.effects.messages import EffectsStatus, Pitch
from midipool_client.effects.rack import Rack
from midipool_client.live_settings import Playing
from tests.client.page.looks import chromium_page
from tests.client.page.running import Running, playing, until
from tests.client.page.test_talk import opened

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def client(tmp_path: Path) -> Playing:
    made = playing(tmp_path / "settings.json")
    made.player.follower.chain = TimelineChain((Timeline(playing=True),))
    rack = made.player.effects
    assert rack is not None
    rack.folder = EffectsFolder(tmp_path / "effects")
    return made


def rack_of(client: Playing) -> Rack:
    assert client.player.effects is not None
    return client.player.effects


def kinds_on(rack: Rack, place: str) -> list[str]:
    return [effect.kind for effect in rack.boards.board(place).effects]


async def test_a_board_is_built_changed_and_kept_by_messages(
    served: Running, client: Playing
) -> None:
    page, rack = await opened(served), rack_of(client)
    assert len(page.state["effect_kinds"]["kinds"]) >= 25
    assert [b["board"] for b in page.state["effects"]["boards"]] == ["1", "2", "own", "master"]
    await page.ask("add_effect", board="1", kind="delay", values={"time": 300})
    await page.ask("add_effect", board="1", kind="gate", position=1)
    assert kinds_on(rack, "1") == ["gate", "delay"]
    await page.ask("move_effect", effect=1, position=1)
    await page.ask("bypass_effect", effect=2, bypass=True)
    await page.ask("set_effect", effect=1, values={"sync": "1/8."})
    await page.ask("save_preset", board="1", name="mine")
    await page.ask("load_preset", board="2", name="mine")
    while not page.state["effects"]["presets"] or not page.state["effects"]["boards"][1]["effects"]:
        await page.hear()
    [one, two] = page.state["effects"]["boards"][1]["effects"]
    assert (one["kind"], one["values"]["sync"], one["values"]["time"]) == ("delay", "1/8.", 300)
    assert (two["kind"], two["bypass"]) == ("gate", True)
    assert (one["name"], two["name"]) == ("2/delay", "2/gate")
    await page.ask("load_preset", board="2", name="mine")  # with other numbers
    await page.ask("set_effect", effect="2/delay", values={"time": 200})
    assert rack.boards.board("2").at(1).values["time"] == 200
    await page.ask("remove_effect", effect=1)
    assert kinds_on(rack, "1") == ["gate"]
    board = {"midipool_effects": 1, "effects": [{"kind": "reverb"}]}
    await page.ask("import_board", board="master", json=json.dumps(board))
    assert kinds_on(rack, "master") == ["reverb"]
    await page.ask("delete_preset", name="mine")
    assert rack.folder.names() == []


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"type": "add_effect", "board": "1", "kind": "wah"}, "must be one of"),
        ({"type": "add_effect", "board": "3", "kind": "gain"}, "no own channel 3"),
        ({"type": "add_effect", "board": "left", "kind": "gain"}, "board"),
        ({"type": "set_effect", "effect": 9, "values": {"gain": 1}}, "no effect 9"),
        ({"type": "bypass_effect", "effect": "own/gain", "bypass": True}, "no own/gain on any"),
        ({"type": "bypass_effect", "effect": "own/wah", "bypass": True}, "no own/wah on any"),
        ({"type": "bypass_effect", "effect": "own", "bypass": True}, "effect"),
        ({"type": "import_board", "board": "1", "json": "{"}, "is no preset"),
        ({"type": "load_preset", "board": "1", "name": "../x"}, "name: must be"),
        ({"type": "set_tuner", "channel": 4}, "must be 2 at most"),
    ],
)
async def test_what_cannot_be_is_refused_in_words(
    served: Running, fields: dict[str, Any], says: str
) -> None:
    page = await opened(served)
    kind = fields.pop("type")
    answer = await page.ask(kind, **fields)
    assert answer["type"] == "refused"
    assert says in answer["text"]


async def in_order(page: Locator, *kinds: str) -> None:
    for number, kind in enumerate(kinds):
        await expect(page.nth(number)).to_have_attribute("data-effect", kind)


async def test_a_board_is_built_by_hand(served: Running, client: Playing) -> None:
    rack = rack_of(client)
    async with chromium_page(served.server.address) as (page, wrong):
        await page.get_by_role("button", name="board of what you hear").click()
        menu = page.get_by_label("add an effect to what you hear")
        for kind in ("gain", "delay", "filter"):
            await menu.select_option(kind)
        pedals = page.locator(".pedal")
        await in_order(pedals, "gain", "delay", "filter")
        await page.get_by_role("button", name="delay 2: earlier").click()
        await in_order(pedals, "delay", "gain", "filter")
        await page.locator(".pedal header").nth(2).drag_to(pedals.nth(0))
        await in_order(pedals, "filter", "delay", "gain")
        typed = page.get_by_label("gain 3: gain, typed")
        await typed.fill("-20")
        await typed.press("Enter")
        await page.get_by_label("filter 1: frequency", exact=True).press("ArrowRight")
        await page.get_by_label("filter 1: type").select_option("high24")
        await page.get_by_role("button", name="delay 2: on").click()
        await until(lambda: len(rack.boards.board("master").active) == 2)
        first, _, last = rack.boards.board("master").effects
        assert first.values["type"] == "high24"
        assert float(first.values["frequency"]) > 1000
        assert last.values == {"gain": -20}
        await page.get_by_label("keep the board of what you hear as a preset called").fill(
            "my ears"
        )
        await page.keyboard.press("Enter")
        async with page.expect_download() as download:
            await page.get_by_role("button", name="export").click()
        saved = await (await download.value).path()
        written = json.loads(saved.read_bytes())
        assert [e["kind"] for e in written["effects"]] == ["filter", "delay", "gain"]
        for _ in range(3):
            await page.get_by_role("button", name=": remove").first.click()
        await expect(pedals).to_have_count(0)
        await page.get_by_label("load a preset into what you hear").select_option("my ears")
        await in_order(pedals, "filter", "delay", "gain")
        file = {"name": "b.json", "mimeType": "application/json", "buffer": b'{"config": []}'}
        await page.get_by_label("import a board into what you hear").set_input_files(file)  # type: ignore[arg-type]
        await expect(pedals).to_have_count(0)
        await page.get_by_role("button", name="tuner on channel 1").click()
        status = EffectsStatus(1, 0.02, 0.04, (0, 0), pitch=Pitch(110.2, "A2", 3.1))
        rack._process.status = status
        await expect(page.locator(".pitch")).to_contain_text("A2 +3 cents")
        assert rack.tuner == 1
        assert wrong == []
