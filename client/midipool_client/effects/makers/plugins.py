"""VST3 plug-ins by their files."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pedalboard

from midipool.effects.board import Effect
from midipool.errors import InvalidValue
from midipool_client.effects.makers.place import Place
from midipool_client.effects.stage import Foreign, Stage, Values


def plugin_of(effect: Effect, place: Place) -> Stage:
    """Somebody else's; raises InvalidValue."""
    v = effect.all_values
    file, name = str(v["file"]), str(v["name"])
    if not file:
        raise InvalidValue("file", "must name a VST3 plug-in: effects set N file /PATH/NAME.vst3")
    try:
        plugins, doubled = _fitting(
            lambda: pedalboard.VST3Plugin(file, plugin_name=name or None), place
        )
    except Exception as error:  # a plug-in may raise what it likes
        raise InvalidValue("file", f"{file} cannot be loaded: {error}") from None
    if not plugins[0].is_effect:
        raise InvalidValue("file", f"{file} is an instrument, no effect")
    foreign = Foreign(plugins, place.rate, effect.id, doubled, place.memory)

    def apply(v: Values, bpm: float) -> None:
        for plugin in plugins:
            for name, value in v.items():
                if name not in ("file", "name") and name in plugin.parameters:
                    plugin.parameters[name].raw_value = float(value)

    stage = Stage([foreign], apply)
    stage.found = {name: float(p.raw_value) for name, p in plugins[0].parameters.items()}
    return stage


def _fitting(load: Callable[[], Any], place: Place) -> tuple[list[Any], bool]:
    """Copies that fit the board's channels, and whether they want two where it has one.

    Many plug-ins take two channels alone, others one. Raises what they raise.
    """
    plugin = load()
    for width in (place.channels, 2, 1):
        copies, left = divmod(place.channels, width)
        if copies and not left and _takes(plugin, width, place.rate):
            return [plugin, *(load() for _ in range(copies - 1))], False
    _try(plugin, 2, place.rate)
    return [plugin], True


def _takes(plugin: Any, channels: int, rate: int) -> bool:
    try:
        _try(plugin, channels, rate)
        return True
    except ValueError:
        return False


def _try(plugin: Any, channels: int, rate: int) -> None:
    plugin.process(np.zeros((channels, 256), np.float32), rate, 256, True)
