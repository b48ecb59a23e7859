"""The page of a real client in a real browser: what is done there is heard and seen elsewhere."""

import io
import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from midipool_demo.stage import Stage
from tests.e2e.browser import chromium, open_page
from tests.e2e.conftest import needs_audio
from tests.e2e.sound_daw import Floats, SoundDaw
from tests.e2e.waiting import wait_until

pytestmark = [pytest.mark.jack, pytest.mark.timeout(120)]
PERIOD = 512
RATE = 48_000
MIX = ("midiPool-audio:audio_receive_1", "midiPool-audio:audio_receive_2")
LISTEN_S = 0.6
# A change takes its way through the page, the client and the mixer's glide; then it holds.
SETTLED_S = 0.3


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    needs_audio()
    with Stage(
        ("drums", "bass"), home=tmp_path, period=PERIOD, audio=("--profile", "safe")
    ) as made:
        yield made


def levels_db(recorded: Floats, from_s: float) -> tuple[float, float]:
    """The levels left and right of a while, as most of its tenths have it."""
    first, frames = round(from_s * RATE), round(LISTEN_S * RATE)
    pieces = recorded[first : first + frames].reshape(10, -1, 2)
    left, right = np.median(np.sqrt(np.mean(pieces**2, axis=1)), axis=0)
    return float(20 * np.log10(left + 1e-9)), float(20 * np.log10(right + 1e-9))


def hold() -> float:
    """When a while began in which nothing changes."""
    time.sleep(SETTLED_S)
    began_s = time.monotonic()
    time.sleep(LISTEN_S)
    return began_s


# Five taps, 400 ms apart by the page's clock.
TAPS = """(button) => {
  for (let tap = 0; tap < 5; tap++) {
    performance.now = () => 10_000 + 400 * tap;
    button.click();
  }
  delete performance.now;
}"""


def conduct(page: Page, stage: Stage) -> None:
    page.get_by_role("button", name="tap", exact=True).evaluate(TAPS)
    wait_until(lambda: stage.status()["bpm"] == 150)
    tempo = page.get_by_label("tempo in BPM")
    tempo.fill("132.5")
    tempo.press("Enter")
    wait_until(lambda: stage.status()["bpm"] == 132.5)
    page.get_by_label("bars of count-in").select_option("1")
    page.get_by_role("button", name="start from bar 1").click()
    changes = page.get_by_label("who changed what")
    expect(changes).to_contain_text("bass start, after 1 bar of count-in")
    wait_until(lambda: bool(stage.status()["playing"]))
    expect(page.locator(".where.playing")).not_to_have_text("1.1")
    expect(changes).to_contain_text("bass tempo 132.5")
    page.get_by_label("loop to before bar").fill("9")
    page.get_by_label("loop to before bar").press("Enter")
    wait_until(lambda: stage.status()["loop"] == [1, 9])


def type_level(page: Page, strip: str, level: str) -> None:
    field = page.get_by_label(f"{strip}: level in dB")
    field.fill(level)
    field.press("Enter")


def mix_as_listener(page: Page, other: Page) -> dict[str, float]:
    """Change the player's strip; when each of it held. The other page of this client follows."""
    held = {"as it came": hold()}
    type_level(page, "drums", "-12")
    expect(other.get_by_label("drums: level in dB")).to_have_value("−12.0")
    held["lower"] = hold()
    page.get_by_label("drums: level", exact=True).press("ArrowDown")
    expect(other.get_by_label("drums: level in dB")).to_have_value("−12.5")
    mute = other.get_by_role("button", name="mute drums")
    page.get_by_role("button", name="mute drums").click()
    expect(mute).to_have_attribute("aria-pressed", "true")
    held["muted"] = hold()
    mute.click()
    page.get_by_label("drums: level", exact=True).dblclick()
    expect(other.get_by_label("drums: level in dB")).to_have_value("0.0")
    page.get_by_role("button", name="board of what you hear").click()
    page.get_by_label("add an effect to what you hear").select_option("gain")
    gain = page.get_by_label("gain 1: gain, typed")
    gain.fill("-9")
    gain.press("Enter")
    expect(page.locator(".effects .cost")).to_contain_text("what you hear 10.7 ms later")
    held["effect"] = hold()
    page.get_by_role("button", name="gain 1: on").click()
    return held


