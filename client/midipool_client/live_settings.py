"""How we listen, the click and the page, while we play: set there or in the settings file."""

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from midipool.audio.listening import Listening
from midipool.click import ClickSettings
from midipool.errors import MidiPoolError
from midipool_client.controllers.target import Target
from midipool_client.page_settings import PageSettings
from midipool_client.player import Player
from midipool_client.recent_rooms import RecentRoom
from midipool_client.settings import Settings

log = logging.getLogger(__name__)

# A fader that is moved is written once, not at each step.
SAVE_S = 0.4


class LiveSettings:
    """Applies a change at once, and writes it a little later; what others write is obeyed."""

    def __init__(self, settings: Settings, device: str, player: Player) -> None:
        self.listening = settings.listening(device)
        self.click = settings.click
        self.page = settings.page
        self.learned = settings.learned(device)
        """What controllers do, by their names."""
        self.on_learned: Callable[[Mapping[str, Target]], None] = lambda learned: None
        """Told when that is other."""
        self.problem = ""
        """Why the last change is not in the file; empty while all is."""
        self._settings = settings
        self._device = device
        self._player = player
        self._room: RecentRoom | None = None
        self._unsaved = False
        self._dirty = asyncio.Event()
        self._saving = threading.Lock()
        self._apply()

    def listen(self, listening: Listening) -> None:
        """Hear the others otherwise from now on."""
        self.listening = listening
        self._changed()

    def set_click(self, click: ClickSettings) -> None:
        """Let the click sound otherwise from now on."""
        self.click = click
        self._changed()

    def set_page(self, page: PageSettings) -> None:
        """Let the page be so from now on."""
        self.page = page
        self._changed()

    def learn(self, learned: Mapping[str, Target]) -> None:
        """Let controllers do something else from now on."""
        self.learned = dict(learned)
        self.on_learned(self.learned)
        self._changed()

    def remember(self, room: RecentRoom) -> None:
        """We are in a room: it is offered the next time."""
        if room != self._room:
            self._room, self._unsaved = room, True
            self._dirty.set()

    def file_changed(self, settings: Settings) -> None:
        """Somebody wrote the file; what we have not written yet goes on top of it."""
        if self._unsaved:
            self._dirty.set()
            return
        self._settings = settings
        self.listening, self.click = settings.listening(self._device), settings.click
        self.page = settings.page
        self.learned = settings.learned(self._device)
        self.on_learned(self.learned)
        self._apply()

    async def run(self) -> None:
        """Write what is changed, until cancelled."""
        try:
            while True:
                await self._dirty.wait()
                await asyncio.sleep(SAVE_S)
                self._dirty.clear()
                wanted = self._wanted
                await asyncio.to_thread(self._save, wanted)
                self._unsaved = bool(self.problem) or wanted != self._wanted
        finally:
            if self._unsaved:
                self._save(self._wanted)

    @property
    def _wanted(self) -> "_Wanted":
        return _Wanted(self.listening, self.click, self.learned, self.page)

    def _changed(self) -> None:
        self._unsaved = True
        self._apply()
        self._dirty.set()

    def _apply(self) -> None:
        self._player.ports.set_click(self.click)
        if self._player.audio is not None:
            self._player.audio.listen(self.listening)

    def _save(self, wanted: "_Wanted") -> None:
        with self._saving:
            try:
                self._settings.set_listening(wanted.listening, self._device)
                self._settings.click = wanted.click
                self._settings.set_learned(wanted.learned, self._device)
                self._settings.page = wanted.page
                if self._room is not None:
                    self._settings.remember(self._room)
                self._settings.save()
                self.problem = ""
            except MidiPoolError as error:
                self.problem = str(error)
                log.warning("the mix is not kept: %s", error)


@dataclass(frozen=True, slots=True)
class _Wanted:
    listening: Listening
    click: ClickSettings
    learned: Mapping[str, Target]
    page: PageSettings


@dataclass(frozen=True, slots=True)
class Playing:
    """A player, and how it listens."""

    player: Player
    live: LiveSettings
