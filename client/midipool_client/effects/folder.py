"""Where boards and presets are kept: in `effects` beside the settings, each file whole or not."""

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec

from midipool.effects import presets
from midipool.effects.board import Boards
from midipool.effects.presets import Preset
from midipool.errors import InvalidValue, Unavailable
from midipool_client.recording.manifest import write_whole
from midipool_client.settings import default_path

ENDING = ".json"


class EffectsFolder:
    """The user's presets, and the boards of each device."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_path(os.environ).with_name("effects")

    # ---- boards ----

    def boards(self, device: str) -> Boards:
        """As they were left; none where none were. Raises InvalidValue, Unavailable."""
        path = self._boards_path(device)
        if not path.exists():
            return Boards()
        try:
            return msgspec.json.decode(_read(path), type=Boards)
        except msgspec.MsgspecError as error:
            rule = f"holds no boards ({error}): correct it, or move the file away"
            raise InvalidValue(str(path), rule) from None

    def keep_boards(self, device: str, boards: Boards) -> None:
        """Leave them so; raises Unavailable."""
        self._write(self._boards_path(device), msgspec.json.format(msgspec.json.encode(boards)))

    # ---- presets ----

    def names(self) -> list[str]:
        """Of all presets, in order."""
        with contextlib.suppress(OSError):
            found = [path for path in self._presets.iterdir() if path.suffix == ENDING]
            return sorted((p.stem for p in found if not p.name.startswith(".")), key=str.casefold)
        return []

    def preset(self, name: str) -> Preset:
        """One of them; raises InvalidValue."""
        path = self._preset_path(name)
        if not path.exists():
            there = ", ".join(self.names()) or "none"
            raise InvalidValue("preset", f"there is none called {name}; there are: {there}")
        return presets.from_json(_read(path))[0]

    def keep(self, preset: Preset) -> None:
        """In place of one that has its name; raises InvalidValue, Unavailable."""
        self._write(self._preset_path(preset.name), presets.to_json(preset))

    def delete(self, name: str) -> None:
        """It is gone; raises InvalidValue, Unavailable."""
        self.preset(name)
        try:
            self._preset_path(name).unlink()
        except OSError as error:
            raise Unavailable(f"{name} cannot be deleted: {error.strerror}") from None

    @property
    def _presets(self) -> Path:
        return self.folder / "presets"

    def _preset_path(self, name: str) -> Path:
        return self._presets / f"{presets.check_preset_name(name)}{ENDING}"

    def _boards_path(self, device: str) -> Path:
        # A device may be called what no file may be.
        digest = hashlib.sha256(device.encode()).hexdigest()[:16]
        return self.folder / "boards" / f"{digest}{ENDING}"

    @staticmethod
    def _write(path: Path, data: bytes) -> None:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(path, data)
        except OSError as error:
            raise Unavailable(f"{path} cannot be written: {error.strerror}") from None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(presets.MOST_BYTES + 1)
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from None