def mix_as_player(page: Page, listening: Page) -> dict[str, float]:
    """Change the player's own channels: one is lower, one muted to the room. And the other's solo,
    who hears itself."""
    type_level(page, "in 1", "-6")
    page.get_by_role("button", name="mute in 2 to the room").click()
    held = {"own channels": hold()}
    listening.get_by_role("button", name="monitor: hear yourself").click()
    listening.get_by_role("button", name="solo in 2").click()
    expect(listening.get_by_role("region", name="drums")).to_contain_text("others solo")
    held["own solo"] = hold()
    return held


def record(page: Page, folder: Path) -> None:
    """Some bars are recorded, kept as a file, and played into the room."""
    page.get_by_role("button", name="record", exact=True).click()
    said = page.get_by_label("recording", exact=True)
    expect(said).to_contain_text("armed: begins with bar")
    expect(said).to_contain_text("0:02", timeout=15_000)
    expect(said).to_contain_text("3 tracks")
    page.get_by_role("button", name="stop recording").click()
    take = page.locator(".take")
    expect(take).to_contain_text("132.5 BPM, 4/4")
    with page.expect_download() as downloading:
        take.get_by_role("link", name="download").click()
    downloading.value.save_as(folder / "take.zip")
    with zipfile.ZipFile(folder / "take.zip") as archive:
        names = [Path(name).name for name in archive.namelist()]
        assert names[0] == "01-bass.flac"
        assert {"manifest.json", "midi.mid"} < set(names)
        sound, rate = soundfile.read(io.BytesIO(archive.read(archive.namelist()[0])))
        assert (rate, len(sound) > RATE) == (RATE, True)
    take.get_by_role("button", name="play").click()
    # It is one more player, with a strip of its own.
    expect(page.get_by_label("place in the recording")).to_contain_text("bar 1 of", timeout=15_000)
    expect(page.locator(".strip.player h3").filter(has_text="take 2")).to_be_visible()
    page.get_by_role("button", name="mute drums in the recording").click()
    expect(page.get_by_role("button", name="mute drums in the recording")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.get_by_role("button", name="pause").click()
    expect(page.get_by_label("place in the recording")).to_contain_text("paused at bar")
    page.get_by_role("button", name="stop playing").click()
    take.get_by_role("button", name="rename").click()
    page.get_by_label("new name of").fill("the best")
    page.get_by_label("new name of").press("Enter")
    expect(take).to_contain_text("the best")
    take.get_by_role("button", name="delete").click()
    expect(take).to_have_count(1)
    asked = take.get_by_role("alertdialog")
    asked.get_by_role("button", name="delete the best").click()
    expect(take).to_have_count(0)


def talk(page: Page, other: Page, stage: Stage, folder: Path) -> None:
    """What is said and loaded is there for the other player, and on the server's page."""
    room = page.context.new_page()
    room.goto(stage.url.replace("ws:", "http:").replace("/demo", "/rooms/demo"))
    field = other.get_by_label("say something")
    field.fill("<i>shall we?</i>")
    field.press("Enter")
    expect(page.get_by_role("log")).to_contain_text("drums: <i>shall we?</i>")
    field = page.get_by_label("say something")
    field.fill("/tempo fast")
    field.press("Enter")
    expect(page.locator(".chat")).to_contain_text("say it in BPM")
    expect(field).to_have_value("/tempo fast")
    page.get_by_role("button", name="new song").click()
    song = {"name": "Waltz", "bpm": "140.5", "meter": "3/4", "notes": "# Intro\n*piano*"}
    for name, text in song.items():
        page.locator(f".song-form [name={name}]").fill(text)
    page.get_by_role("button", name="save", exact=True).click()
    page.get_by_role("button", name="load Waltz").click()
    expect(other.locator(".loaded-notes em")).to_have_text("piano")
    wait_until(lambda: (stage.status()["bpm"], stage.status()["meter"]) == (140.5, "3/4"))
    expect(room.locator(".song-now")).to_contain_text("Waltz")
    songs = other.locator(".songs")
    with other.expect_download() as downloading:
        songs.get_by_role("button", name="export").click()
    file = folder / "songs.json"
    file.write_text(Path(downloading.value.path()).read_text().replace("Waltz", "Tango"))
    songs.get_by_label("import songs").set_input_files(file)
    expect(songs).to_contain_text("1 added, 0 changed")
    expect(page.get_by_role("button", name="load Tango")).to_be_visible()
    room.close()


def test_page(stage: Stage, tmp_path: Path) -> None:
    drums, bass = stage.players
    with (
        chromium() as browser,
        SoundDaw(drums.env, 10, tmp_path / "drums.npy"),
        SoundDaw(bass.env, 20, tmp_path / "bass.npy", *MIX) as listening,
    ):
        page, wrong = open_page(browser, stage, "bass")
        expect(page.get_by_role("region", name="drums")).to_be_visible()
        other, wrong_there = open_page(browser, stage, "bass")
        players_own, wrong_at_drums = open_page(browser, stage, "drums")
        conduct(page, stage)
        expect(other.get_by_label("tempo in BPM")).to_have_value("132.5")
        # Sound comes: the health table says how late.
        late = page.locator(".health [data-player=drums] td[data-head='one way, ms']")
        expect(late).to_have_text(re.compile(r"[\d.]+"))
        held = mix_as_listener(page, other) | mix_as_player(players_own, page)
        recorded = listening.end(0.2)  # what JACK has of the last while comes later
        record(page, tmp_path)
        talk(page, players_own, stage, tmp_path)
        restart_the_server(stage, page)
        agree(page, players_own, stage)
    at = {what: levels_db(recorded, s - listening.began_s) for what, s in held.items()}
    came = at["as it came"]
    assert at["lower"] == pytest.approx((came[0] - 12.0, came[1] - 12.0), abs=0.5), at
    assert max(at["muted"]) < -80.0, at
    assert at["effect"] == pytest.approx((came[0] - 9.0, came[1] - 9.0), abs=0.5), at
    assert at["own channels"][0] == pytest.approx(came[0] - 6.0, abs=0.5), at
    assert at["own channels"][1] < -80.0, at
    assert at["own solo"][0] < -80.0, at
    assert at["own solo"][1] > -30.0, at
    assert wrong + wrong_there + wrong_at_drums == []


def agree(page: Page, other: Page, stage: Stage) -> None:
    """A loop is dragged on the ruler, and a tempo voted on."""
    ruler = page.get_by_label("place in the song, in bars")
    ruler.scroll_into_view_if_needed()
    box = ruler.bounding_box()
    assert box is not None
    bar_px = box["width"] / (box["width"] // 34)
    x, y = box["x"] + 2.5 * bar_px, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 2 * bar_px, y, steps=4)
    page.mouse.up()
    wait_until(lambda: stage.status()["loop"] == [3, 6])
    page.get_by_label("who may change the room").select_option("vote")
    expect(other.get_by_label("who may change the room")).to_have_value("vote")
    tempo = page.get_by_label("tempo in BPM")
    tempo.fill("99")
    tempo.press("Enter")
    vote = other.get_by_role("group", name="vote")
    expect(vote).to_contain_text("bass wants tempo 99")
    assert stage.status()["bpm"] != 99
    vote.get_by_role("button", name="yes").click()
    wait_until(lambda: stage.status()["bpm"] == 99)


def restart_the_server(stage: Stage, page: Page) -> None:
    assert stage.server is not None
    stage.server.stop()
    expect(page.locator(".top")).to_contain_text("the server is away: playing on")
    stage.start_server()
    expect(page.locator(".top")).not_to_contain_text("the server is away")
    page.get_by_role("button", name="stop", exact=True).click()
    wait_until(lambda: not stage.status()["playing"])
