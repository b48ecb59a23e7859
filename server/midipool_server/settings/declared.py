"""What the table says of each setting: its names, type, rule and default. Pure."""

import types
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from midipool.errors import InvalidValue
from midipool_server.settings.table import Settings


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table."""

    name: str
    hint: Any
    """Its annotated type."""
    default: object
    text: str
    secret: bool

    @property
    def flag(self) -> str:
        """As an option of the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """As a variable of the environment."""
        return "MIDIPOOL_" + self.name.upper()

    @property
    def is_switch(self) -> bool:
        """Whether it is on or off."""
        return _plain(self.hint)[0] is bool

    @property
    def rule(self) -> str:
        """What its value must be, in words."""
        return _rule(self.hint)

    def of_text(self, text: str) -> object:
        """The value that a flag or a variable says; raises InvalidValue."""
        said: object = text
        if get_origin(_plain(self.hint)[0]) is list:
            said = [part.strip() for part in text.split(",") if part.strip()]
        return self._converted(said, strict=False)

    def of_toml(self, value: object) -> object:
        """The value that a file says; raises InvalidValue."""
        return self._converted(value, strict=True)

    def shown(self, value: object) -> str:
        """The value for people; of a secret only whether there is one."""
        if self.secret:
            return "********" if value else "(none)"
        if isinstance(value, bool):
            return str(value).lower()
        if value is None or value == "" or value == []:
            return "(none)"
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

    def _converted(self, said: object, strict: bool) -> object:
        try:
            return msgspec.convert(said, self.hint, strict=strict)
        except msgspec.ValidationError:
            told = "" if self.secret else f", not {said!r}"
            raise InvalidValue(self.name, f"must be {self.rule}{told}") from None


def _all() -> dict[str, Setting]:
    hints = get_type_hints(Settings, include_extras=True)
    found = {}
    for field in msgspec.structs.fields(Settings):
        hint = hints[field.name]
        meta = next(m for m in hint.__metadata__ if isinstance(m, Meta) and m.description)
        secret = bool((meta.extra or {}).get("secret"))
        assert meta.description is not None
        made = field.default is msgspec.NODEFAULT and field.default_factory is not msgspec.NODEFAULT
        default = field.default_factory() if made else field.default
        found[field.name] = Setting(field.name, hint, default, meta.description, secret)
    return found


def _plain(hint: Any) -> tuple[Any, Meta | None]:
    """A type without what is said about it, and without None; and its bounds."""
    bounds = None
    while True:
        if get_origin(hint) is Annotated:
            metas = [m for m in hint.__metadata__ if isinstance(m, Meta) and not m.description]
            bounds = metas[0] if metas else bounds
            hint = get_args(hint)[0]
        elif get_origin(hint) in (Union, types.UnionType):
            hint = next(of for of in get_args(hint) if of is not type(None))
        else:
            return hint, bounds


def _rule(hint: Any) -> str:
    plain, bounds = _plain(hint)
    if get_origin(plain) is Literal:
        return " or ".join(map(str, get_args(plain)))
    if get_origin(plain) is list:
        return "a list of texts"
    kind = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[plain]
    if bounds is None or bounds.ge is None:
        return kind
    return f"{kind} from {bounds.ge} to {bounds.le}"


ALL = _all()
