"""All that we raise on purpose has one base, and says what is wrong."""

import inspect

from midipool import errors
from midipool.errors import InvalidMessage, InvalidValue, MidiPoolError, Refused


def test_one_base_catches_them_all() -> None:
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass)]
    assert classes
    assert all(issubclass(c, MidiPoolError) for c in classes)


def test_the_tree_in_the_docstring_names_them_all() -> None:
    names = {name for name, _ in inspect.getmembers(errors, inspect.isclass)}
    assert all(name in (errors.__doc__ or "") for name in names)


def test_they_say_what_is_wrong() -> None:
    value = InvalidValue("bpm", "must be 20 to 999")
    assert (str(value), value.field, value.rule) == ("bpm: must be 20 to 999", "bpm", value.rule)
    assert isinstance(value, ValueError)
    refused = Refused("room_full", "it is full", "room")
    assert (str(refused), refused.code, refused.field) == ("it is full", "room_full", "room")
    invalid = InvalidMessage("no", "at", 7)
    assert (str(invalid), invalid.field, invalid.id) == ("no", "at", 7)
