"""Invitations: signed, for one room, with a role, an end and perhaps a number of uses. Pure.

The text is `PAYLOAD.SIGNATURE`, both base64url without padding; the payload is JSON.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
from msgspec import Meta

from midipool.errors import Refused
from midipool.messages import MAX_USES, Role, RoomName

KEY_BYTES = 32
ID_BYTES = 9
SIGNED = b"midipool invitation 1\n"


class Invited(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an invitation says."""

    id: Annotated[str, Meta(min_length=1, max_length=32)]
    room: RoomName
    role: Role
    until_s: Annotated[int, Meta(ge=0, le=2**40)]
    """Seconds since 1970."""
    uses: Annotated[int, Meta(ge=1, le=MAX_USES)] | None = None
    """How many people; None: any number."""


def signed(invited: Invited, key: bytes) -> str:
    """The text that is given away."""
    payload = _text(msgspec.json.encode(invited))
    return f"{payload}.{_signature(payload, key)}"


def opened(text: str, key: bytes | None, room: str, now_s: float) -> Invited:
    """What a text says that is ours, for this room and not over; raises Refused."""
    payload, _, signature = text.partition(".")
    if key is None or not hmac.compare_digest(_signature(payload, key), signature):
        raise _bad("this is no invitation of this server: copy the whole link, or ask for another")
    try:
        data = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        invited = msgspec.json.decode(data, type=Invited)
    except (ValueError, msgspec.MsgspecError):
        raise _bad("this invitation is of another version of the server: ask for another") from None
    if invited.room != room:
        raise _bad(f"this invitation is for another room than {room!r}")
    if now_s >= invited.until_s:
        raise _bad("this invitation is out of date: ask for another")
    return invited


@dataclass(slots=True)
class Uses:
    """Who came by which invitation, for those that have a number of uses. Plain: it is kept.

    People are told apart by digests of their tokens, so that who comes back counts once.
    """

    holders: dict[str, list[str]] = field(default_factory=dict)
    until_s: dict[str, int] = field(default_factory=dict)
    version: int = 0
    """Rises with what is to be kept."""

    def check(self, invited: Invited, holder: str | None) -> None:
        """Raise Refused if it is used up for who comes: `holder`, or None who is new."""
        known = self.holders.get(invited.id, [])
        if invited.uses is not None and holder not in known and len(known) >= invited.uses:
            times = "once" if invited.uses == 1 else f"{invited.uses} times"
            raise _bad(f"this invitation was for {times}, and is used up: ask for another")

    def use(self, invited: Invited, before: str | None, after: str, now_s: float) -> None:
        """Somebody is in by it: under the digest `after`, before perhaps under another."""
        if invited.uses is None:
            return
        for id in [id for id, until_s in self.until_s.items() if now_s >= until_s]:
            self.holders.pop(id, None)
            del self.until_s[id]
        known = self.holders.setdefault(invited.id, [])
        self.until_s[invited.id] = invited.until_s
        if before in known:
            known.remove(before)
        if after not in known:
            known.append(after)
        self.version += 1


def _bad(text: str) -> Refused:
    return Refused("bad_invitation", text, "invitation")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _signature(payload: str, key: bytes) -> str:
    return _text(hmac.digest(key, SIGNED + payload.encode(), hashlib.sha256))
