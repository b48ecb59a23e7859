"""From the words of `midipool-client`, and those of its page, to a player."""

import argparse
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from midipool.errors import Unavailable
from midipool_client.commands import host, join, page
from midipool_client.page.host import PageHost
from midipool_client.page.messages import Join


@pytest.mark.parametrize("command", [page, host], ids=["page", "host"])
async def test_a_control_port_is_heard_in_every_room_of_the_page(
    command: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    parser = argparse.ArgumentParser()
    command.add_options(parser)
    options = parser.parse_args(["--control-port", "FCB1010"])
    asked: list[Any] = []

    def refused(joined: argparse.Namespace, *_: object) -> None:
        asked.append(joined.control_port)
        raise Unavailable("no more is needed")

    monkeypatch.setattr(join, "playing_of", refused)
    wish = Join(id=1, server="ws://127.0.0.1:1/jam", name="me")
    for _ in range(2):
        with pytest.raises(Unavailable):
            await page._play(PageHost(can_leave=True), wish, options)
    assert asked == ["FCB1010", "FCB1010"]
