"""`midipool-client room URL graph` and its like, against a real server."""

import argparse
import json
from typing import Any

import pytest

from midipool.errors import InvalidMessage, InvalidValue, Refused
from midipool_client.cli import _parser
from midipool_client.commands import graph as command
from tests.client.test_remote import Band, band

__all__ = ["band"]


def options(band: Band, *words: str) -> argparse.Namespace:
    return _parser().parse_args(["room", str(band.url), *words])


async def do(band: Band, *words: str) -> None:
    await command._run(band.url, options(band, *words))


Shown = pytest.CaptureFixture[str]


async def shown(band: Band, printed: Shown) -> dict[str, Any]:
    printed.readouterr()
    await do(band, "graph", "--json")
    said: dict[str, Any] = json.loads(printed.readouterr().out)
    return said


async def links(band: Band, printed: Shown) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await shown(band, printed))["links"]
    return found


async def test_a_shell_says_who_hears_whom(band: Band, capsys: Shown) -> None:
    for name in ("drums", "bass", "keys"):
        await band.join(name)
    await do(band, "link", "drums", "keys", "--gain", "-6", "--high-pass", "80")
    await do(band, "link", "drums", "keys", "--low-pass", "8000")
    await do(band, "unlink", "bass", "keys", "--audio")
    await do(band, "hears", "drums", "click")
    await do(band, "group", "rhythm", "drums", "bass")
    kinds = ("--midi-kinds", "notes,controllers", "--midi-channels", "1-3,10")
    await do(band, "link", "@rhythm", "keys", *kinds)
    await do(band, "graph")
    assert capsys.readouterr().out.splitlines() == [
        "drums",
        "  audio hears nothing",
        "  MIDI  hears the click",
        "bass",
        "  audio hears drums, keys",
        "  MIDI  hears drums, keys, the click",
        "keys",
        "  audio hears drums (-6 dB, above 80 Hz, below 8 kHz)",
        "  MIDI  hears drums (channels 1-3, 10, notes, controllers), bass (channels 1-3, 10, notes,"
        " controllers), the click",
        "@rhythm: drums, bass",
    ]
    gains = [link["gain_db"] for link in await links(band, capsys) if link["gain_db"]]
    assert gains == [-6.0]
    await do(band, "hears", "drums", "none", "--midi")
    assert not [link for link in await links(band, capsys) if link["target"] == "drums"]
    await do(band, "graph", "reset")
    assert len(await links(band, capsys)) == 6 + 9
    assert (await shown(band, capsys))["groups"][0]["members"] == ["drums", "bass"]
    await do(band, "group", "@rhythm", "none")
    assert (await shown(band, capsys))["groups"] == []


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("link", "drums", "ghost"), "nobody is called 'ghost' here: drums, bass, click"),
        (("link", "drums", "bass"), "bass hears drums already, and as you say"),
        (("link", "drums", "bass", "--gain", "99"), "gain_db"),
        (("link", "drums", "bass", "--channels", "9"), "audio_channels"),
        (("link", "drums", "bass", "--midi-kinds", "tunes"), "midi-kinds: 'tunes' is none of"),
        (("link", "drums", "bass", "--midi", "--gain", "-3"), "gain_db: is for audio"),
        (("unlink", "drums", "drums"), "does not hear itself"),
        (("link", "drums", "bass", "--low-pass", "dull"), "low-pass: must be 20 to 20000"),
        (("link", "drums", "bass", "--high-pass", "5"), "high_pass_hz: must be 20 Hz to 20 kHz"),
        (("group", "a b", "drums"), "`@` and 1 to 32 letters"),
        (("group", "@none", "none"), "there is no group @none"),
    ],
)
async def test_a_mistake_about_the_graph_is_said(
    band: Band, words: tuple[str, ...], error: str
) -> None:
    for name in ("drums", "bass"):
        await band.join(name)
    with pytest.raises((InvalidValue, InvalidMessage, Refused), match=error):
        await do(band, *words)
