"""Passwords as they are kept: scrypt, salted; compared in constant time. Pure."""

import hashlib
import hmac
from dataclasses import dataclass, field

from midipool.errors import InvalidValue

LOG2_N, BLOCK, LANES = 14, 8, 1  # 16 MiB, some 50 ms
SALT_BYTES, DIGEST_BYTES = 16, 32
MOST_LOG2_N, MOST_BLOCK, MOST_LANES = 17, 16, 4
MOST_MEMORY = 1 << 29


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """What is kept of a password. Its text form is `scrypt$14$8$1$SALT$DIGEST`."""

    log2_n: int
    block: int
    lanes: int
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    def __str__(self) -> str:
        numbers = f"{self.log2_n}${self.block}${self.lanes}"
        return f"scrypt${numbers}${self.salt.hex()}${self.digest.hex()}"

    def matches(self, password: str) -> bool:
        """Whether it is this one. Takes long, on purpose: not for the event loop."""
        said = _digest(password, self.salt, self.log2_n, self.block, self.lanes)
        return hmac.compare_digest(said, self.digest)


def hashed(password: str, salt: bytes) -> PasswordHash:
    """What is to be kept of a password; `salt` is random. Takes long."""
    digest = _digest(password, salt, LOG2_N, BLOCK, LANES)
    return PasswordHash(LOG2_N, BLOCK, LANES, salt, digest)


def parsed(text: str) -> PasswordHash:
    """Read the text form; raises InvalidValue."""
    try:
        name, log2_n, block, lanes, salt, digest = text.split("$")
        made = PasswordHash(
            int(log2_n), int(block), int(lanes), bytes.fromhex(salt), bytes.fromhex(digest)
        )
    except ValueError:
        raise InvalidValue("password", "is not scrypt$14$8$1$SALT$DIGEST") from None
    small = made.log2_n <= MOST_LOG2_N and made.block <= MOST_BLOCK and made.lanes <= MOST_LANES
    positive = min(made.log2_n, made.block, made.lanes) >= 1
    if name != "scrypt" or not small or not positive or len(made.digest) != DIGEST_BYTES:
        raise InvalidValue("password", "is not scrypt$14$8$1$SALT$DIGEST")
    return made


def _digest(password: str, salt: bytes, log2_n: int, block: int, lanes: int) -> bytes:
    return hashlib.scrypt(
        password.encode(),
        salt=salt,
        n=1 << log2_n,
        r=block,
        p=lanes,
        maxmem=MOST_MEMORY,
        dklen=DIGEST_BYTES,
    )
