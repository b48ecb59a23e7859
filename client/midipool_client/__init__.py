"""A player's end: the session with a room, the clock estimate, and virtual MIDI ports."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from midipool_client.module.module import Block, Module, ModuleEnded

__all__ = ["Block", "Module", "ModuleEnded"]


def __getattr__(name: str) -> Any:
    """What programs use, loaded when they do: the commands start without it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from midipool_client.module import module
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise
        raise ImportError("modules need numpy: pip install 'midipool[modules]'") from None
    return getattr(module, name)
