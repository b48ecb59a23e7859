"""Checks what somebody shows who comes: the edge of access, where threads and files are."""

import asyncio
import logging
import secrets
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from midipool.errors import Refused, Unavailable
from midipool.messages import Hello
from midipool_server.access import invitations, passwords
from midipool_server.access.guessing import Guesses
from midipool_server.access.invitations import Invited
from midipool_server.access.means import Means
from midipool_server.access.passwords import SALT_BYTES, PasswordHash
from midipool_server.access.state import AccessState, Entry
from midipool_server.access.store import AccessStore, new_id

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

AT_ONCE, MOST_WAITING = 2, 32


class Gate:
    """One for a server. Without a store nothing is signed, and nothing outlives the server."""

    def __init__(
        self,
        store: AccessStore | None = None,
        invited_only: bool = False,
        unix_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._store = store
        self._unix_s = unix_s
        self._guesses = Guesses()
        self._hashing = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        uses = invitations.Uses() if store is None else store.uses()
        self.means = Means(invited_only, uses, new_id=new_id)
        if store is not None:
            self.means.key = self._key
        self._kept = self.means.uses.version
        self._kept_revoked = 0

    def first_state(self, room: str) -> AccessState:
        """What a room begins with; raises Refused."""
        return AccessState(password=self._operators_password(room))

    async def entry(
        self, hello: Hello, room: str, state: AccessState | None, address: str, now_us: int
    ) -> Entry:
        """What somebody shows, checked; raises Refused. `state` is None of a room yet to begin."""
        if hello.invitation:
            self._guesses.begin(address, now_us)
            key = None if self._store is None else self._key()
            invited = invitations.opened(hello.invitation, key, room, self._unix_s())
            self._check_revoked(invited)
            self._guesses.was_right(address)
            return Entry(address, invited=invited)
        kept = self._operators_password(room) if state is None else state.password
        if kept is None or hello.password is None:
            return Entry(address)
        self._guesses.begin(address, now_us)
        if not await self._slowly(kept.matches, hello.password):
            raise Refused("bad_password", f"this is not the password of room {room!r}", "password")
        self._guesses.was_right(address)
        return Entry(address, kept)

    async def hashed(self, password: str) -> PasswordHash:
        """What is to be kept of a password; raises Refused."""
        return await self._slowly(passwords.hashed, password, secrets.token_bytes(SALT_BYTES))

    def keep(self) -> None:
        """Write down which invitations were used and taken back, if any was."""
        uses, revoked = self.means.uses, self.means.revoked
        if self._store is None:
            return
        try:
            if uses.version != self._kept:
                self._kept = uses.version
                self._store.keep_uses(uses)
            if revoked.version != self._kept_revoked:
                self._kept_revoked = revoked.version
                self._store.keep_revoked(revoked)
        except Unavailable as error:
            text = "a restart of the server forgets which invitations were used or taken back: %s"
            log.error(text, error)

    def _check_revoked(self, invited: Invited) -> None:
        """By what hosts have said, and the operator, whose command only the file knows."""
        if self._store is not None:
            try:
                self.means.revoked.add(self._store.revoked())
            except Unavailable as error:
                log.error("nobody comes in by an invitation: %s", error)
                text = "the server cannot read which invitations were taken back"
                raise Refused("bad_invitation", text) from None
        self.means.revoked.check(invited)

    async def _slowly(self, work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        """In a thread, few at a time: each takes 16 MiB and a core."""
        if self._waiting >= MOST_WAITING:
            text = "too many passwords are being checked now: try again in a moment"
            raise Refused("too_many_tries", text)
        self._waiting += 1
        try:
            async with self._hashing:
                return await asyncio.to_thread(work, *args, **more)
        finally:
            self._waiting -= 1

    def _operators_password(self, room: str) -> PasswordHash | None:
        if self._store is None:
            return None
        try:
            return self._store.password(room)
        except Unavailable as error:
            # Whoever has locked a door must not find it open.
            log.error("room %r lets in nobody: %s", room, error)
            raise Refused("door_locked", "the server cannot read its passwords now") from None

    def _key(self) -> bytes:
        assert self._store is not None
        try:
            return self._store.key()
        except Unavailable as error:
            log.error("no invitation can be checked or made: %s", error)
            raise Refused("bad_invitation", "the server cannot read its key now") from None
