"""When a key of the room that was is opened no more: who was put out knows it. Pure."""

GRACE_NS = 2_000_000_000
"""The others hear of the new key a little later than we may, and what they sent is on its way."""


class OldKeys:
    """Ids of keys that were changed, until nobody of the room can seal with them any more."""

    def __init__(self) -> None:
        self._newest: int | None = None
        self._until_ns: dict[int, int] = {}

    def changed(self, key_id: int, now_ns: int) -> None:
        """The room has this key from now on."""
        if self._newest is not None and self._newest != key_id:
            self._until_ns[self._newest] = now_ns + GRACE_NS
        self._until_ns.pop(key_id, None)
        self._newest = key_id

    def over(self, now_ns: int) -> list[int]:
        """Those that are to be forgotten now; each is told once."""
        gone = [key_id for key_id, until_ns in self._until_ns.items() if now_ns >= until_ns]
        for key_id in gone:
            del self._until_ns[key_id]
        return gone
