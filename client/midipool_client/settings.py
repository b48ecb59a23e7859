"""The user's settings, in a JSON file: ports' offsets, click, how others are heard, controllers.

    {"ports": {"device:midiPool": {"offset_ms": 2.5}, "daw:Hydrogen": {"offset_ms": -12}},
     "click": {"volume": 0.8}, "hear": {"device:midiPool": {"profile": "safe"}}}

What midiPool does not know in it is kept. A file that breaks a rule is never written over.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from midipool.audio.listening import Listening
from midipool.click import ClickSettings
from midipool.errors import InvalidValue, Unavailable
from midipool_client import listening_settings
from midipool_client.controllers import kept
from midipool_client.controllers.target import Target
from midipool_client.join_choice import JoinChoice, choice_in
from midipool_client.json_places import Place
from midipool_client.page_settings import PageSettings, as_kept, page_settings_in
from midipool_client.recent_rooms import RecentRoom, recent_in, with_room
from midipool_client.settings_file import change, put, read
from midipool_client.settings_rules import check_offset

MAX_NAME = 256
LOCK_PATIENCE_S = 2.0


def default_path(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Where the settings are, by the platform's custom; XDG_CONFIG_HOME goes first everywhere.

    Raises Unavailable when the user has no home.
    """
    # XDG Base Directory Specification: a relative path is to be ignored.
    xdg = environ.get("XDG_CONFIG_HOME", "")
    if os.path.isabs(xdg):
        return Path(xdg, "midipool", "settings.json")
    home = environ.get("HOME") or os.path.expanduser("~")
    if not os.path.isabs(home):
        raise Unavailable("there is no home folder for the settings: set XDG_CONFIG_HOME")
    folder = "Library/Application Support" if platform == "darwin" else ".config"
    return Path(home, folder, "midipool", "settings.json")


class Settings:
    """What the user set. Changes are in the file after `save`."""

    def __init__(self, path: Path, data: dict[str, Any]) -> None:
        self.path = path
        self._data = data
        self._changes: dict[Place, Any] = {}
        """Values by where they are in the file; None takes one away."""

    @classmethod
    def load(cls, path: Path | None = None) -> "Settings":
        """Read the settings; where there is no file, all is as by default.

        Raises InvalidValue, which names the file and the line, when the file is broken, and
        Unavailable when it cannot be read.
        """
        path = default_path(os.environ) if path is None else path
        return cls(path, read(path))

    def offset_ms(self, device: str, daw: str | None = None) -> float:
        """How much later than its beat a port's bytes are due: the DAW's, else the device's."""
        ports = self._data.get("ports", {})
        names = [f"device:{device}"] if daw is None else [f"daw:{daw}", f"device:{device}"]
        offsets = (ports.get(name, {}).get("offset_ms") for name in names)
        return float(next((offset for offset in offsets if offset is not None), 0.0))

    def set_offset_ms(self, offset_ms: float | None, device: str, daw: str | None = None) -> None:
        """Set the DAW's offset if one is named, else the device's; None forgets it.

        Raises InvalidValue.
        """
        if offset_ms is not None:
            check_offset(offset_ms)
        kind, name = ("device", device) if daw is None else ("daw", daw)
        if not 1 <= len(name) <= MAX_NAME:
            raise InvalidValue(kind, f"must have 1 to {MAX_NAME} characters")
        self._change(("ports", f"{kind}:{name}", "offset_ms"), offset_ms)

    @property
    def click(self) -> ClickSettings:
        """How the click sounds, and when."""
        return msgspec.convert(self._data.get("click", {}), ClickSettings)

    @click.setter
    def click(self, click: ClickSettings) -> None:
        # What is as before is left out, so that it stays what another client sets it to.
        before = self.click
        for name in ClickSettings.__struct_fields__:
            if getattr(click, name) != getattr(before, name):
                self._change(("click", name), getattr(click, name))

    def listening(self, device: str) -> Listening:
        """How the others are heard on a device."""
        return listening_settings.listening_in(self._data, device)

    def set_listening(self, listening: Listening, device: str) -> None:
        """Hear the others otherwise; raises InvalidValue."""
        if not 1 <= len(device) <= MAX_NAME:
            raise InvalidValue("device", f"must have 1 to {MAX_NAME} characters")
        before = self.listening(device)
        for place, value in listening_settings.changes(before, listening, device):
            self._change(place, value)

    def learned(self, device: str) -> dict[str, Target]:
        """What controllers do at a device, by their names."""
        return kept.learned_in(self._data, device)

    def set_learned(self, learned: Mapping[str, Target], device: str) -> None:
        """Let them do something else."""
        for place, value in kept.changes(self.learned(device), learned, device):
            self._change(place, value)

    @property
    def recent(self) -> list[RecentRoom]:
        """The rooms we were in last, the newest first."""
        return recent_in(self._data)

    def remember(self, room: RecentRoom) -> None:
        """We are in a room."""
        rooms = with_room(self.recent, room)
        if rooms != self.recent:
            self._change(("recent",), msgspec.to_builtins(rooms))

    @property
    def join_choice(self) -> JoinChoice:
        """With which devices a page joined last."""
        return choice_in(self._data)

    @join_choice.setter
    def join_choice(self, choice: JoinChoice) -> None:
        if choice != self.join_choice:
            said = msgspec.to_builtins(choice)
            usual = msgspec.to_builtins(JoinChoice())
            self._change(("join",), {k: v for k, v in said.items() if v != usual[k]} or None)

    @property
    def page(self) -> PageSettings:
        """How the page is set."""
        return page_settings_in(self._data)

    @page.setter
    def page(self, page: PageSettings) -> None:
        if page != self.page:
            self._change(("page",), as_kept(page))

    def save(self, patience_s: float = LOCK_PATIENCE_S) -> None:
        """Put the changes into the file, on top of what others have put there meanwhile.

        Waits for another client that is saving, up to `patience_s`. Raises InvalidValue when the
        file was broken meanwhile, and Unavailable when it cannot be written; then it is as it was,
        and the changes are still here.
        """
        if not self._changes:
            return
        self._data = change(self.path, self._changes, patience_s)
        self._changes = {}

    def _change(self, place: Place, value: Any) -> None:
        put(self._data, place, value)
        self._changes[place] = value
