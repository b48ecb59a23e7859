"""Invitations that were taken back. Pure; plain, as it is kept."""

from dataclasses import dataclass, field

from midipool.errors import InvalidValue, Refused
from midipool.messages import MAX_HOURS
from midipool_server.access.invitations import Invited, opened

MOST_OF_A_ROOM = 1000
MAX_ID_CHARACTERS = 32


@dataclass(slots=True)
class Revoked:
    """Until when each would have let in somebody, by room and id."""

    until_s: dict[str, dict[str, int]] = field(default_factory=dict)
    version: int = 0
    """Rises with what is to be kept."""

    def take_back(self, room: str, id: str, until_s: int, now_s: float) -> None:
        """Nobody comes into the room by it any more; raises Refused when there are too many."""
        known = {i: until for i, until in self.until_s.get(room, {}).items() if until > now_s}
        if id not in known and len(known) >= MOST_OF_A_ROOM:
            text = f"{MOST_OF_A_ROOM} invitations of this room are taken back: a new key (the "
            raise Refused("bad_value", text + "operator's to make) ends all", "invitation")
        self.until_s[room] = {**known, id: until_s}
        self.version += 1

    def add(self, others: "Revoked") -> None:
        """Know also what somebody else has kept."""
        for room, ids in others.until_s.items():
            self.until_s[room] = {**ids, **self.until_s.get(room, {})}

    def check(self, invited: Invited) -> None:
        """Raise Refused if this one was taken back."""
        if invited.id in self.until_s.get(invited.room, {}):
            text = "this invitation was taken back: ask for another"
            raise Refused("bad_invitation", text, "invitation")


def meant(said: str, key: bytes | None, room: str, now_s: float) -> tuple[str, int]:
    """(id, until when in s) of the invitation that somebody means: by its text, or its id alone.

    Raises Refused for a text that lets in nobody anyway, and InvalidValue for what is neither.
    """
    if "." in said:
        invited = opened(said, key, room, now_s)
        return invited.id, invited.until_s
    if not 1 <= len(said) <= MAX_ID_CHARACTERS:
        rule = f"an id has 1 to {MAX_ID_CHARACTERS} characters; the whole link does too"
        raise InvalidValue("invitation", rule)
    # How long it would have been good nobody knows by its id.
    return said, int(now_s) + MAX_HOURS * 3600
