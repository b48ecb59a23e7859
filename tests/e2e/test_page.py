"""The page of a real client in a real browser: what is done there is heard and seen elsewhere."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from midipool_demo.stage import Stage
from tests.e2e.browser import chromium, open_page
from tests.e2e.conftest import needs_audio
from tests.e2e.sound_daw import Floats, SoundDaw
from tests.e2e.waiting import wait_until

pytestmark = [pytest.mark.jack, pytest.mark.timeout(90)]
PERIOD = 512
RATE = 48_000
MIX = "midiPool-audio:audio_receive_1"
LISTEN_S = 1.0
# A change takes its way through the page, the client and the mixer's glide; then it holds.
SETTLED_S = 0.3


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    needs_audio()
    with Stage(
        ("drums", "bass"), home=tmp_path, period=PERIOD, audio=("--profile", "safe")
    ) as made:
        yield made


def level_db(recorded: Floats, from_s: float) -> float:
    """The level of a second, as most of its tenths have it."""
    first = round(from_s * RATE)
    pieces = recorded[first : first + RATE, 0].reshape(10, -1)
    return float(20 * np.log10(np.median(np.sqrt(np.mean(pieces**2, axis=1))) + 1e-9))


def hold() -> float:
    """When a second began in which nothing changes."""
    time.sleep(SETTLED_S)
    began_s = time.monotonic()
    time.sleep(LISTEN_S)
    return began_s


def conduct(page: Page, stage: Stage) -> None:
    tempo = page.get_by_label("tempo in BPM")
    tempo.fill("132.5")
    tempo.press("Enter")
    wait_until(lambda: stage.status()["bpm"] == 132.5)
    page.get_by_role("button", name="start from bar 1").click()
    wait_until(lambda: bool(stage.status()["playing"]))
    expect(page.locator(".where.playing")).not_to_have_text("1.1")
    expect(page.get_by_label("who changed what")).to_contain_text("bass tempo 132.5")
    page.get_by_label("loop to before bar").fill("9")
    page.get_by_label("loop to before bar").press("Enter")
    wait_until(lambda: stage.status()["loop"] == [1, 9])


def test_page(stage: Stage, tmp_path: Path) -> None:
    drums, bass = stage.players
    with (
        chromium() as browser,
        SoundDaw(drums.env, 10, tmp_path / "drums.npy"),
        SoundDaw(bass.env, 20, tmp_path / "bass.npy", MIX) as listening,
    ):
        page, wrong = open_page(browser, stage, "bass")
        expect(page.get_by_role("region", name="drums")).to_be_visible()
        other, wrong_there = open_page(browser, stage, "bass")
        conduct(page, stage)
        expect(other.get_by_label("tempo in BPM")).to_have_value("132.5")
        # Sound comes: the health table says how late.
        expect(page.locator(".health td[data-head='one way']").first).to_contain_text("ms")
        as_it_came_s = hold()
        level = page.get_by_label("drums: level in dB")
        level.fill("-12")
        level.press("Enter")
        expect(other.get_by_label("drums: level in dB")).to_have_value("−12.0")
        lower_s = hold()
        page.get_by_label("drums: level", exact=True).press("ArrowDown")
        expect(other.get_by_label("drums: level in dB")).to_have_value("−12.5")
        page.get_by_role("button", name="mute drums").click()
        expect(other.get_by_role("button", name="mute drums")).to_have_attribute(
            "aria-pressed", "true"
        )
        muted_s = hold()
        recorded = listening.end()
    levels = [level_db(recorded, s - listening.began_s) for s in (as_it_came_s, lower_s, muted_s)]
    assert levels[1] - levels[0] == pytest.approx(-12.0, abs=0.5), levels
    assert levels[2] < -80.0, levels
    assert wrong + wrong_there == []
