from itertools import count

import pytest

from midipool_client.page.gate import MAX_SESSIONS, Gate, is_own_host, is_own_origin


def gate() -> Gate:
    numbers = count()
    return Gate(lambda: f"secret{next(numbers)}")


def test_a_token_lets_in_once_and_gives_a_cookie_that_stays() -> None:
    made = gate()
    token = made.token
    cookie = made.enter(token)
    assert cookie is not None
    assert made.knows(cookie)
    assert made.enter(token) is None
    assert made.token not in (token, cookie)
    assert made.enter(made.token) not in (None, cookie)
    assert made.knows(cookie)


@pytest.mark.parametrize("token", ["", "secret", "secret00", "ſ", "\ud800"])
def test_another_token_lets_nobody_in(token: str) -> None:
    assert gate().enter(token) is None


@pytest.mark.parametrize("cookie", [None, "", "secret0", "x"])
def test_another_cookie_is_not_known(cookie: str | None) -> None:
    made = gate()
    made.enter(made.token)
    assert not made.knows(cookie)


def test_cookies_do_not_pile_up() -> None:
    made = gate()
    first, *_, last = [made.enter(made.token) for _ in range(MAX_SESSIONS + 1)]
    assert not made.knows(first)
    assert made.knows(last)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000"]
)
def test_loopback_is_our_host(host: str) -> None:
    assert is_own_host(host, 8000)


@pytest.mark.parametrize(
    "host",
    [None, "", "127.0.0.1", "127.0.0.1:8001", "evil.example:8000", "127.0.0.1:8000.evil.example"],
)
def test_what_leads_here_under_another_name_is_not(host: str | None) -> None:
    assert not is_own_host(host, 8000)


def test_only_the_pages_own_origin_and_programs_that_send_none_are_ours() -> None:
    host = "localhost:8000"
    assert is_own_origin(None, host)
    assert is_own_origin("http://localhost:8000", host)
    for other in ("null", "http://localhost:8001", "https://localhost:8000", "http://evil.example"):
        assert not is_own_origin(other, host)
    assert not is_own_origin("http://localhost:8000", None)
