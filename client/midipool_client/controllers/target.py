"""What a controller is learned for, as the settings and the page's messages have it. Pure."""

from typing import Any, Literal

import msgspec

How = Literal[
    "auto", "pickup", "jump", "toggle", "hold", "relative", "relative-offset", "relative-sign"
]


class Target(msgspec.Struct, frozen=True, omit_defaults=True):
    """As the settings keep it."""

    request: dict[str, Any]
    field: str = ""
    how: How = "auto"
    low: float | None = None
    high: float | None = None

    def in_words(self) -> str:
        """As a shell types it."""
        said = [str(value) for name, value in self.request.items() if name not in ("type", "id")]
        tag = str(self.request.get("type", "")).removeprefix("set_").replace("_", "-")
        return " ".join([tag, *said, *([self.field] if self.field else [])])
