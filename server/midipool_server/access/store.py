"""What a server keeps for its rooms' access: the key of invitations, their uses, and passwords.

All in one folder that nobody else can read. Commands of the operator and the server share it.
"""

import contextlib
import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from midipool.errors import InvalidValue, Unavailable
from midipool_server.access import passwords
from midipool_server.access.invitations import ID_BYTES, KEY_BYTES, Uses
from midipool_server.access.passwords import PasswordHash
from midipool_server.access.revoked import Revoked

T = TypeVar("T")

KEY_FILE, USES_FILE, PASSWORDS_FILE = "invitation.key", "invitations.json", "passwords.json"
REVOKED_FILE = "revoked.json"
MAX_BYTES = 16 << 20


def default_folder(environ: Mapping[str, str]) -> Path:
    """Where a server keeps what outlives it; raises Unavailable when there is no home.

    systemd's STATE_DIRECTORY, else `midipool-server` below XDG_STATE_HOME or ~/.local/state.
    """
    if given := environ.get("STATE_DIRECTORY", "").partition(":")[0]:
        return Path(given)
    base = environ.get("XDG_STATE_HOME", "")
    home = environ.get("HOME") or os.path.expanduser("~")
    if not os.path.isabs(base) and not os.path.isabs(home):
        raise Unavailable("there is no home folder to keep anything in: give --state-dir")
    return Path(base if os.path.isabs(base) else Path(home, ".local", "state"), "midipool-server")


def new_id() -> str:
    """Names an invitation, also on a command line: there a word that begins with - is an option."""
    while (made := secrets.token_urlsafe(ID_BYTES)).startswith("-"):
        pass
    return made


class AccessStore:
    """The folder. All methods raise Unavailable when it cannot be read or written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def key(self) -> bytes:
        """What invitations are signed with, made when it is needed first."""
        path = self._folder / KEY_FILE
        if (key := self._read(path)) is None:
            with self._locked():
                if (key := self._read(path)) is None:
                    key = secrets.token_bytes(KEY_BYTES)
                    self._write(path, key)
        if len(key) != KEY_BYTES:
            raise Unavailable(f"{path} is no key of {KEY_BYTES} bytes: move it away")
        return key

    def uses(self) -> Uses:
        """Who came by which invitation."""
        data = self._read(self._folder / USES_FILE)
        return Uses() if data is None else self._decoded(USES_FILE, data, Uses)

    def keep_uses(self, uses: Uses) -> None:
        """So that a restart forgets none."""
        with self._locked():
            self._write(self._folder / USES_FILE, msgspec.json.encode(uses))

    def revoked(self) -> Revoked:
        """Which invitations were taken back, by whomever."""
        data = self._read(self._folder / REVOKED_FILE)
        return Revoked() if data is None else self._decoded(REVOKED_FILE, data, Revoked)

    def take_back(self, room: str, id: str, until_s: int, now_s: float) -> None:
        """Take back one; raises Refused too."""
        with self._locked():
            kept = self.revoked()
            kept.take_back(room, id, until_s, now_s)
            self._write(self._folder / REVOKED_FILE, msgspec.json.encode(kept))

    def keep_revoked(self, revoked: Revoked) -> None:
        """Also these, so that a restart forgets none."""
        with self._locked():
            kept = self.revoked()
            kept.add(revoked)
            self._write(self._folder / REVOKED_FILE, msgspec.json.encode(kept))

    def password(self, room: str) -> PasswordHash | None:
        """The one that a room begins with."""
        text = self._passwords().get(room)
        try:
            return None if text is None else passwords.parsed(text)
        except InvalidValue as error:
            raise Unavailable(f"{self._folder / PASSWORDS_FILE}: {room}: {error}") from None

    def rooms_with_password(self) -> list[str]:
        """Their names."""
        return sorted(self._passwords())

    def set_password(self, room: str, kept: PasswordHash | None) -> bool:
        """Let a room begin with a password, or with none; whether that is anything new."""
        with self._locked():
            known = self._passwords()
            if kept is None and room not in known:
                return False
            known = {name: text for name, text in known.items() if name != room}
            if kept is not None:
                known[room] = str(kept)
            self._write(self._folder / PASSWORDS_FILE, msgspec.json.encode(known))
            return True

    # ---- files ----

    def _passwords(self) -> dict[str, str]:
        data = self._read(self._folder / PASSWORDS_FILE)
        return {} if data is None else self._decoded(PASSWORDS_FILE, data, dict[str, str])

    def _decoded(self, name: str, data: bytes, type: type[T]) -> T:
        try:
            return msgspec.json.decode(data, type=type)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            text = f"{self._folder / name} is broken ({error})"
            raise Unavailable(f"{text}: correct it, or move it away") from None

    def _read(self, path: Path) -> bytes | None:
        try:
            with path.open("rb") as file:
                return file.read(MAX_BYTES)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable(f"{path} cannot be read ({error.strerror})") from None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Be alone. The lock's file stays: one that goes could be locked by two."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(
                f"{self._folder} cannot be written ({error.strerror}): give --state-dir another"
            ) from None
        try:
            self._give_to_owner(file)
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)

    def _give_to_owner(self, file: int) -> None:
        """What root's commands write, the server has to read, whoever it runs as."""
        if os.geteuid() == 0:
            owner = self._folder.stat()
            os.fchown(file, owner.st_uid, owner.st_gid)

    def _write(self, path: Path, data: bytes) -> None:
        """Whole or not at all; readable by its owner alone from the first byte on."""
        try:
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
            try:
                self._give_to_owner(handle)
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise
        except OSError as error:
            raise Unavailable(f"{path} cannot be written ({error.strerror})") from None
