"""What is kept of a password, and how it is compared."""

import hmac
from collections.abc import Callable

import pytest

from midipool.errors import InvalidValue
from midipool_server.access.passwords import hashed, parsed

SALT = bytes(range(16))


def test_only_the_same_one_matches() -> None:
    kept = hashed("näher mein Beat", SALT)
    assert kept.matches("näher mein Beat")
    for other in ("naher mein Beat", "näher mein Beat ", "", "x" * 128):
        assert not kept.matches(other)
    assert hashed("näher mein Beat", b"x" * 16).digest != kept.digest


def test_it_is_scrypt_as_others_do_it_and_nothing_of_it_is_shown() -> None:
    # Of RFC 7914, section 12: N = 16384, r = 8, p = 1; its first 32 bytes.
    kept = hashed("pleaseletmein", b"SodiumChloride")
    assert kept.digest.hex() == "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
    assert kept.digest.hex() not in repr(kept)
    assert "pleaseletmein" not in repr(kept)


def test_its_text_form_is_read_again() -> None:
    kept = hashed("secret", SALT)
    assert parsed(str(kept)) == kept
    assert str(kept).startswith("scrypt$14$8$1$")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "scrypt$14$8$1$00",
        "md5$14$8$1$00$" + "00" * 32,
        "scrypt$30$8$1$00$" + "00" * 32,
        "scrypt$14$999$1$00$" + "00" * 32,
        "scrypt$0$8$1$00$" + "00" * 32,
        "scrypt$14$8$1$00$" + "00" * 16,
        "scrypt$14$8$1$zz$" + "00" * 32,
    ],
)
def test_what_is_none_or_would_take_all_memory_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        parsed(text)


def test_digests_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    real: Callable[[bytes, bytes], bool] = hmac.compare_digest

    def compare(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return real(a, b)

    monkeypatch.setattr("midipool_server.access.passwords.hmac.compare_digest", compare)
    kept = hashed("secret", SALT)
    assert kept.matches("secret")
    assert not kept.matches("other")
    assert [len(a) == len(b) == 32 for a, b in compared] == [True, True]
