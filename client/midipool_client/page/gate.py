"""Who may come in: once by a token in the address, then by a cookie; a program by a secret. Pure.

A page of another site may send requests here too, and may have its own name lead here (DNS
rebinding): so `Host` must be loopback's, and `Origin` our own.
"""

from collections.abc import Callable
from hmac import compare_digest

MAX_SESSIONS = 32


class Gate:
    """Tokens and cookies of one page server; `secret` makes a new one."""

    def __init__(self, secret: Callable[[], str]) -> None:
        self._secret = secret
        self._sessions: list[str] = []
        self.token = secret()
        """For the next address; each works once."""
        self.secret = secret()
        """For programs, which say it in a header that no other site's page can know."""

    def enter(self, token: str) -> str | None:
        """The cookie's value for who has the token, which is used up then; else None."""
        if not same(token, self.token):
            return None
        self.token, session = self._secret(), self._secret()
        self._sessions = [*self._sessions[-MAX_SESSIONS + 1 :], session]
        return session

    def knows(self, cookie: str | None) -> bool:
        """Whether a cookie is one of ours."""
        return cookie is not None and any([same(cookie, known) for known in self._sessions])

    def trusts(self, authorization: str | None) -> bool:
        """Whether a header `Authorization` has the secret for programs."""
        kind, _, given = (authorization or "").partition(" ")
        return kind.lower() == "bearer" and same(given.strip(), self.secret)


def same(given: str, known: str) -> bool:
    """Compare without telling by the time it takes how much of it is right."""
    return compare_digest(given.encode("utf-8", "replace"), known.encode())


def own_hosts(port: int) -> frozenset[str]:
    """What a browser on this machine calls us."""
    return frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))


def is_own_host(host: str | None, port: int) -> bool:
    """Whether `Host` is ours: the name of another site that leads to loopback is not."""
    return host is not None and host.lower() in own_hosts(port)


def is_own_origin(origin: str | None, host: str | None) -> bool:
    """Whether `Origin`, where there is one, is the page's own. Programs send none."""
    return origin is None or (host is not None and origin.lower() == f"http://{host.lower()}")
