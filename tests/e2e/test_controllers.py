"""Controllers and pedals at `midi_control`: learned, obeyed, and there again after a crash."""

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from midipool_client.controllers.law import FADER, Law
from midipool_demo.background import Background
from midipool_demo.jack_server import JackServer
from tests.e2e.browser import chromium
from tests.e2e.leading_daw import LeadingDaw
from tests.e2e.solo import Solo
from tests.e2e.waiting import wait_until

pytestmark = [pytest.mark.jack, pytest.mark.idle]
RECEIVE, CONTROL = "midiPool:midi_receive", "midiPool:midi_control"


def strip(solo: Solo) -> dict[str, Any]:
    """The bass's, as the client has it now."""
    mixer = json.loads(solo.command("ctl", "state", "--json", "mixer"))
    found: dict[str, Any] = mixer["listening"]["mix"]["strips"].get("bass", {})
    return found


def learn(solo: Solo, hand: LeadingDaw, moved: str, *words: str) -> str:
    """What `ctl learn` says when this is moved."""
    with Background.python("midipool_client", "ctl", "learn", *words, env=solo.env) as learning:
        learning.wait_for_output("move a controller")
        hand("raw", moved)
        assert learning.process.wait(10) == 0, learning.output()
        return learning.output()


def learn_start_on_the_page(solo: Solo, hand: LeadingDaw) -> None:
    """A pad, for the button that is touched while it is learned."""
    found = re.search(r"page: (http://127\.0\.0\.1:\d+/\S+)", solo.client.output())
    assert found
    with chromium() as browser:
        page = browser.new_page()
        page.goto(found[1])
        page.get_by_label("learn a controller").select_option("touch")
        page.get_by_role("button", name="start from bar 1").click()
        panel = page.get_by_role("region", name="Controllers")
        expect(panel).to_contain_text("it is for start")
        hand("raw", "992440", "892440")
        expect(panel.locator(".learned")).to_have_count(3)
        expect(panel).to_contain_text("note:10:36")
        expect(page.get_by_label("learn a controller")).to_be_visible()
        assert not solo.status()["playing"]


def engine_pid(solo: Solo) -> int:
    """The MIDI engine's, a child of the client."""
    children = Path(f"/proc/{solo.client.process.pid}/task/{solo.client.process.pid}/children")
    (pid,) = children.read_text().split()
    return int(pid)


def moved_to(solo: Solo, hand: LeadingDaw, moved: str) -> float | None:
    """Where the bass's fader is after this."""
    hand("raw", moved)
    return strip(solo).get("gain_db")


def test_a_learned_controller_does_what_a_page_does(jack: JackServer, tmp_path: Path) -> None:
    with Solo(jack, tmp_path, [], [RECEIVE]) as solo, LeadingDaw(solo.env, "hand") as hand:
        hand("send-to", CONTROL)
        said = learn(solo, hand, "b00705", "strip", "bass", "gain")
        assert "cc:1:7: strip bass gain_db (pickup), once it is moved" in said
        said = learn(solo, hand, "b0407f", "strip", "bass", "mute")
        assert "cc:1:64: strip bass mute (toggle)" in said
        learn_start_on_the_page(solo, hand)

        hand("raw", "b00714", "b0075f", "b00733")  # from afar to where 0 dB is, and down
        gain_db = Law(FADER).value(0x33 / 127)
        wait_until(lambda: strip(solo).get("gain_db") == gain_db)
        hand("raw", "b0407f")
        wait_until(lambda: strip(solo).get("mute") is True)
        hand("raw", "992440")
        wait_until(lambda: bool(solo.status()["playing"]))

        os.kill(engine_pid(solo), signal.SIGKILL)
        wait_until(lambda: solo.client.output().count("MIDI: JACK") == 2)
        # The control input's connection is made again a moment after the ports are there.
        higher_db = Law(FADER).value(0x35 / 127)
        wait_until(lambda: moved_to(solo, hand, "b00735") == higher_db)
        shown = solo.command("ctl", "learned")
        assert [line.split(": ")[0] for line in shown.splitlines()] == [
            "cc:1:7",
            "cc:1:64",
            "note:10:36",
        ]
    kept = json.loads((tmp_path / "midipool" / "settings.json").read_text())["controllers"]
    assert kept["device:midiPool"]["cc:1:7"]["field"] == "gain_db"
