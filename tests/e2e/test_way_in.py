"""From the page alone into a room and out of it, in Chromium and in Firefox."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from midipool_demo.background import Background
from midipool_demo.jack_server import JackServer
from midipool_demo.stage import PAGE, Stage
from tests.e2e.browser import chromium, open_address
from tests.e2e.conftest import LONG_PERIOD, needs_audio
from tests.e2e.firefox import Firefox
from tests.e2e.sound_daw import SoundDaw
from tests.e2e.waiting import wait_until

pytestmark = [pytest.mark.jack, pytest.mark.idle, pytest.mark.timeout(120)]


@dataclass
class Alone:
    """A client without a room, and a room that it may join."""

    stage: Stage
    client: Background
    jack: JackServer

    @property
    def address(self) -> str:
        return str(PAGE.findall(self.client.output())[-1])

    def members(self) -> list[str]:
        return [member["name"] for member in self.stage.status()["members"]]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    needs_audio()
    home = tmp_path_factory.mktemp("home")
    folders = {f"XDG_{kind}": str(home / "keys") for kind in ("CONFIG_HOME", "RUNTIME_DIR")}
    with (
        Stage(("drums",), home=home, period=LONG_PERIOD, audio=()) as stage,
        JackServer(period=LONG_PERIOD) as jack,
    ):
        jack.wait_ready()
        env = {**jack.env, **folders}
        with Background.python("midipool_client", "--no-browser", env=env) as client:
            client.wait_for_output("page: ")
            yield Alone(stage, client, jack)
            client.stop(signal.SIGINT)


def test_chromium(alone: Alone, tmp_path: Path) -> None:
    with chromium() as browser:
        page, wrong = open_address(browser, alone.address)
        expect(page.get_by_role("region", name="On this network")).to_be_visible()
        expect(page.get_by_label("through")).to_contain_text(f"JACK runs, 48000 Hz, {LONG_PERIOD}")
        page.get_by_role("button", name="check the level").click()
        expect(page.locator(".levels")).to_contain_text("midiPool-audio")
        with SoundDaw(alone.jack.env, 30, tmp_path / "keys.npy"):
            # Noise of a quarter of full scale, on both channels.
            expect(page.locator(".level output").nth(1)).to_have_text("−12.0 dB")
            page.get_by_label("Server").fill(f"midipool-client join {alone.stage.url} --name x")
            page.get_by_label("Your name").fill("keys")
            page.get_by_role("button", name="join", exact=True).click()
            expect(page.get_by_role("region", name="drums")).to_be_visible()
            # What was connected to the ports that were tried is connected to those of the room.
            expect(page.get_by_role("region", name="in 2")).to_be_visible()
            wait_until(lambda: "keys" in alone.members())
            wait_until(lambda: bool(page.evaluate(PEAK_OF_IN_2)))
        page.get_by_role("button", name="leave").click()
        expect(page.get_by_role("button", name=f"{alone.stage.url} as keys")).to_be_visible()
        wait_until(lambda: alone.members() == ["drums"])
        assert wrong == []


# What the meter shows on the screen: something other than its well, at -20 dB.
PEAK_OF_IN_2 = """(() => {
  const place = document.querySelector('[data-strip="in 2"] .meter')?.place;
  if (!place?.canvas.width) return false;
  const { canvas, x, w, h } = place;
  const copy = Object.assign(document.createElement("canvas"), { width: w, height: h });
  const g = copy.getContext("2d");
  g.drawImage(canvas, x, 0, w, h, 0, 0, w, h);
  const at = (share) => [...g.getImageData(w / 2, h * share, 1, 1).data].join();
  return at(0.5) !== at(0.05);
})()"""


def test_firefox(alone: Alone, tmp_path: Path) -> None:
    """Joins, plays, shows meters, and leaves."""
    with Firefox() as firefox:
        firefox.open(alone.address)
        firefox.wait_for("document.querySelector('.join form')")
        firefox.evaluate(
            f"""(() => {{
              const form = document.querySelector('.join form');
              form.server.value = {alone.stage.url!r};
              form.elements.name.value = 'keys';
              form.querySelector('button.start').click();
            }})()"""
        )
        firefox.wait_for("document.querySelector('[data-strip=\"drums\"]')")
        firefox.wait_for("document.querySelector('.mixer .device')")
        with SoundDaw(alone.jack.env, 30, tmp_path / "keys.npy"):
            firefox.wait_for(PEAK_OF_IN_2)
        firefox.evaluate("document.querySelector('.go .start').click()")
        firefox.wait_for("document.querySelector('.where.playing')")
        wait_until(lambda: bool(alone.stage.status()["playing"]))
        firefox.evaluate("document.querySelector('.go .stop').click()")
        firefox.evaluate("document.querySelector('.top button').click()")
        firefox.wait_for("document.querySelector('.join form')")
        wait_until(lambda: alone.members() == ["drums"])
        assert firefox.errors == []
