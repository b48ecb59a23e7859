"""How a server is reached from outside, and whom it believes about that."""

import pytest

from midipool_server.public_address import client_address, networks, public_address

PROXY = {"Host": "127.0.0.1:8765", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "jam.example"}


@pytest.mark.parametrize(
    ("host", "secure", "address"),
    [
        ("jam.example:8765", False, "ws://jam.example:8765/r"),
        ("jam.example", False, "ws://jam.example:80/r"),
        ("jam.example", True, "wss://jam.example/r"),
        ("[::1]:8765", False, "ws://[::1]:8765/r"),
        ("[fe80::1]", False, "ws://[fe80::1]:80/r"),
    ],
)
def test_it_is_what_the_browser_asked_for(host: str, secure: bool, address: str) -> None:
    found = public_address({"Host": host}, secure, False)
    assert found is not None
    assert found.join("r") == address


def test_a_proxy_is_believed_only_where_that_was_said() -> None:
    trusted, untrusted = (public_address(PROXY, False, trust) for trust in (True, False))
    assert trusted is not None
    assert trusted.join("r") == "wss://jam.example/r"
    assert untrusted is not None
    assert untrusted.join("r") == "ws://127.0.0.1:8765/r"


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ({"Forwarded": "for=1.2.3.4;proto=https;host=a.example"}, "wss://a.example/r"),
        ({"Forwarded": 'proto=http; host="a.example:99", proto=https'}, "ws://a.example:99/r"),
        ({"X-Forwarded-Proto": "https, http"}, "wss://h:1/r"),
        ({"X-Forwarded-Host": "a.example, b.example"}, "ws://a.example:80/r"),
        ({"Forwarded": ";;=,"}, "ws://h:1/r"),
    ],
)
def test_the_proxys_own_words(headers: dict[str, str], address: str) -> None:
    found = public_address({"Host": "h:1", **headers}, False, True)
    assert found is not None
    assert found.join("r") == address


@pytest.mark.parametrize(
    "host",
    ["", "a b", "a/b", "a.example:0", "a.example:99999", "<script>", "a;rm -rf ~", "x" * 300],
)
def test_what_is_no_host_gives_no_address(host: str) -> None:
    assert public_address({"Host": host}, False, False) is None


class TestClientAddress:
    """Who asks, when proxies are between."""

    PROXIES = networks(["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"])

    @pytest.mark.parametrize(
        ("headers", "remote", "address"),
        [
            ({}, "192.0.2.7", "192.0.2.7"),
            ({"X-Forwarded-For": "198.51.100.1"}, "192.0.2.7", "192.0.2.7"),
            ({"X-Forwarded-For": "198.51.100.1"}, "127.0.0.1", "198.51.100.1"),
            ({"X-Forwarded-For": "1.1.1.1, 198.51.100.1"}, "127.0.0.1", "198.51.100.1"),
            ({"X-Forwarded-For": "1.1.1.1, 198.51.100.1, 10.0.0.3"}, "::1", "::1"),
            ({"X-Forwarded-For": "1.1.1.1, 198.51.100.1, 10.0.0.3"}, "fd00::1", "198.51.100.1"),
            ({"X-Forwarded-For": "[2001:db8::1]:4000"}, "127.0.0.1", "2001:db8::1"),
            ({"X-Forwarded-For": "198.51.100.1:4000"}, "127.0.0.1", "198.51.100.1"),
            ({"X-Forwarded-For": " , "}, "127.0.0.1", "127.0.0.1"),
            ({"Forwarded": 'for=1.1.1.1, for="[2001:db8::2]:1"'}, "127.0.0.1", "2001:db8::2"),
        ],
    )
    def test_only_what_a_proxy_of_ours_said_counts(
        self, headers: dict[str, str], remote: str, address: str
    ) -> None:
        assert client_address(headers, remote, self.PROXIES) == address

    def test_without_proxies_nobody_is_believed(self) -> None:
        assert client_address({"X-Forwarded-For": "1.1.1.1"}, "127.0.0.1", ()) == "127.0.0.1"
